"""A tenant's rules: points per event type, how fast they fade, and points of segments."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Annotated, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from leadbus.errors import Conflict
from leadbus.event_types import TRAITS, EventType
from leadbus.messages.base import Name
from leadbus.storage.mongo import Document
from scoring.segments import About, Condition, together

Points = Annotated[
    Decimal,
    Field(ge=-10_000, le=10_000, decimal_places=3),
    PlainSerializer(float, return_type=float, when_used="json"),
]
HalfLife = Annotated[int, Field(ge=1, le=3_650)]

MOST_ASKED = 1_000
"""Conditions of all rules of segments and the words in them, together: what each prospect's turn may cost."""

DEFAULTS = {type_: Decimal(trait.millipoints) / 1000 for type_, trait in TRAITS.items()}


class SegmentRule(BaseModel):
    """Points for as long as all of `when` is met by what the CRM holds of the prospect; they do not fade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    when: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)]
    points: Points

    @property
    def millipoints(self) -> int:
        """Points in 1/1000."""
        return int(self.points * 1000)

    @cached_property
    def together(self) -> Mapping[About, Sequence[Condition]]:
        """See `segments.together`."""
        return together(self.when)


class RulesBody(BaseModel):
    """Rules as a person writes them.

    version: of the rules that these replace (0 = the defaults), so that nobody's change is lost unseen.
    points: for each event of a type, with at most three decimals; a type that is left out has its default.
    half_life_days: after so many days an event's points count half. segments: points besides those of events.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int, Field(ge=0)] = 0
    points: dict[EventType, Points] = {}
    half_life_days: HalfLife = 30
    segments: Annotated[tuple[SegmentRule, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _not_too_much(self) -> Self:
        if sum(1 + len(c.one_of) for rule in self.segments for c in rule.when) > MOST_ASKED:
            raise ValueError(f"segments have at most {MOST_ASKED} conditions and words in them")
        return self


class Rules(RulesBody):
    """Rules in force: every event type has its points. version: 0 = the defaults, then counted up."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, body: RulesBody, version: int) -> "Rules":
        """`body` completed with the defaults."""
        return cls(**dict(body) | {"version": version, "points": DEFAULTS | body.points})

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


@lru_cache(maxsize=1_000)
def _read(stored: str) -> Rules:
    """Every batch asks for the rules; checking long ones anew would take longer than using them."""
    body = RulesBody.model_validate_json(stored)
    return Rules.of(body, body.version)


class MongoRules:
    """Rules in the collection `scoring.rules`, one document per tenant."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._rules = database["scoring.rules"]

    async def of(self, tenants: Collection[str]) -> dict[str, Rules]:
        """See `RulesStore`."""
        found = self._rules.find({"_id": {"$in": list(tenants)}})
        stored = {row["_id"]: _read(row["rules"]) async for row in found}
        return {tenant: stored.get(tenant, DEFAULT_RULES) for tenant in tenants}

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
