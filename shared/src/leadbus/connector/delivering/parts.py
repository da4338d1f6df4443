"""What a delivery is made of: facts as they are remembered, and what has become of them. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from leadbus.connector.delivering.scores import Score
from leadbus.messages import Origin, Record, SyncRequest, Task

Profile = Literal["marketing", "distribution"]


class Ranked:
    """What was said at a time, by an event."""

    __slots__ = ()
    at: datetime
    event_id: str

    @property
    def rank(self) -> tuple[datetime, str]:
        """The newer wins; ties by event id."""
        return (self.at, self.event_id)


@dataclass(frozen=True, slots=True)
class FieldFact(Ranked):
    """A value, when it was said and by which event.

    pending: not yet dealt with in the CRM. written: the value that we last wrote there, if any.
    """

    value: str
    at: datetime
    event_id: str
    profile: Profile
    pending: bool = True
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """The prospect's email, in lower case. changed: said in place of another; pending as with fields."""

    email: str
    at: datetime
    event_id: str
    changed: bool = False
    pending: bool = False

    @property
    def rank(self) -> tuple[bool, datetime, str]:
        """A change outlasts what merely mentions an address: that may be the one before it."""
        return (self.changed, self.at, self.event_id)


@dataclass(frozen=True, slots=True)
class Creator:
    """A fact that gives the right to create a record.

    origin: set if it is a distribution; campaign_id: what for. marketing: the score exceeded the threshold;
    neither = a sync request. reported: its outcome is published. spent: the record it led to was deleted in
    the CRM, so that it gives no right to another. held: the settings want none of it for now. noted: the
    fields of the distribution need no note (any more). assigned: rules have had their say about its record.
    accepted_at: by ingest, or else by Kafka; None = its arrival is not measured, as it waits for a person.
    """

    at: datetime
    origin: Origin | None = None
    reported: bool = False
    spent: bool = False
    marketing: bool = False
    campaign_id: str | None = None
    held: bool = False
    noted: bool = True
    assigned: bool = False
    accepted_at: datetime | None = None

    @property
    def right(self) -> str:
        """What it is, in a word."""
        return self.profile or "request"

    @property
    def profile(self) -> Profile | None:
        """Whose settings decide about it."""
        return "distribution" if self.origin else "marketing" if self.marketing else None

    @property
    def owes_note(self) -> bool:
        """Whether its fields are still to be noted."""
        return not (self.noted or self.held or self.spent)

    def after(self, name: str, done: "Done") -> "Creator":
        """Once a working-off has dealt with some of it. name: of this one."""
        reported = self.reported or name in done.reported
        return replace(
            self,
            reported=reported,
            spent=self.spent or (done.spent and reported),
            noted=self.noted or name in done.noted,
            assigned=self.assigned or name in done.assigned,
        )


@dataclass(frozen=True, slots=True)
class Terms(Ranked):
    """What the newest sync request asks for, in place of the connection's rules, until that is done."""

    request: SyncRequest
    at: datetime
    event_id: str
    pending: bool = True


@dataclass(frozen=True, slots=True)
class OwedTask:
    """A task or call that a salesperson is to be given. at: when we heard that it is, whenever it was said.

    owner_email: of who is to do it; None = whoever owns the record. supplier: who handed the lead over.
    right: to create, by name, whose rule gave it: it waits as long as that does. worded: its placeholders are
    filled in.
    """

    task: Task
    at: datetime
    owner_email: str | None = None
    supplier: str | None = None
    right: str | None = None
    worded: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An opt-out or opt-in. explicit: by the person itself. of: the connection in whose CRM it was made."""

    at: datetime
    event_id: str
    explicit: bool = False
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether the prospect takes marketing email: the newest opt-out, and the opt-in that counts most.

    An opt-out beats an opt-in, unless that is later and explicit. settled: the event that the CRM
    was told of.
    """

    out: Said | None = None
    back_in: Said | None = None
    settled: str | None = None

    @property
    def opted_out(self) -> bool | None:
        """None = nobody has said anything."""
        if self.out is None:
            return False if self.back_in else None
        return not (self.back_in and self.back_in.explicit and self.back_in.at > self.out.at)

    @property
    def decided_by(self) -> Said | None:
        """The word that counts."""
        return self.out if self.opted_out else self.back_in

    def heard(self, status: Literal["opted_in", "opted_out"], said: Said) -> "Consent":
        """With one word more."""
        if status == "opted_out":
            return replace(self, out=max(filter(None, (self.out, said)), key=lambda s: (s.at, s.event_id)))
        words = filter(None, (self.back_in, said))
        return replace(self, back_in=max(words, key=lambda s: (s.explicit, s.at, s.event_id)))

    def waits(self, connection_id: str) -> bool:
        """Whether the connection's CRM must hear of it; not if it was said there."""
        said = self.decided_by
        return said is not None and said.of != connection_id and said.event_id != self.settled


@dataclass(frozen=True, slots=True)
class Older:
    """Activities beyond those kept one by one, not yet written as a note."""

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """The CRM refuses this until a person changes something.

    object: the kind of record that is refused. field: what to change, by its name. record: the id of the
    prospect's own record, if there is one. root: the id of another record (an account) that is the reason:
    once it is corrected, this is tried again.
    """

    reason: str
    since: datetime
    field: str | None = None
    object: str = "lead"
    record: str | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True)
class State(Ranked):
    """What the prospect is here. refused: why the CRM cannot follow; nothing else waits for that."""

    value: Literal["prospect", "client"]
    at: datetime
    event_id: str
    pending: bool = True
    refused: Parked | None = None


@dataclass(frozen=True, slots=True)
class Owner(Ranked):
    """Whose the prospect is here: the CRM's user of this email (in lower case) is to own its record."""

    email: str
    at: datetime
    event_id: str
    pending: bool = True


@dataclass(frozen=True, slots=True)
class LeadStatus(Ranked):
    """How far the lead has come, in the tenant's own words. pending: not yet dealt with in the CRM."""

    value: str
    at: datetime
    event_id: str
    pending: bool = True


_LIST = " list:"
"""No campaign's id begins with a blank, so that none is taken for a list."""


def of_list(list_id: str) -> str:
    """By what name the membership of a list of ours is kept beside those of campaigns."""
    return _LIST + list_id


def list_of(name: str) -> str | None:
    """The list that a membership is about; None = it is about a campaign."""
    return name.removeprefix(_LIST) if name.startswith(_LIST) else None


@dataclass(frozen=True, slots=True)
class Membership(Ranked):
    """Whether the prospect takes part in a campaign (or is on a list), and how it responded.

    pending: not yet dealt with in the CRM. waits: until the campaign or list is there. record: of the
    prospect, that it was dealt with for: another one (a lead became a contact) is put in anew. refused: why
    the CRM does not take it; nothing else waits for that.
    """

    member: bool
    response: str | None
    at: datetime
    event_id: str
    pending: bool = True
    waits: bool = False
    record: Record | None = None
    refused: Parked | None = None

    @property
    def is_due(self) -> bool:
        """Whether something is to be done in the CRM, as far as is known."""
        return self.pending and not self.waits

    @property
    def is_in(self) -> bool:
        """Whether it has been put in the campaign."""
        return self.member and not self.pending and self.record is not None and self.refused is None


@dataclass(slots=True)
class Done:
    """What one working-off has dealt with: by being written, or by not being allowed to.

    fields: name -> event id. wrote: names of those that were written. consent, address, terms, state, owner,
    lead_status: event ids. refused: why the CRM cannot follow the state. answered: of `tried`, those of
    which it is known whether the CRM has them. added: events whose notes are there, and since when, where the
    CRM takes no ids of ours. reported: names of creators. told: see `Delivery`. spent: the record was deleted
    in the CRM and no other was found, so that every right to create that had led to it is used.
    memberships: by campaign, as they are now. score: as it is now. noted: distributions whose fields are
    noted. assigned: names of creators whose record has the owner and lead source that rules give it.
    """

    fields: dict[str, str] = field(default_factory=dict)
    wrote: set[str] = field(default_factory=set)
    activities: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    older: Older | None = None
    score: Score | None = None
    noted: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    consent: str | None = None
    address: str | None = None
    terms: str | None = None
    state: str | None = None
    refused: Parked | None = None
    owner: str | None = None
    lead_status: str | None = None
    answered: set[str] = field(default_factory=set)
    added: dict[str, datetime] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    told: datetime | None = None
    spent: bool = False
    memberships: dict[str, Membership] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the journey, for whoever asks what became of a lead."""

    at: datetime
    what: str
    trace_id: str | None = None
