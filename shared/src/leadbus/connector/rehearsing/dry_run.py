"""A dry run: what would be written to the CRM for one prospect if it were handed over now, and why.

The delivery is made of a fact by the code that makes it of facts, and worked off by the code that works off
deliveries. The CRM and the stores are read as they are; nothing is written to either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from leadbus.connector.capabilities import PersonKind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, NewPerson, PersonChange
from leadbus.connector.delivering import plan
from leadbus.connector.delivering.context import Context
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.handler import merging
from leadbus.connector.delivering.merging import Fact
from leadbus.connector.delivering.plan_fields import Decision, decide_new, decide_settled
from leadbus.connector.delivering.work import Work
from leadbus.connector.delivering.workoff import WorkOff
from leadbus.connector.mapping import FieldMap
from leadbus.connector.rehearsing.stand_in import StandIn, Written
from leadbus.connector.stores.asked import Asked
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import Mirror
from leadbus.errors import Gone, Rejected
from leadbus.ids import prospect_id
from leadbus.messages import Fields, LeadDistributed, LeadQualified, ProspectUpdated, Record, SyncRequest
from leadbus.storage.mongo import Client
from leadbus.storage.unwritten import unwritten

By = Literal["distribution", "marketing"]
MOST_SHOWN = 20
NOBODY = "dry-run"
"""The supplier of a lead that nobody has handed over."""
_SHOWN_APART = {"id", "record", "kind", "values", "owner_id", "account_id", "lead_source", "version"}


@dataclass(frozen=True, slots=True)
class Person:
    """Who is rehearsed: a prospect that is known, or an email with what is said of the person.

    by: how it is handed over. fields: by our names. score: None = as it is, or just enough. sync: the terms
    of a sync request, which is of neither profile.
    """

    prospect_id: str | None = None
    email: str | None = None
    fields: Mapping[str, str] | None = None
    by: By = "distribution"
    supplier_id: str | None = None
    campaign_id: str | None = None
    score: int | None = None
    sync: SyncRequest | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user of the CRM; email and name as far as users are read from it."""

    id: str
    email: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing would be written, or not all. field: what to change, by our name or the setting's."""

    reason: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A note, task or call that would be added to the record."""

    type: str
    subject: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would come of it.

    outcome: created = a new record; matched = one found by email; updated = the linked one; refused = the CRM
    would not take it; not_taken = it is none of this connection's business. record: that is there already.
    fields: all that is known of the person. owner: who would own the record; None = the user in whose name
    Leadbus writes. lead_source: to be written. besides: what else of the record is written, by its name in
    Leadbus. account: a contact's company, if one would be made. becomes_contact: the lead would be made one.
    notes, tasks, calls: how many would be added; activities: the first of them. members: how many campaigns
    or lists it would be put on or taken off.
    """

    connection_id: str
    prospect_id: str
    outcome: Literal["created", "matched", "updated", "unlinked", "parked", "refused", "not_taken"]
    kind: PersonKind | None = None
    record: Record | None = None
    url: str | None = None
    refused: Refused | None = None
    fields: tuple[Decision, ...] = ()
    owner: User | None = None
    lead_source: str | None = None
    besides: Mapping[str, Any] | None = None
    account: str | None = None
    becomes_contact: bool = False
    notes: int = 0
    tasks: int = 0
    calls: int = 0
    activities: tuple[Added, ...] = ()
    members: int = 0
    reasons: tuple[str, ...] = ()


class DryRun:
    """For all connections of one connector."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        read = unwritten(client)
        self._deliveries = Deliveries(read, database, service)
        self._links = Links(read, database, service)
        self._mirror = Mirror(read, database, service)
        self._asked = Asked(read, database, service)
        self._campaigns = Campaigns(read, database, service)

    async def run(self, connection: Connection, person: Person, adapter: Adapter) -> Rehearsed:
        """Reads the CRM as delivering would.

        Raises:
            Gone: nothing is known of such a prospect here. Rejected: nobody is named.
            LeadbusError: the CRM does not answer, or does not let us in.
        """
        known = await self._known(connection, person)
        email = person.email or (known.email if known else None)
        if email is None:
            raise Rejected("Name somebody: the id of a prospect, or an email.", field="email")
        who = known.prospect_id if known else prospect_id(connection.settings.tenant_id, email=email)
        fact = _fact(connection, person, who, email, known)
        if (stays_out := _not_taken(connection, fact)) is not None:
            return Rehearsed(connection.id, who, "not_taken", refused=stays_out)
        delivery = merging(connection, who, [(fact, None, fact.occurred_at)])(known)
        fields_ = FieldMap.of(connection.settings, adapter.capabilities)
        stand_in = StandIn(adapter, fields_)
        context = Context(
            connection=connection,
            adapter=stand_in.as_adapter(),
            links=self._links,
            mirror=self._mirror,
            deliveries=self._deliveries,
            asked=self._asked,
            campaigns=self._campaigns,
            fields=fields_,
            holds_lease=lambda: True,
        )
        work = Work(delivery)
        await WorkOff(context).run([work])
        return await self._told(context, work, stand_in.written, adapter)

    async def _known(self, connection: Connection, person: Person) -> Delivery | None:
        tenant = connection.settings.tenant_id
        who = person.prospect_id or (prospect_id(tenant, email=person.email) if person.email else "")
        found = await self._deliveries.of_prospect(tenant, who)
        known = next((delivery for delivery in found if delivery.connection_id == connection.id), None)
        if known is None and person.email is None and person.prospect_id:
            raise Gone("Nothing is known of such a prospect here: give an email, and what is known of it.")
        return known

    async def _told(self, context: Context, work: Work, written: Written, adapter: Adapter) -> Rehearsed:
        rows: list[NewPerson | PersonChange] = [*written.people, *written.changes]
        row = rows[0] if rows else None
        owner_id = (row.owner_id if row is not None else None) or work.owner_id
        record = None if work.created else work.record
        kinds = [activity.type for activity in written.activities]
        if work.person is not None:
            kind = work.person.kind
            rest = decide_settled(work.delivery, context.fields, kind, work.person)
            decided = sorted([*work.decisions, *rest], key=lambda decision: decision.field)
        else:
            kind = next(
                (made.kind for made in written.people), plan.kind_of(work.delivery, context.connection)
            )
            values = plan.all_values(work.delivery, context.connection)
            decided = decide_new(values, work.delivery, context.fields, kind)
        error, state = work.error, work.refused
        return Rehearsed(
            connection_id=context.connection.id,
            prospect_id=work.delivery.prospect_id,
            outcome="refused" if error is not None else work.outcome,
            kind=kind,
            record=record,
            url=adapter.url_of(record) if record else None,
            refused=Refused(str(error), getattr(error, "field", None))
            if error is not None
            else Refused(state.reason, state.field)
            if state is not None
            else None,
            fields=tuple(decided),
            owner=await self._user(context.connection, owner_id) if owner_id else None,
            lead_source=row.lead_source if row is not None else None,
            besides=_besides(row),
            account=next((account.name for account in written.accounts), None),
            becomes_contact=bool(written.conversions),
            notes=kinds.count("note"),
            tasks=kinds.count("task"),
            calls=kinds.count("call"),
            activities=tuple(Added(a.type, a.subject, a.due_at) for a in written.activities[:MOST_SHOWN]),
            members=len(written.members),
            reasons=tuple(work.reasons),
        )

    async def _user(self, connection: Connection, user_id: str) -> User:
        row = (await self._mirror.get(connection.id, [user_id], "user")).get(user_id)
        return User(user_id, row.email, row.name) if row else User(user_id)


def _besides(row: NewPerson | PersonChange | None) -> dict[str, Any]:
    """Members of a row that are said and have no place of their own in the answer."""
    if row is None:
        return {}
    names = {member.name for member in fields(row)} - _SHOWN_APART - {"traceparent"}
    return {name: value for name in sorted(names) if (value := getattr(row, name)) is not None}


def _fact(
    connection: Connection, person: Person, who: str, email: str, known: Delivery | None
) -> LeadDistributed | LeadQualified | ProspectUpdated:
    said = _envelope(connection, who, email) | {"fields": Fields.from_flat(dict(person.fields or {}))}
    settings = connection.settings
    if person.sync is not None:
        return ProspectUpdated(**said, received_at=said["occurred_at"], sync=person.sync)
    if person.by == "distribution":
        return LeadDistributed(
            **said,
            received_at=said["occurred_at"],
            distribution_id=said["event_id"],
            supplier_id=person.supplier_id or settings.supplier_id or NOBODY,
            campaign_id=person.campaign_id,
        )
    threshold = settings.marketing_automation.threshold
    present = known.score if known else None
    score = person.score if person.score is not None else present.value if present else threshold + 1
    return LeadQualified(
        **said,
        version=present.version + 1 if present else 1,
        score=score,
        millipoints=score * 1_000,
        connection_id=connection.id,
        threshold=threshold,
    )


def _envelope(connection: Connection, who: str, email: str) -> dict[str, Any]:
    return {
        "event_id": uuid4().hex,
        "tenant_id": connection.settings.tenant_id,
        "occurred_at": datetime.now(UTC),
        "prospect_id": who,
        "email": email,
    }


def _not_taken(connection: Connection, fact: Fact) -> Refused | None:
    """Why the connection would not hear of it at all."""
    settings = connection.settings
    if isinstance(fact, LeadDistributed) and not connection.takes(fact):
        if settings.supplier_id not in (None, fact.supplier_id):
            return Refused("The connection takes only leads of its own supplier.", "supplier_id")
        return Refused("The connection takes no distributed leads.", "lead_distribution")
    if isinstance(fact, LeadQualified):
        if not settings.marketing_automation.synchronises:
            return Refused("The connection takes no leads of marketing.", "marketing_automation")
        if fact.score <= fact.threshold:
            what = f"The score, {fact.score}, does not exceed the threshold, {fact.threshold}."
            return Refused(what, "marketing_automation.threshold")
    return None
