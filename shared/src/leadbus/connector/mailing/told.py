"""What the people of a connection have been told of its state, in `<service>.mail_told`."""

from collections.abc import Collection
from datetime import date

from leadbus.storage.mongo import Client


class Told:
    """One document per connection."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.mail_told"]

    async def in_trouble(self) -> list[str]:
        """The connections whose trouble was told, and not yet that it is over."""
        return [row["_id"] async for row in self._collection.find({"trouble": True}, {"_id": 1})]

    async def trouble(self, connection_id: str, *, begins: bool) -> None:
        """Of its beginning, or of its end."""
        change = {"$set": {"trouble": True}} if begins else {"$unset": {"trouble": ""}}
        await self._collection.update_one({"_id": connection_id}, change, upsert=begins)

    async def days(self, connection_ids: Collection[str]) -> dict[str, date]:
        """The days on which refusals were last listed; absent = never."""
        found = self._collection.find({"_id": {"$in": list(connection_ids)}, "day": {"$exists": True}})
        return {row["_id"]: date.fromisoformat(row["day"]) async for row in found}

    async def day(self, connection_id: str, day: date) -> None:
        """Refusals were listed on that day, or there were none."""
        change = {"$set": {"day": day.isoformat()}}
        await self._collection.update_one({"_id": connection_id}, change, upsert=True)
