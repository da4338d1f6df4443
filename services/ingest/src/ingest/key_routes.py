"""`/v1/api-keys`: API keys of tenants, for the operator and for keys with the scope administer."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from leadbus.messages import TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import ApiKey, ApiKeys, ApiKeyStore, Scope, make_key
from leadbus.security.callers import Authenticator


class NewKey(BaseModel):
    """What a new key is for."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: TenantId | None = Field(
        None, description="The operator names the tenant; others leave it out."
    )
    scopes: list[Scope] = Field([Scope.INGEST], min_length=1, max_length=3)
    name: str = Field("", max_length=100, description="What it is for, so that it is known again later.")


class ShownKey(BaseModel):
    """A key without its secret."""

    id: str
    tenant_id: str
    scopes: list[Scope]
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class CreatedKey(ShownKey):
    """A key with its secret, which is never shown again."""

    key: str


class ShownKeys(BaseModel):
    """A tenant's keys, oldest first."""

    keys: list[ShownKey]


def key_routes(authenticator: Authenticator, store: ApiKeyStore, keys: ApiKeys) -> APIRouter:
    """The routes; `keys`: this process's cache, told at once what was revoked."""
    routes = APIRouter(prefix="/v1/api-keys", tags=["API keys"])

    async def acting_for(request: Request, asked_for: str | None) -> str:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        return caller.tenant(asked_for)

    @routes.post("", status_code=201)
    async def create(request: Request, new: NewKey) -> CreatedKey:
        """Makes a key. The answer is the only place where it is ever shown."""
        tenant_id = await acting_for(request, new.tenant_id)
        key, text = make_key(tenant_id, new.scopes, new.name)
        await store.add(key)
        return CreatedKey(**_shown(key).model_dump(), key=text)

    @routes.get("")
    async def list_keys(request: Request, tenant_id: Annotated[TenantId | None, Query()] = None) -> ShownKeys:
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
    )
