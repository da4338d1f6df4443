"""A tenant's rules as plain tables, made once per version: what each event is asked costs a look-up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from leadbus.event_types import BY_NUMBER, TRAITS, EventType
from leadbus.messages import MarketingEvent
from scoring.fading import Cap, Terms
from scoring.history import Row
from scoring.machines import Watch
from scoring.matching import Match
from scoring.profile import is_excluded, met_profile
from scoring.rule_parts import ProfileRule, SegmentRule, thousandths
from scoring.score import DAY
from scoring.segments import met

if TYPE_CHECKING:
    from scoring.prospect import Prospect
    from scoring.rules import Rules, ScoreBody

FIRST_NUMBER = 256
"""Rules of events are numbered from here on; below are the types."""
MACHINE = 65_535
"""Under which events that no person did are kept."""
LAST_NUMBER = 10_255
"""Ten thousand names a tenant may ever give to rules: all of them are read with each batch."""

_PROPERTY = "properties."
Value = str | bool | float | None
Price = tuple[int, int]
"""The number of the rule, and its millipoints."""

_READ: Mapping[str, Callable[[MarketingEvent], Iterable[Value]]] = {
    "page": lambda e: (e.url,),
    "link": lambda e: (e.url,),
    "title": lambda e: (e.title,),
    "referrer": lambda e: (e.referrer,),
    "form": lambda e: (e.subject,),
    "subject": lambda e: (e.subject,),
    "campaign": lambda e: (e.campaign_id, e.attribution.campaign if e.attribution else None),
    "source": lambda e: (e.attribution.source if e.attribution else None,),
    "medium": lambda e: (e.attribution.medium if e.attribution else None,),
    "supplier": lambda e: (e.supplier_id,),
    "visit": lambda e: (e.visit_id,),
}


class _Priced(NamedTuple):
    """An event rule."""

    price: Price
    when: tuple[tuple[str, Match], ...]

    def fits(self, event: MarketingEvent) -> bool:
        return all(match.met_by(_told(event, asked)) for asked, match in self.when)


def _told(event: MarketingEvent, asked: str) -> Iterable[Value]:
    if asked.startswith(_PROPERTY):
        return (event.properties.get(asked.removeprefix(_PROPERTY)),)
    return _READ[asked](event)


class Idle(NamedTuple):
    """Millipoints off for each `every` ms without an event that gave some, `most` at most."""

    every: int
    millipoints: int
    most: int


@dataclass(frozen=True, slots=True)
class Scale:
    """One score's tables. numbers: of its event rules still in force, with their millipoints."""

    terms: Terms
    types: Mapping[EventType, Price]
    events: Mapping[EventType, Sequence[_Priced]]
    numbers: Mapping[int, int]
    idle: Idle | None
    segments: Sequence[SegmentRule]
    profile: Sequence[ProfileRule]

    @property
    def falls_only(self) -> bool:
        """Whether a score can only fade until the next points come, in proportion to itself."""
        return self.terms.plain and self.idle is None

    def price(self, event: MarketingEvent) -> Price:
        """By the first rule that fits, else by its type."""
        for rule in self.events.get(event.type, ()):
            if rule.fits(event):
                return rule.price
        return self.types[event.type]

    def reprice(self, row: Row) -> Price:
        """What a counted event is worth by these rules: by the rule under which it was counted if there still
        is one, else by its type. What an event was about is not kept."""
        if row.rule in self.numbers:
            return row.rule, self.numbers[row.rule]
        return self.types[BY_NUMBER[row.type]]

    def keeps(self, price: Price) -> bool:
        """Whether a further score keeps an event: what its type alone prices at nothing, a look at the main
        score's rows would price alike."""
        rule, millipoints = price
        return millipoints != 0 or rule >= FIRST_NUMBER

    def standing(self, prospect: "Prospect") -> int:
        """Millipoints for what is known of the person; they do not fade."""
        segments = sum(rule.millipoints for rule in met(prospect, self.segments))
        return segments + sum(rule.millipoints for rule in met_profile(prospect, self.profile))

    def off(self, newest: int, at: int) -> int:
        """Millipoints off at `at` for inactivity since `newest`; of a score that has so many."""
        if self.idle is None or not newest:
            return 0
        return min(max(0, at - newest) // self.idle.every * self.idle.millipoints, self.idle.most)


class Tables:
    """All scores of a tenant. others: by name."""

    def __init__(self, rules: "Rules") -> None:
        self.main = _scale(rules, rules.numbers, "")
        self.others = {score.name: _scale(score, rules.numbers, score.name) for score in rules.scores}
        machines = rules.machines
        self._watch = (
            Watch(machines.user_agents, machines.whole_user_agents, machines.seconds_after_sending)
            if machines.zero
            else None
        )
        self._excluded = frozenset(rules.excluded_domains)
        self._types = self.main.types
        self._simple = not self.main.events
        self.exact = self.main.falls_only and not self.others
        self.asks_person = bool(self.main.profile or self._excluded)

    def price(self, event: MarketingEvent) -> Price:
        """For the main score."""
        if event.properties and self._watch is not None and self._watch.is_machine(event):
            return MACHINE, 0
        return self._types[event.type] if self._simple else self.main.price(event)

    def reprice(self, row: Row) -> Price:
        """What a counted event is worth for the main score. What a machine did stays known as such."""
        if row.rule == MACHINE:
            return MACHINE, self.main.reprice(row)[1] if self.counts(row) else 0
        return self.main.reprice(row)

    def counts(self, row: Row) -> bool:
        """Whether a counted event may give points: what machines did does only if the rules say so."""
        return row.rule != MACHINE or self._watch is None

    def excludes(self, email: str | None) -> bool:
        """Whether whoever has this email has no points at all."""
        return bool(self._excluded) and is_excluded(email, self._excluded)


def _scale(body: "ScoreBody", numbers: Mapping[str, int], score: str) -> Scale:
    events: dict[EventType, list[_Priced]] = {}
    of_name: dict[str, int] = {}
    for rule in body.events:
        number = of_name[rule.name] = numbers[full_name(score, rule.name)]
        priced = _Priced((number, thousandths(rule.points)), tuple(rule.when.items()))
        events.setdefault(rule.on, []).append(priced)
    caps = tuple(
        Cap(
            cap.name,
            frozenset(TRAITS[on].number for on in cap.on if isinstance(on, EventType)),
            frozenset(of_name[on] for on in cap.on if not isinstance(on, EventType)),
            thousandths(cap.most),
            cap.per,
        )
        for cap in body.caps
    )
    idle = body.inactivity
    return Scale(
        Terms(body.half_life_days, tuple((step.days, step.percent) for step in body.decay), caps),
        {
            type_: (TRAITS[type_].number, thousandths(body.points.get(type_, Decimal())))
            for type_ in EventType
        },
        events,
        {of_name[rule.name]: thousandths(rule.points) for rule in body.events},
        Idle(idle.days * DAY, thousandths(idle.points), thousandths(idle.most)) if idle else None,
        body.segments,
        body.profile,
    )


def full_name(score: str, rule: str) -> str:
    """Under which a rule's number is kept."""
    return f"{score}/{rule}"
