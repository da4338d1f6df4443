"""`/v1/api-keys`: API keys of tenants, for the operator and for keys with the scope administer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from ingest.hooks import hook_url
from leadbus.messages import Id, TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import ApiKey, ApiKeys, ApiKeyStore, Scope, make_key
from leadbus.security.callers import Authenticator

WhoseKey = TenantId | Literal["*"]
"""`*` (`EVERY_TENANT`) is for the operator, and for suppliers' keys."""


class NewKey(BaseModel):
    """What a new key is for."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: WhoseKey | None = Field(
        None,
        description="The operator names the tenant, or with the scope supplier * for every tenant;"
        " others leave it out.",
    )
    scopes: list[Scope] = Field([Scope.INGEST], min_length=1, max_length=len(Scope))
    name: str = Field("", max_length=100, description="What it is for, so that it is known again later.")
    connection_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$",
        description="With the scope hook: the connection whose CRM calls it. The name stands in the URL.",
    )
    supplier_id: Id | None = Field(
        None, description="With the scope supplier: whose leads it may ask about, and no others."
    )


class ShownKey(BaseModel):
    """A key without its secret."""

    id: str
    tenant_id: str
    scopes: list[Scope]
    name: str
    created_at: datetime
    revoked_at: datetime | None = None
    connection_id: str | None = None
    supplier_id: str | None = None


class CreatedKey(ShownKey):
    """A key with its secret, which is never shown again. url: of a hook's key, what the CRM is told."""

    key: str
    url: str | None = None


class ShownKeys(BaseModel):
    """A tenant's keys, oldest first."""

    keys: list[ShownKey]


def key_routes(
    authenticator: Authenticator, store: ApiKeyStore, keys: ApiKeys, base_url: Callable[[], str]
) -> APIRouter:
    """The routes. keys: this process's cache, told at once what was revoked. base_url: ingest's own."""
    routes = APIRouter(prefix="/v1/api-keys", tags=["API keys"])

    async def acting_for(request: Request, asked_for: str | None) -> str:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        return caller.tenant(asked_for)

    @routes.post("", status_code=201)
    async def create(request: Request, new: NewKey) -> CreatedKey:
        """Makes a key. The answer is the only place where it is ever shown."""
        tenant_id = await acting_for(request, new.tenant_id)
        key, text = make_key(tenant_id, new.scopes, new.name, new.connection_id, new.supplier_id)
        await store.add(key)
        url = hook_url(base_url(), key.connection_id, text) if key.connection_id else None
        return CreatedKey(**_shown(key).model_dump(), key=text, url=url)

    @routes.get("")
    async def list_keys(request: Request, tenant_id: Annotated[WhoseKey | None, Query()] = None) -> ShownKeys:
        """A tenant's keys, without their secrets."""
        tenant = await acting_for(request, tenant_id)
        return ShownKeys(keys=[_shown(key) for key in await store.of_tenant(tenant)])

    @routes.delete("/{key_id}", status_code=204)
    async def revoke(request: Request, key_id: str) -> None:
        """Ends a key: here at once, in other processes within 30 seconds."""
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        key = await store.get(key_id)
        if key is None or (not caller.operator and key.tenant_id != caller.tenant_id):
            raise Problem(404, "There is no such API key; leadbus keys list names them.")
        await store.revoke(key_id, datetime.now(UTC))
        keys.forget()

    return routes


def _shown(key: ApiKey) -> ShownKey:
    return ShownKey(
        id=key.id,
        tenant_id=key.tenant_id,
        scopes=sorted(key.scopes),
        name=key.name,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        connection_id=key.connection_id,
        supplier_id=key.supplier_id,
    )
