"""How far each pull has read, in `<service>.cursors`, and what it saw, in `<service>.seen`."""

from collections.abc import Mapping
from datetime import datetime

from pymongo import ReplaceOne

from leadbus.messages import Record
from leadbus.storage.mongo import Client, Document

Values = dict[str, str | None]


class Pulls:
    """Values seen per connection and record, in the vendor's own form, so that only changes are told."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._cursors = client[database][f"{service}.cursors"]
        self._seen = client[database][f"{service}.seen"]

    async def cursor(self, connection_id: str, kind: str) -> datetime | None:
        """The CRM's time from which to read on; None = never read."""
        row = await self._cursors.find_one({"_id": f"{connection_id}/{kind}"})
        return row["since"] if row else None

    async def move(self, connection_id: str, kind: str, since: datetime) -> None:
        """Moves the cursor; only after everything before it is published and remembered."""
        await self._cursors.replace_one({"_id": f"{connection_id}/{kind}"}, {"since": since}, upsert=True)

    async def seen(self, connection_id: str, records: list[Record]) -> dict[str, Values]:
        """The remembered values by record id; absent = never seen."""
        ids = [_id(connection_id, record) for record in records]
        found = self._seen.find({"_id": {"$in": ids}})
        return {row["record_id"]: dict(row["values"]) async for row in found}

    async def remember(self, connection_id: str, values: Mapping[Record, Values]) -> None:
        """Remembers what was seen, or what we are about to write: that is then no change of theirs."""
        writes = [
            ReplaceOne({"_id": _id(connection_id, r)}, _row(r, v), upsert=True) for r, v in values.items()
        ]
        if writes:
            await self._seen.bulk_write(writes, ordered=False)


def _id(connection_id: str, record: Record) -> str:
    return f"{connection_id}/{record.module}/{record.id}"


def _row(record: Record, values: Values) -> Document:
    return {"record_id": record.id, "values": [[name, value] for name, value in values.items()]}
