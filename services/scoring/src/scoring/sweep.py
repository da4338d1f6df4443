"""Qualifies those who are above a threshold already, when a connection is turned on or its threshold falls.

Each pod sweeps the partitions it owns; how far each is swept is kept beside the prospects, in the same
transactions, so that a crash or a partition's move costs a repetition and never a prospect.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Protocol

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from leadbus.consuming.records import Effects
from leadbus.errors import Fenced
from leadbus.messages import ConnectionChanged
from leadbus.patience import patiently
from leadbus.publishing import Outgoing
from leadbus.storage.mongo import Document, passes_by_itself
from scoring.connections import Connections
from scoring.emission import qualified
from scoring.prospect import Key, Prospect, Qualified
from scoring.qualification import exceeded, waiting
from scoring.rules import RulesStore
from scoring.store import ProspectStore

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds; a partition that came from another pod is seen no later. A changed connection wakes at once."""


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


class Sweeps:
    """Up to which revision of a connection each partition is swept, in `scoring.sweeps`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._sweeps = database["scoring.sweeps"]

    async def done(self, connection: ConnectionChanged, partitions: Collection[int]) -> set[int]:
        """Those of `partitions` that are swept for the connection as it stands."""
        names = [_name(connection, partition) for partition in partitions]
        found = self._sweeps.find({"_id": {"$in": names}, "revision": connection.revision})
        return {row["partition"] async for row in found}

    async def finish(
        self, connection: ConnectionChanged, partition: int, session: AsyncClientSession
    ) -> None:
        """Notes that the partition is swept for the connection as it stands."""
        await self._sweeps.replace_one(
            {"_id": _name(connection, partition)},
            {
                "connection_id": connection.connection_id,
                "partition": partition,
                "revision": connection.revision,
            },
            upsert=True,
            session=session,
        )


def _name(connection: ConnectionChanged, partition: int) -> str:
    return f"{connection.connection_id}/{partition}"


class Sweeper:
    """Looks for partitions that are behind a connection's revision, and sweeps them. A `Part`."""

    name = "sweeper"

    def __init__(
        self,
        owner: Owner,
        sweeps: Sweeps,
        prospects: ProspectStore,
        rules: RulesStore,
        connections: Connections,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._owner = owner
        self._sweeps = sweeps
        self._prospects = prospects
        self._rules = rules
        self._connections = connections
        self._now = now
        self._task: asyncio.Task[None] | None = None
        # What needs no question: by connection, its revision and the partitions swept for it. The revision
        # may be another, not only a higher one: a connector that lost its data counts anew.
        self._done: dict[str, tuple[int, set[int]]] = {}

    async def start(self) -> None:
        """Begins to look."""
        self._task = asyncio.create_task(self._run(), name="scoring: sweeper")

    async def stop(self) -> None:
        """Stops; a sweep under way is begun again by whoever owns the partition next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def trouble(self) -> str | None:
        """A dead loop sweeps nothing."""
        return "It has ended." if self._task is not None and self._task.done() else None

    def waiting(self) -> str | None:
        """Nothing: batches go on beside a sweep."""
        return None

    async def sweep(self) -> None:
        """Brings every owned partition up to every connection that is on.

        Raises:
            Fenced: a partition moved on; PyMongoError: MongoDB is away. What is swept stays swept.
        """
        for connection in list(self._connections):
            if connection.on and connection.marketing_automation:
                await self._sweep_connection(connection)

    async def _run(self) -> None:
        while True:
            self._connections.changed.clear()
            partitions = self._owner.partitions
            try:
                await patiently(log, "MongoDB", _passes)(self.sweep)
            except Fenced:
                log.info("A sweep ends here: the partition has moved to another pod, which goes on.")
                await asyncio.sleep(LOOK_EVERY)
                continue
            except Exception:
                # Batches need no sweep: it is tried again, and the service goes on.
                log.exception("A sweep failed.")
                await asyncio.sleep(LOOK_EVERY)
                continue
            while partitions == self._owner.partitions and not self._connections.changed.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._connections.changed.wait(), LOOK_EVERY)

    async def _sweep_connection(self, connection: ConnectionChanged) -> None:
        revision, done = self._done.get(connection.connection_id, (connection.revision, set()))
        if revision != connection.revision:
            done = set()
        behind = self._owner.partitions - done
        if not behind:
            return
        done |= await self._sweeps.done(connection, behind)
        self._done[connection.connection_id] = (connection.revision, done)
        for partition in sorted(behind - done):
            await self._sweep_partition(connection, partition)
            done.add(partition)

    async def _sweep_partition(self, connection: ConnectionChanged, partition: int) -> None:
        async for keys in self._prospects.candidates(connection, partition):
            await self._owner.transact({partition}, lambda: self._qualify(connection, keys))  # noqa: B023

        async def finish(session: AsyncClientSession) -> None:
            await self._sweeps.finish(connection, partition, session)

        async def finished() -> Effects:
            return Effects(finish)

        await self._owner.transact({partition}, finished)

    async def _qualify(self, connection: ConnectionChanged, keys: Collection[Key]) -> Effects:
        known = await self._prospects.load(keys)
        rules = (await self._rules.of({connection.tenant_id}))[connection.tenant_id]
        changed: list[Prospect] = []
        publish: list[Outgoing] = []
        now = int(self._now() * 1000)
        for prospect in known.values():
            at = max(now, prospect.at)
            score = prospect.score_at(at, rules)
            # Read anew: a batch may have qualified it since it was found.
            for crossed in exceeded(score, waiting(prospect, [connection])):
                prospect.version += 1
                prospect.qualified[crossed.connection_id] = Qualified(
                    crossed.connection_id, crossed.threshold, at, None
                )
                changed.append(prospect)
                publish.append(qualified(prospect, crossed, score, at, None))

        async def write(session: AsyncClientSession) -> None:
            await self._prospects.save(changed, session)

        return Effects(write, publish)


def _passes(error: BaseException) -> bool:
    return isinstance(error, PyMongoError) and passes_by_itself(error)
