"""Connections, in `<service>.connections`: written by the connector's API, read by its other parts."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.secret_settings import MASKED, secrets_of, with_secrets, without_secrets
from leadbus.connector.settings import ConnectionSettings
from leadbus.errors import Conflict
from leadbus.security.secrets import SecretBox, Unreadable
from leadbus.storage.mongo import Client, Document


class Connections:
    """Secrets (members of type SecretStr, at any depth) are stored encrypted and apart from the rest."""

    def __init__(
        self, client: Client, database: str, service: str, kind: type[ConnectionSettings], secrets: SecretBox
    ) -> None:
        self._collection = client[database][f"{service}.connections"]
        self._kind = kind
        self._secrets = secrets

    async def prepare(self) -> None:
        """Creates the indexes."""
        await self._collection.create_index([("tenant_id", ASCENDING)])
        await self._collection.create_index([("organisation_id", ASCENDING)])

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

    async def save(self, connection: Connection, *, previous: int) -> None:
        """Stores a new revision in place of `previous` (0 = there was none).

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
        try:
            result = await self._collection.update_one(
                {"_id": connection.id, "revision": previous}, {"$set": row}, upsert=previous == 0
            )
        except DuplicateKeyError:
            result = None
        if result is None or not (result.matched_count or result.upserted_id is not None):
            raise Conflict("The connection was changed by somebody else meanwhile; read it and try again.")

    async def report_health(self, connection: Connection, health: Health) -> None:
        """Keeps how the connection fares, unless its settings have changed since."""
        await self._collection.update_one(
            {"_id": connection.id, "revision": connection.revision}, {"$set": {"health": asdict(health)}}
        )

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
        )

    def _decrypted(self, stored: dict[str, bytes]) -> tuple[dict[str, str], str]:
        """The secrets, masked if one cannot be read, and why not: a lost key is one connection's trouble."""
        try:
            return {path: self._secrets.decrypt(value) for path, value in stored.items()}, ""
        except Unreadable as error:
            return dict.fromkeys(stored, MASKED), str(error)
