"""Where prospects are kept: one read and one write for a whole batch."""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.messages import ConnectionChanged
from leadbus.storage.mongo import Document
from scoring.prospect import Key, Prospect, document_id, from_document, to_document

CHUNK = 500
"""Candidates of a sweep at a time."""


class ProspectStore(Protocol):
    """Prospects by key, and those that a connection's threshold may let through."""

    async def load(self, keys: Collection[Key]) -> dict[Key, Prospect]:
        """Those of `keys` that are known."""
        ...

    async def save(self, prospects: Collection[Prospect], session: AsyncClientSession) -> None:
        """Writes these, within the session's transaction."""
        ...

    def candidates(self, connection: ConnectionChanged, partition: int) -> AsyncIterator[list[Key]]:
        """Prospects of a partition with a stored score above the threshold that have an email and are
        not qualified for the connection; in chunks of at most CHUNK."""
        ...


class MongoProspects:
    """Prospects in the collection `scoring.prospects`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._prospects = database["scoring.prospects"]

    async def prepare(self) -> None:
        """Creates the index by which a sweep finds its candidates."""
        await self._prospects.create_index(
            [("tenant_id", ASCENDING), ("score", DESCENDING), ("partition", ASCENDING)]
        )

    async def load(self, keys: Collection[Key]) -> dict[Key, Prospect]:
        """See `ProspectStore`."""
        found = self._prospects.find(
            {"_id": {"$in": [document_id(key) for key in keys]}}, batch_size=max(2, len(keys))
        )
        prospects = [from_document(row) async for row in found]
        return {prospect.key: prospect for prospect in prospects}

    async def save(self, prospects: Collection[Prospect], session: AsyncClientSession) -> None:
        """See `ProspectStore`."""
        writes = [
            ReplaceOne({"_id": document_id(prospect.key)}, to_document(prospect), upsert=True)
            for prospect in prospects
        ]
        if writes:
            await self._prospects.bulk_write(writes, ordered=False, session=session)

    async def candidates(self, connection: ConnectionChanged, partition: int) -> AsyncIterator[list[Key]]:
        """See `ProspectStore`."""
        found = self._prospects.find(
            {
                "tenant_id": connection.tenant_id,
                "score": {"$gt": connection.threshold * 1000},
                "partition": partition,
                "email": {"$ne": None},
                "qualified.connection_id": {"$ne": connection.connection_id},
            },
            {"tenant_id": 1, "prospect_id": 1},
            batch_size=CHUNK,
        )
        chunk: list[Key] = []
        async for row in found:
            chunk.append(Key(row["tenant_id"], row["prospect_id"]))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk
