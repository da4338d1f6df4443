"""A connector's HTTP API, the reading side: sync now, progress, the error report, a prospect's CRM side."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Literal, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from leadbus.connector.api.campaign_routes import campaign_routes
from leadbus.connector.api.crm_side import crm_side
from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.api.ownership import Ownership
from leadbus.connector.api.progress import progress_of
from leadbus.connector.api.reporting import grouped
from leadbus.connector.api.rereads import new_fields
from leadbus.connector.api.unopened import unopened
from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.taking.table import TAKERS
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope

ReportedKind = Literal[
    "lead", "contact", "target", "account", "opportunity", "activity", "list", "user", "campaign"
]


class WhatToSync(BaseModel):
    """kinds: absent = all that have a schedule; named ones need none. full: everything, not only changes.

    fields: `new` = nothing but fields that were mapped since, of every record.
    """

    model_config = ConfigDict(extra="forbid")
    kinds: list[Kind] | None = None
    full: bool = False
    fields: Literal["all", "new"] = "all"

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.full and self.fields == "new":
            raise ValueError("full reads all fields: leave it out to read only new ones")
        return self


class WhatToSendAgain(BaseModel):
    """ids: of rows of the error report, or `all`."""

    model_config = ConfigDict(extra="forbid")
    ids: list[str] | Literal["all"] = Field(examples=["all"])


def reading_routes(
    *,
    ownership: Ownership,
    shop: PullShop,
    adapter_for: Callable[[Connection], Awaitable[Adapter]],
) -> APIRouter:
    """The routes, every one bound to the caller's tenant."""
    routes = APIRouter(prefix="/v1")
    routes.include_router(campaign_routes(ownership=ownership, shop=shop, adapter_for=adapter_for))
    report = ErrorReport(shop)

    @routes.post("/connections/{connection_id}/sync", status_code=202)
    async def sync(request: Request, connection_id: str, what: WhatToSync) -> dict[str, Any]:
        """Reads from the CRM as soon as possible: changes, everything, or new fields.

        Of new fields, kinds that have none are left out. Progress is under `pulls`.
        """
        connection = await ownership.connection(request, connection_id, Scope.ADMINISTER)
        if not connection.on:
            raise Problem(409, "The connection is off: turn it on, and it begins to read by itself.")
        schedules = connection.settings.schedules
        kinds = what.kinds or [kind for kind in TAKERS if schedules.of(kind)]
        if what.fields == "new":
            new = await new_fields(connection, shop.pulls, adapter_for)
            kinds = [kind for kind in what.kinds or new if kind in new]
            await shop.asked.new_fields(connection.id, kinds)
        else:
            await shop.asked.kinds(connection.id, kinds, full=what.full)
        return {
            "connection_id": connection.id,
            "kinds": kinds,
            "full": what.full,
            "fields": what.fields,
        }

    @routes.get("/connections/{connection_id}/pulls")
    async def pulls(request: Request, connection_id: str) -> dict[str, Any]:
        """How reading goes, per kind of record."""
        connection = await ownership.connection(request, connection_id, Scope.READ)
        new = await new_fields(connection, shop.pulls, adapter_for)
        return {"connection_id": connection.id, "pulls": await progress_of(connection, shop, new)}

    @routes.get("/connections/{connection_id}/errors")
    async def errors(
        request: Request, connection_id: str, object: ReportedKind | None = None
    ) -> dict[str, Any]:
        """What the CRM refused and what could not be taken in, dependents under their roots."""
        connection = await ownership.connection(request, connection_id, Scope.READ)
        async with unopened(connection, adapter_for) as adapter:
            rows = await report.rows(connection, adapter)
        return {
            "connection_id": connection.id,
            "errors": [asdict(row) for row in grouped(rows, object)],
        }

    @routes.post("/connections/{connection_id}/errors/send-again", status_code=202)
    async def send_again(request: Request, connection_id: str, what: WhatToSendAgain) -> dict[str, Any]:
        """Tries corrected rows again at once, with what depends on them."""
        connection = await ownership.connection(request, connection_id, Scope.ADMINISTER)
        count = await report.send_again(connection, None if what.ids == "all" else set(what.ids))
        if count == 0 and what.ids != "all":
            raise Problem(404, "No row of the error report has such an id; it may be done already.")
        return {"connection_id": connection.id, "sent_again": count}

    @routes.get("/prospects/{prospect_id}/crm")
    async def crm(request: Request, prospect_id: str, tenant_id: str | None = None) -> dict[str, Any]:
        """What the tenant's CRMs know of one prospect: records, opportunities, activities, lists."""
        who = await ownership.caller(request, Scope.READ)
        found = []
        for connection in await ownership.connections.of_tenants([who.tenant(tenant_id)]):
            async with unopened(connection, adapter_for) as adapter:
                side = await crm_side(connection, prospect_id, shop, adapter)
            if side is not None:
                found.append(side)
        return {"prospect_id": prospect_id, "connections": found}

    return routes
