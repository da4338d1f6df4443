"""Renewable tokens, in `<service>.tokens`, encrypted: what an adapter must still have after a restart.

A token belongs to an organisation and an access without its secrets, not to a connection: a CRM may keep one
session per user, which all connections of that user then go on with. It is kept with a fingerprint of the
whole access: one got with an earlier password is never used, whoever was still writing it while the settings
changed.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from leadbus.connector.connection import Connection
from leadbus.connector.contract import TokenKeeper
from leadbus.connector.settings.secret import secrets_of, without_secrets
from leadbus.security.secrets import SecretBox, Unreadable
from leadbus.storage.mongo import Client


class Tokens:
    """At most one per organisation and access; place: which, as `of` names it."""

    def __init__(self, client: Client, database: str, service: str, secrets: SecretBox) -> None:
        self._collection = client[database][f"{service}.tokens"]
        self._secrets = secrets

    async def get(self, place: str, access: str = "") -> str | None:
        """The token; None if there is none, none for this access, or none that can be decrypted."""
        row = await self._collection.find_one({"_id": place})
        try:
            kept, _, token = self._secrets.decrypt(row["token"]).partition(" ") if row else ("", "", "")
        except Unreadable:
            return None
        return token if token and kept == access else None

    async def put(self, place: str, token: str, access: str = "") -> None:
        """Keeps a token in place of the one before."""
        kept = {"token": self._secrets.encrypt(f"{access} {token}"), "at": datetime.now(UTC)}
        await self._collection.update_one({"_id": place}, {"$set": kept}, upsert=True)

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


def _place(connection: Connection) -> str:
    """Hashed, as a user's name may be an email."""
    shown = json.dumps(without_secrets(connection.settings.access), sort_keys=True)
    return f"{connection.organisation_id}/{sha256(shown.encode()).hexdigest()}"


def _fingerprint(connection: Connection) -> str:
    """Only ever stored encrypted, since it is made of secrets."""
    access = connection.settings.access
    whole = json.dumps([without_secrets(access), secrets_of(access)], sort_keys=True)
    return sha256(whole.encode()).hexdigest()
