"""Where tenants' rules are kept: those in force, and every version with who put it in force, and when."""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from pydantic import BaseModel
from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from leadbus.errors import Conflict
from leadbus.storage.mongo import Document
from scoring.rules import DEFAULT_RULES, Rules, RulesBody

LONGEST = 500_000
"""Characters of rules as they are kept: every batch reads those of its tenants."""
_CHANGED = "These are not the rules in force any more; read them again, then decide."


class RulesVersion(BaseModel):
    """One version. author: the id of the API key, or `operator`."""

    version: int
    at: datetime
    author: str
    rules: RulesBody


class RulesStore(Protocol):
    """Where tenants' rules are kept."""

    async def of(self, tenants: Collection[str]) -> dict[str, Rules]:
        """The rules in force for each of `tenants`."""
        ...

    async def replace(self, tenant_id: str, body: RulesBody, author: str = "operator") -> Rules:
        """Puts new rules in force for the events to come.

        Raises:
            Conflict: `body.version` is not the version in force.
            ValueError: there are too many of them, now or ever.
        """
        ...

    async def history(self, tenant_id: str, before: int | None, limit: int) -> list[RulesVersion]:
        """Versions, newest first; before: only those with a lower number."""
        ...


@lru_cache(maxsize=1_000)
def _read(stored: str, numbers: tuple[tuple[str, int], ...]) -> Rules:
    """Every batch asks for the rules; checking long ones anew would take longer than using them."""
    body = RulesBody.model_validate_json(stored)
    return Rules.of(body, body.version, dict(numbers))


class MongoRules:
    """Rules in force in `scoring.rules`, one document per tenant; versions in `scoring.rules_history`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._rules = database["scoring.rules"]
        self._history = database["scoring.rules_history"]

    async def of(self, tenants: Collection[str]) -> dict[str, Rules]:
        """See `RulesStore`."""
        found = self._rules.find({"_id": {"$in": list(tenants)}})
        stored = {
            row["_id"]: _read(row["rules"], tuple(map(tuple, row.get("numbers", ())))) async for row in found
        }
        return {tenant: stored.get(tenant, DEFAULT_RULES) for tenant in tenants}

    async def replace(self, tenant_id: str, body: RulesBody, author: str = "operator") -> Rules:
        """See `RulesStore`."""
        known = (await self.of([tenant_id]))[tenant_id]
        if known.version != body.version:
            raise Conflict(_CHANGED)
        rules = Rules.of(body, body.version + 1, known.numbers)
        stored = rules.model_dump_json()
        if len(stored) > LONGEST:
            raise ValueError(f"they have {len(stored):,} characters, and at most {LONGEST:,} are kept")
        document = {
            "_id": tenant_id,
            "version": rules.version,
            "rules": stored,
            "numbers": list(rules.numbers.items()),
        }
        asked = {"_id": tenant_id, "version": body.version}
        entry = {
            "_id": f"{tenant_id}:{rules.version}",
            "tenant_id": tenant_id,
            "version": rules.version,
            "at": datetime.now(UTC),
            "author": author,
            "rules": stored,
        }
        async with self._rules.database.client.start_session() as session:

            async def write(session: object) -> None:
                written = await self._rules.replace_one(
                    asked,
                    document,
                    upsert=body.version == 0,
                    session=session,  # type: ignore[arg-type]
                )
                if not written.matched_count and written.upserted_id is None:
                    raise Conflict(_CHANGED)
                await self._history.insert_one(entry, session=session)  # type: ignore[arg-type]

            try:
                await session.with_transaction(write)
            except DuplicateKeyError:
                # Somebody's rules stand where the asker saw the defaults.
                raise Conflict(_CHANGED) from None
        return rules

    async def history(self, tenant_id: str, before: int | None, limit: int) -> list[RulesVersion]:
        """See `RulesStore`."""
        asked: Document = {"tenant_id": tenant_id} | ({"version": {"$lt": before}} if before else {})
        found = self._history.find(asked).sort("version", DESCENDING).limit(limit)
        return [
            RulesVersion(
                version=row["version"],
                at=row["at"].replace(tzinfo=UTC),
                author=row["author"],
                rules=RulesBody.model_validate_json(row["rules"]),
            )
            async for row in found
        ]

    async def prepare(self) -> None:
        """Creates the index by which versions are found."""
        await self._history.create_index([("tenant_id", 1), ("version", DESCENDING)])
