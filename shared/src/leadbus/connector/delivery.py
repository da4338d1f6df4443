"""A delivery: what a connection still owes its CRM for one prospect. Level, not edge: facts merge into it.

Merging is the same whatever order the facts come in and however often: per field the newest wins, sets
are by id, the right to create only rises. Pure; nothing here knows a database or a CRM.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from leadbus.messages import Activity, LeadActivities, LeadDistributed, LeadQualified, LeadScored, Origin
from leadbus.telemetry.propagation import is_sampled, trace_id_of

Fact = LeadDistributed | LeadQualified | LeadActivities | LeadScored

MOST_ACTIVITIES = 500
"""Waiting ones; older ones are summed up in one note."""
MOST_CREATORS = 200
"""Facts with the right to create that are remembered, newest first; enough to tell a repeat."""

MOST_HOPS = 30

Profile = Literal["marketing", "distribution"]


@dataclass(frozen=True, slots=True)
class FieldFact:
    """A value, when it was said and by which event. pending: not yet dealt with in the CRM."""

    value: str
    at: datetime
    event_id: str
    profile: Profile
    pending: bool = True

    @property
    def rank(self) -> tuple[datetime, str]:
        """The newer wins; ties by event id."""
        return (self.at, self.event_id)


@dataclass(frozen=True, slots=True)
class Creator:
    """A fact that gives the right to create a record.

    origin: set if it is a distribution. reported: its outcome is published. spent: the record it led to
    was deleted in the CRM, so that it gives no right to another.
    """

    at: datetime
    origin: Origin | None = None
    reported: bool = False
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """The newest score, by scoring's version."""

    value: int
    version: int
    pending: bool = True


@dataclass(frozen=True, slots=True)
class Older:
    """Activities beyond those kept one by one, not yet written as a note."""

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """The CRM refuses this until a person changes something."""

    reason: str
    since: datetime
    field: str | None = None


@dataclass(slots=True)
class Done:
    """What one working-off has dealt with: by being written, or by not being allowed to.

    fields: name -> event id. reported: names of creators. told: see `Delivery`. spent: the record was
    deleted in the CRM and no other was found, so that every right to create that had led to it is used up.
    """

    fields: dict[str, str] = field(default_factory=dict)
    activities: set[str] = field(default_factory=set)
    older: Older | None = None
    score_version: int | None = None
    reported: set[str] = field(default_factory=set)
    told: datetime | None = None
    spent: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the journey, for whoever asks what became of a lead."""

    at: datetime
    what: str
    trace_id: str | None = None


@dataclass(slots=True)
class Delivery:
    """See the module.

    creators: by distribution or event id. email: in lower case. traceparent: of the fact that made it due.
    due_since: when the oldest fact that waits was accepted. told: the `since` of the link whose making was
    published. revision: counts writes of the document. history: the newest hops.
    """

    connection_id: str
    organisation_id: str
    tenant_id: str
    prospect_id: str
    email: str | None = None
    fields: dict[str, FieldFact] = field(default_factory=dict)
    creators: dict[str, Creator] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    older: Older | None = None
    score: Score | None = None
    due_since: datetime | None = None
    traceparent: bytes | None = None
    parked: Parked | None = None
    attempts: int = 0
    next_try: datetime | None = None
    told: datetime | None = None
    revision: int = 0
    history: list[Hop] = field(default_factory=list)

    @property
    def may_create(self) -> bool:
        """Whether a fact has asked for a record, and its right is not used up."""
        return any(not creator.spent for creator in self.creators.values())

    @property
    def is_new(self) -> bool:
        """Whether somebody waits to hear that this lead has arrived."""
        return any(not creator.reported for creator in self.creators.values())

    @property
    def is_due(self) -> bool:
        """Whether there is something to do in the CRM, and a person need not act first."""
        return self.parked is None and self.may_create and self._something_waits

    @property
    def _something_waits(self) -> bool:
        return (
            self.is_new
            or bool(self.activities)
            or self.older is not None
            or (self.score is not None and self.score.pending)
            or any(fact.pending for fact in self.fields.values())
        )

    def merge(self, fact: Fact, traceparent: bytes | None, accepted_at: datetime) -> None:
        """Takes a fact in. accepted_at: since when it waits. A parked delivery is tried again."""
        was_due = self.is_due
        self.email = fact.email or self.email
        if isinstance(fact, LeadDistributed):
            origin = Origin(supplier_id=fact.supplier_id, distribution_id=fact.distribution_id)
            if self._may_create(f"distribution:{fact.distribution_id}", fact.occurred_at, origin):
                self.note(fact.received_at, f"received by ingest from {fact.supplier_id}", traceparent)
            self._say(fact.fields.flat(), {}, fact, "distribution")
        elif isinstance(fact, LeadQualified):
            self._may_create(fact.event_id, fact.occurred_at, None)
            self._say(fact.fields.flat(), fact.said_at, fact, "marketing")
            self._add(fact.activities)
        elif isinstance(fact, LeadActivities):
            self._say(fact.fields.flat(), fact.said_at, fact, "marketing")
            self._add(fact.activities)
        if not isinstance(fact, LeadDistributed):
            self._scored(fact.score, fact.version)
        self.parked = None
        self.attempts, self.next_try = 0, None
        if self._something_waits:
            self.due_since = min(self.due_since or accepted_at, accepted_at)
        if not was_due or (is_sampled(traceparent) and not is_sampled(self.traceparent)):
            self.traceparent = traceparent or self.traceparent

    def settle(self, done: "Done") -> None:
        """Takes out what has been dealt with, and nothing that came in since."""
        for name, event_id in done.fields.items():
            if name in self.fields and self.fields[name].event_id == event_id:
                self.fields[name] = replace(self.fields[name], pending=False)
        for event_id in done.activities:
            self.activities.pop(event_id, None)
        if done.older is not None and self.older is not None:
            left = self.older.count - done.older.count
            self.older = replace(self.older, count=left) if left > 0 else None
        if self.score is not None and self.score.version == done.score_version:
            self.score = replace(self.score, pending=False)
        for name in done.reported & self.creators.keys():
            self.creators[name] = replace(self.creators[name], reported=True)
        self.told = done.told or self.told
        if done.spent:
            self.creators = {n: replace(c, spent=c.spent or c.reported) for n, c in self.creators.items()}
        if not self._something_waits:
            self.due_since, self.traceparent = None, None

    def note(self, at: datetime, what: str, traceparent: bytes | None) -> None:
        """Adds a hop to the journey."""
        hops = [*self.history, Hop(at, what, trace_id_of(traceparent))]
        self.history = sorted(hops, key=lambda hop: (hop.at, hop.what))[-MOST_HOPS:]

    def _may_create(self, event_id: str, at: datetime, origin: Origin | None) -> bool:
        """Whether that is news."""
        if event_id in self.creators:
            return False
        self.creators[event_id] = Creator(at, origin)
        for settled in sorted(self.creators, key=lambda c: self.creators[c].at)[:-MOST_CREATORS]:
            if self.creators[settled].reported:
                del self.creators[settled]
        return True

    def _say(
        self, values: dict[str, str], said_at: dict[str, datetime], fact: Fact, profile: Profile
    ) -> None:
        for name, value in values.items():
            said = FieldFact(value, said_at.get(name, fact.occurred_at), fact.event_id, profile)
            if name not in self.fields or said.rank > self.fields[name].rank:
                self.fields[name] = said

    def _add(self, activities: list[Activity]) -> None:
        for activity in activities:
            self.activities[activity.event_id] = activity
        beyond = sorted(self.activities.values(), key=_time_order)[:-MOST_ACTIVITIES]
        for activity in beyond:
            del self.activities[activity.event_id]
            at = activity.occurred_at
            known = self.older or Older(0, at, at)
            self.older = Older(known.count + 1, min(known.first, at), max(known.last, at))

    def _scored(self, score: int, version: int) -> None:
        if self.score is None or version > self.score.version:
            changed = self.score is None or self.score.value != score or self.score.pending
            self.score = Score(score, version, pending=changed)


def _time_order(activity: Activity) -> tuple[datetime, str]:
    return (activity.occurred_at, activity.event_id)
