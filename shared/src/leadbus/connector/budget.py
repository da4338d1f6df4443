"""How many calls at once one CRM organisation bears, and who goes first when it is busy.

All connections of an organisation share one budget; it counts verbs by the calls that each may make at
once, because an adapter spreads the rows of one verb over its sessions.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from itertools import count


class Urgency(IntEnum):
    """Who goes first: new leads and what leads to them, then other deliveries, then pulls, scores last."""

    NEW_LEADS = 0
    DELIVERING = 1
    PULLING = 2
    SCORES = 3


class Budget:
    """slots: calls at once.

    Where there are several, nothing takes all of them, so that a large batch need not wait for a pull's page
    to end; and pulls leave one free for a lead that comes meanwhile.
    """

    def __init__(self, slots: int) -> None:
        self.slots = max(1, slots)
        self._free = self.slots
        self._waiting: list[tuple[Urgency, int, int, asyncio.Future[int]]] = []
        self._numbers = count()

    def resize(self, slots: int) -> None:
        """So many from now on; what is under way beyond them ends in its own time."""
        slots = max(1, slots)
        self._free += slots - self.slots
        self.slots = slots
        self._admit()

    @asynccontextmanager
    async def take(self, calls: int, urgency: Urgency) -> AsyncIterator[None]:
        """Room for so many calls, as many as there can be."""
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), calls, turn))
        self._admit()
        try:
            granted = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(turn.result())
            self._admit()  # who comes after one that gave up may need less
            raise
        try:
            yield
        finally:
            self._give_back(granted)

    def _give_back(self, calls: int) -> None:
        self._free += calls
        self._admit()

    def _admit(self) -> None:
        """Strictly in order, so that what needs much room is not passed over for ever."""
        while self._waiting:
            urgency, _, wanted, turn = self._waiting[0]
            calls = min(max(1, wanted), max(1, self.slots - 1))
            spare = 1 if urgency is Urgency.PULLING and self.slots > 1 else 0
            if turn.cancelled():
                heapq.heappop(self._waiting)
            elif calls + spare <= self._free:
                heapq.heappop(self._waiting)
                self._free -= calls
                turn.set_result(calls)
            else:
                return
