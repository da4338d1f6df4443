"""What a delivery asks of the CRM's record, as rows for the adapter. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from leadbus.connector.capabilities import Capabilities, PersonKind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import NewPerson, Person, PersonChange
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.listed import pushed_fields
from leadbus.connector.delivering.parts import Done, Parked, list_of
from leadbus.connector.delivering.plan_assignment import request_of, rule_source, source_of_existing
from leadbus.connector.delivering.plan_fields import DEFAULTS, Decision, Present, decide, decide_new
from leadbus.connector.delivering.plan_notes import owed_notes
from leadbus.connector.delivering.profiles import field_updates
from leadbus.connector.mapping import FieldMap
from leadbus.connector.settings.lists import pushes
from leadbus.connector.statuses import in_the_crm
from leadbus.errors import Rejected

_KIND_OF_STATE: Mapping[str, PersonKind] = {"prospect": "lead", "client": "contact"}
_LABELS = {"email": "an email address", "last_name": "a last name", "company": "a company"}


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
    for name, setting in DEFAULTS.items():
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
    decisions = decide_new(values, delivery, fields, kind)
    return NewPerson(
        id=record_id,
        kind=kind,
        email=delivery.email or "",
        values={d.crm_field: d.value for d in decisions if d.written and d.crm_field},
        lead_source=request.lead_source
        or rule_source(delivery, connection, is_there=False)
        or settings.lead_source,
        score=delivery.score.value if settings.score_field and delivery.score else None,
        opted_out=delivery.consent.opted_out or None,
        traceparent=delivery.traceparent,
    )


@dataclass(slots=True)
class Changes:
    """What to write to a record, and what was decided about each field; status, owner: about these."""

    row: PersonChange | None
    decisions: list[Decision]
    status: str = ""
    owner: str = ""

    @property
    def wrote(self) -> set[str]:
        """What of it is ours, by our names."""
        return {decision.field for decision in self.decisions if decision.written}

    @property
    def reasons(self) -> list[str]:
        """Per field who won, and why, as the journey tells it."""
        told = (decision for decision in self.decisions if decision.told)
        words = [f"{d.field} {'written' if d.written else 'kept'} ({d.reason})" for d in told]
        return [*words, *filter(None, [self.status, self.owner])]


def person_change(
    delivery: Delivery, connection: Connection, fields: FieldMap, kind: PersonKind, record: Present
) -> Changes:
    """What an existing record is to be told, as far as the CRM does not say the same already.

    Fields by their rule, else where the profile (or a sync request) allows it; a new email where the CRM has
    the one before it; an opt-out always; an opt-in only where it is explicit and later than the CRM's
    opt-out. Without the right to create, not the fields. Owner, status and score are the caller's.
    """
    request, person = request_of(delivery), record.person
    decisions = list[Decision]()
    if delivery.may_create:
        allowed, asked = field_updates(connection), request.update_existing
        besides = pushed_fields(delivery, pushes(connection.settings.lists))
        decisions = decide(delivery, fields, kind, record, allowed=allowed, besides=besides, asked=asked)
    written = [decision for decision in decisions if decision.written]
    moves = person.email in delivery.former and delivery.email != person.email
    change = PersonChange(
        record=person.record,
        values={decision.crm_field: decision.value for decision in written if decision.crm_field},
        email=delivery.email if moves else None,
        opted_out=_opted_out(delivery, record, moves=moves),
        lead_source=source_of_existing(delivery, connection),
    )
    said = replace(change, traceparent=delivery.traceparent)
    return Changes(said if says_something(said) else None, decisions)


def says_something(change: PersonChange) -> bool:
    """Whether there is anything to write."""
    return bool(change.values) or any(
        member is not None
        for member in (
            *(change.score, change.email, change.opted_out),
            *(change.owner_id, change.lead_source, change.status),
        )
    )


def asks_nothing(delivery: Delivery, connection: Connection, fields: FieldMap) -> bool:
    """Whether, by the settings alone, nothing but activities may be worth a call."""
    if delivery.is_new or delivery.tasks_due or delivery.older:
        return False
    moved = delivery.address is not None and delivery.address.pending
    became = delivery.state is not None and delivery.state.pending
    owned = delivery.owner is not None and delivery.owner.pending
    status = delivery.lead_status
    came = status is not None and status.pending and in_the_crm(connection.settings, status.value)
    campaigns = connection.settings.campaigns != "none"
    joins = any(m.is_due and (campaigns or list_of(name)) for name, m in delivery.memberships.items())
    if any((moved, became, owned, came, joins)) or delivery.consent.waits(delivery.connection_id):
        return False
    allowed, besides = field_updates(connection), pushed_fields(delivery, pushes(connection.settings.lists))
    pairs = [pairs for of, pairs in fields.pairs.items() if of != "account"]
    for name, fact in delivery.fields.items():
        places = [mapped[name] for mapped in pairs if name in mapped and mapped[name].written]
        may = allowed[fact.profile] or name in besides
        if fact.pending and any(may if p.rule is None else True for p in places):
            return False
    return True


def everything(delivery: Delivery) -> Done:
    """All that a delivery holds now, as dealt with."""
    said = delivery.consent.decided_by
    return Done(
        fields={name: fact.event_id for name, fact in delivery.fields.items() if fact.pending},
        activities=set(delivery.activities),
        tasks=set(delivery.tasks_due),
        older=delivery.older,
        reported=delivery.unreported,
        assigned={name for name, creator in delivery.creators.items() if not creator.held},
        score=delivery.score and replace(delivery.score, pending=False),
        noted=set(owed_notes(delivery)),
        consent=said.event_id if said else None,
        address=delivery.address.event_id if delivery.address else None,
        terms=delivery.terms.event_id if delivery.terms else None,
        state=delivery.state.event_id if delivery.state else None,
        refused=delivery.state.refused if delivery.state else None,
        owner=delivery.owner.event_id if delivery.owner else None,
        lead_status=delivery.lead_status.event_id if delivery.lead_status else None,
    )


def record_part(delivery: Delivery, wrote: set[str], *, is_there: bool = False) -> Done:
    """What writing the record deals with, but for the score; fields wait for the right to create.

    is_there: it existed already. If a sync request leaves such ones alone, what others have said of the
    person waits until that request is done.
    """
    done = everything(delivery)
    if is_there and request_of(delivery).update_existing is False:
        done.fields = {name: of for name, of in done.fields.items() if of == done.terms or name in wrote}
        done.owner = None
    if not delivery.may_create:
        return Done(
            consent=done.consent,
            address=done.address,
            state=done.state,
            refused=done.refused,
            lead_status=done.lead_status,
        )
    rest = replace(done, activities=set(), tasks=set(), older=None, reported=set(), noted=set(), score=None)
    return replace(rest, wrote=wrote)


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


def _missing(kind: str, name: str) -> str:
    label = _LABELS.get(name, f"the field {name}")
    setting = f", or set {DEFAULTS[name]} in the connection's settings" if name in DEFAULTS else ""
    return f"The CRM takes no {kind} without {label}, and nobody has given one. Send it{setting}."
