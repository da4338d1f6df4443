"""A tenant's rules: what gives points, how they fade, and what else a score is made of."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from leadbus.event_types import TRAITS, EventType
from scoring.rule_parts import (
    CapRule,
    DecayStep,
    Domain,
    EventRule,
    HalfLife,
    Inactivity,
    Machines,
    Part,
    Points,
    ProfileRule,
    ScoreName,
    SegmentRule,
)
from scoring.tables import FIRST_NUMBER, LAST_NUMBER, Tables, full_name

MOST_ASKED = 1_000
"""Conditions of all rules of a score and the words in them, together: what each turn may cost."""

DEFAULTS = {type_: Decimal(trait.millipoints) / 1000 for type_, trait in TRAITS.items()}


class ScoreBody(Part):
    """What one score is made of.

    points: for each event of a type, with at most three decimals. events: points by what an event was about.
    caps: how much may come of one kind per period. half_life_days: after so many days an event's points count
    half. decay: steps, instead of the half-life. inactivity: points off. profile: points for who a person
    is. segments: points for what the CRM holds.
    """

    points: dict[EventType, Points] = {}
    events: Annotated[tuple[EventRule, ...], Field(max_length=200)] = ()
    caps: Annotated[tuple[CapRule, ...], Field(max_length=50)] = ()
    half_life_days: HalfLife = 30
    decay: Annotated[tuple[DecayStep, ...], Field(max_length=20)] = ()
    inactivity: Inactivity | None = None
    profile: Annotated[tuple[ProfileRule, ...], Field(max_length=100)] = ()
    segments: Annotated[tuple[SegmentRule, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if sum(1 + len(c.one_of) for rule in self.segments for c in rule.when) > MOST_ASKED:
            raise ValueError(f"segments have at most {MOST_ASKED} conditions and words in them")
        for kind, rules in (("events", self.events), ("profile", self.profile)):
            if sum(match.size for rule in rules for match in rule.when.values()) > MOST_ASKED:
                raise ValueError(f"{kind} have at most {MOST_ASKED} conditions and words in them")
        for kind, names in (
            ("events", [rule.name for rule in self.events]),
            ("caps", [cap.name for cap in self.caps]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two of {kind} have the same name")
        known = {rule.name for rule in self.events}
        if named_alike := sorted(known & set(EventType)):
            raise ValueError(f"{named_alike[0]} is a type of event; give the rule another name")
        for cap in self.caps:
            for on in cap.on:
                if not isinstance(on, EventType) and on not in known:
                    raise ValueError(f"the cap {cap.name} is on {on}: no type, and none of events")
        for one, other in zip(self.decay, self.decay[1:], strict=False):
            if other.days <= one.days or other.percent > one.percent:
                raise ValueError("the steps of decay go on to more days and leave no more than before")
        return self


class ScoreRule(ScoreBody):
    """A further score beside the main one, made as that is; types that are left out give nothing."""

    name: ScoreName


class RulesBody(ScoreBody):
    """Rules as a person writes them.

    version: of the rules that these replace (0 = the defaults), so that nobody's change is lost unseen.
    points: a type that is left out has its default. scores: further ones, for connections that ask for them.
    machines: whose events count zero. excluded_domains: of emails of people who have no points at all.
    """

    version: Annotated[int, Field(ge=0)] = 0
    scores: Annotated[tuple[ScoreRule, ...], Field(max_length=10)] = ()
    machines: Machines = Machines()
    excluded_domains: Annotated[tuple[Domain, ...], Field(max_length=1_000)] = ()

    @model_validator(mode="after")
    def _scores_have_names(self) -> Self:
        names = [score.name for score in self.scores]
        if len(set(names)) < len(names):
            raise ValueError("two of scores have the same name")
        return self

    @property
    def rule_names(self) -> Iterator[str]:
        """Of all event rules, each with its score's."""
        yield from (full_name("", rule.name) for rule in self.events)
        yield from (full_name(score.name, rule.name) for score in self.scores for rule in score.events)


class Rules(RulesBody):
    """Rules in force: every event type has its points. version: 0 = the defaults, then counted up.

    numbers: of event rules, those of earlier versions too: a number is never given twice.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    numbers: Annotated[dict[str, int], Field(exclude=True)] = {}

    @classmethod
    def of(cls, body: RulesBody, version: int, numbers: dict[str, int] | None = None) -> "Rules":
        """`body` completed with the defaults, and with numbers for what has none yet.

        Raises:
            ValueError: the tenant has had more rules than there are numbers.
        """
        given = dict(numbers or {})
        for name in body.rule_names:
            given.setdefault(name, FIRST_NUMBER + len(given))
        if len(given) > LAST_NUMBER - FIRST_NUMBER + 1:
            raise ValueError("there are no numbers left for rules of events; use names that were used before")
        known = {name: getattr(body, name) for name in RulesBody.model_fields}
        return cls(**known | {"version": version, "points": DEFAULTS | body.points, "numbers": given})

    @cached_property
    def tables(self) -> Tables:
        """What events are counted with."""
        return Tables(self)

    @cached_property
    def names(self) -> dict[int, str]:
        """Event rules by their numbers."""
        return {number: name.partition("/")[2] for name, number in self.numbers.items()}

    @property
    def asked_by_name(self) -> dict[str, object]:
        """What each event rule asks of an event, by its full name."""
        scores = [("", self), *((score.name, score) for score in self.scores)]
        return {full_name(name, rule.name): (rule.on, rule.when) for name, of in scores for rule in of.events}

    def body(self) -> RulesBody:
        """What may be sent back."""
        return RulesBody(**{name: getattr(self, name) for name in RulesBody.model_fields})


DEFAULT_RULES = Rules.of(RulesBody(), version=0)
