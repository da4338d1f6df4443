"""A tenant's rules: points per event type, and how fast they fade."""

from collections.abc import Collection
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from leadbus.errors import Conflict
from leadbus.event_types import TRAITS, EventType
from leadbus.storage.mongo import Document

Points = Annotated[
    Decimal,
    Field(ge=-10_000, le=10_000, decimal_places=3),
    PlainSerializer(float, return_type=float, when_used="json"),
]
HalfLife = Annotated[int, Field(ge=1, le=3_650)]

DEFAULTS = {type_: Decimal(trait.millipoints) / 1000 for type_, trait in TRAITS.items()}


class RulesBody(BaseModel):
    """Rules as a person writes them.

    version: of the rules that these replace (0 = the defaults), so that nobody's change is lost unseen.
    points: for each event of a type, with at most three decimals; a type that is left out has its default.
    half_life_days: after so many days an event's points count half.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=0)] = 0
    points: dict[EventType, Points] = {}
    half_life_days: HalfLife = 30


class Rules(RulesBody):
    """Rules in force: every event type has its points. version: 0 = the defaults, then counted up."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, body: RulesBody, version: int) -> "Rules":
        """`body` completed with the defaults."""
        return cls(version=version, points=DEFAULTS | body.points, half_life_days=body.half_life_days)

    @cached_property
    def millipoints(self) -> dict[EventType, int]:
        """Points of each type in 1/1000."""
        return {type_: int(points * 1000) for type_, points in self.points.items()}


DEFAULT_RULES = Rules.of(RulesBody(), version=0)


_CHANGED = "These are not the rules in force any more; read them again, then decide."


class RulesStore(Protocol):
    """Where tenants' rules are kept."""

    async def of(self, tenants: Collection[str]) -> dict[str, Rules]:
        """The rules in force for each of `tenants`."""
        ...

    async def replace(self, tenant_id: str, body: RulesBody) -> Rules:
        """Puts new rules in force for the events to come.

        Raises:
            Conflict: `body.version` is not the version in force.
        """
        ...


class MongoRules:
    """Rules in the collection `scoring.rules`, one document per tenant."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._rules = database["scoring.rules"]

    async def of(self, tenants: Collection[str]) -> dict[str, Rules]:
        """See `RulesStore`."""
        found = self._rules.find({"_id": {"$in": list(tenants)}})
        stored = {row["_id"]: RulesBody.model_validate_json(row["rules"]) async for row in found}
        return {
            tenant: Rules.of(stored[tenant], stored[tenant].version) if tenant in stored else DEFAULT_RULES
            for tenant in tenants
        }

    async def replace(self, tenant_id: str, body: RulesBody) -> Rules:
        """See `RulesStore`."""
        rules = Rules.of(body, body.version + 1)
        document = {"_id": tenant_id, "version": rules.version, "rules": rules.model_dump_json()}
        asked = {"_id": tenant_id, "version": body.version}
        try:
            written = await self._rules.replace_one(asked, document, upsert=body.version == 0)
        except DuplicateKeyError:
            # Somebody's rules stand where the asker saw the defaults.
            raise Conflict(_CHANGED) from None
        if not written.matched_count and written.upserted_id is None:
            raise Conflict(_CHANGED)
        return rules
