"""Erases whom somebody asked to erase: the owner of a prospect's partition does it, then tells the others.

Whatever scoring has said of the prospect is on its topic before `prospects.erased` is, so whoever reads that
drops it, in whatever order it reads its topics.
"""

import asyncio
import time
from collections.abc import Callable

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Effects
from leadbus.erasing.holdings import Person, erase
from leadbus.erasing.tombstones import Tombstones
from leadbus.ids import derived_id
from leadbus.messages import ProspectErased
from leadbus.publishing import Outgoing
from leadbus.storage.mongo import Document
from leadbus.topics import PROSPECTS_ERASED
from scoring.erasures import Confirmed, Erasure, MongoErasures, partition_of, time_of
from scoring.holdings import holdings
from scoring.persons import same_person
from scoring.prospect import Key
from scoring.rounds import Owner, Rounds
from scoring.store import ProspectStore

SERVICE = "scoring"
LOOK_EVERY = 1.0
"""Seconds."""


class Eraser(Rounds):
    """Works off the erasures of owned partitions: aliases first, so that none hands anything over to a person
    that is erased already. A `Part`."""

    def __init__(
        self,
        owner: Owner,
        prospects: ProspectStore,
        erasures: MongoErasures,
        database: AsyncDatabase[Document],
        tombstones: Tombstones,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__("eraser", self.look, lambda: asyncio.sleep(LOOK_EVERY))
        self._owner = owner
        self._prospects = prospects
        self._erasures = erasures
        self._database = database
        self._tombstones = tombstones
        self._now = now

    async def look(self) -> None:
        """Once over all that waits in owned partitions.

        Raises:
            Fenced: a partition moved on; PyMongoError: MongoDB is away.
        """
        for erasure in await self._erasures.waiting(self._owner.partitions):
            for prospect in self._next(erasure):
                await self._owner.transact(
                    {partition_of(prospect)},
                    lambda: self._erase(erasure.id, prospect),  # noqa: B023
                )

    async def _unasked(self, erasure: Erasure) -> list[str]:
        """Aliases that the person has got since somebody asked, or got again since they were erased."""
        now = await same_person(self._prospects, Key(erasure.tenant_id, erasure.person))
        again = await self._prospects.linked_to(erasure.tenant_id, [erasure.person])
        return [name for name in now if name not in erasure.prospects or name in again - {*erasure.waiting}]

    def _next(self, erasure: Erasure) -> list[str]:
        aliases = [name for name in erasure.waiting if name != erasure.person]
        return [name for name in aliases or erasure.waiting if partition_of(name) in self._owner.partitions]

    async def _erase(self, erasure_id: str, prospect: str) -> Effects:
        self._tombstones.forget()  # there will be one more
        erasure = await self._erasures.get(erasure_id)
        if erasure is None or prospect not in erasure.waiting:
            return Effects()
        if prospect == erasure.person and (more := await self._unasked(erasure)):
            return Effects(lambda session: self._erasures.extend(erasure.id, more, session), stale=())
        person, at = Person(erasure.tenant_id, prospect), int(self._now() * 1000)

        async def write(session: AsyncClientSession) -> None:
            await erase(self._database, holdings, person, session)
            await self._tombstones.bury({person: at}, session)
            await self._erasures.erased(erasure.id, Confirmed(prospect, SERVICE, time_of(at)), session)

        said = ProspectErased(
            event_id=derived_id("erased", erasure.id, prospect),
            tenant_id=erasure.tenant_id,
            prospect_id=prospect,
            occurred_at=time_of(at),
            erasure_id=erasure.id,
        )
        return Effects(write, [Outgoing.of(PROSPECTS_ERASED, said)], stale={Key(*person)})
