"""Who was erased and when, in `<service>.erased`: what was said of them before is not taken in any more.

A record of another topic, a replay from the beginning, or a group of a new name may bring such facts long
after. So a tombstone stays as long as topics keep records; it holds a prospect's id and nothing personal.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Received
from leadbus.erasing.holdings import Person
from leadbus.messages import DeliveryReported, Feedback, ProspectJoined, ProspectLinked, ProspectMessage
from leadbus.storage.mongo import Document

KEPT = timedelta(days=31)
"""A day more than topics keep records (`Topic.retention`): brokers delete whole segments."""

IN_HAND = timedelta(minutes=1)
"""For so long after an erasure, what a connector pulls may be what it had read before."""


class Tombstones:
    """One document per person, written by the owner of its partition alone."""

    def __init__(self, database: AsyncDatabase[Document], service: str) -> None:
        self._erased = database[f"{service}.erased"]
        self._newest: int | None = None

    async def prepare(self) -> None:
        """Creates the index by which MongoDB forgets, and by which the newest is found."""
        await self._erased.create_index(
            [("erased_at", ASCENDING)], expireAfterSeconds=int(KEPT.total_seconds())
        )

    def forget(self) -> None:
        """Drops what is remembered: others may have written some."""
        self._newest = None

    async def without_older(self, batch: Sequence[Received]) -> Sequence[Received]:
        """The batch without what was said before its person was erased.

        Costs a look at the records' times, and nothing else once all of them are newer than any erasure.
        """
        if any(type(r.message) is ProspectLinked for r in batch):
            self.forget()  # the person is another partition's, and may have been erased there
        newest = await self._newest_time()
        if not newest:
            return batch
        erased = await self.of({person for r in batch if said_at(r) <= newest for person in _named(r)})
        if not erased:
            return batch
        return [r for r in batch if all(said_at(r) > erased.get(person, 0) for person in _named(r))]

    async def of(self, persons: Collection[Person]) -> dict[Person, int]:
        """When those of them who were erased were (ms). Costs nothing where nobody was."""
        if not persons or not await self._newest_time():
            return {}
        names = {_id(person): person for person in persons}
        found = self._erased.find({"_id": {"$in": list(names)}})
        return {names[row["_id"]]: milliseconds(row["erased_at"]) async for row in found}

    async def just_now(self, persons: Collection[Person]) -> set[Person]:
        """Those of them who were erased so lately that what was pulled of them may have been in hand."""
        self.forget()  # another pod may have written some
        # Longer than whoever reads it drops it, as clocks differ: what is told after that is not lost. And
        # shorter than pulls look back, so that it is read again.
        since = milliseconds(datetime.now(UTC) - 1.5 * IN_HAND)
        return {person for person, at in (await self.of(persons)).items() if at > since}

    async def bury(self, erased: Mapping[Person, int], session: AsyncClientSession) -> None:
        """Remembers who is erased, and since when (ms), within the session's transaction."""
        writes = [
            ReplaceOne(
                {"_id": _id(person)}, {"erased_at": datetime.fromtimestamp(at / 1000, UTC)}, upsert=True
            )
            for person, at in erased.items()
        ]
        if writes:
            await self._erased.bulk_write(writes, ordered=False, session=session)

    async def _newest_time(self) -> int:
        if self._newest is None:
            row = await self._erased.find_one(sort=[("erased_at", DESCENDING)])
            self._newest = milliseconds(row["erased_at"]) if row else 0
        return self._newest


def person_of(received: Received) -> Person | None:
    """Whom a record is about; None = nobody in particular."""
    message = received.message
    return Person(message.tenant_id, message.prospect_id) if isinstance(message, ProspectMessage) else None


def _named(received: Received) -> list[Person]:
    """Whom a record is about: a link also about the person, whose email the alias would keep."""
    person, message = person_of(received), received.message
    if isinstance(message, ProspectLinked):
        return [Person(message.tenant_id, name) for name in (message.prospect_id, message.person)]
    return [person] if person else []


def said_at(received: Received) -> int:
    """When a fact was said (broker time, ms): what an alias hands on is as old as it was for the alias, what
    became of a delivery as old as the delivery, and what was pulled was read a moment before."""
    message = received.message
    if isinstance(message, Feedback):
        return received.at - int(IN_HAND.total_seconds() * 1000)
    if isinstance(message, DeliveryReported):
        return min(received.at, message.first_said or received.at)
    if isinstance(message, ProspectLinked | ProspectJoined):
        return min(received.at, message.at)
    return received.at


def milliseconds(at: datetime) -> int:
    """Since 1970, as the broker counts."""
    return round(at.timestamp() * 1000)


def _id(person: Person) -> str:
    return f"{person.tenant_id}:{person.prospect_id}"
