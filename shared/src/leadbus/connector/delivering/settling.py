"""After a working-off: tells what became of each delivery, then takes out of it what is dealt with."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from leadbus.connector.capabilities import Capabilities
from leadbus.connector.connection import Connection, HealthState
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.sparing import Sparing
from leadbus.connector.delivering.work import Outcome, Work
from leadbus.connector.stores.deliveries import Change, Deliveries
from leadbus.errors import Transient
from leadbus.ids import derived_id
from leadbus.messages import DeliveryReported
from leadbus.publishing import Outgoing, Publisher
from leadbus.telemetry import Telemetry, names
from leadbus.telemetry.propagation import trace_id_of
from leadbus.topics import CRM_DELIVERIES

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(minutes=15)
MOST_REASONS = 8


class Settling:
    """Publishes first and forgets after: a crash between the two repeats an event, and loses none."""

    def __init__(
        self,
        crm: str,
        deliveries: Deliveries,
        publisher: Publisher,
        telemetry: Telemetry,
        sparing: Sparing,
    ) -> None:
        self._sparing = sparing
        self._crm = crm
        self._deliveries = deliveries
        self._publisher = publisher
        self._worked_off = telemetry.counter(names.DELIVERIES)
        self._latency = telemetry.histogram(names.LEAD_LATENCY)

    async def settle(
        self, connection: Connection, capabilities: Capabilities, works: Sequence[Work], *, broken: bool
    ) -> None:
        """broken: a whole call failed, so that what is not written is nobody's fault but the CRM's.

        Raises:
            Transient: Kafka does not acknowledge; nothing is forgotten, the work-off is repeated.
        """
        works = await self._sparing.left(works)
        now = datetime.now(UTC)
        told = [work for work in works if _is_worth_telling(work, broken)]
        faults = await self._publisher.publish(
            [
                Outgoing.of(
                    CRM_DELIVERIES, _report(connection, capabilities, work, now), work.delivery.traceparent
                )
                for work in told
            ]
        )
        if any(fault is not None for fault in faults):
            raise Transient("Kafka does not acknowledge what became of deliveries.")
        changes = [(work.delivery, self._change(work, now, broken=broken)) for work in works]
        outcomes = [_outcome(work) if _is_worth_telling(work, broken) else "retried" for work in works]
        arrived = [creator for work in told for creator in _arrived(work)]
        await self._deliveries.settle_all(changes)
        for outcome in outcomes:
            labels = {names.CRM: self._crm, names.CONNECTION: connection.id}
            self._worked_off.add(1, labels | {names.OUTCOME: outcome})
        for right, accepted_at in arrived:
            labels = {names.CRM: self._crm, names.RIGHT: right}
            answering = "yes" if _was_well(connection, accepted_at) else "no"
            self._latency.record((now - accepted_at).total_seconds(), labels | {names.ANSWERING: answering})

    def _change(self, work: Work, now: datetime, *, broken: bool) -> Change:
        """What a working-off makes of a delivery, as it then is: facts may have come in since it was read."""
        read, traceparent = work.delivery.revision, work.delivery.traceparent
        told, parked, words = _is_worth_telling(work, broken), work.is_parked, _in_words(work)
        if told and not parked:
            work.written.reported = work.delivery.unreported
            work.written.told = work.link.since if work.link else None
        if work.refused is not None and not (told and work.error is None):
            work.written.state = None  # nobody has heard of that refusal: the state is asked for again

        def change(delivery: Delivery) -> None:
            nothing_came_in = delivery.revision == read
            delivery.hold(work.held)
            delivery.settle(work.written)
            if told or work.reasons:
                delivery.note(now, words, traceparent)
            if parked and nothing_came_in:
                delivery.parked = work.parked(now)
                delivery.wait_for_a_person()
            elif work.error is not None and not broken:
                delivery.attempts += 1
                delivery.next_try = now + _delay(delivery.attempts)
            elif work.later is not None and nothing_came_in and not delivery.begun:
                delivery.next_try = work.later

        return change


def _report(
    connection: Connection, capabilities: Capabilities, work: Work, now: datetime
) -> DeliveryReported:
    """Its id is the same when a crash repeats it, also if facts came in between for a new link."""
    delivery, link, outcome = work.delivery, work.link, _outcome(work)
    is_new = link is not None and outcome in ("created", "matched")
    record = link.record if link and work.has_record else None
    # A link learns where a lead came from once there is a record, and a refused lead may never have one.
    origins = [*(link.origins if link else []), *(c.origin for c in delivery.creators.values() if c.origin)]
    version = link.since.isoformat() if link and is_new else str(delivery.revision)
    return DeliveryReported(
        event_id=derived_id(connection.id, delivery.prospect_id, outcome, version),
        tenant_id=delivery.tenant_id,
        occurred_at=now,
        prospect_id=delivery.prospect_id,
        connection_id=connection.id,
        outcome=outcome,
        record=record,
        kind=capabilities.person_kind_of(record.module) if record else None,
        activities=work.activities,
        origins=connection.origins_of(list(dict.fromkeys(origins))),
        reason=str(work.error) if work.error else work.refused and work.refused.reason,
        field=getattr(work.error, "field", None),
        lead_trace_id=(link.lead_trace_id if link else None) or trace_id_of(delivery.traceparent),
        first_said=delivery.first_said,
    )


def _is_worth_telling(work: Work, broken: bool) -> bool:
    """A change of what the CRM holds or refuses, or a lead's arrival; half a try is neither."""
    if work.is_parked or work.outcome != "updated":
        return True
    has_news = work.changed or work.activities > 0 or work.delivery.is_new or work.refused is not None
    return has_news and work.error is None and not broken


def _arrived(work: Work) -> list[tuple[str, datetime]]:
    """Rights to create that have led to a record now: which, and since when that was waited for."""
    if work.is_parked or not work.has_record:
        return []
    waiting = {name: work.delivery.creators[name] for name in work.delivery.unreported - work.held}
    return [(c.right, c.accepted_at) for c in waiting.values() if c.accepted_at is not None]


def _was_well(connection: Connection, since: datetime) -> bool:
    return connection.health.state is HealthState.WELL and connection.health.since <= since


def _outcome(work: Work) -> Outcome:
    return "parked" if work.is_parked else work.outcome


def _in_words(work: Work) -> str:
    where = f" {work.link.record.module}/{work.link.record.id}" if work.link and work.has_record else ""
    notes = f", {work.activities} activities added" if work.activities else ""
    reasons = f"; {', '.join(work.reasons[:MOST_REASONS])}" if work.reasons else ""
    error = f": {work.error}" if work.error else ""
    return f"{_outcome(work)}{where}{notes}{reasons}{error}"


def _delay(attempts: int) -> timedelta:
    """Growing and jittered: 1 s, 2 s, 4 s ... 15 min."""
    seconds = min(LONGEST.total_seconds(), SHORTEST.total_seconds() * 2 ** min(attempts - 1, 12))
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))
