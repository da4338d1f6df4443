"""Stored secrets under the present key: after a change of keys, before the old one is taken away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from leadbus.security.secrets import Unreadable
from leadbus.storage.mongo import Document


@dataclass(frozen=True, slots=True)
class Renewed:
    """documents: how many are under the first key now. unreadable: ids of those that no key fits."""

    documents: int
    unreadable: tuple[str, ...]


async def renewed(
    collection: AsyncCollection[Document], member: str, renew: Callable[[Any], object]
) -> Renewed:
    """Replaces `member` of every document that has one by what `renew` makes of it.

    Any number of times, and beside others who write: what has changed since it was read stays as it is.
    """
    documents, unreadable = 0, []
    async for row in collection.find({member: {"$exists": True}}, {member: True}):
        try:
            fresh = renew(row[member])
        except Unreadable:
            unreadable.append(str(row["_id"]))
            continue
        await collection.update_one({"_id": row["_id"], member: row[member]}, {"$set": {member: fresh}})
        documents += 1
    return Renewed(documents, tuple(unreadable))
