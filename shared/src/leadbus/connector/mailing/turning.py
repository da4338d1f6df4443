"""A loop of a service: takes turns, for as long as the service runs."""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable

from pymongo.errors import PyMongoError

log = logging.getLogger(__name__)

AFTER_TROUBLE_SECONDS = 5.0
MUST_TURN_SECONDS = 600.0
LAST_TURN_SECONDS = 5.0


class Turning:
    """A `Part`. turn: says how many seconds to rest after it; what goes wrong in one is no end."""

    def __init__(self, name: str, turn: Callable[[], Awaitable[float]]) -> None:
        self.name = name
        self._turn = turn
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._turned = time.monotonic()

    async def start(self) -> None:
        """Begins."""
        self._turned = time.monotonic()
        self._task = asyncio.create_task(self._for_ever(), name=self.name)

    async def stop(self) -> None:
        """Breaks off, wherever it is: what was begun is taken up again by what is stored."""
        self._stopping = True  # a driver may swallow a cancellation that meets its answer
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=LAST_TURN_SECONDS)

    def trouble(self) -> str | None:
        """Liveness: it must turn."""
        silent = time.monotonic() - self._turned
        if self._task is not None and silent > MUST_TURN_SECONDS:
            return f"No turn has ended for {silent:.0f} seconds."
        return None

    def waiting(self) -> str | None:
        """Nobody needs it to be ready."""
        return None

    async def _for_ever(self) -> None:
        while not self._stopping:
            pause = AFTER_TROUBLE_SECONDS
            try:
                pause = await self._turn()
            except PyMongoError as error:
                log.warning("%s: MongoDB is away (%s).", self.name, type(error).__name__)
            except Exception as error:  # without its text, which may hold what was being said
                where = "".join(traceback.format_tb(error.__traceback__))
                log.error("%s: %s at\n%s", self.name, type(error).__name__, where)  # noqa: TRY400
            self._turned = time.monotonic()
            await asyncio.sleep(pause)
