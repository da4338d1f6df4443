"""What each connection's CRM was last asked to push, in `<service>.watches`: one document per connection,
and a second one, `<connection>/heard`, that says when it last pushed.
"""

from dataclasses import dataclass
from datetime import datetime

from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client


@dataclass(frozen=True, slots=True)
class Watched:
    """revision: of the connection when the CRM last agreed. until: when it stops; None = it never agreed.

    warning: why it does not agree; empty = it does.
    """

    connection_id: str
    revision: int = 0
    until: datetime | None = None
    warning: str = ""


_CODEC = Codec(Watched)


class Watches:
    """Written by the one worker that holds the organisation's lease, but for what is heard: by any pod."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.watches"]

    async def of(self, connection_id: str) -> Watched:
        """As last saved."""
        row = await self._collection.find_one({"_id": connection_id})
        return _CODEC.decode(row) if row else Watched(connection_id)

    async def save(self, watched: Watched) -> None:
        """In place of what was saved before."""
        await self._collection.replace_one(
            {"_id": watched.connection_id}, _CODEC.encode(watched), upsert=True
        )

    async def expect(self, connection_id: str, now: datetime) -> None:
        """From the first time on, something is to be heard of this CRM."""
        await self._collection.update_one(
            {"_id": _heard(connection_id)}, {"$setOnInsert": {"at": now}}, upsert=True
        )

    async def hear(self, connection_id: str, now: datetime) -> None:
        """It has pushed something."""
        await self._collection.update_one({"_id": _heard(connection_id)}, {"$max": {"at": now}}, upsert=True)

    async def last_heard(self, connection_id: str) -> datetime | None:
        """When; None = never, and nothing is to be."""
        row = await self._collection.find_one({"_id": _heard(connection_id)})
        return row["at"] if row else None


def _heard(connection_id: str) -> str:
    return f"{connection_id}/heard"
