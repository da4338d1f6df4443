"""A delivery: what a connection still owes its CRM for one prospect. Level, not edge: facts merge into it.

Merging is the same whatever order the facts come in and however often: per field the newest wins, sets
are by id, the right to create only rises. Pure; nothing here knows a database or a CRM.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from leadbus.connector.delivering.parts import (
    Address,
    Consent,
    Creator,
    Done,
    FieldFact,
    Hop,
    Membership,
    Older,
    OwedTask,
    Owner,
    Parked,
    Profile,
    Said,
    Score,
    State,
    Terms,
)
from leadbus.event_types import EventType
from leadbus.messages import (
    Activity,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    Origin,
    ProspectUpdated,
    SubscriptionChanged,
    SyncRequest,
)
from leadbus.telemetry.propagation import is_sampled, trace_id_of

Fact = LeadDistributed | LeadQualified | LeadActivities | LeadScored | ProspectUpdated | SubscriptionChanged

MOST_ACTIVITIES = 500
"""Waiting ones; older ones are summed up in one note."""
MOST_ADDED = 1_000
"""As many as scoring keeps, and tells, of one prospect."""
REPEATED = timedelta(days=30)
"""How long topics keep what they tell."""
MOST_CREATORS = 200
"""Facts with the right to create that are remembered, newest first; enough to tell a repeat."""
MOST_MEMBERSHIPS = 200
"""In campaigns; of more, those that are dealt with are forgotten first, then those that wait longest."""
MOST_HOPS = 30


@dataclass(slots=True)
class Delivery:
    """See the module.

    former: emails that the present one took the place of. creators: by distribution or event id.
    begun: notes of several activities whose writing was begun, id -> event ids: they stay what they are.
    tried: activities (events) whose adding was begun in a CRM that takes no ids of ours, and never answered.
    added: events that are notes of its record in such a CRM, and since when: told again, they are no others.
    traceparent: of the fact that made it due. due_since: when the oldest fact that waits was accepted.
    told: the `since` of the link whose making was published. revision: counts writes of the document.
    settled_by: the last working-off that was settled. history: the newest hops.
    """

    connection_id: str
    organisation_id: str
    tenant_id: str
    prospect_id: str
    team_scope: str = ""
    address: Address | None = None
    former: set[str] = field(default_factory=set)
    fields: dict[str, FieldFact] = field(default_factory=dict)
    creators: dict[str, Creator] = field(default_factory=dict)
    terms: Terms | None = None
    activities: dict[str, Activity] = field(default_factory=dict)
    begun: dict[str, list[str]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    added: dict[str, datetime] = field(default_factory=dict)
    tasks: dict[str, OwedTask] = field(default_factory=dict)
    older: Older | None = None
    score: Score | None = None
    consent: Consent = field(default_factory=Consent)
    state: State | None = None
    owner: Owner | None = None
    memberships: dict[str, Membership] = field(default_factory=dict)
    due_since: datetime | None = None
    traceparent: bytes | None = None
    parked: Parked | None = None
    attempts: int = 0
    next_try: datetime | None = None
    told: datetime | None = None
    revision: int = 0
    settled_by: str = ""
    history: list[Hop] = field(default_factory=list)

    @property
    def email(self) -> str | None:
        """The prospect's present email, in lower case."""
        return self.address.email if self.address else None

    @property
    def emails(self) -> list[str]:
        """The present one first, then former ones: all by which its record may be found."""
        return [e for e in (self.email, *sorted(self.former - {self.email})) if e]

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
        """Whether there is something to do in the CRM, and a person need not act first.

        An opt-out, a new email, another state is for whatever record there is: no right to create is needed.
        """
        waits = self._something_waits if self.may_create else self._person_waits
        return self.parked is None and waits

    @property
    def _person_waits(self) -> bool:
        moved = self.address is not None and self.address.pending
        became = self.state is not None and self.state.pending
        return moved or became or self.consent.waits(self.connection_id)

    @property
    def _something_waits(self) -> bool:
        return (
            self.is_new
            or self._person_waits
            or bool(self.activities)
            or bool(self.tasks)
            or self.older is not None
            or (self.score is not None and self.score.pending)
            or (self.owner is not None and self.owner.pending)
            or any(fact.pending for fact in self.fields.values())
            or any(membership.is_due for membership in self.memberships.values())
        )

    def merge(self, fact: Fact, traceparent: bytes | None, accepted_at: datetime) -> None:
        """Takes a fact in. accepted_at: since when it waits. A parked delivery is tried again."""
        was_due = self.is_due
        self._take(fact, traceparent)
        self.parked = None
        self.attempts, self.next_try = 0, None
        is_known_there = isinstance(fact, SubscriptionChanged) and fact.connection_id == self.connection_id
        if self._something_waits and not is_known_there:
            self.due_since = min(self.due_since or accepted_at, accepted_at)
        if not was_due or (is_sampled(traceparent) and not is_sampled(self.traceparent)):
            self.traceparent = traceparent or self.traceparent

    def settle(self, done: Done) -> None:
        """Takes out what has been dealt with, and nothing that came in since."""
        for name, event_id in done.fields.items():
            fact = self.fields.get(name)
            if fact is not None and fact.event_id == event_id:
                written = fact.value if name in done.wrote else fact.written
                self.fields[name] = replace(fact, pending=False, written=written)
        for event_id in done.activities:
            self.activities.pop(event_id, None)
        self.tried -= done.answered
        self._keep_added(done)
        self.begun = {name: ids for name, ids in self.begun.items() if self.activities.keys() & set(ids)}
        for event_id in done.tasks:
            self.tasks.pop(event_id, None)
        if done.older is not None and self.older is not None:
            left = self.older.count - done.older.count
            self.older = replace(self.older, count=left) if left > 0 else None
        if self.score is not None and self.score.version == done.score_version:
            self.score = replace(self.score, pending=False)
        self.consent = replace(self.consent, settled=done.consent or self.consent.settled)
        if self.address is not None and self.address.event_id == done.address:
            self.address = replace(self.address, pending=False)
        if self.terms is not None and self.terms.event_id == done.terms:
            self.terms = replace(self.terms, pending=False)
        self._settle_standing(done)
        self._settle_memberships(done)
        for name in done.reported & self.creators.keys():
            self.creators[name] = replace(self.creators[name], reported=True)
        self.told = done.told or self.told
        if done.spent:
            self.creators = {n: replace(c, spent=c.spent or c.reported) for n, c in self.creators.items()}
        if not self._something_waits:
            self.due_since, self.traceparent = None, None

    def _keep_added(self, done: Done) -> None:
        """For as long as topics tell of them; of a record that was deleted, none is there any more."""
        known = {} if done.spent else self.added | done.added
        newest = sorted(known, key=lambda event_id: known[event_id])[-MOST_ADDED:]
        until = max(done.added.values(), default=None)
        self.added = {name: known[name] for name in newest if until is None or until - known[name] < REPEATED}

    def _settle_standing(self, done: Done) -> None:
        """What the prospect is, and whose."""
        if self.state is not None and self.state.event_id == done.state:
            self.state = replace(self.state, pending=False, refused=done.refused)
        if self.owner is not None and self.owner.event_id == done.owner:
            self.owner = replace(self.owner, pending=False)

    def _settle_memberships(self, done: Done) -> None:
        """Also one that was said anew: it is in the campaign, or not, for the record that it was."""
        for name, dealt_with in done.memberships.items():
            known = self.memberships.get(name)
            if known is not None:
                is_same = known.event_id == dealt_with.event_id
                self.memberships[name] = dealt_with if is_same else replace(known, record=dealt_with.record)

    def note(self, at: datetime, what: str, traceparent: bytes | None) -> None:
        """Adds a hop to the journey."""
        hops = [*self.history, Hop(at, what, trace_id_of(traceparent))]
        self.history = sorted(hops, key=lambda hop: (hop.at, hop.what))[-MOST_HOPS:]

    def _take(self, fact: Fact, traceparent: bytes | None) -> None:
        self._reach(fact)
        match fact:
            case LeadDistributed():
                origin = Origin(supplier_id=fact.supplier_id, distribution_id=fact.distribution_id)
                if self._may_create(f"distribution:{fact.distribution_id}", fact.occurred_at, origin):
                    self.note(fact.received_at, f"received by ingest from {fact.supplier_id}", traceparent)
                self._say(fact.fields.flat(), {}, fact, "distribution")
            case LeadQualified():
                self._may_create(fact.event_id, fact.occurred_at, None)
                self._say(fact.fields.flat(), fact.said_at, fact, "marketing")
                self._add(fact.activities)
                self._scored(fact.score, fact.version)
            case LeadActivities():
                self._say(fact.fields.flat(), fact.said_at, fact, "marketing")
                self._add(fact.activities)
                self._scored(fact.score, fact.version)
            case LeadScored():
                self._scored(fact.score, fact.version)
            case ProspectUpdated():
                self._say(fact.fields.flat() if fact.fields else {}, {}, fact, "marketing")
                if fact.subscription is not None:
                    word = fact.subscription
                    said = Said(word.at, fact.event_id, word.explicit)
                    self.consent = self.consent.heard(word.status, said)
                self._is(fact)
                self._takes_part(fact)
                if fact.sync is not None:
                    self._asked(fact.sync, fact, traceparent)
            case SubscriptionChanged():
                said = Said(fact.occurred_at, fact.event_id, fact.explicit, fact.connection_id)
                self.consent = self.consent.heard(fact.status, said)

    def _reach(self, fact: Fact) -> None:
        """Under which email the prospect is found, now and before."""
        if fact.email is None:
            return
        previous = fact.previous_email if isinstance(fact, ProspectUpdated) else None
        changed = previous is not None and previous != fact.email
        address = Address(fact.email, fact.occurred_at, fact.event_id, changed, pending=changed)
        if previous is not None and changed:
            self.former.add(previous)
        if self.address is None or address.rank > self.address.rank:
            self.address = address

    def _is(self, fact: ProspectUpdated) -> None:
        """Its state and owner. What the CRM could not follow, it need not be asked again."""
        if fact.state is not None:
            state, known = State(fact.state, fact.occurred_at, fact.event_id), self.state
            if known is not None and known.refused is not None and known.value == state.value:
                state = replace(state, pending=False, refused=known.refused)
            if known is None or state.rank > known.rank:
                self.state = state
        if fact.owner_email is not None:
            owner = Owner(fact.owner_email, fact.occurred_at, fact.event_id)
            if self.owner is None or owner.rank > self.owner.rank:
                self.owner = owner

    def _takes_part(self, fact: ProspectUpdated) -> None:
        """In campaigns, or not any more."""
        for said in fact.campaigns:
            membership = Membership(said.member, said.response, fact.occurred_at, fact.event_id)
            known = self.memberships.get(said.campaign_id)
            if known is None or membership.rank > known.rank:
                record = known.record if known else None
                self.memberships[said.campaign_id] = replace(membership, record=record)
        ordered = sorted(self.memberships.items(), key=lambda pair: (*_urgency(pair[1]), pair[0]))
        for name, _ in ordered[:-MOST_MEMBERSHIPS]:
            del self.memberships[name]

    def _asked(self, request: SyncRequest, fact: ProspectUpdated, traceparent: bytes | None) -> None:
        """The right to create, on terms of its own, and perhaps a task."""
        terms = Terms(request, fact.occurred_at, fact.event_id)
        if self.terms is None or terms.rank > self.terms.rank:
            self.terms = terms
        if self._may_create(fact.event_id, fact.occurred_at, None):
            self.note(fact.received_at, "asked for by a sync request", traceparent)
            if request.task is not None:
                self.tasks[fact.event_id] = OwedTask(request.task, fact.occurred_at, request.owner_email)

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
            known = self.fields.get(name)
            if known is None or said.rank > known.rank:
                self.fields[name] = replace(said, written=known.written if known else None)

    def _add(self, activities: list[Activity]) -> None:
        for activity in activities:
            if activity.event_id not in self.added:
                self.activities[activity.event_id] = activity
            if activity.type is EventType.EMAIL_UNSUBSCRIBE:
                said = Said(activity.occurred_at, activity.event_id, explicit=True)
                self.consent = self.consent.heard("opted_out", said)
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


def _urgency(membership: Membership) -> tuple[bool, bool, datetime]:
    return (membership.pending, membership.is_due, membership.at)


def _time_order(activity: Activity) -> tuple[datetime, str]:
    return (activity.occurred_at, activity.event_id)
