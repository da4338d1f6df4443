"""`/v1/fields`: a tenant's own standard fields, beside those that everybody has."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from ingest.own_fields import OwnFields
from leadbus.messages import Fields, TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator
from leadbus.tenant_fields import MOST_FIELDS, MongoTenantFields, TenantField

Tenant = Annotated[TenantId | None, Query(description="The operator names the tenant; others leave it out.")]
STANDARD = [name for name in Fields.model_fields if name != "custom"]


class GivenFields(BaseModel):
    """All that the tenant is to have; none = any name may be used again.

    revision: of those that these take the place of, as it was shown; absent = whatever is there.
    """

    model_config = ConfigDict(extra="forbid")

    fields: list[TenantField] = Field(max_length=MOST_FIELDS)
    revision: int | None = Field(None, ge=0, lt=2**31)


class ShownFields(BaseModel):
    """A tenant's own fields, and how often they were changed. standard: those that every tenant has."""

    tenant_id: str
    fields: list[TenantField]
    revision: int
    standard: list[str] = STANDARD


def field_routes(authenticator: Authenticator, store: MongoTenantFields, own: OwnFields) -> APIRouter:
    """The routes; `own`: this process's memory, told at once what was changed."""
    routes = APIRouter(prefix="/v1/fields", tags=["Fields"])

    async def acting_for(request: Request, scope: Scope, asked_for: str | None) -> str:
        caller = await authenticator.authenticate(request)
        caller.require(scope)
        return caller.tenant(asked_for)

    @routes.get("")
    async def list_fields(request: Request, tenant_id: Tenant = None) -> ShownFields:
        """A tenant's own fields; none = custom values are taken under any name."""
        tenant = await acting_for(request, Scope.READ, tenant_id)
        known = await store.of_tenant(tenant)
        return ShownFields(tenant_id=tenant, fields=known.fields, revision=known.revision)

    @routes.put("")
    async def set_fields(request: Request, given: GivenFields, tenant_id: Tenant = None) -> ShownFields:
        """Says which fields there are: values under any other name are refused, within 30 seconds everywhere.

        What is known of people already stays, whatever its name. 409 if somebody else was faster.
        """
        tenant = await acting_for(request, Scope.ADMINISTER, tenant_id)
        counts = Counter(field.name for field in given.fields)
        if twice := sorted(name for name, count in counts.items() if count > 1):
            raise Problem(422, f"Each name may be given once; these are given twice: {', '.join(twice)}.")
        if taken := sorted(counts.keys() & set(STANDARD)):
            raise Problem(422, f"These are standard fields that everybody has: {', '.join(taken)}.")
        revision = await store.replace(tenant, given.fields, given.revision)
        own.forget(tenant)
        return ShownFields(tenant_id=tenant, fields=given.fields, revision=revision)

    return routes
