"""Leases, in `<service>.leases`: who works which CRM organisation. The server's clock decides."""

import time

from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from leadbus.storage.mongo import Client, Document

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
_MARGIN_SECONDS = 1.0


class Leases:
    """One pod's view of the leases. owner: the pod's own random name."""

    def __init__(self, client: Client, database: str, service: str, owner: str) -> None:
        self._collection = client[database][f"{service}.leases"]
        self._owner = owner

    async def take(self, organisation_id: str) -> float | None:
        """Takes or renews; until when it holds, by this process's monotonic clock; None = another's."""
        asked = time.monotonic()
        held = await take_if_free(self._collection, organisation_id, self._owner, LEASE_SECONDS)
        return asked + LEASE_SECONDS - _MARGIN_SECONDS if held else None

    async def release(self, organisation_id: str) -> None:
        """Gives it up, so that another need not wait for it to run out."""
        await self._collection.delete_one({"_id": organisation_id, "owner": self._owner})


async def take_if_free(
    collection: AsyncCollection[Document], document_id: str, owner: str, seconds: float
) -> bool:
    """Takes or renews a document for so long, as its members `owner` and `until`; False = it is another's."""
    # What was never taken has no `until`, which sorts before every time: it is free.
    free = {"$or": [{"$eq": ["$owner", owner]}, {"$lt": ["$until", "$$NOW"]}]}
    until = {"$add": ["$$NOW", int(seconds * 1000)]}
    try:
        taken = await collection.find_one_and_update(
            {"_id": document_id},
            [
                {
                    "$set": {
                        "owner": {"$cond": [free, owner, "$owner"]},
                        "until": {"$cond": [free, until, "$until"]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:  # another pod made it at the same moment
        return False
    return taken is not None and taken["owner"] == owner
