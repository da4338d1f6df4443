"""Takes facts in: each merges into the deliveries of the connections it concerns. Writes MongoDB alone."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.connection import Connection
from leadbus.connector.delivering import listed
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.merging import Fact
from leadbus.connector.delivering.owing import take_in
from leadbus.connector.settings.lists import pushes
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.consuming.records import Effects, Received
from leadbus.consuming.spans import taken_in
from leadbus.messages import (
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    ProspectUpdated,
    SubscriptionChanged,
)
from leadbus.telemetry import Telemetry
from leadbus.topics import (
    CRM_NOTIFICATIONS,
    CRM_SUBSCRIPTIONS,
    LEADS_ACTIVITIES,
    LEADS_DISTRIBUTED,
    LEADS_QUALIFIED,
    LEADS_SCORED,
    MARKETING_CAMPAIGNS,
    PROSPECTS_ERASED,
    PROSPECTS_UPDATED,
)

TOPICS = (  # pushes, campaigns and erasures are taken in by others (`leadbus.connector.service`)
    LEADS_DISTRIBUTED,
    LEADS_QUALIFIED,
    LEADS_ACTIVITIES,
    LEADS_SCORED,
    PROSPECTS_UPDATED,
    CRM_SUBSCRIPTIONS,
    CRM_NOTIFICATIONS,
    MARKETING_CAMPAIGNS,
    PROSPECTS_ERASED,
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
        said: dict[tuple[str, str], list[int]] = defaultdict(list)
        owners: dict[tuple[str, str], Connection] = {}
        for received in batch:
            fact = received.message
            if not isinstance(fact, Fact):
                continue
            concerned = [c for c in connections[fact.tenant_id] if concerns(fact, c)]
            if not concerned:
                continue
            traceparent = taken_in(self._telemetry, received, {})
            accepted = getattr(fact, "received_at", None) or _time(received.at)
            for connection in concerned:
                name = (connection.id, fact.prospect_id)
                owners[name] = connection
                facts[name].append((fact, traceparent, accepted))
                said[name].append(received.at)
        if not facts:
            return Effects()
        merges = {
            name: merging(owners[name], name[1], waiting, min(said[name])) for name, waiting in facts.items()
        }

        async def write(session: AsyncClientSession) -> None:
            await self._deliveries.merge_all(merges, session)

        return Effects(write=write)


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


def merging(
    connection: Connection, prospect_id: str, facts: Sequence[Merge], first_said: int = 0
) -> Callable[[Delivery | None], Delivery]:
    """Takes facts into a connection's delivery, or makes one. first_said: the oldest (broker time, ms).

    May be called several times, each time with the delivery as it then is.
    """

    lists = pushes(connection.settings.lists)
    score = connection.settings.marketing_automation.score

    def merge(delivery: Delivery | None) -> Delivery:
        delivery = delivery or Delivery(
            connection_id=connection.id,
            organisation_id=connection.organisation_id,
            tenant_id=connection.settings.tenant_id,
            prospect_id=prospect_id,
            team_scope=connection.settings.team_scope,
            first_said=first_said,
            revision=first_said,
        )
        delivery.first_said = min(delivery.first_said, first_said)
        for fact, traceparent, accepted in facts:
            take_in(delivery, as_scored(fact, score), traceparent, accepted, connection.settings.tasks)
            listed.begin(delivery, lists, accepted, fact)
        if not connection.on:
            delivery.wait_for_a_person()
        return delivery

    return merge


def as_scored(fact: Fact, score: str | None) -> Fact:
    """The fact with the score of that name, where it carries the tenant's main one; None = that is meant."""
    if score is None or not isinstance(fact, LeadScored | LeadActivities):
        return fact
    return fact.model_copy(update={"score": fact.scores.get(score, 0)})


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
