"""Beside the merging of facts: what default lead owners are to hear is spooled in the same transaction."""

import time
from collections import defaultdict
from collections.abc import Sequence

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.connection import Connection
from leadbus.connector.delivering.handler import concerns
from leadbus.connector.mailing.mail import Mail
from leadbus.connector.mailing.new_leads import MOST_AT_ONCE, TOGETHER, NewLead, new_lead_mails
from leadbus.connector.mailing.spool import Spool
from leadbus.connector.stores.connections import Connections
from leadbus.consuming.records import Effects, Handler, Received
from leadbus.messages import LeadDistributed, LeadQualified


class MailingHandler:
    """Wraps a connector's handler. Owners hear of new leads as before there was a connection: also if it is
    off, or does not synchronise leads of suppliers.
    """

    def __init__(self, inner: Handler, connections: Connections, spool: Spool) -> None:
        self._inner = inner
        self._connections = connections
        self._spool = spool
        self._qualified: dict[str, list[float]] = {}

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
            for connection in _whose(lead, by_tenant[lead.tenant_id]):
                own.setdefault(connection.id, (connection, []))[1].append(lead)
        return [
            mail
            for connection, its in own.values()
            for mail in new_lead_mails(connection, its, lately=self._lately(connection.id, its))
        ]

    def _lately(self, connection_id: str, leads: Sequence[NewLead]) -> int:
        """How many have qualified here before these, as far as it matters."""
        now = time.monotonic()
        known = [at for at in self._qualified.get(connection_id, ()) if now - at < TOGETHER.total_seconds()]
        new = [now for lead in leads if isinstance(lead, LeadQualified)]
        self._qualified[connection_id] = [*known, *new][-MOST_AT_ONCE:]
        return len(known)


def _whose(lead: NewLead, connections: Sequence[Connection]) -> list[Connection]:
    """A lead that none of them writes is told of by those that would, were it synchronised."""
    taking = [connection for connection in connections if concerns(lead, connection)]
    if taking or not isinstance(lead, LeadDistributed):
        return taking
    return [
        connection
        for connection in connections
        if connection.settings.lead_distribution.on
        and connection.settings.supplier_id in (None, lead.supplier_id)
    ]
