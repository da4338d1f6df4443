"""Takes in what CRMs push: each record that a push names is read at once. Writes MongoDB alone.

A push is a hint and nothing else: what is lost with it, or cannot be understood, the next pull finds.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.stores.asked import Asked
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.watches import Watches
from leadbus.consuming.records import Effects, Handler, Received
from leadbus.errors import LeadbusError
from leadbus.messages import CrmNotification, Record

log = logging.getLogger(__name__)

HEARD_SECONDS = 60.0
"""How often it is noted that a CRM pushes, however much it does."""
MOST_RECORDS = 5_000
"""Of one connection in one batch of pushes; a push that names more is better served by the next pull."""


class HintingHandler:
    """A connector's handler, with pushes taken in beside what `inner` does."""

    def __init__(
        self,
        inner: Handler,
        *,
        connections: Connections,
        asked: Asked,
        watches: Watches,
        adapter_for: Callable[[Connection], Awaitable[Adapter]],
    ) -> None:
        self._inner = inner
        self._connections = connections
        self._asked = asked
        self._watches = watches
        self._heard: dict[str, float] = {}
        self._adapter_for = adapter_for

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `Handler`."""
        effects = await self._inner.handle([r for r in batch if not isinstance(r.message, CrmNotification)])
        hints = await self._hints([r.message for r in batch if isinstance(r.message, CrmNotification)])
        if not hints:
            return effects
        write = effects.write

        async def both(session: AsyncClientSession) -> None:
            await write(session)
            for connection_id, records in hints.items():
                await self._asked.records(connection_id, records, session)

        return Effects(both, effects.publish)

    async def _hints(self, pushes: Sequence[CrmNotification]) -> dict[str, set[Record]]:
        """What to read, by connection."""
        by_connection: dict[str, list[CrmNotification]] = defaultdict(list)
        for push in pushes:
            by_connection[push.connection_id].append(push)
        hints: dict[str, set[Record]] = {}
        for connection_id, pushed in by_connection.items():
            connection = await self._connections.get(connection_id)
            if connection is None or not connection.on:
                continue
            own = [push for push in pushed if push.tenant_id == connection.settings.tenant_id]
            if own:
                await self._hear(connection_id)
            records = await self._interpret(connection, own)
            if records:
                hints[connection_id] = records
        return hints

    async def _hear(self, connection_id: str) -> None:
        """Not in the batch's transaction: pods that hear of one connection would make each other repeat."""
        now = time.monotonic()
        if now >= self._heard.get(connection_id, now):
            await self._watches.hear(connection_id, datetime.now(UTC))
            self._heard[connection_id] = now + HEARD_SECONDS

    async def _interpret(self, connection: Connection, pushes: Sequence[CrmNotification]) -> set[Record]:
        if not pushes or connection.unreadable:
            return set()
        try:
            adapter = await self._adapter_for(connection)
        except LeadbusError as error:
            log.warning("A push for connection %s is left to the next pull: %s", connection.id, error)
            return set()
        try:
            found: set[Record] = set()
            for push in pushes:
                found |= set(adapter.interpret(push.body, push.content_type))
            return found if len(found) <= MOST_RECORDS else set()
        except Exception as error:  # strangers write pushes: none may hold up the leads behind it
            log.warning("A push for connection %s is not understood: %s", connection.id, type(error).__name__)
            return set()
        finally:
            await adapter.close()
