"""What somebody wants read from a CRM at once, in `<service>.asked`: kinds of records, or single ones.

Written by the API (sync now, send again) and, in the consumer's transaction, for each record that a push
from the CRM names; taken by the pulling of the connection, which `leadbus.connector.pulling.bell` wakes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from pymongo import ASCENDING, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.capabilities import Kind
from leadbus.connector.stores.documents import Codec
from leadbus.messages import Record
from leadbus.storage.mongo import Client


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to read: everything (full), fields that are new, or the changes of a kind; or one record.

    token: differs each time it is asked for, so that what is asked for meanwhile is not taken as done.
    """

    connection_id: str
    token: str
    kind: Kind | None = None
    full: bool = False
    new_fields: bool = False
    record: Record | None = None


_CODEC = Codec(Wish)


class Asked:
    """See the module. The same thing asked for twice is read once."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.asked"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        await self._collection.create_index([("connection_id", ASCENDING)])
        await self._collection.create_index([("token", ASCENDING)])

    async def kinds(self, connection_id: str, kinds: Iterable[Kind], *, full: bool) -> None:
        """Asks for kinds of records; full stays full if changes are asked for after it."""
        writes = [
            UpdateOne(
                {"_id": f"{connection_id}//{kind}"},
                {
                    "$set": {"connection_id": connection_id, "kind": kind, "token": uuid4().hex},
                    "$max": {"full": full},
                },
                upsert=True,
            )
            for kind in kinds
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def new_fields(self, connection_id: str, kinds: Iterable[Kind]) -> None:
        """Asks for fields of these kinds that were mapped since they were read."""
        for kind in kinds:
            wish = Wish(connection_id, uuid4().hex, kind, new_fields=True)
            name = f"{connection_id}//{kind}/new fields"
            await self._collection.replace_one({"_id": name}, _CODEC.encode(wish), upsert=True)

    async def records(
        self,
        connection_id: str,
        records: Iterable[Record],
        session: AsyncClientSession | None = None,
    ) -> None:
        """Asks for single records; within a transaction, if one is given."""
        writes = [
            UpdateOne(
                {"_id": f"{connection_id}/{record.module}/{record.id}"},
                {
                    "$set": {
                        "connection_id": connection_id,
                        "record": record.model_dump(),
                        "token": uuid4().hex,
                    }
                },
                upsert=True,
            )
            for record in set(records)
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=session)

    async def of_connection(self, connection_id: str, limit: int = 1_000) -> list[Wish]:
        """What is wanted now."""
        found = self._collection.find({"connection_id": connection_id}).limit(limit)
        return [_CODEC.decode(row) async for row in found]

    async def done(self, wishes: Sequence[Wish]) -> None:
        """Forgets them, unless they were asked for again meanwhile."""
        if wishes:
            await self._collection.delete_many({"token": {"$in": [wish.token for wish in wishes]}})

    async def connections(self) -> set[str]:
        """Those for which something is wanted."""
        return set(await self._collection.distinct("connection_id"))
