"""Who is on which list of a CRM, in `<service>.members`: one document per list and person."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, ReplaceOne

from leadbus.connector.stores.documents import Codec
from leadbus.messages import Record
from leadbus.storage.mongo import Client

BATCH = 500


@dataclass(frozen=True, slots=True)
class ListMember:
    """A person on a list. prospect_id, email: as it was told; None = no prospect yet. run: that saw it."""

    connection_id: str
    list_id: str
    record: Record
    run: str
    prospect_id: str | None = None
    email: str | None = None


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
        await self._collection.create_index([("connection_id", ASCENDING), ("record.id", ASCENDING)])

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

    async def left(self, connection_id: str, list_id: str, run: str) -> AsyncIterator[list[ListMember]]:
        """Batches of those whom a run has not seen; forget each before asking for the next."""
        wanted = {"connection_id": connection_id, "list_id": list_id, "run": {"$ne": run}}
        while members := [_CODEC.decode(row) async for row in self._collection.find(wanted).limit(BATCH)]:
            yield members

    async def forget(self, members: Sequence[ListMember]) -> None:
        """They are off the list."""
        ids = [_id(m.connection_id, m.list_id, m.record) for m in members]
        await self._collection.delete_many({"_id": {"$in": ids}})

    async def lists_of(self, connection_id: str, record_ids: Sequence[str]) -> set[str]:
        """Ids of the lists that any of these people is on."""
        wanted = {"connection_id": connection_id, "record.id": {"$in": list(record_ids)}}
        return set(await self._collection.distinct("list_id", wanted))


def _id(connection_id: str, list_id: str, record: Record) -> str:
    return f"{connection_id}/{list_id}/{record.module}/{record.id}"
