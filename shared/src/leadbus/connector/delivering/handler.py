"""Takes facts in: each merges into the deliveries of the connections it concerns. Writes MongoDB alone."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from opentelemetry.trace import SpanKind
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.connection import Connection
from leadbus.connector.delivering.delivery import Delivery, Fact
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.consuming.records import Effects, Received
from leadbus.messages import (
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    ProspectUpdated,
    SubscriptionChanged,
)
from leadbus.telemetry import Telemetry, context_from, is_sampled, names, traceparent_of
from leadbus.telemetry.names import process_span
from leadbus.telemetry.propagation import well_formed
from leadbus.topics import (
    CRM_NOTIFICATIONS,
    CRM_SUBSCRIPTIONS,
    LEADS_ACTIVITIES,
    LEADS_DISTRIBUTED,
    LEADS_QUALIFIED,
    LEADS_SCORED,
    MARKETING_CAMPAIGNS,
    PROSPECTS_UPDATED,
)

TOPICS = (  # pushes and campaigns are taken out before, see `hinting` and `campaigning.taking_in`
    LEADS_DISTRIBUTED,
    LEADS_QUALIFIED,
    LEADS_ACTIVITIES,
    LEADS_SCORED,
    PROSPECTS_UPDATED,
    CRM_SUBSCRIPTIONS,
    CRM_NOTIFICATIONS,
    MARKETING_CAMPAIGNS,
)

Merge = tuple[Fact, bytes | None, datetime]


class MergingHandler:
    """The consumer's handler of every connector."""

    def __init__(self, connections: Connections, deliveries: Deliveries, telemetry: Telemetry) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._telemetry = telemetry

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `Handler`."""
        tenants = {received.message.tenant_id for received in batch}
        connections: dict[str, list[Connection]] = defaultdict(list)
        for connection in await self._connections.of_tenants(tenants):
            connections[connection.settings.tenant_id].append(connection)
        facts: dict[tuple[str, str], list[Merge]] = defaultdict(list)
        owners: dict[tuple[str, str], Connection] = {}
        for received in batch:
            fact = received.message
            if not isinstance(fact, Fact):
                continue
            concerned = [c for c in connections[fact.tenant_id] if concerns(fact, c)]
            if not concerned:
                continue
            traceparent = self._trace(received)
            accepted = getattr(fact, "received_at", None) or _time(received.at)
            for connection in concerned:
                name = (connection.id, fact.prospect_id)
                owners[name] = connection
                facts[name].append((fact, traceparent, accepted))
        if not facts:
            return Effects()
        merges = {name: _merge(owners[name], name[1], waiting) for name, waiting in facts.items()}

        async def write(session: AsyncClientSession) -> None:
            await self._deliveries.merge_all(merges, session)

        return Effects(write=write)

    def _trace(self, received: Received) -> bytes | None:
        """A span for a sampled fact; what follows is its child. Others cost nothing."""
        if not is_sampled(received.traceparent):
            given = received.traceparent
            return given if given and well_formed(given) else None
        span = self._telemetry.tracer.start_span(
            process_span(received.topic),
            context_from(received.traceparent),
            SpanKind.CONSUMER,
            {
                names.MESSAGING_SYSTEM: "kafka",
                names.OPERATION_NAME: "process",
                names.OPERATION_TYPE: "process",
                names.DESTINATION: received.topic,
                names.PARTITION: str(received.partition),
                names.OFFSET: received.offset,
                names.GROUP: self._telemetry.service,
                names.MESSAGE_ID: received.message.event_id,
            },
        )
        span.end()
        return traceparent_of(span)


def concerns(fact: Fact, connection: Connection) -> bool:
    """Whether a fact is this connection's business; one that is switched off goes on collecting.

    What a prospect is, wants or asks for (updates, opt-outs) is every connection's of its tenant; an opt-out
    also that of the connection it came from, which must know it to weigh a later opt-in.
    """
    match fact:
        case LeadDistributed():
            return connection.takes(fact)
        case LeadQualified():
            return fact.connection_id == connection.id
        case LeadActivities() | LeadScored():
            return connection.id in fact.connections
        case ProspectUpdated() | SubscriptionChanged():
            return fact.tenant_id == connection.settings.tenant_id


def _merge(
    connection: Connection, prospect_id: str, facts: list[Merge]
) -> Callable[[Delivery | None], Delivery]:
    """May be called several times, each time with the delivery as it then is."""

    def merge(delivery: Delivery | None) -> Delivery:
        delivery = delivery or Delivery(
            connection_id=connection.id,
            organisation_id=connection.organisation_id,
            tenant_id=connection.settings.tenant_id,
            prospect_id=prospect_id,
            team_scope=connection.settings.team_scope,
        )
        for fact, traceparent, accepted in facts:
            delivery.merge(fact, traceparent, accepted)
        return delivery

    return merge


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
