"""How many calls are in flight at once at one organisation.

Zoho's documentation: too many at once are answered 429, without saying when to come back.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

RECOVERY_SECONDS = 5.0
"""After a 429 one more call is let in each time these have passed."""


class Limiter:
    """Slots in the order in which they were asked for. most: at once, when nothing is wrong."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._clock = clock
        self._busy = 0
        self._lowered = most
        self._since = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def allowed(self) -> int:
        """How many may be in flight now."""
        passed = self._clock() - self._since
        if passed >= RECOVERY_SECONDS * self.most:
            return self.most
        return min(self.most, self._lowered + int(passed / RECOVERY_SECONDS))

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """A place for one call; its beginning, for `slow_down`."""
        await self._enter()
        try:
            yield self._clock()
        finally:
            self._leave()

    def slow_down(self, began: float) -> None:
        """A call that began then was too many: half as many from now on, once for all sent before."""
        if began >= self._since:
            self._lowered, self._since = max(1, self.allowed // 2), self._clock()

    async def _enter(self) -> None:
        if not self._waiting and self._busy < self.allowed:
            self._busy += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was let in at the same moment
                self._leave()
            raise

    def _leave(self) -> None:
        self._busy -= 1
        while self._waiting and (self._waiting[0].done() or self._busy < self.allowed):
            turn = self._waiting.popleft()
            if not turn.done():
                self._busy += 1
                turn.set_result(None)
