"""How many calls are in flight at once at one organisation, and when none may be made at all.

Microsoft's documentation (service protection API limits): 52 at once for a user, 6,000 in five minutes, 20
minutes of execution; who goes on after a 429 waits the longer. On-premises has no such limits.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from connector_dynamics.codes import DirectoryBusy
from leadbus.errors import RateLimited

ONLINE_CALLS = 52
ON_PREMISES_CALLS = 8


class Limiter:
    """Slots in the order in which they were asked for. calls: at once."""

    def __init__(self, calls: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.calls = calls
        self._clock = clock
        self._slots = asyncio.Semaphore(calls)
        self._until = float("-inf")

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place for one call.

        Raises:
            RateLimited: the organisation asked for a pause that has not passed yet.
        """
        self._require_open()
        async with self._slots:
            self._require_open()
            try:
                yield
            except DirectoryBusy:  # one access's own; other tenants call the organisation as well
                raise
            except RateLimited as error:
                self.pause(error)
                raise

    def pause(self, error: RateLimited) -> None:
        """No call is made until then."""
        self._until = max(self._until, self._clock() + error.retry_after)

    def _require_open(self) -> None:
        left = self._until - self._clock()
        if left > 0:
            raise RateLimited("The CRM asks for fewer calls: Leadbus waits as long as it says.", left)
