"""Beside the merging of facts: what default lead owners are to hear is spooled in the same transaction."""

from collections import defaultdict
from collections.abc import Sequence

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.connection import Connection
from leadbus.connector.delivering.handler import concerns
from leadbus.connector.mailing.mail import Mail
from leadbus.connector.mailing.new_leads import NewLead, new_lead_mails
from leadbus.connector.mailing.spool import Spool
from leadbus.connector.stores.connections import Connections
from leadbus.consuming.records import Effects, Handler, Received


class MailingHandler:
    """Wraps a connector's handler. An owner hears of a new lead also if the connection is off, as before."""

    def __init__(self, inner: Handler, connections: Connections, spool: Spool) -> None:
        self._inner = inner
        self._connections = connections
        self._spool = spool

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `Handler`."""
        effects = await self._inner.handle(batch)
        mails = await self._mails([r.message for r in batch if isinstance(r.message, NewLead)])
        if not mails:
            return effects
        write = effects.write

        async def both(session: AsyncClientSession) -> None:
            await write(session)
            await self._spool.put(mails, session)

        return Effects(both, effects.publish)

    async def _mails(self, leads: Sequence[NewLead]) -> list[Mail]:
        if not leads:
            return []
        by_tenant: dict[str, list[Connection]] = defaultdict(list)
        for connection in await self._connections.of_tenants({lead.tenant_id for lead in leads}):
            if connection.settings.default_owners:
                by_tenant[connection.settings.tenant_id].append(connection)
        own: dict[str, tuple[Connection, list[NewLead]]] = {}
        for lead in leads:
            for connection in by_tenant[lead.tenant_id]:
                if concerns(lead, connection):
                    own.setdefault(connection.id, (connection, []))[1].append(lead)
        return [mail for connection, its in own.values() for mail in new_lead_mails(connection, its)]
