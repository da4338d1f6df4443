"""What must be in a tenant's CRM, worked out from what upstream sent; the judge's own idea of a score."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from sandbox.upstream.account import Answered

THRESHOLD = 50
UNSURE = 2
"""Scores as close to the threshold as this are not judged."""
TOLD_AFTERWARDS = 25
"""With so many activities a CRM hears all of them; of more, those before the crossing may be left out."""

POINTS: dict[str, int] = {
    "email_open": 2,
    "email_click": 5,
    "email_unsubscribe": -20,
    "web_view": 3,
    "web_click": 4,
    "form_submission": 20,
    "telequalification": 30,
    "sms_delivered": 0,
    "sms_click": 5,
    "supplier_event": 10,
    "link_conversion": 15,
    "email_sent": 0,
    "email_bounce": -5,
}
_NOT_FOR_CRMS = {"email_sent", "email_bounce"}


class Wanted(Enum):
    """Whether a CRM must have the person, must not get it from us, or either is right."""

    YES = "yes"
    NO = "no"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Activity:
    """An event as it is told from others of the same person: by the second in which it happened."""

    event_id: str
    second: str
    subject: str
    url: str


@dataclass(slots=True)
class Person:
    """One person of one tenant. handed: when the first distribution was sent and when it was answered."""

    email: str
    points: dict[str, int] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    handed: tuple[float, float] | None = None
    last_names: set[str] = field(default_factory=set)

    @property
    def score(self) -> int:
        """Points of all events; they were all sent within minutes, so that nothing has faded."""
        return sum(self.points.values())

    @property
    def extremes(self) -> tuple[int, int]:
        """The least and the most that the score can have been, whatever the order of the events."""
        points = self.points.values()
        return sum(p for p in points if p < 0), sum(p for p in points if p > 0)

    @property
    def wanted(self) -> Wanted:
        """Distributed people always; others if their score exceeds the threshold, whatever the order."""
        _, most = self.extremes
        if self.handed or self.score > THRESHOLD + UNSURE:
            return Wanted.YES
        return Wanted.EITHER if most > THRESHOLD - UNSURE else Wanted.NO


@dataclass(slots=True)
class Sent:
    """What upstream sent, summed up. people: by tenant and email; an item counts once, by its event id."""

    accepted: int = 0
    rejected: int = 0
    repeated: int = 0
    distributions: int = 0
    unanswered: int = 0
    misjudged: list[str] = field(default_factory=list)
    people: dict[str, dict[str, Person]] = field(default_factory=lambda: defaultdict(dict))


@dataclass(slots=True)
class _Visitors:
    """By tenant and visitor id: whose computer it is, once an event has said both, and what was done there by
    nobody in particular, before and after that. Nobody shares one."""

    emails: dict[tuple[str, str], str] = field(default_factory=dict)
    events: list[tuple[tuple[str, str], Answered]] = field(default_factory=list)


def expect(items: Iterable[Answered]) -> Sent:
    """Sums up the account."""
    sent, visitors = Sent(), _Visitors()
    seen: set[tuple[str, str, str]] = set()
    for item in items:
        if item.status is None:
            sent.unanswered += 1
            continue
        sent.accepted += item.status == "accepted"
        sent.rejected += item.status == "rejected"
        if (item.status == "rejected") is not item.wrong:
            sent.misjudged.append(f"{item.input}, {item.event_id}: was {item.status}")
        if item.status == "rejected":
            continue
        name = (item.tenant, item.input, item.event_id or "")
        if name in seen:
            sent.repeated += 1
            continue
        seen.add(name)
        _take(sent, visitors, item)
    for visitor, event in visitors.events:
        if (email := visitors.emails.get(visitor)) is not None:
            _count(sent.people[event.tenant][email], event)
    return sent


def _take(sent: Sent, visitors: _Visitors, item: Answered) -> None:
    sent.distributions += item.input == "distributions"
    email = item.body.get("email", "").strip().lower()
    if item.input == "events" and (visitor_id := item.body.get("visitor_id")):
        visitor = (item.tenant, visitor_id)
        if email:
            visitors.emails[visitor] = email
        else:
            visitors.events.append((visitor, item))
    if not email or item.input not in {"events", "distributions"}:
        return
    person = sent.people[item.tenant].setdefault(email, Person(email))
    if last_name := (item.body.get("fields") or {}).get("last_name"):
        person.last_names.add(last_name)
    if item.input == "distributions":
        times = (item.sent_at or 0.0, item.answered_at or 0.0)
        person.handed = min(person.handed or times, times)
        return
    _count(person, item)


def _count(person: Person, item: Answered) -> None:
    event_id, type_ = item.event_id or "", item.body["type"]
    person.points[event_id] = POINTS[type_]
    if type_ not in _NOT_FOR_CRMS:
        at = datetime.fromisoformat(item.body["occurred_at"]).astimezone(UTC)
        person.activities[event_id] = Activity(
            event_id, f"{at:%Y-%m-%d %H:%M:%S}", item.body.get("subject", ""), item.body.get("url", "")
        )
