"""Tells every pulling of a pod, within half a second, that something of its connection is asked for."""

import asyncio
import time

from leadbus.connector.stores.asked import Asked

LOOK_EVERY_SECONDS = 0.5


class Bell:
    """One look at the wishes serves all connections of the pod, however many there are."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._looking = asyncio.Lock()
        self._looked = 0.0
        self._wanted: set[str] = set()

    async def rest(self, connection_id: str, seconds: float) -> None:
        """Returns after these seconds, or soon after something is asked for."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, LOOK_EVERY_SECONDS))
            if await self._rings_for(connection_id):
                return

    async def _rings_for(self, connection_id: str) -> bool:
        async with self._looking:
            if time.monotonic() - self._looked >= LOOK_EVERY_SECONDS:
                self._wanted = await self._asked.connections()
                self._looked = time.monotonic()
        rings = connection_id in self._wanted
        self._wanted.discard(connection_id)
        return rings
