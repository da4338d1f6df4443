"""Connections, in `<service>.connections`: written by the connector's API, read by its other parts.

Beside them `<service>.connection_revisions`: who changed what, and when, without any value.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from leadbus.connector.connection import Connection, Health, HealthState, Revision
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.secret import MASKED, secrets_of, with_secrets, without_secrets
from leadbus.connector.stores.renewing import Renewed, renewed
from leadbus.errors import Conflict
from leadbus.security.secrets import SecretBox, Unreadable
from leadbus.storage.mongo import Client, Document


class Connections:
    """Secrets (members of type SecretStr, at any depth) are stored encrypted and apart from the rest."""

    def __init__(
        self, client: Client, database: str, service: str, kind: type[ConnectionSettings], secrets: SecretBox
    ) -> None:
        self._client = client
        self._collection = client[database][f"{service}.connections"]
        self._revisions = client[database][f"{service}.connection_revisions"]
        self._kind = kind
        self._secrets = secrets

    async def prepare(self) -> None:
        """Creates the indexes."""
        await self._collection.create_index([("tenant_id", ASCENDING)])
        await self._collection.create_index([("organisation_id", ASCENDING)])
        await self._revisions.create_index([("connection_id", ASCENDING), ("revision", DESCENDING)])

    async def get(self, connection_id: str) -> Connection | None:
        """One, or None."""
        row = await self._collection.find_one({"_id": connection_id})
        return self._connection(row) if row else None

    async def of_tenants(self, tenant_ids: Collection[str]) -> list[Connection]:
        """All of these tenants, on or off."""
        found = self._collection.find({"tenant_id": {"$in": list(tenant_ids)}})
        return [self._connection(row) async for row in found]

    async def of_organisation(self, organisation_id: str) -> list[Connection]:
        """All that lead into one organisation, on or off."""
        found = self._collection.find({"organisation_id": organisation_id}).sort("_id", ASCENDING)
        return [self._connection(row) async for row in found]

    async def all(self) -> list[Connection]:
        """Every connection of this connector."""
        return [self._connection(row) async for row in self._collection.find().sort("_id", ASCENDING)]

    async def organisations(self) -> set[str]:
        """Those with a connection that is on."""
        return set(await self._collection.distinct("organisation_id", {"on": True}))

    async def revisions(self, connection_id: str, limit: int = 100) -> list[Revision]:
        """The latest changes, newest first."""
        found = self._revisions.find({"connection_id": connection_id}, {"_id": 0, "connection_id": 0})
        rows = await found.sort("revision", DESCENDING).limit(limit).to_list()
        return [Revision(**row | {"changed": tuple(row["changed"])}) for row in rows]

    async def unwell(self) -> list[Connection]:
        """Those that are on and in trouble, or refused."""
        found = self._collection.find({"on": True, "health.state": {"$ne": HealthState.WELL.value}})
        return [self._connection(row) async for row in found]

    async def zones_of_notified(self) -> dict[str, str]:
        """The time zones of those that are on and whose state somebody hears of."""
        wanted = {"on": True, "settings.notify.0": {"$exists": True}}
        found = self._collection.find(wanted, {"settings.time_zone": 1})
        return {row["_id"]: row["settings"].get("time_zone", "UTC") async for row in found}

    async def save(
        self,
        connection: Connection,
        change: Revision,
        beside: Callable[[AsyncClientSession], Awaitable[None]] | None = None,
    ) -> None:
        """Stores a revision in place of the one before it, and remembers the change.

        beside: what else belongs to the transaction.

        Raises:
            Conflict: somebody else changed it meanwhile.
        """
        row: Document = {
            "tenant_id": connection.settings.tenant_id,
            "organisation_id": connection.organisation_id,
            "on": connection.on,
            "revision": connection.revision,
            "health": asdict(connection.health),
            "settings": without_secrets(connection.settings),
        }
        if not connection.unreadable:  # else what is stored stays, for the day its key is back
            secrets = secrets_of(connection.settings)
            row["secrets"] = {name: self._secrets.encrypt(value) for name, value in secrets.items()}

        async def write(session: AsyncClientSession) -> None:
            known = {"_id": connection.id, "revision": connection.revision - 1}
            first = connection.revision == 1
            result = await self._collection.update_one(known, {"$set": row}, upsert=first, session=session)
            if not (result.matched_count or result.upserted_id is not None):
                raise _changed_meanwhile()
            revision = asdict(change) | {"connection_id": connection.id}
            await self._revisions.insert_one(revision, session=session)
            if beside is not None:
                await beside(session)

        try:
            async with self._client.start_session() as session:
                await session.with_transaction(write)
        except DuplicateKeyError:
            raise _changed_meanwhile() from None

    async def report_health(self, connection: Connection, health: Health) -> None:
        """Keeps how the connection fares, unless its settings have changed since."""
        await self._collection.update_one(
            {"_id": connection.id, "revision": connection.revision}, {"$set": {"health": asdict(health)}}
        )

    async def caught_up(self, connection: Connection) -> None:
        """Notes that all its deliveries have been tried again for this revision."""
        await self._collection.update_one(
            {"_id": connection.id, "revision": connection.revision},
            {"$set": {"caught_up": connection.revision}},
        )

    async def renew_secrets(self) -> Renewed:
        """Encrypts every stored secret anew, under the first key; who saves meanwhile does so by himself."""
        return await renewed(self._collection, "secrets", self._renew)

    def _renew(self, stored: dict[str, bytes]) -> dict[str, bytes]:
        return {path: self._secrets.renew(value) for path, value in stored.items()}

    def _connection(self, row: Document) -> Connection:
        secrets, unreadable = self._decrypted(row["secrets"])
        health: dict[str, Any] = row["health"]
        since: datetime = health["since"]
        return Connection(
            settings=self._kind.model_validate(with_secrets(row["settings"], secrets)),
            organisation_id=row["organisation_id"],
            on=row["on"],
            revision=row["revision"],
            health=Health(HealthState(health["state"]), health["reason"], since),
            unreadable=unreadable,
            caught_up=row.get("caught_up", 0),
        )

    def _decrypted(self, stored: dict[str, bytes]) -> tuple[dict[str, str], str]:
        """The secrets, masked if one cannot be read, and why not: a lost key is one connection's trouble."""
        try:
            return {path: self._secrets.decrypt(value) for path, value in stored.items()}, ""
        except Unreadable as error:
            return dict.fromkeys(stored, MASKED), str(error)


def _changed_meanwhile() -> Conflict:
    return Conflict("The connection was changed by somebody else meanwhile; read it and try again.")
