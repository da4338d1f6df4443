"""Leases, in `<service>.leases`: who works which CRM organisation. The server's clock decides."""

import time

from pymongo import ReturnDocument
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
        try:
            lease = await self._take_if_free(organisation_id)
        except DuplicateKeyError:  # another pod made it at the same moment
            return None
        held = lease is not None and lease["owner"] == self._owner
        return asked + LEASE_SECONDS - _MARGIN_SECONDS if held else None

    async def _take_if_free(self, organisation_id: str) -> Document | None:
        # A lease that does not exist yet has no `until`, which sorts before every time: it is free.
        free = {"$or": [{"$eq": ["$owner", self._owner]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", int(LEASE_SECONDS * 1000)]}
        return await self._collection.find_one_and_update(
            {"_id": organisation_id},
            [
                {
                    "$set": {
                        "owner": {"$cond": [free, self._owner, "$owner"]},
                        "until": {"$cond": [free, until, "$until"]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )

    async def release(self, organisation_id: str) -> None:
        """Gives it up, so that another need not wait for it to run out."""
        await self._collection.delete_one({"_id": organisation_id, "owner": self._owner})
