"""A connector's HTTP API: the fields of a CRM's records, and what would be written to them for somebody.

And its lists, which are asked of the CRM likewise."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from leadbus.connector.api.list_routes import list_routes
from leadbus.connector.api.ownership import Ownership
from leadbus.connector.api.unopened import unopened
from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection, HealthState
from leadbus.connector.contract import Adapter
from leadbus.connector.mapping import FieldMap, MappedField
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.rehearsing.dry_run import By, DryRun, Person
from leadbus.connector.settings.rules import our_field
from leadbus.connector.stores.descriptions import Description, Descriptions
from leadbus.errors import AuthRefused, Transient
from leadbus.messages import Email, Fields, Id, SyncRequest
from leadbus.messages.base import Text
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope

OurField = Annotated[str, AfterValidator(our_field)]


class WhatToRehearse(BaseModel):
    """A prospect that is known here, by its id, or an email; and what is said of the person besides.

    fields: by our names, such as phone or custom.segment. by: whether a supplier hands the lead over or
    marketing has won it. score: of marketing's; absent = as it is, or just enough. sync: terms of a sync
    request, which asks for the record whatever the profiles say.
    """

    model_config = ConfigDict(extra="forbid")

    prospect_id: Id | None = None
    email: Email | None = None
    fields: dict[OurField, Text] = Field(default_factory=dict, examples=[{"phone": "+49 30 1234567"}])
    by: By = "distribution"
    supplier_id: Id | None = None
    campaign_id: Id | None = None
    score: int | None = Field(None, ge=0)
    sync: SyncRequest | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.prospect_id is None) == (self.email is None):
            raise ValueError("name the person by prospect_id or by email")
        if facts := sorted(self.fields.keys() - Fields.from_flat(self.fields).flat().keys()):
            raise ValueError(f"these are no fields of a person: {', '.join(facts)}")
        return self


def field_routes(
    *,
    ownership: Ownership,
    descriptions: Descriptions,
    dry_run: DryRun,
    shop: PullShop,
    adapter_for: Callable[[Connection], Awaitable[Adapter]],
    adapter_unopened: Callable[[Connection], Awaitable[Adapter]],
    shut_out: Callable[[Connection, str], Awaitable[object]],
) -> APIRouter:
    """The routes, every one bound to the caller's tenant.

    adapter_for: opens the way into the CRM. adapter_unopened: for what needs no call. shut_out: is told why,
    when the CRM refuses the credentials.
    """
    routes = APIRouter(prefix="/v1/connections/{connection_id}")

    @asynccontextmanager
    async def opened(connection: Connection) -> AsyncIterator[Adapter]:
        connection.require_readable()
        if connection.health.state is HealthState.REFUSED:  # each further try could lock the user
            raise Problem(409, f"{connection.health.reason} Correct the access, then test the connection.")
        adapter = await adapter_for(connection)
        try:
            yield adapter
        except AuthRefused as error:
            await shut_out(connection, str(error))
            raise
        finally:
            await adapter.close()

    routes.include_router(list_routes(ownership=ownership, shop=shop, opened=opened))

    async def described(connection: Connection, kind: Kind, *, refresh: bool) -> Description:
        known = await descriptions.of(connection.id, kind)
        if known is not None and known.is_fresh and not refresh:
            return known
        try:
            async with opened(connection) as adapter:
                if kind not in adapter.capabilities.modules:
                    there = ", ".join(adapter.capabilities.modules)
                    raise Problem(404, f"This CRM has no records of the kind {kind}; there are {there}.")
                return await descriptions.keep(connection.id, kind, await adapter.describe(kind))
        except Transient:  # what it said an hour ago is better than nothing
            if known is None or refresh:
                raise
            return known

    async def mapped(connection: Connection, kind: Kind) -> dict[str, MappedField]:
        """By the CRM's names."""
        async with unopened(connection, adapter_unopened) as adapter:
            pairs = (
                FieldMap.of(connection.settings, adapter.capabilities).pairs.get(kind, {}) if adapter else {}
            )
        return {pair.theirs: pair for pair in pairs.values()}

    @routes.get("/fields/{kind}")
    async def fields(
        request: Request, connection_id: str, kind: Kind, refresh: bool = False
    ) -> dict[str, Any]:
        """The fields of a kind of record, standard and custom, with the values they offer.

        As the CRM described them within the last hour, or at the last test; refresh: ask it now. ours: the
        field of Leadbus that is mapped to it.
        """
        scope = Scope.ADMINISTER if refresh else Scope.READ
        connection = await ownership.connection(request, connection_id, scope)
        found = await described(connection, kind, refresh=refresh)
        ours = await mapped(connection, kind)
        return {
            "connection_id": connection.id,
            "kind": kind,
            "fetched_at": found.fetched_at,
            "fields": [
                asdict(info)
                | {
                    "ours": ours[info.name].ours if info.name in ours else None,
                    "direction": ours[info.name].direction if info.name in ours else None,
                }
                for info in found.fields
            ],
        }

    @routes.post("/dry-run")
    async def rehearse(
        request: Request, connection_id: str, what: Annotated[WhatToRehearse, Body()]
    ) -> dict[str, Any]:
        """What would be written for one person if it were handed over now, and why; nothing is written.

        The CRM is read as a delivery would read it.
        """
        connection = await ownership.connection(request, connection_id, Scope.ADMINISTER)
        async with opened(connection) as adapter:
            person = Person(**{name: getattr(what, name) for name in type(what).model_fields})
            return asdict(await dry_run.run(connection, person, adapter))

    return routes
