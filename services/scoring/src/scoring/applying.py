"""Applies rules to what was counted before them, when somebody asks for it.

Partition by partition, a chunk of prospects and the place reached in one transaction, so that a crash or a
partition's move costs a repetition at most.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pydantic import BaseModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Effects
from leadbus.storage.mongo import Document
from leadbus.topics import PARTITIONS
from scoring.connections import Connections
from scoring.repricing import reprice
from scoring.reviewing import reviewed
from scoring.rounds import Owner, Rounds
from scoring.rules import Rules
from scoring.rules_store import RulesStore
from scoring.store import ProspectStore

CHUNK = 100
"""Prospects in one transaction, beside which no batch runs."""
LOOK_EVERY = 2.0
"""Seconds."""


class Application(BaseModel):
    """How far rules are applied to history. author: the id of the API key, or `operator`. partitions: of
    PARTITIONS, those that are done. done: all are; prospects: how many have been looked at."""

    version: int
    asked_at: datetime
    author: str
    prospects: int
    partitions: int
    done: bool


class Asked(NamedTuple):
    """version: of the rules that are to be applied. at: when that was asked for."""

    version: int
    at: datetime


class Place(BaseModel):
    """How far one partition is. after: id of the prospect that was the last."""

    after: str | None = None
    prospects: int = 0
    done: bool = False


class Applications(Protocol):
    """Who asked for what, and how far each partition is."""

    async def ask(self, tenant_id: str, version: int, author: str) -> None:
        """From the beginning, for rules of this version; whatever was asked for before is dropped."""
        ...

    async def asked(self) -> dict[str, Asked]:
        """What is still to be done, by tenant."""
        ...

    async def close(self, tenant_id: str, asked: Asked) -> None:
        """Nothing is left to be done for it; not if somebody has asked again meanwhile."""
        ...

    async def of(self, tenant_id: str) -> Application | None:
        """How far it is; None = nobody has asked."""
        ...

    async def place(self, tenant_id: str, partition: int, version: int) -> Place:
        """How far a partition is for a version."""
        ...

    async def move(
        self, tenant_id: str, partition: int, version: int, place: Place, session: AsyncClientSession
    ) -> None:
        """Notes it, within the session's transaction."""
        ...


class MongoApplications:
    """In `scoring.applications`: a document per tenant; places in `scoring.applied`, one per partition."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._asked = database["scoring.applications"]
        self._places = database["scoring.applied"]

    async def ask(self, tenant_id: str, version: int, author: str) -> None:
        """See `Applications`."""
        await self._places.delete_many({"tenant_id": tenant_id})
        asked = {"_id": tenant_id, "version": version, "author": author, "at": datetime.now(UTC)}
        await self._asked.replace_one({"_id": tenant_id}, asked, upsert=True)

    async def asked(self) -> dict[str, Asked]:
        """See `Applications`."""
        still = self._asked.find({"closed": {"$exists": False}})
        return {row["_id"]: Asked(row["version"], row["at"]) async for row in still}

    async def close(self, tenant_id: str, asked: Asked) -> None:
        """See `Applications`."""
        await self._asked.update_one({"_id": tenant_id, **asked._asdict()}, {"$set": {"closed": True}})

    async def of(self, tenant_id: str) -> Application | None:
        """See `Applications`."""
        asked = await self._asked.find_one({"_id": tenant_id})
        if asked is None:
            return None
        version = asked["version"]
        places = [row async for row in self._places.find({"tenant_id": tenant_id, "version": version})]
        done = sum(row["done"] for row in places)
        return Application(
            version=version,
            asked_at=asked["at"].replace(tzinfo=UTC),
            author=asked["author"],
            prospects=sum(row["prospects"] for row in places),
            partitions=done,
            done=done == PARTITIONS,
        )

    async def place(self, tenant_id: str, partition: int, version: int) -> Place:
        """See `Applications`."""
        row = await self._places.find_one({"_id": f"{tenant_id}/{partition}", "version": version})
        return Place.model_validate(row) if row else Place()

    async def move(
        self, tenant_id: str, partition: int, version: int, place: Place, session: AsyncClientSession
    ) -> None:
        """See `Applications`."""
        named = {"tenant_id": tenant_id, "partition": partition, "version": version}
        await self._places.replace_one(
            {"_id": f"{tenant_id}/{partition}"}, named | place.model_dump(), upsert=True, session=session
        )


class Applier(Rounds):
    """Brings owned partitions up to the rules that somebody asked to apply. A `Part`."""

    def __init__(
        self,
        owner: Owner,
        applications: Applications,
        prospects: ProspectStore,
        rules: RulesStore,
        connections: Connections,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__("applier of rules", self.apply, lambda: asyncio.sleep(LOOK_EVERY))
        self._owner = owner
        self._applications = applications
        self._prospects = prospects
        self._rules = rules
        self._connections = connections
        self._now = now

    async def apply(self) -> None:
        """Everything that is asked for, in the partitions owned now.

        Rules that were replaced meanwhile are not applied any further: whoever replaced them asks anew.

        Raises:
            Fenced: a partition moved on; PyMongoError: MongoDB is away. What is done stays done.
        """
        still = await self._applications.asked()
        in_force = await self._rules.of(still)
        for tenant, asked in still.items():
            replaced = in_force[tenant].version != asked.version
            for partition in () if replaced else sorted(self._owner.partitions):
                await self._apply_to(tenant, partition, asked.version)
            # Other pods do the other partitions: whoever sees that all are done closes it.
            state = await self._applications.of(tenant)
            if replaced or (state is not None and state.done):
                await self._applications.close(tenant, asked)

    async def _apply_to(self, tenant: str, partition: int, version: int) -> None:
        place = await self._applications.place(tenant, partition, version)
        while not place.done:

            async def chunk(begin: Place = place) -> Effects:
                return await self._chunk(tenant, partition, version, begin)

            await self._owner.transact({partition}, chunk)
            place = await self._applications.place(tenant, partition, version)
            rules = (await self._rules.of({tenant}))[tenant]
            if rules.version != version:
                return

    async def _chunk(self, tenant: str, partition: int, version: int, begin: Place) -> Effects:
        in_force = await self._rules.of({tenant})
        rules: Rules = in_force[tenant]
        if rules.version != version:
            return Effects()
        prospects = await self._prospects.page(tenant, begin.after, CHUNK, partition)
        effects = reviewed(
            self._prospects,
            prospects,
            in_force,
            self._connections,
            int(self._now() * 1000),
            lambda prospect: reprice(prospect, rules),
        )
        reached = Place(
            after=prospects[-1].key.prospect_id if prospects else begin.after,
            prospects=begin.prospects + len(prospects),
            done=len(prospects) < CHUNK,
        )
        write_prospects = effects.write

        async def write(session: AsyncClientSession) -> None:
            await write_prospects(session)
            await self._applications.move(tenant, partition, version, reached, session)

        return Effects(write, effects.publish, effects.stale or ())
