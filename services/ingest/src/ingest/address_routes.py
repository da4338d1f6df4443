"""`/v1/authorised-addresses`: from where a tenant may be called for; none = from everywhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from leadbus.errors import Conflict
from leadbus.messages import TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import ApiKeys, Scope
from leadbus.security.authorised_addresses import MOST_ADDRESSES, AuthorisedAddressStore
from leadbus.security.callers import Authenticator, Caller, caller_address
from leadbus.security.networks import contained, network_of, written

Tenant = Annotated[TenantId | None, Query(description="The operator names the tenant; others leave it out.")]


class AuthorisedAddresses(BaseModel):
    """A tenant's authorised addresses and networks; empty = it may be called for from everywhere."""

    tenant_id: str
    addresses: list[str]


def address_routes(authenticator: Authenticator, store: AuthorisedAddressStore, keys: ApiKeys) -> APIRouter:
    """The routes; `keys`: this process's memory, told at once what was changed."""
    routes = APIRouter(prefix="/v1/authorised-addresses", tags=["Authorised addresses"])

    async def administering(request: Request) -> Caller:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        return caller

    async def change(
        request: Request, caller: Caller, tenant_id: str, before: list[str], after: list[str]
    ) -> AuthorisedAddresses:
        if not caller.operator:
            _keep_in(request, tenant_id, after)
        if after != before:
            if not await store.replace(tenant_id, before, after):
                raise Conflict("Somebody else changed these addresses at the same moment; try again.")
            keys.forget()
        return AuthorisedAddresses(tenant_id=tenant_id, addresses=after)

    @routes.get("")
    async def list_addresses(request: Request, tenant_id: Tenant = None) -> AuthorisedAddresses:
        """A tenant's authorised addresses, oldest first."""
        tenant = (await administering(request)).tenant(tenant_id)
        return AuthorisedAddresses(tenant_id=tenant, addresses=await store.of_tenant(tenant))

    @routes.put("/{address:path}")
    async def authorise(request: Request, address: str, tenant_id: Tenant = None) -> AuthorisedAddresses:
        """Authorises an address or a network; the first one refuses calls from everywhere else.

        At once where it helps a caller; what it forbids ends within 30 seconds in other processes.
        """
        caller = await administering(request)
        tenant = caller.tenant(tenant_id)
        new, before = written(network_of(address)), await store.of_tenant(tenant)
        after = list(dict.fromkeys([*before, new]))
        if len(after) > MOST_ADDRESSES:
            raise Problem(422, f"A tenant has at most {MOST_ADDRESSES} addresses; authorise a network.")
        return await change(request, caller, tenant, before, after)

    @routes.delete("/{address:path}")
    async def withdraw(request: Request, address: str, tenant_id: Tenant = None) -> AuthorisedAddresses:
        """Withdraws an address or a network, within 30 seconds everywhere; the last one ends the limit."""
        caller = await administering(request)
        tenant = caller.tenant(tenant_id)
        old, before = written(network_of(address)), await store.of_tenant(tenant)
        if old not in before:
            raise Problem(
                404, f"{old} is not among them; leadbus addresses list {tenant} shows the addresses."
            )
        return await change(request, caller, tenant, before, [text for text in before if text != old])

    return routes


def _keep_in(request: Request, tenant_id: str, addresses: list[str]) -> None:
    """Nobody shuts out themselves: nobody but the operator could let them in again."""
    address = caller_address(request)
    if addresses and not contained(address, map(network_of, addresses)):
        raise Problem(
            422,
            f"That would shut out this very caller, {address or 'whose address cannot be told'}."
            f" Authorise it first: leadbus addresses authorise {tenant_id} {address or 'ADDRESS'}",
        )
