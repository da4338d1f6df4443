"""How a new lead stands in the CRM at the moment in which its mail goes out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.link import LinkState
from leadbus.connector.mailing.actions import ABOUT
from leadbus.connector.mailing.mail import Mail
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.errors import LeadbusError


class Standings:
    """adapter_for: for links into the CRM; nothing is called."""

    def __init__(
        self,
        connections: Connections,
        deliveries: Deliveries,
        links: Links,
        adapter_for: Callable[[Connection], Awaitable[Adapter]],
    ) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._links = links
        self._adapter_for = adapter_for

    async def of(self, mail: Mail) -> Mapping[str, Any]:
        """url: of the record, if it is there. refused: why not, in words. on: whether it is on its way.

        taken: whether the connection hands such leads to its CRM at all.
        """
        if mail.prospect_id is None:
            return {}
        connection = await self._connections.get(mail.connection_id)
        if connection is None:
            return {"url": None, "refused": "", "on": False, "taken": True}
        return {
            "url": await self._url(connection, mail.prospect_id),
            "refused": await self._refused(connection, mail.prospect_id),
            "on": connection.on,
            "taken": ABOUT not in mail.facts or connection.settings.lead_distribution.synchronises,
        }

    async def _url(self, connection: Connection, prospect_id: str) -> str | None:
        scope = connection.settings.team_scope
        links = await self._links.of_prospects(connection.organisation_id, [prospect_id], scope)
        link = links.get(prospect_id)
        if link is None or link.state is not LinkState.LINKED:
            return None
        try:
            adapter = await self._adapter_for(connection)
        except LeadbusError:
            return None
        try:
            return adapter.url_of(link.record)
        finally:
            await adapter.close()

    async def _refused(self, connection: Connection, prospect_id: str) -> str:
        found = await self._deliveries.of_prospect(connection.settings.tenant_id, prospect_id)
        parked = next((d.parked for d in found if d.connection_id == connection.id and d.parked), None)
        return parked.reason if parked else ""
