"""The ledger of a consumer: how far each partition is applied, and what is still to be published.

Both change in one MongoDB transaction with the effects of a batch, which is what makes a crash at any
point harmless: either all of it happened, or none.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bson import BSON, Binary, ObjectId
from pymongo import ASCENDING, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random

from leadbus.consuming.records import Effects
from leadbus.errors import Fenced
from leadbus.publishing import Outgoing
from leadbus.storage.mongo import Client, Document

OUTBOX_DOCUMENT_BYTES = 8 * 1024 * 1024
"""Half of what MongoDB takes in one document, so that no batch can be too large to be remembered."""

CONFLICT_SECONDS = 5.0

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """How far one partition is applied.

    offset: of the next record to apply. latest: the latest broker time seen in it, in milliseconds;
    it tells a log that was made anew from the one these offsets belong to. cluster: the Kafka cluster.
    turn: counts the transactions on this partition, also those that applied no record; it is what is
    compared, so that whoever has missed one is fenced.
    """

    offset: int
    latest: int
    cluster: str
    turn: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One partition's advance from `before` (None = no transaction yet) to `after`."""

    before: Applied | None
    after: Applied

    @classmethod
    def to(cls, before: Applied | None, offset: int, latest: int, cluster: str) -> "Step":
        """The turn after `before`."""
        return cls(before, Applied(offset, latest, cluster, before.turn + 1 if before else 1))


@dataclass(frozen=True, slots=True)
class OutboxDocument:
    """Records that a committed transaction owes to Kafka."""

    id: ObjectId
    records: list[Outgoing]


class Ledger:
    """Applied offsets and outbox of one consumer, in `<service>.applied_offsets` and `<service>.outbox`."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._client = client
        db: AsyncDatabase[Document] = client[database]
        self._applied = db[f"{service}.applied_offsets"]
        self._outbox = db[f"{service}.outbox"]

    async def prepare(self) -> None:
        """Creates the collections and indexes (a transaction cannot on every server version)."""
        await self._outbox.create_index([("partitions", ASCENDING)])
        await self._applied.create_index([("topic", ASCENDING)])

    async def applied(self, partitions: Collection[Partition]) -> dict[Partition, Applied]:
        """What is applied of each; partitions never applied are absent."""
        found = self._applied.find({"_id": {"$in": [_name(p) for p in partitions]}})
        return {
            (row["topic"], row["partition"]): Applied(
                row["offset"], row["latest"], row["cluster"], row["turn"]
            )
            async for row in found
        }

    async def owed(self, partitions: Collection[Partition]) -> list[OutboxDocument]:
        """Outbox documents of these partitions, oldest first."""
        found = self._outbox.find({"partitions": {"$in": [_name(p) for p in partitions]}}).sort(
            "_id", ASCENDING
        )
        return [OutboxDocument(row["_id"], _unpack(row["records"])) async for row in found]

    async def settle(self, published: Iterable[ObjectId]) -> None:
        """Forgets outbox documents that are published."""
        await self._outbox.delete_many({"_id": {"$in": list(published)}})

    async def commit(
        self, steps: Mapping[Partition, Step], effects: Effects, published: Collection[ObjectId]
    ) -> list[OutboxDocument]:
        """Applies a batch: offsets, effects, outbox, all or nothing; returns what is now to be published.

        published: outbox documents that go with this transaction.

        Raises:
            Fenced: a partition is not where we left it; another owner has moved on. Nothing was changed.
            PyMongoError: see `storage.mongo.passes_by_itself`.
        """
        owed = _outbox_documents(steps, effects.publish)

        # Not `with_transaction`: it would hide for two minutes that MongoDB is away.
        async with self._client.start_session() as session:
            async for attempt in _over_conflicts():
                with attempt:
                    async with await session.start_transaction():
                        await self._advance(steps, session)
                        await effects.write(session)
                        await self._exchange(published, [document for document, _ in owed], session)
        return [OutboxDocument(document["_id"], records) for document, records in owed]

    async def _exchange(
        self, published: Collection[ObjectId], owed: list[Document], session: AsyncClientSession
    ) -> None:
        if published:
            await self._outbox.delete_many({"_id": {"$in": list(published)}}, session=session)
        if owed:
            await self._outbox.insert_many(owed, session=session)

    async def _advance(self, steps: Mapping[Partition, Step], session: AsyncClientSession) -> None:
        if not steps:
            return
        updates = [
            UpdateOne(
                {"_id": _name(partition), "turn": step.before.turn}, {"$set": _row(partition, step.after)}
            )
            for partition, step in steps.items()
            if step.before is not None
        ]
        inserts = [
            {"_id": _name(partition), **_row(partition, step.after)}
            for partition, step in steps.items()
            if step.before is None
        ]
        if updates:
            result = await self._applied.bulk_write(updates, ordered=False, session=session)
            if result.matched_count != len(updates):
                raise Fenced("Another owner has applied records of this partition.")
        if inserts:
            ids = [row["_id"] for row in inserts]
            if await self._applied.count_documents({"_id": {"$in": ids}}, session=session):
                raise Fenced("Another owner has begun this partition.")
            await self._applied.insert_many(inserts, session=session)


def _over_conflicts() -> AsyncRetrying:
    """Repeats a transaction that met another one, for a moment; whatever else it meets is the caller's."""
    return AsyncRetrying(
        retry=retry_if_exception(
            lambda e: isinstance(e, OperationFailure) and e.has_error_label("TransientTransactionError")
        ),
        wait=wait_random(0, 0.05),
        stop=stop_after_delay(CONFLICT_SECONDS),
        reraise=True,
    )


def _name(partition: Partition) -> str:
    return f"{partition[0]}/{partition[1]}"


def _row(partition: Partition, applied: Applied) -> Document:
    topic, number = partition
    return {
        "topic": topic,
        "partition": number,
        "offset": applied.offset,
        "latest": applied.latest,
        "cluster": applied.cluster,
        "turn": applied.turn,
    }


def _outbox_documents(
    partitions: Iterable[Partition], records: list[Outgoing]
) -> list[tuple[Document, list[Outgoing]]]:
    names = [_name(p) for p in partitions]
    return [
        ({"_id": ObjectId(), "partitions": names, "records": _pack(part)}, part) for part in _by_size(records)
    ]


def _by_size(records: list[Outgoing]) -> list[list[Outgoing]]:
    parts: list[list[Outgoing]] = []
    room = 0
    for record in records:
        size = len(record.value) + len(record.key) + 256
        if not parts or size > room:
            parts.append([])
            room = OUTBOX_DOCUMENT_BYTES
        parts[-1].append(record)
        room -= size
    return parts


def _pack(records: list[Outgoing]) -> Binary:
    """One blob: MongoDB has nothing to look for inside, and encodes one field instead of thousands."""
    rows: list[list[Any]] = [[r.topic, r.key, r.value, [list(h) for h in r.headers]] for r in records]
    return Binary(BSON.encode({"r": rows}))


def _unpack(blob: bytes) -> list[Outgoing]:
    rows = BSON(blob).decode()["r"]
    return [
        Outgoing(topic, bytes(key), bytes(value), tuple((name, bytes(text)) for name, text in headers))
        for topic, key, value, headers in rows
    ]
