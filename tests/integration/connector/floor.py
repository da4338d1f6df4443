"""What the tests of the kit work with: one pod on real servers, and what was told on the topics."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from connector_sugar.connector import SugarAdapter
from connector_sugar.legacy import LegacySite
from connector_sugar.settings import SugarConnection
from leadbus.connector.api.commands import ConnectionCommands
from leadbus.connector.campaigning.taking_in import CampaignHandler
from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.delivering.handler import MergingHandler
from leadbus.connector.delivering.settling import Settling
from leadbus.connector.delivering.sparing import Sparing
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.credits import Credits
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.descriptions import Descriptions
from leadbus.connector.stores.holdings import ConnectorHoldings
from leadbus.connector.stores.leases import Leases
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import Mirror
from leadbus.connector.workers import Workers
from leadbus.connector.workshop import Workshop
from leadbus.erasing.erasing import Erasing
from leadbus.messages import (
    Message,
)
from leadbus.publishing import KafkaPublisher, Publisher
from leadbus.security.addresses import AddressGuard
from leadbus.security.secrets import SecretBox
from leadbus.telemetry import Telemetry
from leadbus.tenant_fields import MongoTenantFields
from leadbus.topics import BY_NAME, TOPICS

if TYPE_CHECKING:
    from conftest import Bench

TOLD = tuple(topic for topic in TOPICS if topic.name.startswith("crm."))
NAME = "connector-sugar"
KEY = base64.urlsafe_b64encode(bytes(32)).decode()
WEB_VIEW = "web_view"
KINDS: tuple[Kind, ...] = get_args(Kind)
NO_PULLS = dict.fromkeys((*KINDS, "comparison"))


@dataclass
class Told:
    """What was published, by anybody; a tenant of one's own tells tests apart."""

    seen: list[Message] = field(default_factory=list)

    async def listen(self, consumer: AIOKafkaConsumer, prefix: str) -> None:
        async for record in consumer:
            topic = BY_NAME[record.topic.removeprefix(prefix)]
            self.seen.append(topic.message.model_validate_json(record.value))


@dataclass
class Kit:
    """A publisher, and what was told; shared by all tests."""

    publisher: KafkaPublisher
    told: Told
    telemetry: Telemetry


class Pod:
    """One pod's workers, API commands and handler. wrap: what stands between them and the adapter."""

    def __init__(
        self,
        bench: "Bench",
        *,
        wrap: Callable[[SugarAdapter], Adapter] = lambda adapter: adapter,
        publisher: Publisher | None = None,
        read_timeout: float = 5.0,
        allowed: str = "127.0.0.1",
    ) -> None:
        client, name = bench.client, bench.database.name
        guard = AddressGuard(allowed)
        telemetry, publisher = bench.kit.telemetry, publisher or bench.kit.publisher

        async def adapter_for(connection: Connection) -> Adapter:
            await guard.check(connection.settings.address)
            settings = SugarConnection.model_validate(connection.settings)

            async def site() -> LegacySite:
                return LegacySite(settings.access, "soap", read_timeout=read_timeout)

            return wrap(SugarAdapter(settings, site))

        self.owner = uuid4().hex
        self.connections = Connections(client, name, NAME, SugarConnection, SecretBox(KEY))
        self.deliveries = Deliveries(client, name, NAME)
        self.links, self.mirror = Links(client, name, NAME), Mirror(client, name, NAME)
        self.pulling = PullShop.of(
            client,
            name,
            NAME,
            mirror=self.mirror,
            links=self.links,
            deliveries=self.deliveries,
            publisher=publisher,
            telemetry=telemetry,
        )
        self.leases = Leases(client, name, NAME, self.owner)
        sparing = Sparing(client[name], NAME, self.connections)
        self.workshop = Workshop(
            connections=self.connections,
            deliveries=self.deliveries,
            links=self.links,
            pulling=self.pulling,
            credits=Credits(client, name, NAME),
            settling=Settling("sugar", self.deliveries, publisher, telemetry, sparing),
            telemetry=telemetry,
            adapter_for=adapter_for,
        )
        self.workers = Workers(self.workshop, self.leases)
        self.commands = ConnectionCommands(
            "sugar",
            SugarConnection,
            connections=self.connections,
            deliveries=self.deliveries,
            campaigns=self.pulling.campaigns,
            descriptions=Descriptions(client, name, NAME),
            own_fields=MongoTenantFields(client[name]).names_of,
            publisher=publisher,
            adapter_for=adapter_for,
            changed=self.workers.settings_changed,
        )
        holdings = ConnectorHoldings(client[name], NAME, self.connections)
        self.handler = Erasing(NAME, client[name], holdings).handler(
            CampaignHandler(
                MergingHandler(self.connections, self.deliveries, telemetry),
                self.connections,
                self.pulling.campaigns,
            )
        )

    async def start(self) -> "Pod":
        await self.workers.start()
        return self

    async def stop(self) -> None:
        await self.workers.stop()
