"""Where prospects are kept: one read and one write for a whole batch."""

from collections.abc import AsyncIterator, Collection
from typing import Any, Protocol

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.messages import ConnectionChanged
from leadbus.storage.mongo import Document
from scoring.prospect import Key, Prospect
from scoring.prospect_documents import document_id, from_document, to_document

_NAMES = {"tenant_id": 1, "prospect_id": 1}
CHUNK = 500
"""Candidates of a sweep at a time."""


class Writing(Protocol):
    """Prospects to be written together, each as it was when it was added."""

    def add(self, prospect: Prospect) -> None:
        """One more; what becomes of it afterwards is not written."""
        ...

    async def write(self, session: AsyncClientSession) -> None:
        """Writes them within the session's transaction; the same however often it is called."""
        ...


class ProspectStore(Protocol):
    """Prospects by key, and those that a connection's threshold may let through."""

    async def load(self, keys: Collection[Key]) -> dict[Key, Prospect]:
        """Those of `keys` that are known."""
        ...

    def writing(self) -> Writing:
        """For what a batch changes."""
        ...

    async def save(self, prospects: Collection[Prospect], session: AsyncClientSession) -> None:
        """Writes these as they are now, within the session's transaction."""
        ...

    def candidates(
        self, connection: ConnectionChanged, partitions: Collection[int]
    ) -> AsyncIterator[list[Key]]:
        """Prospects of these partitions with a stored score above the threshold that have an email and are
        not qualified for the connection, or have cooled; in chunks of at most CHUNK."""
        ...

    def hot(self, connection: ConnectionChanged, partitions: Collection[int]) -> AsyncIterator[list[Key]]:
        """Prospects of these partitions that may yet cool, once qualified for the connection; in chunks."""
        ...

    async def due(self, partitions: Collection[int], at: int) -> list[Key]:
        """At most CHUNK prospects of these partitions that may have cooled by `at` (ms)."""
        ...

    async def linked_to(self, tenant_id: str, persons: Collection[str]) -> set[str]:
        """At most CHUNK prospects that are or were an alias of one of these, by their ids."""
        ...

    async def page(
        self, tenant_id: str, after: str | None, limit: int, partition: int | None = None
    ) -> list[Prospect]:
        """A tenant's prospects (of one partition) in the order of their ids, those after the one given."""
        ...


class MongoProspects:
    """Prospects in the collection `scoring.prospects`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._prospects = database["scoring.prospects"]

    async def prepare(self) -> None:
        """Creates the indexes by which a sweep finds its candidates, the cooler those that are due, and
        whoever asks a person's aliases."""
        await self._prospects.create_index(
            [("tenant_id", ASCENDING), ("score", DESCENDING), ("partition", ASCENDING)]
        )
        # Only who may cool is in it: whoever is not above a threshold costs it nothing.
        await self._prospects.create_index(
            [("partition", ASCENDING), ("cools_at", ASCENDING)],
            partialFilterExpression={"cools_at": {"$exists": True}},
        )
        await self._prospects.create_index(
            [("links.person", ASCENDING)], partialFilterExpression={"links.person": {"$exists": True}}
        )

    async def load(self, keys: Collection[Key]) -> dict[Key, Prospect]:
        """See `ProspectStore`."""
        found = self._prospects.find(
            {"_id": {"$in": [document_id(key) for key in keys]}}, batch_size=max(2, len(keys))
        )
        prospects = [from_document(row) async for row in found]
        return {prospect.key: prospect for prospect in prospects}

    def writing(self) -> Writing:
        """See `ProspectStore`."""
        return _Replacements(self._prospects)

    async def save(self, prospects: Collection[Prospect], session: AsyncClientSession) -> None:
        """See `ProspectStore`."""
        writing = self.writing()
        for prospect in prospects:
            writing.add(prospect)
        await writing.write(session)

    async def candidates(
        self, connection: ConnectionChanged, partitions: Collection[int]
    ) -> AsyncIterator[list[Key]]:
        """See `ProspectStore`."""
        above: Document = {"$gt": connection.threshold * 1000}
        score = (
            {"score": above}
            if connection.score is None
            else {"named": {"$elemMatch": {"name": connection.score, "score": above}}}
        )
        is_hot = {"connection_id": connection.connection_id, "cooled": {"$exists": False}}
        asked = {
            "tenant_id": connection.tenant_id,
            "partition": {"$in": list(partitions)},
            "email": {"$ne": None},
            "qualified": {"$not": {"$elemMatch": is_hot}},
        }
        async for chunk in self._chunks(asked | score):
            yield chunk

    async def hot(
        self, connection: ConnectionChanged, partitions: Collection[int]
    ) -> AsyncIterator[list[Key]]:
        """See `ProspectStore`."""
        asked = {
            "partition": {"$in": list(partitions)},
            "cools_at": {"$exists": True},
            "tenant_id": connection.tenant_id,
            "qualified.connection_id": connection.connection_id,
        }
        async for chunk in self._chunks(asked):
            yield chunk

    async def due(self, partitions: Collection[int], at: int) -> list[Key]:
        """See `ProspectStore`."""
        asked = {"partition": {"$in": list(partitions)}, "cools_at": {"$lte": at}}
        found = self._prospects.find(asked, _NAMES, limit=CHUNK)
        return [_key(row) async for row in found]

    async def linked_to(self, tenant_id: str, persons: Collection[str]) -> set[str]:
        """See `ProspectStore`."""
        asked = {"links.person": {"$in": list(persons)}, "tenant_id": tenant_id}
        return {row["prospect_id"] async for row in self._prospects.find(asked, _NAMES, limit=CHUNK)}

    async def page(
        self, tenant_id: str, after: str | None, limit: int, partition: int | None = None
    ) -> list[Prospect]:
        """See `ProspectStore`."""
        # Ids of documents begin with the tenant's, which holds no colon; a semicolon is what follows one.
        begin, end = document_id(Key(tenant_id, after or "")), f"{tenant_id};"
        asked: Document = {"_id": {"$gt": begin, "$lt": end}}
        if partition is not None:
            asked["partition"] = partition
        found = self._prospects.find(asked, batch_size=limit).sort("_id", ASCENDING).limit(limit)
        return [from_document(row) async for row in found]

    async def _chunks(self, asked: Document) -> AsyncIterator[list[Key]]:
        chunk: list[Key] = []
        async for row in self._prospects.find(asked, _NAMES, batch_size=CHUNK):
            chunk.append(_key(row))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def _key(row: Document) -> Key:
    return Key(row["tenant_id"], row["prospect_id"])


class _Encoded(RawBSONDocument):
    """pymongo asks whether a replacement is empty, and RawBSONDocument decodes all of it to say so."""

    def __bool__(self) -> bool:
        return True


class _Replacements:
    """Documents encoded as soon as they are added: what is kept in memory goes on changing."""

    def __init__(self, prospects: AsyncCollection[Document]) -> None:
        self._prospects = prospects
        self._operations: list[ReplaceOne[Any]] = []

    def add(self, prospect: Prospect) -> None:
        """See `Writing`."""
        document = to_document(prospect)
        encoded = _Encoded(encode(document))
        self._operations.append(ReplaceOne({"_id": document["_id"]}, encoded, upsert=True))

    async def write(self, session: AsyncClientSession) -> None:
        """See `Writing`."""
        if self._operations:
            await self._prospects.bulk_write(self._operations, ordered=False, session=session)
