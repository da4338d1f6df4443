"""Sign-ins that people have begun in a browser, in `<service>.sign_ins`, until they come back from the CRM.

What a person comes back with is a state: whoever has it ends the sign-in, once. It is stored hashed, so that
nobody who reads the database can. The server's clock decides how long it is good; an index forgets the rest.
"""

from dataclasses import dataclass
from hashlib import sha256

from pymongo import ASCENDING

from leadbus.connector.connection import Connection
from leadbus.storage.mongo import Client

GOOD_FOR_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Begun:
    """For which connection a sign-in was begun, and as it stood then."""

    connection_id: str
    revision: int


class SignIns:
    """See the module."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.sign_ins"]

    async def prepare(self) -> None:
        """Creates the index by which MongoDB forgets what nobody came back for."""
        await self._collection.create_index([("until", ASCENDING)], expireAfterSeconds=0)

    async def begin(self, state: str, connection: Connection) -> None:
        """Remembers what a state stands for."""
        row = {
            "connection_id": {"$literal": connection.id},
            "revision": connection.revision,
            "until": {"$add": ["$$NOW", int(GOOD_FOR_SECONDS * 1000)]},
        }
        await self._collection.update_one({"_id": _hashed(state)}, [{"$set": row}], upsert=True)

    async def take(self, state: str) -> Begun | None:
        """What it stands for, to one caller only; None if it is none of ours, over, or taken."""
        row = await self._collection.find_one_and_delete(
            {"_id": _hashed(state), "$expr": {"$gt": ["$until", "$$NOW"]}}
        )
        return Begun(row["connection_id"], row["revision"]) if row else None


def _hashed(state: str) -> str:
    return sha256(state.encode(errors="replace")).hexdigest()
