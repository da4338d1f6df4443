"""Who asked for whom to be erased, and which service has done it, in `scoring.erasures`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from pymongo import ASCENDING, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.erasing.tombstones import KEPT
from leadbus.publishing import partition_for
from leadbus.storage.mongo import Document
from leadbus.topics import PARTITIONS

MOST_AT_ONCE = 100


class Confirmed(NamedTuple):
    """A service holds nothing of one of the prospects any more."""

    prospect_id: str
    service: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """One request. prospects: the person and its aliases, by id; person: the one that goes last.

    waiting: those that scoring has not erased yet. expected: services that are to confirm each prospect.
    author: the id of the API key, or `operator`.
    """

    id: str
    tenant_id: str
    author: str
    asked_at: datetime
    person: str
    prospects: tuple[str, ...]
    waiting: tuple[str, ...]
    expected: tuple[str, ...]
    confirmed: tuple[Confirmed, ...] = field(default=())

    def erased_at(self, service: str) -> datetime | None:
        """Since when the service holds nothing of any of the prospects; None = it has not said so yet."""
        first: dict[str, datetime] = {}
        for confirmed in self.confirmed:
            if confirmed.service == service:
                known = first.get(confirmed.prospect_id, confirmed.at)
                first[confirmed.prospect_id] = min(known, confirmed.at)
        return max(first.values()) if set(self.prospects) <= first.keys() else None

    @property
    def done(self) -> bool:
        """Whether nobody holds anything any more."""
        return not self.waiting and all(self.erased_at(service) for service in self.expected)


class MongoErasures:
    """One document per request; prospects that wait stand in it with their partitions."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._erasures = database["scoring.erasures"]

    async def prepare(self) -> None:
        """Creates the indexes; by one of them MongoDB forgets."""
        await self._erasures.create_index(
            [("asked_at", ASCENDING)], expireAfterSeconds=int(KEPT.total_seconds())
        )
        await self._erasures.create_index(
            [("waiting.partition", ASCENDING)],
            partialFilterExpression={"waiting.partition": {"$exists": True}},
        )

    async def ask(
        self, tenant_id: str, author: str, prospects: Sequence[str], expected: Sequence[str]
    ) -> Erasure:
        """From now on it will be done. prospects: the person last."""
        document = {
            "_id": uuid4().hex,
            "tenant_id": tenant_id,
            "author": author,
            "asked_at": datetime.now(UTC),
            "person": prospects[-1],
            "prospects": list(prospects),
            "waiting": _waiting(prospects),
            "expected": list(expected),
            "confirmed": [],
        }
        await self._erasures.insert_one(document)
        return _loaded(document)

    async def get(self, erasure_id: str) -> Erasure | None:
        """One of any tenant; None = there is none, or it was forgotten."""
        row = await self._erasures.find_one({"_id": erasure_id})
        return _loaded(row) if row else None

    async def waiting(self, partitions: Collection[int]) -> list[Erasure]:
        """Those that are not wholly erased here, oldest first, MOST_AT_ONCE at most."""
        found = self._erasures.find({"waiting.partition": {"$in": sorted(partitions)}})
        return [_loaded(row) async for row in found.sort("asked_at", ASCENDING).limit(MOST_AT_ONCE)]

    async def extend(self, erasure_id: str, prospects: Sequence[str], session: AsyncClientSession) -> None:
        """It is about these, too."""
        more = {
            "prospects": {"$each": list(prospects)},
            "waiting": {"$each": _waiting(prospects)},
        }
        await self._erasures.update_one({"_id": erasure_id}, {"$addToSet": more}, session=session)

    async def erased(self, erasure_id: str, confirmed: Confirmed, session: AsyncClientSession) -> None:
        """Scoring has erased one of the prospects: the others are to do so now."""
        change = {
            "$pull": {"waiting": {"prospect_id": confirmed.prospect_id}},
            "$addToSet": {"confirmed": confirmed._asdict()},
        }
        await self._erasures.update_one({"_id": erasure_id}, change, session=session)

    async def confirm(self, said: Sequence[tuple[str, str, Confirmed]], session: AsyncClientSession) -> None:
        """What services have said, by erasure and its tenant; another tenant's erasure is not touched."""
        writes = [
            UpdateOne({"_id": name, "tenant_id": tenant}, {"$addToSet": {"confirmed": confirmed._asdict()}})
            for name, tenant, confirmed in said
        ]
        if writes:
            await self._erasures.bulk_write(writes, session=session)


def partition_of(prospect_id: str) -> int:
    """The partition on which everything about a prospect stands."""
    return partition_for(prospect_id.encode(), PARTITIONS)


def time_of(milliseconds: int) -> datetime:
    """Of a time as the broker counts it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _waiting(prospects: Sequence[str]) -> list[Document]:
    return [{"prospect_id": name, "partition": partition_of(name)} for name in prospects]


def _loaded(row: Document) -> Erasure:
    return Erasure(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        author=row["author"],
        asked_at=row["asked_at"],
        person=row["person"],
        prospects=tuple(row["prospects"]),
        waiting=tuple(each["prospect_id"] for each in row["waiting"]),
        expected=tuple(row["expected"]),
        confirmed=tuple(Confirmed(**each) for each in row["confirmed"]),
    )
