"""MongoDB as it is read, and never written: for stores of what is only rehearsed."""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, cast

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.storage.mongo import Client, Document

_READS = frozenset({"find", "find_one", "distinct", "count_documents"})
_WRITES = frozenset(
    f"{verb}_{number}" for verb in ("insert", "update", "delete") for number in ("one", "many")
)
_DROPPED = _WRITES | {"replace_one", "bulk_write"}


def unwritten(client: Client) -> Client:
    """The same for stores, except that what they write is dropped, as if it had been done.

    Everything else is missing, such as `aggregate`: a pipeline can write.
    """
    return cast(Client, _Client(client))


@dataclass(frozen=True, slots=True)
class _Done:
    """What a write answers that met everything it asked for."""

    matched_count: int
    modified_count: int
    deleted_count: int = 0


class _Collection:
    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        if name in _DROPPED:
            return _dropped
        if name not in _READS:
            raise AttributeError(f"{name} may write")
        return getattr(self._collection, name)


class _Database:
    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database

    def __getitem__(self, name: str) -> _Collection:
        return _Collection(self._database[name])


class _Client:
    def __init__(self, client: Client) -> None:
        self._client = client

    def __getitem__(self, name: str) -> _Database:
        return _Database(self._client[name])


async def _dropped(*given: object, **_: object) -> _Done:
    count = len(given[0]) if given and isinstance(given[0], Sized) else 0
    return _Done(count, count)
