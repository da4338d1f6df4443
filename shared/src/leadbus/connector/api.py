"""A connector's HTTP API: its connections, and what it knows of one prospect."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from leadbus.connector.commands import ConnectionCommands
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator, Caller


def connection_routes(
    *,
    authenticator: Authenticator,
    commands: ConnectionCommands,
    connections: Connections,
    deliveries: Deliveries,
    links: Links,
) -> APIRouter:
    """The routes, every one bound to the caller's tenant."""
    routes = APIRouter(prefix="/v1")

    async def caller(request: Request, scope: Scope) -> Caller:
        found = await authenticator.authenticate(request)
        found.require(scope)
        return found

    async def own(request: Request, connection_id: str, scope: Scope) -> Connection:
        """The connection, if it is the caller's; another tenant's does not exist for it."""
        who = await caller(request, scope)
        connection = await connections.get(connection_id)
        if connection is None or who.tenant_id not in (None, connection.settings.tenant_id):
            raise Problem(404, "There is no connection of this name; leadbus connections list shows yours.")
        return connection

    @routes.get("/connections")
    async def list_connections(request: Request, tenant_id: str | None = None) -> dict[str, Any]:
        """Connections of the tenant (the operator: of all, or of one)."""
        who = await caller(request, Scope.READ)
        wanted = tenant_id if who.operator else who.tenant(tenant_id)
        found = await connections.of_tenants([wanted]) if wanted else await connections.all()
        return {"connections": [_shown(connection) for connection in found]}

    @routes.put("/connections/{connection_id}")
    async def apply(
        request: Request, connection_id: str, settings: Annotated[dict[str, Any], Body()]
    ) -> dict[str, Any]:
        """Creates the connection or replaces its settings."""
        who = await caller(request, Scope.ADMINISTER)
        settings.pop("connection_id", None)
        tenant = who.tenant(settings.pop("tenant_id", None))
        return _shown(await commands.apply(tenant, connection_id, settings))

    @routes.post("/connections/{connection_id}/test")
    async def test(request: Request, connection_id: str) -> dict[str, Any]:
        """Checks address, credentials, permissions and options of the CRM."""
        connection = await own(request, connection_id, Scope.ADMINISTER)
        return _with_findings(connection, await commands.test(connection))

    @routes.post("/connections/{connection_id}/on")
    async def on(request: Request, connection_id: str) -> dict[str, Any]:
        """Turns the connection on, if the test finds nothing wrong."""
        connection = await own(request, connection_id, Scope.ADMINISTER)
        return _with_findings(*await commands.turn(connection, on=True))

    @routes.post("/connections/{connection_id}/off")
    async def off(request: Request, connection_id: str) -> dict[str, Any]:
        """Turns the connection off; what comes meanwhile is kept for it."""
        connection = await own(request, connection_id, Scope.ADMINISTER)
        return _with_findings(*await commands.turn(connection, on=False))

    @routes.get("/prospects/{prospect_id}")
    async def prospect(request: Request, prospect_id: str, tenant_id: str | None = None) -> dict[str, Any]:
        """What is owed and what was written for one prospect, per connection."""
        who = await caller(request, Scope.READ)
        found = await deliveries.of_prospect(who.tenant(tenant_id), prospect_id)
        shown = []
        for delivery in found:
            known = await links.of_prospects(delivery.organisation_id, [prospect_id])
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
