"""Pulls changes from a CRM: publish, then remember what was seen, then move the cursor.

In that order a crash repeats an event and never loses one. The cursor is the CRM's own time; each pull
begins a little before it, because a row may become visible after a later one. Compared is field by field
with what was seen, or what we meant to write: our own writes are no news.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from opentelemetry.trace import SpanKind
from pydantic import TypeAdapter, ValidationError

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Opportunity, Page, Person
from leadbus.connector.link import Link, LinkState
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.pulls import Pulls, Values
from leadbus.errors import Transient
from leadbus.ids import derived_id, prospect_id
from leadbus.messages import Email, Feedback, LeadStatusChanged, OpportunityChanged, Record
from leadbus.publishing import Outgoing, Publisher
from leadbus.telemetry import Telemetry, context_from, names, traceparent_of
from leadbus.topics import CRM_LEAD_STATUS, CRM_OPPORTUNITIES, Topic

OVERLAP = timedelta(minutes=2)
FIRST_REACH = timedelta(hours=1)
"""How far back the first pull of a new connection looks; nothing of ours can be older."""

Row = TypeVar("Row")
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


class Pulling:
    """Pulls for one connection."""

    def __init__(
        self,
        connection: Connection,
        adapter: Adapter,
        *,
        links: Links,
        pulls: Pulls,
        publisher: Publisher,
        telemetry: Telemetry,
    ) -> None:
        self._connection = connection
        self._adapter = adapter
        self._links = links
        self._pulls = pulls
        self._publisher = publisher
        self._telemetry = telemetry
        self._rows = telemetry.counter(names.PULLED_ROWS)

    async def run(self) -> None:
        """Reads every kind to its end.

        Raises:
            LeadbusError: the CRM or Kafka failed; the next pull begins where this one was.
        """
        await self._pull("leads", self._adapter.changed_people, self._people)
        await self._pull("opportunities", self._adapter.changed_opportunities, self._opportunities)

    async def _pull(
        self,
        kind: str,
        read: Callable[[datetime, str | None], Awaitable[Page[Row]]],
        take: Callable[[Sequence[Row], datetime], Awaitable[None]],
    ) -> None:
        since = await self._pulls.cursor(self._connection.id, kind) or datetime.now(UTC) - FIRST_REACH
        page = await read(since - OVERLAP, None)
        server_time = page.server_time
        while True:
            await take(page.rows, server_time)
            if page.next is None:
                break
            page = await read(since - OVERLAP, page.next)
        await self._pulls.move(self._connection.id, kind, server_time)

    async def _people(self, people: Sequence[Person], server_time: datetime) -> None:
        records = [person.record for person in people]
        links = await self._links.of_records(
            self._connection.organisation_id, self._connection.settings.tenant_id, records
        )
        ours: dict[str, list[Link]] = defaultdict(list)
        for link in filter(self._is_ours, links):
            ours[link.record.id].append(link)
        seen = await self._pulls.seen(self._connection.id, records)
        events: list[Feedback] = []
        now_seen: dict[Record, Values] = {}
        for person in people:
            before = seen.get(person.record.id, {}).get("status")
            is_ours = person.record.id in ours
            if not is_ours or person.deleted or person.status is None or person.status == before:
                continue
            at = person.changed_at or server_time
            events += [
                LeadStatusChanged(
                    **self._envelope(person.record, link, at, [person.status, before]),
                    email=_valid(person.email),
                    status=person.status,
                    previous_status=before,
                )
                for link in ours[person.record.id]
            ]
            now_seen[person.record] = {"status": person.status}
        await self._tell(CRM_LEAD_STATUS, "leads", events, len(people))
        await self._pulls.remember(self._connection.id, now_seen)

    async def _opportunities(self, opportunities: Sequence[Opportunity], server_time: datetime) -> None:
        tenant = self._connection.settings.tenant_id
        by_email = {e: prospect_id(tenant, email=e) for o in opportunities for e in o.contact_emails}
        links = await self._links.of_prospects(self._connection.organisation_id, by_email.values())
        seen = await self._pulls.seen(self._connection.id, [o.record for o in opportunities])
        events: list[Feedback] = []
        now_seen: dict[Record, Values] = {}
        for opportunity in opportunities:
            matched = sorted(
                (email, link)
                for email in set(opportunity.contact_emails)
                if (link := links.get(by_email[email])) and self._is_ours(link)
            )
            values = _values(opportunity, [email for email, _ in matched])
            if not matched or seen.get(opportunity.record.id) == values:
                continue
            at = opportunity.changed_at or server_time
            events += [self._opportunity(opportunity, email, link, at, values) for email, link in matched]
            now_seen[opportunity.record] = values
        await self._tell(CRM_OPPORTUNITIES, "opportunities", events, len(opportunities))
        await self._pulls.remember(self._connection.id, now_seen)

    def _opportunity(
        self, opportunity: Opportunity, email: str, link: Link, at: datetime, values: Values
    ) -> OpportunityChanged:
        return OpportunityChanged(
            **self._envelope(opportunity.record, link, at, values),
            email=email,
            name=opportunity.name,
            stage=opportunity.stage,
            amount=opportunity.amount,
            currency=opportunity.currency,
            close_date=opportunity.close_date,
            probability=opportunity.probability,
            lead_source=opportunity.lead_source,
            deleted=opportunity.deleted,
        )

    def _envelope(self, record: Record, link: Link, at: datetime, values: object) -> dict[str, object]:
        """What every feedback carries. Its id holds what changed and when: a repeat is no second event."""
        return {
            "event_id": derived_id(
                self._connection.id, link.prospect_id, record.id, at.isoformat(), json.dumps(values)
            ),
            "tenant_id": link.tenant_id,
            "occurred_at": at,
            "prospect_id": link.prospect_id,
            "connection_id": self._connection.id,
            "record": record,
            "origins": self._connection.origins_of(link.origins),
            "lead_trace_id": link.lead_trace_id,
        }

    def _is_ours(self, link: Link) -> bool:
        return link.state is LinkState.LINKED and self._connection.id in link.connections

    async def _tell(self, topic: Topic, kind: str, events: Sequence[Feedback], read: int) -> None:
        records = [Outgoing.of(topic, event, self._trace(topic, event)) for event in events]
        if any(fault is not None for fault in await self._publisher.publish(records)):
            raise Transient("Kafka does not acknowledge what was pulled.")
        labels = {names.CRM: self._adapter.capabilities.crm, names.CONNECTION: self._connection.id}
        counts = {"published": len(events), "unchanged": read - len(events)}
        for outcome, count in counts.items():
            self._rows.add(count, labels | {names.KIND: kind, names.OUTCOME: outcome})

    def _trace(self, topic: Topic, event: Feedback) -> bytes | None:
        """The way back is a trace of its own, which names the one that brought the lead in."""
        span = self._telemetry.tracer.start_span(
            names.send_span(topic.name),
            context_from(None),
            SpanKind.PRODUCER,
            {
                names.ALWAYS_SAMPLED: event.lead_trace_id is not None,
                names.CONNECTION: self._connection.id,
                names.PROSPECT: event.prospect_id,
                names.LEAD_TRACE: event.lead_trace_id or "",
                names.DESTINATION: topic.name,
            },
        )
        span.end()
        return traceparent_of(span)


def _valid(email: str | None) -> str | None:
    """None for what a salesperson may have typed instead of an address."""
    try:
        return _EMAIL.validate_python(email)
    except ValidationError:
        return None


def _values(opportunity: Opportunity, emails: list[str]) -> Values:
    """In the vendor's own form, as compared with what was seen."""
    return {
        "name": opportunity.name,
        "stage": opportunity.stage,
        "amount": opportunity.amount,
        "currency": opportunity.currency,
        "close_date": opportunity.close_date.isoformat() if opportunity.close_date else None,
        "probability": str(opportunity.probability) if opportunity.probability is not None else None,
        "deleted": str(opportunity.deleted),
        "people": derived_id(*emails),
    }
