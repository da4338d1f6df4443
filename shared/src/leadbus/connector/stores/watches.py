"""What each connection's CRM was last asked to push, in `<service>.watches`: one document per connection."""

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
    """Written by the one worker that holds the organisation's lease."""

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
