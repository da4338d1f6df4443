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
    """

    offset: int
    latest: int
    cluster: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds of partitions; those never applied are absent. turns: by partition number."""

    turns: Mapping[int, int]
    applied: Mapping[Partition, Applied]


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction moves on.

    turns: per partition number, the last turn that we know of. It counts the transactions on these partitions
    of every topic, also those that applied no record; it is what is compared, so that whoever has missed one
    is fenced. after: how far those are applied then that it applies records of.
    """

    turns: Mapping[int, int]
    after: Mapping[Partition, Applied]


@dataclass(frozen=True, slots=True)
class OutboxDocument:
    """Records that a committed transaction owes to Kafka."""

    id: ObjectId
    records: list[Outgoing]


class Ledger:
    """Turns, applied offsets and outbox of one consumer, each in a collection `<service>.…` of its own."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._client = client
        db: AsyncDatabase[Document] = client[database]
        self._turns = db[f"{service}.turns"]
        self._applied = db[f"{service}.applied_offsets"]
        self._outbox = db[f"{service}.outbox"]

    async def prepare(self) -> None:
        """Creates the collections and indexes (a transaction cannot on every server version)."""
        await self._outbox.create_index([("partitions", ASCENDING)])
        await self._applied.create_index([("topic", ASCENDING)])

    async def of(self, partitions: Collection[Partition]) -> Held:
        """What is held of these. Turns are read first: whoever moves on meanwhile, then fences us."""
        numbers = {number for _, number in partitions}
        if numbers:
            await self._turns.bulk_write(
                [UpdateOne({"_id": n}, {"$setOnInsert": {"turn": 0}}, upsert=True) for n in numbers],
                ordered=False,
            )
        turns = {row["_id"]: row["turn"] async for row in self._turns.find({"_id": {"$in": list(numbers)}})}
        found = self._applied.find({"_id": {"$in": [_name(p) for p in partitions]}})
        applied = {
            (row["topic"], row["partition"]): Applied(row["offset"], row["latest"], row["cluster"])
            async for row in found
        }
        return Held(turns, applied)

    async def owed(self, numbers: Collection[int]) -> list[OutboxDocument]:
        """Outbox documents of the partitions of these numbers, oldest first."""
        found = self._outbox.find({"partitions": {"$in": list(numbers)}}).sort("_id", ASCENDING)
        return [OutboxDocument(row["_id"], _unpack(row["records"])) async for row in found]

    async def settle(self, published: Iterable[ObjectId]) -> None:
        """Forgets outbox documents that are published."""
        await self._outbox.delete_many({"_id": {"$in": list(published)}})

    async def commit(
        self, step: Step, effects: Effects, published: Collection[ObjectId]
    ) -> list[OutboxDocument]:
        """Applies a batch: offsets, effects, outbox, all or nothing; returns what is now to be published.

        published: outbox documents that go with this transaction.

        Raises:
            Fenced: a partition is not where we left it; another owner has moved on. Nothing was changed.
            PyMongoError: see `storage.mongo.passes_by_itself`.
        """
        owed = _outbox_documents(step.turns, effects.publish)

        # Not `with_transaction`: it would hide for two minutes that MongoDB is away.
        async with self._client.start_session() as session:
            async for attempt in _over_conflicts():
                with attempt:
                    async with await session.start_transaction():
                        await self._advance(step, session)
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

    async def _advance(self, step: Step, session: AsyncClientSession) -> None:
        if not step.turns:
            return
        turns = [
            UpdateOne({"_id": number, "turn": turn}, {"$set": {"turn": turn + 1}})
            for number, turn in step.turns.items()
        ]
        taken = await self._turns.bulk_write(turns, ordered=False, session=session)
        if taken.matched_count != len(turns):
            raise Fenced("Another owner has had a turn on one of these partitions.")
        if step.after:
            rows = [
                UpdateOne({"_id": _name(partition)}, {"$set": _row(partition, applied)}, upsert=True)
                for partition, applied in step.after.items()
            ]
            await self._applied.bulk_write(rows, ordered=False, session=session)


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
    }


def _outbox_documents(
    numbers: Iterable[int], records: list[Outgoing]
) -> list[tuple[Document, list[Outgoing]]]:
    return [
        ({"_id": ObjectId(), "partitions": list(numbers), "records": _pack(part)}, part)
        for part in _by_size(records)
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
