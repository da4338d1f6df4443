"""Work that the owner of partitions does beside the batches, round after round."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from pymongo.errors import PyMongoError

from leadbus.consuming.records import Effects
from leadbus.errors import Fenced
from leadbus.patience import patiently
from leadbus.storage.mongo import passes_by_itself

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds after a round that failed."""


class Owner(Protocol):
    """Owns partitions, and applies effects to them under its fence (`leadbus.consuming.Consumer`)."""

    @property
    def partitions(self) -> set[int]:
        """Numbers of the partitions owned now."""
        ...

    async def transact(self, partitions: Collection[int], compute: Callable[[], Awaitable[Effects]]) -> None:
        """Computes and applies, never beside a batch.

        Raises:
            Fenced: a partition is not owned (any more).
            PyMongoError: a server is away.
        """
        ...


class Rounds:
    """Repeats `work`, and waits with `rest` between. A `Part`.

    work may raise Fenced (a partition moved on: its new owner goes on) and PyMongoError; what it has done by
    then stays done.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[None]], rest: Callable[[], Awaitable[None]]
    ) -> None:
        self.name = name
        self._work = work
        self._rest = rest
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins."""
        self._task = asyncio.create_task(self._run(), name=f"scoring: {self.name}")

    async def stop(self) -> None:
        """Stops; what is under way is begun again by whoever owns the partition next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def trouble(self) -> str | None:
        """A dead loop does nothing."""
        return "It has ended." if self._task is not None and self._task.done() else None

    def waiting(self) -> str | None:
        """Nothing: batches go on beside it."""
        return None

    async def _run(self) -> None:
        while True:
            try:
                await patiently(log, "MongoDB", _passes)(self._work)
            except Fenced:
                log.info("The %s stops here: a partition has moved to another pod.", self.name)
                await asyncio.sleep(PAUSE)
                continue
            except Exception:
                # Batches do not need it: it is tried again, and the service goes on.
                log.exception("The %s failed.", self.name)
                await asyncio.sleep(PAUSE)
                continue
            await self._rest()


def _passes(error: BaseException) -> bool:
    return isinstance(error, PyMongoError) and passes_by_itself(error)
