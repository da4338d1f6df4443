"""Qualifies those who are above a threshold already, when a connection is turned on or its threshold falls.

Each pod sweeps the partitions it owns; how far each is swept is kept beside the prospects, in the same
transactions, so that a crash or a partition's move costs a repetition and never a prospect.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import suppress

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Effects
from leadbus.messages import ConnectionChanged
from leadbus.storage.mongo import Document
from scoring import store
from scoring.connections import Connections
from scoring.prospect import Key
from scoring.reviewing import reviewed
from scoring.rounds import Owner, Rounds
from scoring.rules_store import RulesStore
from scoring.store import ProspectStore

LOOK_EVERY = 2.0
"""Seconds; a partition that came from another pod is seen no later. A changed connection wakes at once."""


Behind = tuple[ConnectionChanged, Collection[int]]
"""A connection, and partitions that are not swept for it as it stands."""


class Sweeps:
    """Up to which revision of a connection each partition is swept, in `scoring.sweeps`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._sweeps = database["scoring.sweeps"]

    async def done(self, connection: ConnectionChanged, partitions: Collection[int]) -> set[int]:
        """Those of `partitions` that are swept for the connection as it stands."""
        names = [_name(connection, partition) for partition in partitions]
        found = self._sweeps.find({"_id": {"$in": names}, "revision": connection.revision})
        return {row["partition"] async for row in found}

    async def finish(self, behind: Iterable[Behind], session: AsyncClientSession) -> None:
        """Notes that these partitions are swept for their connection as it stands."""
        rows = [_swept(connection, partition) for connection, swept in behind for partition in swept]
        await self._sweeps.bulk_write(rows, session=session)


def _swept(connection: ConnectionChanged, partition: int) -> ReplaceOne[Document]:
    return ReplaceOne(
        {"_id": _name(connection, partition)},
        {
            "connection_id": connection.connection_id,
            "partition": partition,
            "revision": connection.revision,
        },
        upsert=True,
    )


async def _nothing() -> Effects:
    return Effects()


def _name(connection: ConnectionChanged, partition: int) -> str:
    return f"{connection.connection_id}/{partition}"


class Sweeper(Rounds):
    """Looks for partitions that are behind a connection's revision, and sweeps them. A `Part`."""

    def __init__(
        self,
        owner: Owner,
        sweeps: Sweeps,
        prospects: ProspectStore,
        rules: RulesStore,
        connections: Connections,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__("sweeper", self.sweep, self._until_something_changes)
        self._owner = owner
        self._sweeps = sweeps
        self._prospects = prospects
        self._rules = rules
        self._connections = connections
        self._now = now
        self._swept_by = owner.partitions
        # What needs no question: by connection, its revision and the partitions swept for it. The revision
        # may be another, not only a higher one: a connector that lost its data counts anew.
        self._done: dict[str, tuple[int, set[int]]] = {}

    async def sweep(self) -> None:
        """Brings every owned partition up to every connection that is on.

        Raises:
            Fenced: a partition moved on; PyMongoError: MongoDB is away. Who was qualified stays qualified.
        """
        self._connections.changed.clear()
        self._swept_by = self._owner.partitions
        on = [c for c in self._connections if c.on and c.marketing_automation]
        behind = [(connection, late) for connection in on if (late := await self._behind(connection))]
        if not behind:
            return
        # A batch that was computed before a connection changed is stored before anybody is looked for.
        await self._owner.transact((), _nothing)
        everywhere: set[int] = set().union(*(partitions for _, partitions in behind))
        keys: set[Key] = set()
        async for found in self._affected(behind):
            keys.update(found)
            if len(keys) >= store.CHUNK:
                await self._qualify(keys, everywhere)
                keys = set()
        await self._qualify(keys, everywhere)

        async def finish(session: AsyncClientSession) -> None:
            await self._sweeps.finish(behind, session)

        async def finished() -> Effects:
            return Effects(finish, stale=())

        # Noted together: a transaction waits for the batch under way, and holds up the next one.
        await self._owner.transact(everywhere, finished)
        for connection, partitions in behind:
            self._done[connection.connection_id][1].update(partitions)

    async def _until_something_changes(self) -> None:
        while self._swept_by == self._owner.partitions and not self._connections.changed.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._connections.changed.wait(), LOOK_EVERY)

    async def _behind(self, connection: ConnectionChanged) -> set[int]:
        revision, done = self._done.get(connection.connection_id, (connection.revision, set()))
        if revision != connection.revision:
            done = set()
        self._done[connection.connection_id] = (connection.revision, done)
        if behind := self._owner.partitions - done:
            done |= await self._sweeps.done(connection, behind)
        return behind - done

    async def _affected(self, behind: Iterable[Behind]) -> AsyncIterator[list[Key]]:
        """Those for whom another threshold may decide when they have cooled, and those who may exceed it."""
        for connection, partitions in behind:
            for found in (self._prospects.hot, self._prospects.candidates):
                async for keys in found(connection, partitions):
                    yield keys

    async def _qualify(self, keys: Collection[Key], partitions: Collection[int]) -> None:
        if await self._review(keys):  # else no batch has to wait for it
            await self._owner.transact(partitions, lambda: self._review(keys))

    async def _review(self, keys: Collection[Key]) -> Effects:
        rules = await self._rules.of({key.tenant_id for key in keys})
        # Read anew: a batch may have changed them since they were found.
        known = await self._prospects.load(keys)
        return reviewed(self._prospects, known.values(), rules, self._connections, int(self._now() * 1000))
