"""Who is on which list of a CRM, in `<service>.members`: one document per list and person."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, ReplaceOne, UpdateOne

from leadbus.connector.stores.documents import Codec
from leadbus.messages import Record
from leadbus.storage.mongo import Client, Document

BATCH = 500
PUT_ON = "put on by us"
"""In place of the run, of whom we have put on the list since it was last walked over."""


@dataclass(frozen=True, slots=True)
class ListMember:
    """A person on a list. run: that saw it.

    prospect_id, email: as it was told; None = not told (yet). said: a digest of the fields that were told.
    """

    connection_id: str
    list_id: str
    record: Record
    run: str
    prospect_id: str | None = None
    email: str | None = None
    said: str = ""


_CODEC = Codec(ListMember)


class Members:
    """Lists have any number of members: all reading is by page or by batch."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.members"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        await self._collection.create_index(
            [("connection_id", ASCENDING), ("list_id", ASCENDING), ("run", ASCENDING)]
        )
        for name in ("record.id", "prospect_id"):
            await self._collection.create_index([("connection_id", ASCENDING), (name, ASCENDING)])

    async def on_list(
        self, connection_id: str, list_id: str, records: Sequence[Record]
    ) -> dict[Record, ListMember]:
        """Those of the records that are known to be on the list."""
        ids = [_id(connection_id, list_id, record) for record in records]
        members = [_CODEC.decode(row) async for row in self._collection.find({"_id": {"$in": ids}})]
        return {member.record: member for member in members}

    async def put(self, members: Sequence[ListMember]) -> None:
        """Remembers who is on a list."""
        writes = [
            ReplaceOne({"_id": _id(m.connection_id, m.list_id, m.record)}, _CODEC.encode(m), upsert=True)
            for m in members
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def put_on(self, members: Sequence[ListMember]) -> None:
        """Remembers whom we have put on a list; fields of who was on it already stay told."""
        writes = []
        for member in members:
            given = _CODEC.encode(member)
            said = given.pop("said")
            writes.append(
                UpdateOne(
                    {"_id": _id(member.connection_id, member.list_id, member.record)},
                    {"$set": given, "$setOnInsert": {"said": said}},
                    upsert=True,
                )
            )
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def prospects_on(
        self, connection_id: str, list_id: str, run: str, prospects: Sequence[str]
    ) -> set[str]:
        """Those of the prospects who are on the list by any record: one that a run has seen, or ours."""
        wanted = {
            "connection_id": connection_id,
            "list_id": list_id,
            "prospect_id": {"$in": list(prospects)},
            "run": {"$in": [run, PUT_ON]},
        }
        return set(await self._collection.distinct("prospect_id", wanted))

    async def left(self, connection_id: str, list_id: str, run: str) -> AsyncIterator[list[ListMember]]:
        """Batches of those whom a run has not seen; forget each before asking for the next.

        Whom we have put on the list since it began need not have been seen.
        """
        wanted = {"connection_id": connection_id, "list_id": list_id, "run": {"$nin": [run, PUT_ON]}}
        while members := [_CODEC.decode(row) async for row in self._collection.find(wanted).limit(BATCH)]:
            yield members

    async def begin_walk(self, connection_id: str, list_id: str) -> None:
        """From now on, who was put on by us is to be seen as everybody else."""
        wanted = {"connection_id": connection_id, "list_id": list_id, "run": PUT_ON}
        await self._collection.update_many(wanted, {"$set": {"run": ""}})

    async def forget(self, members: Sequence[ListMember]) -> None:
        """They are off the list."""
        ids = [_id(m.connection_id, m.list_id, m.record) for m in members]
        if ids:
            await self._collection.delete_many({"_id": {"$in": ids}})

    async def forget_lists(self, connection_id: str, list_ids: Sequence[str]) -> None:
        """They were deleted: nobody is on them."""
        if list_ids:
            wanted = {"connection_id": connection_id, "list_id": {"$in": list(list_ids)}}
            await self._collection.delete_many(wanted)

    async def counts(self, connection_id: str) -> dict[str, int]:
        """How many records are on each list, as last read; absent = none."""
        pipeline: list[Document] = [
            {"$match": {"connection_id": connection_id}},
            {"$group": {"_id": "$list_id", "count": {"$sum": 1}}},
        ]
        found = await self._collection.aggregate(pipeline)
        return {row["_id"]: row["count"] async for row in found}

    async def lists_of(self, connection_id: str, record_ids: Sequence[str]) -> set[str]:
        """Ids of the lists that any of these people is on."""
        wanted = {"connection_id": connection_id, "record.id": {"$in": list(record_ids)}}
        return set(await self._collection.distinct("list_id", wanted))


def _id(connection_id: str, list_id: str, record: Record) -> str:
    return f"{connection_id}/{list_id}/{record.module}/{record.id}"
