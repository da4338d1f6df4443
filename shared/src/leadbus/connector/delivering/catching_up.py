"""What waits is brought in line with the settings: once they are others, and what was missed, every minute.

Beside everything else and in parts: a change of settings may concern all that a connection ever delivered.
"""

import asyncio

from leadbus.connector.connection import Connection
from leadbus.connector.delivering.profiles import synchronised
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries

EVERY_SECONDS = 60.0
"""A pod that has lost its lease may still put back what it had in hand, by the settings of then."""


class CatchingUp:
    """One connection's, for as long as its settings stay what they are; see `bench.Turns`."""

    def __init__(self, connection: Connection, connections: Connections, deliveries: Deliveries) -> None:
        self._connection = connection
        self._connections = connections
        self._deliveries = deliveries
        self._is_behind = connection.caught_up != connection.revision

    async def turn(self) -> float:
        """Some of it; 0 while there is more. A crash repeats what it had not finished."""
        connection, deliveries = self._connection, self._deliveries
        if self._is_behind:
            await deliveries.resume(connection.id)
            await self._connections.caught_up(connection)
            self._is_behind = False
        wanted = {profile for profile, writes in synchronised(connection).items() if writes}
        count = await deliveries.release(connection.id, wanted)
        if connection.settings.score_field:
            count += await deliveries.rescore(connection.id, connection.settings.score_field)
        return 0.0 if count else EVERY_SECONDS

    async def rest(self, seconds: float) -> None:
        """Other settings are another one's."""
        await asyncio.sleep(seconds)
