"""What a delivery asks of the CRM's record, as rows for the adapter. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from leadbus.connector.capabilities import Capabilities, PersonKind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import NewPerson, Person, PersonChange
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Done, FieldFact, Parked
from leadbus.connector.delivering.plan_rules import Case, judge
from leadbus.connector.mapping import FieldMap, MappedField
from leadbus.errors import Rejected
from leadbus.messages import SyncRequest

_DEFAULTS = {"last_name": "default_last_name", "company": "default_company"}
"""Our field, and the setting that stands in for it in a new record."""
_KIND_OF_STATE: Mapping[str, PersonKind] = {"prospect": "lead", "client": "contact"}
_LABELS = {"email": "an email address", "last_name": "a last name", "company": "a company"}


@dataclass(frozen=True, slots=True)
class Present:
    """A record as it was read for this working-off, and what the mirror tells of its past.

    values: as the mirror last read them. ours: what we meant to write. changed: when fields were
    seen to change.
    """

    person: Person
    values: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, datetime] = field(default_factory=dict)

    def is_ours(self, name: str, present: str) -> bool:
        """Whether the present value is one that we meant to write."""
        return name in self.ours and self.ours[name] == present

    def theirs_since(self, name: str, present: str) -> datetime | None:
        """When the CRM's present value came about: that of the field if seen to change, else the record's."""
        seen = self.changed.get(name) if self.values.get(name) == present else None
        return seen or self.person.changed_at


def request_of(delivery: Delivery) -> SyncRequest:
    """The terms of a sync request that is not done yet; none: the connection's rules hold."""
    terms = delivery.terms
    return terms.request if terms is not None and terms.pending else SyncRequest()


def kind_of(delivery: Delivery, connection: Connection) -> PersonKind:
    """What a new record becomes: as asked for, else by what the prospect is here, else by the settings."""
    state = _KIND_OF_STATE[delivery.state.value] if delivery.state else None
    return request_of(delivery).record_as or state or connection.settings.record_as


def wanted_kind(delivery: Delivery, *, matched: bool = False) -> PersonKind | None:
    """What an existing record is to become; None = nothing that was not dealt with.

    matched: the record was found just now, so that what was said before there was one is still to be done.
    """
    state = delivery.state
    if state is None or not (state.pending or (matched and state.refused is None)):
        return None
    return _KIND_OF_STATE[state.value]


def still_refused(delivery: Delivery, kind: PersonKind) -> Parked | None:
    """Why the CRM could not follow the state, as long as a record is not what it asks for."""
    state = delivery.state
    return state.refused if state is not None and _KIND_OF_STATE[state.value] != kind else None


def keeps_opt_out(delivery: Delivery, lead: Person) -> bool:
    """Whether a lead is opted out, and by what was said here is to remain so as a contact."""
    return lead.opted_out is True and _word(delivery, Present(lead)) is not False


def owner_of(delivery: Delivery) -> str | None:
    """The email of the CRM's user who is to own the record; None = nobody has said."""
    return request_of(delivery).owner_email or (delivery.owner.email if delivery.owner else None)


def all_values(delivery: Delivery, connection: Connection) -> dict[str, str]:
    """Of a new record, by our names: what is known, and what the settings put in the place of the rest."""
    values = {name: fact.value for name, fact in sorted(delivery.fields.items()) if fact.value.strip()}
    for name, setting in _DEFAULTS.items():
        default: str | None = getattr(connection.settings, setting)
        if default:
            values.setdefault(name, default)
    return values


def new_person(
    delivery: Delivery,
    connection: Connection,
    capabilities: Capabilities,
    fields: FieldMap,
    record_id: str,
    kind: PersonKind,
) -> NewPerson:
    """A record with all that is known. Account and owner are the caller's to add.

    An opt-out comes with it; that somebody has not opted out is never said of a new record.

    Raises:
        Rejected: the CRM asks for a field that nobody has given; its text says what to do.
    """
    values = all_values(delivery, connection)
    for name in ("email", *sorted(capabilities.required.get(kind, frozenset()) - {"email"})):
        if not (delivery.email if name == "email" else values.get(name)):
            raise Rejected(_missing(kind, name), name)
    settings, request = connection.settings, request_of(delivery)
    return NewPerson(
        id=record_id,
        kind=kind,
        email=delivery.email or "",
        values=fields.to_crm(kind, values),
        lead_source=request.lead_source or settings.lead_source,
        score=delivery.score.value if settings.score_field and delivery.score else None,
        opted_out=delivery.consent.opted_out or None,
        traceparent=delivery.traceparent,
    )


@dataclass(slots=True)
class Changes:
    """What to write to a record, by our names what of it is ours, and per field who won and why."""

    row: PersonChange | None
    wrote: set[str]
    reasons: list[str]


def person_change(
    delivery: Delivery, connection: Connection, fields: FieldMap, kind: PersonKind, record: Present
) -> Changes:
    """What an existing record is to be told, as far as the CRM does not say the same already.

    Fields by their rule, else where the profile (or a sync request) allows it; the score always; a new
    email where the CRM has the one before it; an opt-out always; an opt-in only where it is explicit and
    later than the CRM's opt-out. Without the right to create, only the last three. The owner is the caller's.
    """
    if not delivery.may_create:
        values, wrote, reasons = dict[str, str](), set[str](), list[str]()
    else:
        values, wrote, reasons = _values(delivery, connection, fields, kind, record)
    settings, request, person = connection.settings, request_of(delivery), record.person
    score = delivery.score if settings.score_field and delivery.may_create else None
    moves = person.email in delivery.former and delivery.email != person.email
    change = PersonChange(
        record=person.record,
        values=values,
        score=score.value if score is not None and score.pending else None,
        email=delivery.email if moves else None,
        opted_out=_opted_out(delivery, record, moves=moves),
        lead_source=request.lead_source if request.update_existing else None,
    )
    said = replace(change, traceparent=delivery.traceparent)
    return Changes(said if says_something(said) else None, wrote, reasons)


def says_something(change: PersonChange) -> bool:
    """Whether there is anything to write."""
    return bool(change.values) or any(
        member is not None
        for member in (change.score, change.email, change.opted_out, change.owner_id, change.lead_source)
    )


def asks_nothing(delivery: Delivery, connection: Connection, fields: FieldMap) -> bool:
    """Whether, by the settings alone, nothing but activities may be worth a call."""
    if delivery.is_new or delivery.tasks or delivery.older:
        return False
    moved = delivery.address is not None and delivery.address.pending
    scored = connection.settings.score_field and delivery.score is not None and delivery.score.pending
    became = delivery.state is not None and delivery.state.pending
    owned = delivery.owner is not None and delivery.owner.pending
    joins = connection.settings.campaigns != "none" and any(m.is_due for m in delivery.memberships.values())
    if moved or scored or became or owned or joins or delivery.consent.waits(delivery.connection_id):
        return False
    allowed = _profiles(connection)
    pairs = [pairs for of, pairs in fields.pairs.items() if of != "account"]
    for name, fact in delivery.fields.items():
        places = [mapped[name] for mapped in pairs if name in mapped and mapped[name].written]
        if fact.pending and any(allowed[fact.profile] if p.rule is None else True for p in places):
            return False
    return True


def everything(delivery: Delivery) -> Done:
    """All that a delivery holds now, as dealt with."""
    said = delivery.consent.decided_by
    return Done(
        fields={name: fact.event_id for name, fact in delivery.fields.items() if fact.pending},
        activities=set(delivery.activities),
        tasks=set(delivery.tasks),
        older=delivery.older,
        reported={name for name, creator in delivery.creators.items() if not creator.reported},
        score_version=delivery.score.version if delivery.score else None,
        consent=said.event_id if said else None,
        address=delivery.address.event_id if delivery.address else None,
        terms=delivery.terms.event_id if delivery.terms else None,
        state=delivery.state.event_id if delivery.state else None,
        refused=delivery.state.refused if delivery.state else None,
        owner=delivery.owner.event_id if delivery.owner else None,
    )


def record_part(delivery: Delivery, wrote: set[str]) -> Done:
    """What writing the record deals with; without the right to create, fields and score go on waiting."""
    done = everything(delivery)
    if not delivery.may_create:
        return Done(consent=done.consent, address=done.address, state=done.state, refused=done.refused)
    return replace(done, wrote=wrote, activities=set(), tasks=set(), older=None, reported=set())


def _values(
    delivery: Delivery, connection: Connection, fields: FieldMap, kind: PersonKind, record: Present
) -> tuple[dict[str, str], set[str], list[str]]:
    allowed, asked = _profiles(connection), request_of(delivery).update_existing
    pairs = fields.pairs.get(kind, {})
    values: dict[str, str] = {}
    wrote: set[str] = set()
    reasons: list[str] = []
    for name, fact in sorted(delivery.fields.items()):
        pair = pairs.get(name)
        if not fact.pending or pair is None or not pair.written:
            continue
        present = record.person.values.get(pair.theirs, "")
        fitting = fields.fit(pair.theirs, fact.value)
        if fitting == present:
            continue
        wins, reason = judge(
            pair.rule,
            Case(
                said=fact,
                present=present,
                ours=_is_written(fact, pair, fields, present) or record.is_ours(pair.theirs, present),
                theirs_since=record.theirs_since(pair.theirs, present),
                allowed=allowed[fact.profile] if asked is None else asked,
            ),
        )
        if asked is False and wins:
            wins, reason = False, "the sync request leaves existing records alone"
        if wins or pair.rule is not None:  # that a profile changes nothing is no news of this delivery
            reasons.append(f"{name} {'written' if wins else 'kept'} ({reason})")
        if wins:
            values[pair.theirs] = fitting
            wrote.add(name)
    return values, wrote, reasons


def _is_written(fact: FieldFact, pair: MappedField, fields: FieldMap, present: str) -> bool:
    return fact.written is not None and fields.fit(pair.theirs, fact.written) == present


def _opted_out(delivery: Delivery, record: Present, *, moves: bool) -> bool | None:
    """None = write nothing: nobody has said anything, the CRM says the same, or its word counts more.

    moves: the record gets another email, which some CRMs know no opt-out of.
    """
    word = _word(delivery, record)
    opted_out = record.person.opted_out or delivery.consent.opted_out
    return True if moves and word is None and opted_out else word


def _word(delivery: Delivery, record: Present) -> bool | None:
    ours, theirs = delivery.consent.opted_out, record.person.opted_out
    if ours is None or ours is theirs:
        return None
    if ours:
        return True
    back_in = delivery.consent.back_in
    if theirs is None or back_in is None or not back_in.explicit:
        return None
    if record.is_ours("opted_out", "true"):
        return False
    since = record.theirs_since("opted_out", "true")
    return False if since is not None and back_in.at > since else None


def _profiles(connection: Connection) -> dict[str, bool]:
    settings = connection.settings
    return {
        "marketing": settings.marketing_automation.field_updates,
        "distribution": settings.lead_distribution.field_updates,
    }


def _missing(kind: str, name: str) -> str:
    label = _LABELS.get(name, f"the field {name}")
    setting = f", or set {_DEFAULTS[name]} in the connection's settings" if name in _DEFAULTS else ""
    return f"The CRM takes no {kind} without {label}, and nobody has given one. Send it{setting}."
