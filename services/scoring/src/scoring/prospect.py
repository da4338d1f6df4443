"""A prospect as scoring knows it: one document, and what each kind of fact changes in it."""

from bisect import insort
from dataclasses import dataclass, field
from typing import NamedTuple

from bson import Binary

from leadbus.event_types import CRM_EVENT_TYPES, TRAITS
from leadbus.messages import DeliveryReported, LeadDistributed, MarketingEvent
from leadbus.storage.mongo import Document
from scoring import crm, segments
from scoring.crm import NOTHING, CrmSide
from scoring.history import History, Row, Sum, compact
from scoring.rules import Rules

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
    """The prospect exceeded the connection's threshold then, in milliseconds; never forgotten."""

    connection_id: str
    threshold: int
    at: int
    trace_id: str | None


class Linked(NamedTuple):
    """The record that a connection's CRM holds of the prospect; at: since when we know, in milliseconds.

    kind: what the CRM calls the person, if that was told.
    """

    connection_id: str
    module: str
    record_id: str
    at: int
    kind: str | None = None


@dataclass(slots=True)
class Prospect:
    """partition: of its records. version: count of applied changes. score: millipoints at `at`, the newest
    broker time (ms) that counted; standing: what segments give to it. crm: what CRMs hold of it."""

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

    @property
    def suppliers(self) -> set[str]:
        """Who handed the prospect over."""
        return {handed.supplier_id for handed in self.handed}

    def score_at(self, at: int, rules: Rules) -> int:
        """Millipoints at the time `at`, not before `self.at`."""
        return self.history.score(at, rules.half_life_days) + segments.standing(self, rules.segments)

    def count(self, event: MarketingEvent, at: int, rules: Rules) -> int | None:
        """Counts an event received at `at`; its millipoints, or None if it was counted before."""
        event_id = compact(event.event_id)
        if self.history.holds(event_id):
            return None
        number = TRAITS[event.type].number
        millipoints = rules.millipoints[event.type]
        # A rule for one type bears the type's number; numbers above 255 are free for other rules.
        self.history.add(Row(at, event_id, number, millipoints, rule=number), rules.half_life_days)
        self.at = max(self.at, at)
        self.email = event.email or self.email
        self.version += 1
        return millipoints

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

    def hand(self, distribution: LeadDistributed, at: int, trace_id: str | None) -> bool:
        """Marks the prospect as handed over; False if this distribution is known."""
        handed = Handed(distribution.distribution_id, distribution.supplier_id, at, trace_id)
        if any(known[:2] == handed[:2] for known in self.handed):
            return False
        self.handed = [*self.handed, handed][-DISTRIBUTIONS:]
        self.email = distribution.email
        self.version += 1
        return True

    def report(self, delivery: DeliveryReported, at: int) -> bool:
        """Learns which record a connection's CRM holds, or holds no more; False if nothing changed."""
        connection_id, record = delivery.connection_id, delivery.record
        known = self.linked.get(connection_id)
        is_known = known and record and (known.module, known.record_id) == (record.module, record.id)
        is_same = known and is_known and known.kind == (delivery.kind or known.kind)
        if delivery.outcome == "unlinked":
            # Another record's end is no news of the one we know.
            if known is None or (record and not is_known):
                return False
            del self.linked[connection_id]
        elif record is None or is_same or delivery.outcome == "parked":
            return False
        else:
            since = known.at if known and is_known else at
            self.linked[connection_id] = Linked(connection_id, record.module, record.id, since, delivery.kind)
        self.version += 1
        return True


def milliseconds(event: MarketingEvent) -> int:
    """When it happened, in milliseconds since 1970."""
    return int(event.occurred_at.timestamp() * 1000)


def age(fact: Recent | Said) -> tuple[int, str]:
    """What decides which of two facts is the newer."""
    return fact.occurred_at, fact.event_id


def to_document(prospect: Prospect) -> Document:
    """The prospect as MongoDB keeps it."""
    tenant_id, prospect_id = prospect.key
    document: Document = {
        "_id": document_id(prospect.key),
        "tenant_id": tenant_id,
        "prospect_id": prospect_id,
        "partition": prospect.partition,
        "version": prospect.version,
        "email": prospect.email,
        "score": prospect.score,
        "standing": prospect.standing,
        "at": prospect.at,
        "rows": Binary(prospect.history.rows),
        "sums": [
            {"rule": rule, "half_life_days": days, "count": s.count, "weight": _to_bytes(s.weight)}
            for (rule, days), s in prospect.history.sums.items()
        ],
        "fields": [(name, *said) for name, said in prospect.fields.items()],
        "recent": prospect.recent,
        "handed": [handed._asdict() for handed in prospect.handed],
        "qualified": [qualified._asdict() for qualified in prospect.qualified.values()],
        "linked": [linked._asdict() for linked in prospect.linked.values()],
    }
    if prospect.crm:
        document["crm"] = crm.to_document(prospect.crm)
    return document


def from_document(row: Document) -> Prospect:
    """The inverse of `to_document`."""
    sums = {
        (s["rule"], s["half_life_days"]): Sum(s["count"], int.from_bytes(s["weight"], "big", signed=True))
        for s in row["sums"]
    }
    return Prospect(
        key=Key(row["tenant_id"], row["prospect_id"]),
        partition=row["partition"],
        version=row["version"],
        email=row["email"],
        score=row["score"],
        standing=row.get("standing", 0),
        at=row["at"],
        history=History(bytearray(row["rows"]), sums),
        fields={name: Said(*said) for name, *said in row["fields"]},
        recent=[Recent(*recent) for recent in row["recent"]],
        handed=[Handed(**h) for h in row["handed"]],
        qualified={q["connection_id"]: Qualified(**q) for q in row["qualified"]},
        linked={r["connection_id"]: Linked(**r) for r in row["linked"]},
        crm=crm.from_document(row["crm"]) if "crm" in row else NOTHING,
    )


def document_id(key: Key) -> str:
    """Of the prospect's document; a tenant's id holds no colon."""
    return f"{key.tenant_id}:{key.prospect_id}"


def _to_bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
