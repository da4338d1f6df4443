"""A delivery: what a connection still owes its CRM for one prospect. Level, not edge: facts merge into it.

Merging is the same whatever order the facts come in and however often: per field the newest wins, sets
are by id, the right to create only rises. Pure; nothing here knows a database or a CRM.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from leadbus.connector.delivering.merging import Fact, may_create, take
from leadbus.connector.delivering.parts import (
    Address,
    Consent,
    Creator,
    Done,
    FieldFact,
    Hop,
    LeadStatus,
    Membership,
    Older,
    OwedTask,
    Owner,
    Parked,
    Profile,
    State,
    Terms,
    list_of,
)
from leadbus.connector.delivering.scores import Score, of_no_record
from leadbus.messages import (
    Activity,
    LeadScored,
    SubscriptionChanged,
)
from leadbus.telemetry.propagation import is_sampled, trace_id_of

MOST_ADDED = 1_000
"""As many as scoring keeps, and tells, of one prospect."""
REPEATED = timedelta(days=30)
"""How long topics keep what they tell."""
MOST_HOPS = 30


@dataclass(slots=True)
class Delivery:
    """See the module.

    former: emails that the present one took the place of. creators: by distribution or event id.
    begun: notes of several activities whose writing was begun, id -> event ids: they stay what they are.
    tried: activities (events) whose adding was begun in a CRM that takes no ids of ours, and never answered.
    added: events that are notes of its record in such a CRM, and since when: told again, they are no others.
    traceparent: of the fact that made it due. due_since: when the oldest fact that waits was accepted.
    told: the `since` of the link whose making was published. first_said: when the oldest of its facts was
    said (broker time, ms). revision: counts writes of the document, from there on: one that was erased had
    another. settled_by: the last working-off that was settled. history: the newest hops.
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
    lead_status: LeadStatus | None = None
    memberships: dict[str, Membership] = field(default_factory=dict)
    due_since: datetime | None = None
    traceparent: bytes | None = None
    parked: Parked | None = None
    attempts: int = 0
    next_try: datetime | None = None
    told: datetime | None = None
    first_said: int = 0
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
        return any(not (creator.spent or creator.held) for creator in self.creators.values())

    @property
    def is_new(self) -> bool:
        """Whether somebody waits to hear that this lead has arrived."""
        return bool(self.unreported)

    @property
    def unreported(self) -> set[str]:
        """Rights to create whose outcome is to be published; not of those that wait."""
        return {name for name, c in self.creators.items() if not (c.reported or c.held)}

    @property
    def held(self) -> set[Profile]:
        """Profiles whose rights to create wait until the settings want them."""
        return {creator.profile for creator in self.creators.values() if creator.held and creator.profile}

    @property
    def tasks_due(self) -> dict[str, OwedTask]:
        """Those whose right to create does not wait."""
        waiting = {name for name, creator in self.creators.items() if creator.held}
        return {name: owed for name, owed in self.tasks.items() if owed.right not in waiting}

    @property
    def score_due_at(self) -> datetime | None:
        """When its score is to be written alone; None = it goes with what is due, or there is no record."""
        if self.score is None or not self.score.pending or self.told is None or self.parked is not None:
            return None
        if self.is_due and self.next_try is None:
            return None
        again = self.next_try if self.attempts else None
        return max(filter(None, (self.score.due_at, again)))

    @property
    def is_due(self) -> bool:
        """Whether there is something to do in the CRM, and a person need not act first.

        An opt-out, a new email, another state or status, leaving a list is for whatever record there is: no
        right to create is needed.
        """
        waits = self._something_waits if self.may_create else self._person_waits
        return self.parked is None and waits

    @property
    def _person_waits(self) -> bool:
        moved = self.address is not None and self.address.pending
        became = self.state is not None and self.state.pending
        came = self.lead_status is not None and self.lead_status.pending
        leaves = any(m.is_due and not m.member and list_of(name) for name, m in self.memberships.items())
        return moved or became or came or leaves or self.consent.waits(self.connection_id)

    @property
    def _something_waits(self) -> bool:
        return (
            self.is_new
            or self._person_waits
            or bool(self.activities)
            or bool(self.tasks_due)
            or self.older is not None
            or any(creator.owes_note for creator in self.creators.values())
            or (self.owner is not None and self.owner.pending)
            or any(fact.pending for fact in self.fields.values())
            or any(membership.is_due for membership in self.memberships.values())
        )

    def merge(self, fact: Fact, traceparent: bytes | None, accepted_at: datetime) -> None:
        """Takes a fact in. accepted_at: since when it waits. A parked delivery is tried again."""
        was_due, known = self.is_due, set(self.creators)
        take(self, fact, traceparent)
        for name in self.creators.keys() - known:
            self.creators[name] = replace(self.creators[name], accepted_at=accepted_at)
        self.parked = None
        self.attempts, self.next_try = 0, None
        is_known_there = isinstance(fact, SubscriptionChanged) and fact.connection_id == self.connection_id
        if self._something_waits and not (is_known_there or isinstance(fact, LeadScored)):
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
        if self.score is not None and done.score is not None:
            self.score = self.score.settled(done.score)
        self.consent = replace(self.consent, settled=done.consent or self.consent.settled)
        if self.address is not None and self.address.event_id == done.address:
            self.address = replace(self.address, pending=False)
        if self.terms is not None and self.terms.event_id == done.terms:
            self.terms = replace(self.terms, pending=False)
        self._settle_standing(done)
        self._settle_memberships(done)
        self.creators = {name: creator.after(name, done) for name, creator in self.creators.items()}
        self.told = done.told or self.told
        if done.spent:
            self.score = of_no_record(self.score)
        if not self._something_waits:
            self.due_since, self.traceparent = None, None

    def _keep_added(self, done: Done) -> None:
        """For as long as topics tell of them; of a record that was deleted, none is there any more."""
        known = {} if done.spent else self.added | done.added
        newest = sorted(known, key=lambda event_id: known[event_id])[-MOST_ADDED:]
        until = max(done.added.values(), default=None)
        self.added = {name: known[name] for name in newest if until is None or until - known[name] < REPEATED}

    def _settle_standing(self, done: Done) -> None:
        """What the prospect is, whose, and how far it has come."""
        if self.state is not None and self.state.event_id == done.state:
            self.state = replace(self.state, pending=False, refused=done.refused)
        if self.owner is not None and self.owner.event_id == done.owner:
            self.owner = replace(self.owner, pending=False)
        if self.lead_status is not None and self.lead_status.event_id == done.lead_status:
            self.lead_status = replace(self.lead_status, pending=False)

    def _settle_memberships(self, done: Done) -> None:
        """Also one that was said anew: it is in the campaign, or not, for the record that it was."""
        for name, dealt_with in done.memberships.items():
            known = self.memberships.get(name)
            if known is not None:
                is_same = known.event_id == dealt_with.event_id
                self.memberships[name] = dealt_with if is_same else replace(known, record=dealt_with.record)

    def hold(self, names: Collection[str]) -> None:
        """Of the rights to create these, and no others, wait until the settings want them."""
        for name, creator in self.creators.items():
            if creator.held != (name in names):
                self.creators[name] = replace(creator, held=name in names, accepted_at=None)

    def wait_for_a_person(self) -> None:
        """How long this lead takes tells nothing any more of Leadbus or the CRM."""
        self.creators = {name: replace(c, accepted_at=None) for name, c in self.creators.items()}

    def note(self, at: datetime, what: str, traceparent: bytes | None) -> None:
        """Adds a hop to the journey."""
        hops = [*self.history, Hop(at, what, trace_id_of(traceparent))]
        self.history = sorted(hops, key=lambda hop: (hop.at, hop.what))[-MOST_HOPS:]

    def put_on_list(self, membership: Membership, accepted_at: datetime) -> None:
        """That gives the right to create, as if somebody had asked for it."""
        if may_create(self, f"list:{membership.event_id}", Creator(membership.at)):
            self.due_since = min(self.due_since or accepted_at, accepted_at)
