"""A connector's HTTP API: its connections, and what it knows of one prospect."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict

from leadbus.connector.api.commands import ConnectionCommands
from leadbus.connector.api.ownership import Ownership
from leadbus.connector.capabilities import Kind
from leadbus.connector.checking.checks import Part
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.schema import rows_of
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.security.api_keys import Scope


class WhatToTest(BaseModel):
    """What to test: `access` = only whether Leadbus gets in, with the right teams."""

    model_config = ConfigDict(extra="forbid")
    part: Part = "all"


def connection_routes(
    *,
    kind: type[ConnectionSettings],
    ownership: Ownership,
    commands: ConnectionCommands,
    connections: Connections,
    deliveries: Deliveries,
    links: Links,
    new_fields: Callable[[Connection], Awaitable[Mapping[Kind, Sequence[str]]]],
) -> APIRouter:
    """The routes, every one bound to the caller's tenant. new_fields: those not read yet, by kind."""
    routes = APIRouter(prefix="/v1")

    async def reread(connection: Connection) -> list[Kind]:
        return list(await new_fields(connection))

    @routes.get("/settings")
    async def settings_of_a_connection(request: Request) -> dict[str, Any]:
        """What can be connected, and the settings: type, default, allowed values and help of each."""
        await ownership.caller(request, Scope.READ)
        return {
            "crm": kind.model_fields["crm"].default,
            "supported": kind.supported,
            "unsupported": kind.unsupported,
            "settings": [asdict(row) for row in rows_of(kind)],
        }

    @routes.get("/connections")
    async def list_connections(request: Request, tenant_id: str | None = None) -> dict[str, Any]:
        """Connections of the tenant (the operator: of all, or of one)."""
        who = await ownership.caller(request, Scope.READ)
        wanted = tenant_id if who.operator else who.tenant(tenant_id)
        found = await connections.of_tenants([wanted]) if wanted else await connections.all()
        return {"connections": [_shown(connection) for connection in found]}

    @routes.put("/connections/{connection_id}")
    async def apply(
        request: Request, connection_id: str, settings: Annotated[dict[str, Any], Body()]
    ) -> dict[str, Any]:
        """Creates the connection or replaces its settings. reread: as with a change."""
        who = await ownership.caller(request, Scope.ADMINISTER)
        settings.pop("connection_id", None)
        tenant = who.tenant(settings.pop("tenant_id", None))
        applied = await commands.apply(tenant, connection_id, settings, by=who.key_id)
        return _shown(applied) | {"reread": await reread(applied)}

    @routes.patch("/connections/{connection_id}")
    async def change(
        request: Request, connection_id: str, patch: Annotated[dict[str, Any], Body()]
    ) -> dict[str, Any]:
        """Changes some settings; the others stay.

        Sections are merged (RFC 7396), but a schedule is replaced whole. null empties a setting that may be
        empty, and takes any other back to its default.

        reread: kinds of records that were read without fields which are mapped now; `sync` with the fields
        `new` reads just these, so that they need not wait for the next comparison.
        """
        who = await ownership.caller(request, Scope.ADMINISTER)
        connection = await ownership.own(who, connection_id)
        changed = await commands.change(connection, patch, by=who.key_id)
        return _shown(changed) | {"reread": await reread(changed)}

    @routes.get("/connections/{connection_id}/revisions")
    async def revisions(
        request: Request, connection_id: str, limit: Annotated[int, Query(ge=1, le=1_000)] = 100
    ) -> dict[str, Any]:
        """Who changed which settings and when, newest first; no values."""
        await ownership.connection(request, connection_id, Scope.READ)
        return {"revisions": [asdict(r) for r in await connections.revisions(connection_id, limit)]}

    @routes.post("/connections/{connection_id}/test")
    async def test(
        request: Request, connection_id: str, what: Annotated[WhatToTest | None, Body()] = None
    ) -> dict[str, Any]:
        """Checks address, credentials, version, teams, permissions, options and fields of the CRM.

        Credentials are tried once; refused ones pause the connection.
        """
        connection = await ownership.connection(request, connection_id, Scope.ADMINISTER)
        return _with_findings(*await commands.test(connection, (what or WhatToTest()).part))

    @routes.post("/connections/{connection_id}/on")
    async def on(request: Request, connection_id: str) -> dict[str, Any]:
        """Turns the connection on, if the test finds nothing wrong."""
        who = await ownership.caller(request, Scope.ADMINISTER)
        connection = await ownership.own(who, connection_id)
        return _with_findings(*await commands.turn(connection, on=True, by=who.key_id))

    @routes.post("/connections/{connection_id}/off")
    async def off(request: Request, connection_id: str) -> dict[str, Any]:
        """Turns the connection off; what comes meanwhile is kept for it."""
        who = await ownership.caller(request, Scope.ADMINISTER)
        connection = await ownership.own(who, connection_id)
        return _with_findings(*await commands.turn(connection, on=False, by=who.key_id))

    @routes.get("/prospects/{prospect_id}")
    async def prospect(request: Request, prospect_id: str, tenant_id: str | None = None) -> dict[str, Any]:
        """What is owed and what was written for one prospect, per connection."""
        who = await ownership.caller(request, Scope.READ)
        tenant = who.tenant(tenant_id)
        scopes = {c.id: c.settings.team_scope for c in await connections.of_tenants([tenant])}
        shown = []
        for delivery in await deliveries.of_prospect(tenant, prospect_id):
            scope = scopes.get(delivery.connection_id, "")
            known = await links.of_prospects(delivery.organisation_id, [prospect_id], scope)
            link = known.get(prospect_id)
            shown.append(
                {
                    "connection_id": delivery.connection_id,
                    "record": link.record.model_dump() if link else None,
                    "state": link.state.value if link else None,
                    "due": delivery.is_due,
                    "parked": delivery.parked,
                    "lead_trace_id": link.lead_trace_id if link else None,
                    "history": delivery.history,
                }
            )
        return {"prospect_id": prospect_id, "deliveries": shown}

    return routes


def _shown(connection: Connection) -> dict[str, Any]:
    """Without what is secret: pydantic shows those as asterisks."""
    return {
        "connection_id": connection.id,
        "tenant_id": connection.settings.tenant_id,
        "on": connection.on,
        "revision": connection.revision,
        "health": {
            "state": connection.health.state.value,
            "reason": connection.health.reason,
            "since": connection.health.since,
        },
        "settings": connection.settings.model_dump(mode="json"),
    }


def _with_findings(connection: Connection, findings: list[Finding]) -> dict[str, Any]:
    return {"connection": _shown(connection), "ok": all(f.ok for f in findings), "findings": findings}
