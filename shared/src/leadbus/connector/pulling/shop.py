"""What every pulling of a connector shares, and what is told of pulled rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadbus.connector.pulling.bell import Bell
from leadbus.connector.stores.asked import Asked
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.members import Members
from leadbus.connector.stores.mirror import Mirror
from leadbus.connector.stores.pulls import Pulls
from leadbus.connector.stores.watches import Watches
from leadbus.connector.taking.known import Told
from leadbus.erasing.tombstones import Tombstones
from leadbus.errors import Transient
from leadbus.messages import Feedback, LeadAnswered
from leadbus.publishing import Outgoing, Publisher
from leadbus.storage.mongo import Client
from leadbus.telemetry import Telemetry, names
from leadbus.telemetry.coming_back import coming_back


@dataclass(frozen=True, slots=True)
class PullShop:
    """See the module."""

    mirror: Mirror
    links: Links
    deliveries: Deliveries
    campaigns: Campaigns
    pulls: Pulls
    asked: Asked
    members: Members
    watches: Watches
    bell: Bell
    tombstones: Tombstones
    publisher: Publisher
    telemetry: Telemetry

    @classmethod
    def of(
        cls,
        client: Client,
        database: str,
        service: str,
        *,
        mirror: Mirror,
        links: Links,
        deliveries: Deliveries,
        publisher: Publisher,
        telemetry: Telemetry,
    ) -> "PullShop":
        """With stores of its own for what nobody else needs."""
        asked = Asked(client, database, service)
        return cls(
            mirror=mirror,
            links=links,
            deliveries=deliveries,
            campaigns=Campaigns(client, database, service),
            pulls=Pulls(client, database, service),
            asked=asked,
            members=Members(client, database, service),
            watches=Watches(client, database, service),
            bell=Bell(asked),
            tombstones=Tombstones(client[database], service),
            publisher=publisher,
            telemetry=telemetry,
        )

    async def prepare(self) -> None:
        """Creates the indexes of its own stores."""
        await self.asked.prepare()
        await self.members.prepare()
        await self.campaigns.prepare()

    async def publish(self, told: Sequence[Told]) -> None:
        """Raises Transient if Kafka does not acknowledge all; what was not is pulled again."""
        records = [Outgoing.of(topic, event, self._trace(topic.name, event)) for topic, event in told]
        if records and any(fault is not None for fault in await self.publisher.publish(records)):
            raise Transient("Kafka does not acknowledge what was pulled.")

    def count(self, crm: str, connection_id: str, kind: str, counts: Mapping[str, int]) -> None:
        """Adds rows, by outcome, to the metrics."""
        rows = self.telemetry.counter(names.PULLED_ROWS)
        labels = {names.CRM: crm, names.CONNECTION: connection_id, names.KIND: kind}
        for outcome, count in counts.items():
            rows.add(count, labels | {names.OUTCOME: outcome})

    def _trace(self, topic: str, event: object) -> bytes | None:
        if not isinstance(event, Feedback | LeadAnswered):
            return None
        return coming_back(self.telemetry, topic, event.prospect_id, event.connection_id, event.lead_trace_id)
