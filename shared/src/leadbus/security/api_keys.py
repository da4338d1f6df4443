"""API keys: `lb_<id>_<secret>`, bound to one tenant, with scopes; a hook's also to one connection.

A supplier's key is bound to the supplier, and to one tenant or to every tenant that it hands leads to.

Stored as SHA-256 of the secret. A slow password hash would add nothing: the secret is 32 random bytes, so
there is nothing to guess, and every request would pay for it.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.errors import Rejected
from leadbus.security.authorised_addresses import MongoAuthorisedAddresses
from leadbus.security.networks import Address, Network, contained
from leadbus.security.scopes import Scope
from leadbus.storage.mongo import Document

__all__ = [
    "EVERY_TENANT",
    "REMEMBERED_KEYS",
    "REMEMBERED_SECONDS",
    "ApiKey",
    "ApiKeyStore",
    "ApiKeys",
    "MongoApiKeys",
    "Scope",
    "Verified",
    "make_key",
]

REMEMBERED_SECONDS = 30.0
REMEMBERED_KEYS = 10_000
EVERY_TENANT = "*"
"""No tenant can be called so. Of a supplier's key: every tenant that the supplier hands leads to."""
_KEY = re.compile(r"lb_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: everything but its secret."""

    id: str
    tenant_id: str
    scopes: frozenset[Scope]
    name: str
    secret_hash: bytes
    created_at: datetime
    revoked_at: datetime | None = None
    connection_id: str | None = None
    supplier_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good key stands for.

    connection_id: the hook's connection; supplier_id: the supplier; each None for every other key.
    authorised: from where the tenant may be called for; empty = from everywhere.
    """

    key_id: str
    tenant_id: str
    scopes: frozenset[Scope]
    connection_id: str | None = None
    authorised: tuple[Network, ...] = ()
    supplier_id: str | None = None

    def good_from(self, address: Address | None) -> bool:
        """Whether the tenant may be called for from there; None = an address that cannot be told."""
        return not self.authorised or contained(address, self.authorised)


class ApiKeyStore(Protocol):
    """Where keys are kept, and from where they are good; written by ingest only, read by every service."""

    async def get(self, key_id: str) -> ApiKey | None: ...
    async def add(self, key: ApiKey) -> None: ...
    async def of_tenant(self, tenant_id: str) -> list[ApiKey]: ...
    async def revoke(self, key_id: str, at: datetime) -> bool: ...
    async def authorised(self, tenant_id: str) -> tuple[Network, ...]: ...


def make_key(
    tenant_id: str,
    scopes: Collection[Scope],
    name: str = "",
    connection_id: str | None = None,
    supplier_id: str | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and its text, which nobody can recover later.

    Raises:
        Rejected: a hook's key has no connection or more scopes, or another key has a connection; the same of
            a supplier's key and its supplier; another key than a supplier's is for every tenant.
    """
    for scope, bound_to, field in (
        (Scope.HOOK, connection_id, "connection_id"),
        (Scope.SUPPLIER, supplier_id, "supplier_id"),
    ):
        if (scope in scopes or bound_to is not None) and (set(scopes) != {scope} or not bound_to):
            raise Rejected(
                f"A {scope.value}'s key has the scope {scope.value} alone, and names its"
                f" {field.removesuffix('_id')}; other keys name none.",
                field=field,
            )
    if tenant_id == EVERY_TENANT and supplier_id is None:
        raise Rejected("Only a supplier's key can be for every tenant.", field="tenant_id")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    key = ApiKey(
        key_id, tenant_id, frozenset(scopes), name, _hash(secret), now, None, connection_id, supplier_id
    )
    return key, f"lb_{key_id}_{secret}"


class ApiKeys:
    """Verifies keys, remembering good ones for 30 s: a revoked key ends within that time everywhere.

    With a key its tenant's authorised addresses are remembered, and as long.
    """

    def __init__(self, store: ApiKeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        # By hash, so that a dump of the process's memory shows no key that could be used.
        self._remembered: OrderedDict[bytes, tuple[float, Verified]] = OrderedDict()

    async def verify(self, key: str, *, anew: bool = False) -> Verified | None:
        """What the key stands for; None if it is malformed, unknown, wrong or revoked.

        anew: by what the store says now, whatever is remembered.
        """
        mark = _hash(key)
        until, verified = self._remembered.get(mark, (0.0, None))
        if verified is not None and until > self._clock() and not anew:
            return verified
        self._remembered.pop(mark, None)
        parts = _KEY.fullmatch(key)
        if parts is None:
            return None
        stored = await self._store.get(parts[1])
        if stored is None or stored.revoked_at is not None:
            return None
        if not hmac.compare_digest(_hash(parts[2]), stored.secret_hash):
            return None
        authorised = await self._store.authorised(stored.tenant_id)
        verified = Verified(
            stored.id,
            stored.tenant_id,
            stored.scopes,
            stored.connection_id,
            authorised,
            stored.supplier_id,
        )
        self._remembered[mark] = (self._clock() + REMEMBERED_SECONDS, verified)
        if len(self._remembered) > REMEMBERED_KEYS:
            self._remembered.popitem(last=False)
        return verified

    def forget(self) -> None:
        """Asks the store again for every key; after one was revoked, or addresses were changed, here."""
        self._remembered.clear()


class MongoApiKeys:
    """The collection `api_keys`; with what `authorised_addresses` says of their tenants."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._keys = database["api_keys"]
        self._addresses = MongoAuthorisedAddresses(database)

    async def prepare(self) -> None:
        """Creates the index that listing needs; the key's id is the document's, so it is unique."""
        await self._keys.create_index([("tenant_id", ASCENDING), ("created_at", ASCENDING)])

    async def get(self, key_id: str) -> ApiKey | None:
        row = await self._keys.find_one({"_id": key_id})
        return _key(row) if row else None

    async def add(self, key: ApiKey) -> None:
        await self._keys.insert_one(
            {
                "_id": key.id,
                "tenant_id": key.tenant_id,
                "scopes": sorted(key.scopes),
                "name": key.name,
                "secret_hash": key.secret_hash,
                "created_at": key.created_at,
                "revoked_at": key.revoked_at,
                "connection_id": key.connection_id,
                "supplier_id": key.supplier_id,
            }
        )

    async def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        rows = self._keys.find({"tenant_id": tenant_id}).sort("created_at", ASCENDING).limit(1_000)
        return [_key(row) async for row in rows]

    async def revoke(self, key_id: str, at: datetime) -> bool:
        done = await self._keys.update_one({"_id": key_id, "revoked_at": None}, {"$set": {"revoked_at": at}})
        return done.matched_count == 1

    async def authorised(self, tenant_id: str) -> tuple[Network, ...]:
        return await self._addresses.networks_of(tenant_id)


def _key(row: Document) -> ApiKey:
    return ApiKey(
        row["_id"],
        row["tenant_id"],
        frozenset(Scope(scope) for scope in row["scopes"]),
        row["name"],
        bytes(row["secret_hash"]),
        row["created_at"],
        row["revoked_at"],
        row.get("connection_id"),
        row.get("supplier_id"),
    )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
