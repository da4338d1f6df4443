"""Renewable tokens, in `<service>.tokens`, encrypted: what an adapter must still have after a restart.

A token belongs to an organisation and an access without its secrets, not to a connection: a CRM may keep one
session per user, which all connections of that user then go on with. It is kept with a fingerprint of the
whole access: one got with an earlier password is never used, whoever was still writing it while the settings
changed. Whoever renews it holds a lease, in the same document.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4
from weakref import WeakValueDictionary

from pymongo.errors import PyMongoError

from leadbus.connector.connection import Connection
from leadbus.connector.settings.secret import secrets_of, without_secrets
from leadbus.connector.stores.leases import take_if_free
from leadbus.connector.stores.renewing import Renewed, renewed
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import Transient
from leadbus.security.secrets import SecretBox, Unreadable
from leadbus.storage.mongo import Client

ALONE_SECONDS = 30.0
WAIT_SECONDS = 60.0
_MARGIN_SECONDS = 1.0


class Tokens:
    """At most one per organisation and access; place: which, as `of` names it."""

    def __init__(self, client: Client, database: str, service: str, secrets: SecretBox) -> None:
        self._collection = client[database][f"{service}.tokens"]
        self._secrets = secrets
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, place: str, access: str = "") -> str | None:
        """The token; None if there is none, none for this access, or none that can be decrypted."""
        row = await self._collection.find_one({"_id": place, "token": {"$exists": True}})
        try:
            kept, _, token = self._secrets.decrypt(row["token"]).partition(" ") if row else ("", "", "")
        except Unreadable:
            return None
        return token if token and kept == access else None

    async def put(self, place: str, token: str, access: str = "") -> None:
        """Keeps a token in place of the one before."""
        kept = {"token": self._secrets.encrypt(f"{access} {token}"), "at": datetime.now(UTC)}
        await self._collection.update_one({"_id": place}, {"$set": kept}, upsert=True)

    async def renew_secrets(self) -> Renewed:
        """Encrypts every token anew, under the first key."""
        return await renewed(self._collection, "token", self._secrets.renew)

    @asynccontextmanager
    async def alone(self, place: str) -> AsyncIterator[None]:
        """See `TokenKeeper`. Who stays longer than the lease is put out, as another may come in then.

        Raises:
            Transient: others were inside for a minute, or the caller itself for half a minute.
        """
        async with AsyncExitStack() as on_leaving:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    # Within a process nobody need poll: one after the other asks MongoDB.
                    lock = self._locks.setdefault(place, asyncio.Lock())
                    await on_leaving.enter_async_context(lock)
                    owner = uuid4().hex
                    on_leaving.push_async_callback(self._release, place, owner)
                    until = await self._lease(place, owner)
            except TimeoutError:
                raise Transient("Others have been signing in to the CRM for a minute.") from None
            try:
                async with asyncio.timeout_at(until) as limit:
                    yield
            except TimeoutError:
                if not limit.expired():
                    raise
                raise Transient("The CRM took more than half a minute to sign us in.") from None

    async def _lease(self, place: str, owner: str) -> float:
        """Until when it holds, by the loop's clock."""
        while True:
            asked = asyncio.get_running_loop().time()
            if await take_if_free(self._collection, place, owner, ALONE_SECONDS):
                return asked + ALONE_SECONDS - _MARGIN_SECONDS
            await asyncio.sleep(random.uniform(0.05, 0.15))

    async def _release(self, place: str, owner: str) -> None:
        with suppress(PyMongoError):  # it runs out by itself
            mine = {"_id": place, "owner": owner}
            await self._collection.update_one(mine, {"$unset": {"owner": "", "until": ""}})

    def of(self, connection: Connection) -> TokenKeeper:
        """What the connection's adapter is given."""
        return _Bound(self, _place(connection), _fingerprint(connection), anew=False)

    def anew(self, connection: Connection) -> TokenKeeper:
        """For a test, which is to try the password, and leaves what it gets to the work."""
        return _Bound(self, _place(connection), _fingerprint(connection), anew=True)


@dataclass(frozen=True, slots=True)
class _Bound:
    tokens: Tokens
    place: str
    access: str
    anew: bool

    async def get(self) -> str | None:
        return await self.tokens.get(self.place, self.access)

    async def put(self, token: str) -> None:
        await self.tokens.put(self.place, token, self.access)

    def alone(self) -> AbstractAsyncContextManager[None]:
        return self.tokens.alone(self.place)


def _place(connection: Connection) -> str:
    """Hashed, as a user's name may be an email."""
    shown = json.dumps(without_secrets(connection.settings.access), sort_keys=True)
    return f"{connection.organisation_id}/{sha256(shown.encode()).hexdigest()}"


def _fingerprint(connection: Connection) -> str:
    """Only ever stored encrypted, since it is made of secrets."""
    access = connection.settings.access
    whole = json.dumps([without_secrets(access), secrets_of(access)], sort_keys=True)
    return sha256(whole.encode()).hexdigest()
