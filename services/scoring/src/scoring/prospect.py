"""A prospect as scoring knows it: one document, and what each kind of fact changes in it."""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from leadbus.event_types import CRM_EVENT_TYPES, TRAITS
from leadbus.messages import DeliveryReported, LeadDistributed, MarketingEvent
from scoring.crm import NOTHING, CrmSide
from scoring.history import History, Row, compact
from scoring.rules import Rules
from scoring.tables import MACHINE, Scale

RECENT = 25
"""Activities kept to be told to a connection that hears of the prospect later."""
DISTRIBUTIONS = 50
FIELDS = 200


class Key(NamedTuple):
    """Names a prospect; with the tenant, so that a forged prospect id reaches nobody else's."""

    tenant_id: str
    prospect_id: str


class Recent(NamedTuple):
    """An activity. occurred_at: milliseconds since 1970."""

    occurred_at: int
    event_id: str
    type: str
    subject: str | None
    url: str | None


class Said(NamedTuple):
    """What a form said of one field; the later one, then the greater event id, is the newer."""

    occurred_at: int
    event_id: str
    value: str


class Handed(NamedTuple):
    """A distribution that brought the prospect. at: broker time in milliseconds."""

    distribution_id: str
    supplier_id: str
    at: int
    trace_id: str | None


class Qualified(NamedTuple):
    """The prospect exceeded the connection's threshold then, in milliseconds; never forgotten.

    number: of the crossing, for this connection. cooled: since when its score is well below again (ms).
    """

    connection_id: str
    threshold: int
    at: int
    trace_id: str | None
    number: int = 1
    cooled: int | None = None


class Linked(NamedTuple):
    """The record that a connection's CRM holds of the prospect; at: since when we know, in milliseconds.

    kind: what the CRM calls the person, if that was told.
    """

    connection_id: str
    module: str
    record_id: str
    at: int
    kind: str | None = None


class Alias(NamedTuple):
    """Another id of the person. said: when an event or update last named both (broker time, ms); joined: the
    time of the link by which it last handed over what was counted for it; 0 = never."""

    said: int
    joined: int = 0


class Link(NamedTuple):
    """Since `at` (broker time, ms) the prospect is an alias of this person (a prospect id); its own id = it
    has been its own person since."""

    at: int
    person: str
    email: str


@dataclass(slots=True)
class Named:
    """One of the tenant's further scores; its rows are those that give it points."""

    history: History = field(default_factory=History)
    score: int = 0
    standing: int = 0


@dataclass(slots=True)
class Prospect:
    """partition: of its records. version: count of applied changes. score: millipoints at `at`, the newest
    broker time (ms) that counted; standing: what of it does not fade. crm: what CRMs hold of it. named: the
    tenant's further scores. cools_at: no earlier than then (ms) has it cooled for a connection; a bound that
    may be lower than need be, so two prospects that differ in it alone are equal. aliases: its other ids, by
    name (`visitor:…`, `email:…`), newest last. links: in order of time; by the newest it is an alias or not.
    passed: the events that it has handed over or on as an alias, by which it knows what comes again.
    erased_at: when all that had been known of it before was erased (broker time, ms); 0 = never.
    """

    key: Key
    partition: int
    version: int = 0
    email: str | None = None
    score: int = 0
    standing: int = 0
    at: int = 0
    history: History = field(default_factory=History)
    fields: dict[str, Said] = field(default_factory=dict)
    recent: list[Recent] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    qualified: dict[str, Qualified] = field(default_factory=dict)
    linked: dict[str, Linked] = field(default_factory=dict)
    crm: CrmSide = NOTHING
    named: dict[str, Named] = field(default_factory=dict)
    cools_at: int | None = field(default=None, compare=False)
    aliases: dict[str, Alias] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    passed: History = field(default_factory=History)
    erased_at: int = 0

    @property
    def person(self) -> Link | None:
        """Whose alias the prospect is; None = it is a person, or a visitor that nobody knows yet."""
        if not self.links or self.links[-1].person == self.key.prospect_id:
            return None
        return self.links[-1]

    @property
    def suppliers(self) -> set[str]:
        """Who handed the prospect over."""
        return {handed.supplier_id for handed in self.handed}

    def score_at(self, at: int, rules: Rules, name: str | None = None) -> int:
        """Millipoints at the time `at`, not before `self.at`; name: of another score than the main one."""
        tables = rules.tables
        scale = tables.main if name is None else tables.others.get(name)
        if scale is None or tables.excludes(self.email):
            return 0
        return self._points(self._history(name), scale, at, self.standing_by(rules, scale))

    def standing_by(self, rules: Rules, scale: Scale) -> int:
        """Millipoints that do not fade."""
        if not scale.segments and not scale.profile:
            return 0
        return 0 if rules.tables.excludes(self.email) else scale.standing(self)

    def settle(self, rules: Rules, standing: int) -> None:
        """Brings the stored scores up to the newest time; standing: of the main score, as of now."""
        tables = rules.tables
        self.standing = standing
        excluded = tables.excludes(self.email)
        self.score = 0 if excluded else self._points(self.history, tables.main, self.at, standing)
        if not tables.others and not self.named:
            return
        for name in (*tables.others, *(self.named.keys() - tables.others.keys())):
            scale = tables.others.get(name)
            standing = self.standing_by(rules, scale) if scale else 0
            score = self._points(self._history(name), scale, self.at, standing) if scale else 0
            score = 0 if excluded else score
            if score or name in self.named:
                named = self.named.setdefault(name, Named())
                named.score, named.standing = score, standing

    def score_of(self, name: str | None) -> int:
        """The stored score of that name; None = the main one."""
        if name is None:
            return self.score
        return self.named[name].score if name in self.named else 0

    def has_counted(self, event: MarketingEvent) -> bool:
        """Whether the event was counted before."""
        return self.history.holds(compact(event.event_id))

    def count(self, event: MarketingEvent, at: int, rules: Rules) -> int | None:
        """Counts an event received at `at`; its millipoints, or None if it was counted before."""
        event_id = compact(event.event_id)
        if self.history.holds(event_id):
            return None
        tables = rules.tables
        number = TRAITS[event.type].number
        rule, millipoints = tables.price(event)
        self.history.add(Row(at, event_id, number, millipoints, rule), tables.main.terms)
        if tables.others and rule != MACHINE:
            self._count_named(event, Row(at, event_id, number, 0, 0), tables.others)
        self.at = max(self.at, at)
        self.email = event.email or self.email
        self.version += 1
        return millipoints

    def _count_named(self, event: MarketingEvent, row: Row, scales: Mapping[str, Scale]) -> None:
        for name, scale in scales.items():
            price = scale.price(event)
            if scale.keeps(price):
                named = self.named.setdefault(name, Named())
                named.history.add(row._replace(rule=price[0], millipoints=price[1]), scale.terms)

    def _history(self, name: str | None) -> History:
        if name is None:
            return self.history
        return self.named[name].history if name in self.named else History()

    def _points(self, history: History, scale: Scale, at: int, standing: int) -> int:
        points = history.score(at, scale.terms) + standing
        if scale.idle is None or points <= 0:
            return points
        return points - min(points, scale.off(self.history.newest_given, at))

    def remember(self, event: MarketingEvent) -> Recent | None:
        """The event as an activity, kept while it is among the newest; None if it is not for a CRM."""
        if event.type not in CRM_EVENT_TYPES:
            return None
        activity = Recent(milliseconds(event), event.event_id, event.type, event.subject, event.url)
        insort(self.recent, activity, key=age)
        del self.recent[:-RECENT]
        return activity

    def learn(self, event: MarketingEvent) -> set[str]:
        """Takes in what a form said; the names of the fields on which it is now the newest word."""
        if event.fields is None:
            return set()
        at = milliseconds(event)
        said = {name: Said(at, event.event_id, value) for name, value in event.fields.flat().items()}
        newer = {n: s for n, s in said.items() if n not in self.fields or age(self.fields[n]) < age(s)}
        self.fields |= newer
        if len(self.fields) > FIELDS:
            self.fields = dict(sorted(self.fields.items(), key=lambda item: age(item[1]))[-FIELDS:])
        return newer.keys() & self.fields.keys()

    def was_handed(self, distribution: LeadDistributed) -> bool:
        """Whether this distribution is known."""
        known = (distribution.distribution_id, distribution.supplier_id)
        return any(handed[:2] == known for handed in self.handed)

    def hand(self, distribution: LeadDistributed, at: int, trace_id: str | None) -> None:
        """Marks the prospect as handed over by a distribution that was not known."""
        handed = Handed(distribution.distribution_id, distribution.supplier_id, at, trace_id)
        self.handed = [*self.handed, handed][-DISTRIBUTIONS:]
        self.email = distribution.email
        self.version += 1

    def linked_after(self, delivery: DeliveryReported, at: int) -> dict[str, Linked]:
        """Which record each connection's CRM holds after this report; `self.linked` if it is no news."""
        connection_id, record = delivery.connection_id, delivery.record
        known = self.linked.get(connection_id)
        is_known = known and record and (known.module, known.record_id) == (record.module, record.id)
        is_same = known and is_known and known.kind == (delivery.kind or known.kind)
        if delivery.outcome == "unlinked":
            # Another record's end is no news of the one we know.
            if known is None or (record and not is_known):
                return self.linked
            return {name: linked for name, linked in self.linked.items() if name != connection_id}
        if record is None or is_same or delivery.outcome == "parked":
            return self.linked
        since = known.at if known and is_known else at
        linked = Linked(connection_id, record.module, record.id, since, delivery.kind)
        return self.linked | {connection_id: linked}


def milliseconds(event: MarketingEvent) -> int:
    """When it happened, in milliseconds since 1970."""
    return int(event.occurred_at.timestamp() * 1000)


def age(fact: Recent | Said) -> tuple[int, str]:
    """What decides which of two facts is the newer."""
    return fact.occurred_at, fact.event_id
