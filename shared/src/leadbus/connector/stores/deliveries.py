"""Deliveries, in `<service>.deliveries`: merged by the consumer's transaction, settled by the worker."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, InsertOne, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.delivery import Delivery
from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client, Document

_CODEC = Codec(Delivery, maps=("fields", "creators", "activities"))


class Deliveries:
    """A delivery's `_id` is `<connection>/<prospect>`; `due` and `new` serve the work-off's query."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.deliveries"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        await self._collection.create_index(
            [("connection_id", ASCENDING), ("due", ASCENDING), ("new", DESCENDING), ("due_since", ASCENDING)]
        )
        await self._collection.create_index([("tenant_id", ASCENDING), ("prospect_id", ASCENDING)])

    async def merge_all(
        self,
        merges: dict[tuple[str, str], Callable[[Delivery | None], Delivery]],
        session: AsyncClientSession,
    ) -> None:
        """Merges facts in the batch's transaction: one read, one write for all.

        merges: by (connection, prospect). The read belongs to the transaction, so a work-off that settles
        one of them meanwhile makes the whole transaction repeat with what it left.
        """
        ids = [_id(*name) for name in merges]
        found = {
            row["_id"]: row async for row in self._collection.find({"_id": {"$in": ids}}, session=session)
        }
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = []
        for name, merge in merges.items():
            row = found.get(_id(*name))
            delivery = merge(_CODEC.decode(row) if row else None)
            delivery.revision += 1
            document = _document(delivery)
            writes.append(ReplaceOne({"_id": document["_id"]}, document) if row else InsertOne(document))
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=session)

    async def due(self, connection_id: str, now: datetime, limit: int) -> list[Delivery]:
        """What is due: new leads first, then what has waited longest."""
        found = self._collection.find(
            {"connection_id": connection_id, "due": True, "$or": _tried_long_enough_ago(now)}
        )
        found = found.sort([("new", DESCENDING), ("due_since", ASCENDING)]).limit(limit)
        return [_CODEC.decode(row) async for row in found]

    async def next_try(self, connection_ids: Sequence[str]) -> datetime | None:
        """When the first of the postponed ones is to be tried again."""
        row = await self._collection.find_one(
            {"connection_id": {"$in": list(connection_ids)}, "due": True, "next_try": {"$ne": None}},
            sort=[("next_try", ASCENDING)],
        )
        return row["next_try"] if row else None

    async def settle(self, delivery: Delivery, change: Callable[[Delivery], None]) -> None:
        """Applies `change` to the delivery as it is now: what came in since it was read stays."""
        current: Delivery | None = delivery
        while current is not None:
            read = current.revision
            change(current)
            current.revision += 1
            name = _id(current.connection_id, current.prospect_id)
            result = await self._collection.replace_one({"_id": name, "revision": read}, _document(current))
            if result.matched_count:
                return
            row = await self._collection.find_one({"_id": name})
            current = _CODEC.decode(row) if row else None

    async def of_prospect(self, tenant_id: str, prospect_id: str) -> list[Delivery]:
        """All of one prospect."""
        found = self._collection.find({"tenant_id": tenant_id, "prospect_id": prospect_id})
        return [_CODEC.decode(row) async for row in found]

    async def resume(self, connection_id: str) -> None:
        """Makes what is parked due again: settings changed, or a person asked."""
        found = self._collection.find({"connection_id": connection_id, "parked": {"$ne": None}})
        async for row in found:
            await self.settle(_CODEC.decode(row), _unpark)

    async def oldest(self, connection_id: str) -> datetime | None:
        """Since when the oldest due delivery waits."""
        row = await self._collection.find_one(
            {"connection_id": connection_id, "due": True}, sort=[("due_since", ASCENDING)]
        )
        return row["due_since"] if row else None

    async def wakes(self) -> AsyncIterator[str | None]:
        """The organisation of every delivery that becomes or stays due, as it is written.

        None comes first: listening has begun, so that whoever looks now misses nothing.

        Raises:
            PyMongoError: the stream broke; look for due ones, then listen again.
        """
        pipeline: list[Document] = [
            {"$match": {"fullDocument.due": True}},
            {"$project": {"fullDocument.organisation_id": 1}},
        ]
        async with await self._collection.watch(pipeline, max_await_time_ms=1_000) as stream:
            yield None
            async for change in stream:
                yield change["fullDocument"]["organisation_id"]


def _unpark(delivery: Delivery) -> None:
    delivery.parked, delivery.attempts, delivery.next_try = None, 0, None


def _tried_long_enough_ago(now: datetime) -> Iterable[Document]:
    return [{"next_try": None}, {"next_try": {"$lte": now}}]


def _id(connection_id: str, prospect_id: str) -> str:
    return f"{connection_id}/{prospect_id}"


def _document(delivery: Delivery) -> Document:
    return {
        "_id": _id(delivery.connection_id, delivery.prospect_id),
        "due": delivery.is_due,
        "new": delivery.is_new,
        **_CODEC.encode(delivery),
    }
