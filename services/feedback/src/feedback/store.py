"""Where distributions are kept, and in which order they changed."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from feedback import answering
from feedback.came_back import Activity, Delivered, Field, Newest, Opportunity, Person, Status
from feedback.cursor import Cursor
from feedback.distribution import (
    MOST_ACTIVITIES,
    MOST_CONNECTIONS,
    MOST_FIELDS,
    MOST_OPPORTUNITIES,
    MOST_PEOPLE,
    Brought,
    Distribution,
    Key,
)
from leadbus.storage.mongo import Document
from leadbus.topics import PARTITIONS

DISTRIBUTIONS = "feedback.distributions"
_BY_CHANGE = [("partition", ASCENDING), ("change", ASCENDING)]
_WHEN = ("changed_at", ASCENDING)
"""In the indices, so that a reader who names a time opens no document that it is not given."""
_WORDS: Mapping[str, tuple[type[Any], int]] = {
    "deliveries": (Delivered, MOST_CONNECTIONS),
    "statuses": (Status, MOST_CONNECTIONS),
    "people": (Person, MOST_PEOPLE),
    "opportunities": (Opportunity, MOST_OPPORTUNITIES),
    "activities": (Activity, MOST_ACTIVITIES),
    "fields": (Field, MOST_FIELDS),
}


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose distributions may be seen; None = everybody's. At least one of the two is given."""

    tenant_id: str | None
    supplier_id: str | None

    def __post_init__(self) -> None:
        if self.tenant_id is None and self.supplier_id is None:
            raise ValueError("nobody sees every distribution")

    @property
    def filter(self) -> Document:
        """The condition on documents."""
        named = {"tenant_id": self.tenant_id, "supplier_id": self.supplier_id}
        return {name: value for name, value in named.items() if value is not None}


class MongoDistributions:
    """The collection `feedback.distributions`; how often each partition changed, in `feedback.changes`.

    A partition's documents have one writer, so that its count rises in the order in which readers see
    changes: a time would not do, since what is written first may be seen last.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._distributions = database[DISTRIBUTIONS]
        self._changes = database["feedback.changes"]

    async def prepare(self) -> None:
        """Creates the indices: by whose they are and change, and by the supplier's own id."""
        for whose in (("tenant_id",), ("supplier_id",), ("supplier_id", "tenant_id")):
            names = ((name, ASCENDING) for name in whose)
            await self._distributions.create_index([*names, *_BY_CHANGE, _WHEN])
        await self._distributions.create_index([("distribution_id", ASCENDING)])
        await self._distributions.create_index([("prospect_id", ASCENDING)])

    async def load(self, keys: Collection[Key]) -> dict[Key, Distribution]:
        """Those of `keys` that are known."""
        if not keys:
            return {}
        rows = self._distributions.find({"_id": {"$in": [key.id for key in keys]}})
        found = [_loaded(row) async for row in rows]
        return {each.key: each for each in found}

    async def save(self, changed: Collection[Distribution], session: AsyncClientSession) -> None:
        """Writes these, within the session's transaction."""
        if not changed:
            return
        now = datetime.now(UTC)
        by_partition: dict[int, list[Distribution]] = defaultdict(list)
        for each in changed:
            by_partition[each.partition].append(each)
        counting = [
            UpdateOne({"_id": partition}, {"$inc": {"count": len(those)}}, upsert=True)
            for partition, those in by_partition.items()
        ]
        await self._changes.bulk_write(counting, ordered=False, session=session)
        counted = await self._counts(session)
        writes = [
            ReplaceOne({"_id": each.key.id}, _stored(each, change, now), upsert=True)
            for partition, those in by_partition.items()
            for change, each in enumerate(those, start=counted[partition] - len(those) + 1)
        ]
        await self._distributions.bulk_write(writes, ordered=False, session=session)

    async def named(
        self, whose: Whose, distribution_id: str, prospect_id: str | None = None
    ) -> list[Distribution]:
        """Those with a supplier's id that may be seen; two at most, since more than one is too many."""
        which = {"distribution_id": distribution_id, **whose.filter}
        if prospect_id is not None:
            which["prospect_id"] = prospect_id
        return [_loaded(row) async for row in self._distributions.find(which).limit(2)]

    async def of_prospect(self, tenant_id: str, prospect_id: str) -> list[Distribution]:
        """Those of one person, the hundred that changed last."""
        which = {"prospect_id": prospect_id, "tenant_id": tenant_id}
        rows = self._distributions.find(which).sort("change", DESCENDING).limit(100)
        return [_loaded(row) async for row in rows]

    async def since(self, whose: Whose, at: datetime) -> Cursor:
        """Before the first change since then. Partitions without one: behind all that they have by now."""
        counts = await self._counts()
        found = await self._distributions.aggregate(
            [
                {"$match": {**whose.filter, "changed_at": {"$gte": at}}},
                {"$group": {"_id": "$partition", "first": {"$min": "$change"}}},
            ]
        )
        first = {row["_id"]: row["first"] - 1 async for row in found}
        return Cursor(tuple(first.get(p, counts.get(p, 0)) for p in range(PARTITIONS)))

    async def page(self, whose: Whose, cursor: Cursor, most: int) -> tuple[list[Distribution], Cursor]:
        """What has changed since the cursor, `most` at most, and the cursor to go on from."""
        which = {**whose.filter, "$or": [{"partition": p, "change": {"$gt": n}} for p, n in cursor.places]}
        rows = await self._distributions.find(which).sort(_BY_CHANGE).limit(most).to_list()
        for row in rows:
            cursor = cursor.moved(row["partition"], row["change"])
        return [_loaded(row) for row in rows], cursor

    async def _counts(self, session: AsyncClientSession | None = None) -> dict[int, int]:
        """How often each partition has changed."""
        return {row["_id"]: row["count"] async for row in self._changes.find(session=session)}


def _stored(of: Distribution, change: int, now: datetime) -> Document:
    words = {name: getattr(of, name).rows for name in _WORDS}
    return {
        "_id": of.key.id,
        **of.key._asdict(),
        "partition": of.partition,
        "change": change,
        "changed_at": now,
        "brought": _packed(of.brought),
        "since": of.since,
        "answers": answering.stored(of.answers),
        "told": of.told,
        **words,
    }


def _loaded(row: Document) -> Distribution:
    words = {name: Newest(kind, most, row[name]) for name, (kind, most) in _WORDS.items()}
    return Distribution(
        key=Key(*(row[name] for name in Key._fields)),
        partition=row["partition"],
        brought=_unpacked(row["brought"]),
        since=row["since"],
        answers=answering.loaded(row["answers"]),
        told=row["told"],
        changed_at=row["changed_at"],
        **words,
    )


def _packed(brought: Brought | None) -> Document | None:
    """A tenant's own fields have dots in their names, which names in a document should not have."""
    return asdict(brought) | {"marks": list(brought.marks.items())} if brought else None


def _unpacked(row: Document | None) -> Brought | None:
    return Brought(**row | {"marks": dict(row["marks"])}) if row else None
