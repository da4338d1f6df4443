"""The connector kit with the SugarCRM adapter on real servers: facts in, the CRM's tables judged."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.delivering.plan_notes import FIELDS_NOTE
from leadbus.connector.pulling.pulling import Pulling
from leadbus.connector.settings import Schedules
from leadbus.consuming.records import Received
from leadbus.ids import prospect_id
from leadbus.messages import (
    Activity,
    Fields,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    Message,
)
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher, Publisher
from leadbus.storage.mongo import Client, Document, connect
from leadbus.telemetry import Telemetry
from leadbus.topics import CRM_DELIVERIES
from sandbox.servers import Kafka, MongoDB
from sandbox.sugar import SugarCRM, desk

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages; `floor` is found beside them

from floor import KINDS, NAME, NO_PULLS, TOLD, WEB_VIEW, Kit, Pod, Told
from whole import Running, installed


@pytest.fixture(scope="package")
async def running(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[Running]:
    async with installed(kafka, mongodb) as whole:
        yield whole


@pytest.fixture(scope="package")
async def kit(kafka: Kafka) -> AsyncIterator[Kit]:
    prefix = f"connector-{uuid4().hex[:8]}."
    await provision(kafka.bootstrap_servers, TOLD, prefix=prefix)
    publisher = KafkaPublisher(kafka.bootstrap_servers, NAME, topic_prefix=prefix)
    consumer = AIOKafkaConsumer(
        *(prefix + topic.name for topic in TOLD),
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
    )
    telemetry = Telemetry(NAME, {})
    await asyncio.gather(publisher.start(), consumer.start())
    told = Told()
    listening = asyncio.create_task(told.listen(consumer, prefix))
    yield Kit(publisher, told, telemetry)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await asyncio.gather(publisher.stop(), consumer.stop())
    telemetry.shutdown()


@dataclass
class Bench:
    """A database of one's own, a tenant of one's own, and CRMs as needed."""

    kit: Kit
    client: Client
    database: AsyncDatabase[Document]
    crms: list[SugarCRM] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    tenant: str = field(default_factory=lambda: f"t-{uuid4().hex[:10]}")
    offset: int = 0

    def __post_init__(self) -> None:
        self.desk = Pod(self)  # where people change settings; its workers do not run

    async def prepare(self) -> None:
        desk = self.desk
        for store in (desk.connections, desk.deliveries, desk.links, desk.mirror, desk.pulling):
            await store.prepare()

    async def crm(self, *, lead_source: str = "Leadbus") -> SugarCRM:
        crm = SugarCRM()
        await crm.start()
        self.crms.append(crm)
        for module in ("Leads", "Contacts"):
            desk.add_option(crm.store, module, "lead_source", lead_source)
        return crm

    async def pod(self, **how: Any) -> Pod:
        """A pod at work, stopped with the test."""
        pod = await Pod(self, **how).start()
        self.pods.append(pod)
        return pod

    async def connect(self, crm: SugarCRM, name: str = "", *, on: bool = True, **settings: Any) -> Connection:
        """A connection that is on; keywords are settings. Pulls are far apart unless told otherwise."""
        tenant = settings.pop("tenant", self.tenant)
        access = {"url": crm.url, "user": "admin", "password": "admin"} | settings.pop("access", {})
        schedules = NO_PULLS | settings.pop("schedules", {})
        values = {"access": access, "schedules": schedules} | settings
        connection = await self.desk.commands.apply(tenant, name or f"{tenant}-sugar", values)
        if on:
            connection, findings = await self.desk.commands.turn(connection, on=True)
            assert all(finding.ok for finding in findings), findings
        return connection

    async def feed(self, *facts: Message, traceparent: bytes | None = None) -> None:
        """Facts as one batch from Kafka, in one transaction."""
        batch = []
        for fact in facts:
            self.offset += 1
            at = int(datetime.now(UTC).timestamp() * 1000)
            batch.append(Received("any", 0, self.offset, at, fact, traceparent))
        effects = await self.desk.handler.handle(batch)
        async with self.client.start_session() as session:
            await session.with_transaction(effects.write)

    def told(self, topic: Any, tenant: str | None = None) -> list[Any]:
        wanted = tenant or self.tenant
        return [m for m in self.kit.told.seen if isinstance(m, topic.message) and m.tenant_id == wanted]

    def outcomes(self, tenant: str | None = None) -> list[str]:
        return [report.outcome for report in self.told(CRM_DELIVERIES, tenant)]

    async def pull(
        self, *connections: str, kinds: Sequence[Kind] = KINDS, publisher: Publisher | None = None
    ) -> None:
        """One pull of these connections, now and here, whatever the schedule says and any pod does."""
        shop = self.desk.workshop
        pulls = replace(shop.pulling, publisher=publisher or shop.pulling.publisher)
        daily = Schedules.model_validate(NO_PULLS | {kind: {"every_seconds": 86_400} for kind in kinds})
        for name in connections or (f"{self.tenant}-sugar",):
            connection = await self.desk.connections.get(name)
            assert connection is not None
            for pull in (await pulls.pulls.of_connection(name)).values():
                await pulls.pulls.save(replace(pull, last_run_at=None))
            settings = connection.settings.model_copy(update={"schedules": daily})
            adapter = await shop.adapter_for(connection)
            pulling = Pulling(replace(connection, settings=settings), adapter, pulls)
            try:
                while await pulling.turn() == 0.0:
                    pass
            finally:
                await adapter.close()

    async def delivery(self, email: str, connection: str = "", tenant: str | None = None) -> Any:
        tenant = tenant or self.tenant
        found = await self.desk.deliveries.of_prospect(tenant, prospect_id(tenant, email=email))
        return next(d for d in found if d.connection_id == (connection or f"{tenant}-sugar"))

    async def settled(
        self, *emails: str, connection: str = "", tenant: str | None = None, within: float = 60.0
    ) -> None:
        """Waits until nothing is due for these people."""
        for email in emails:

            async def done(email: str = email) -> bool:
                return not (await self.delivery(email, connection, tenant)).is_due

            await until(done, within)

    def _envelope(self, email: str, tenant: str | None, at: float) -> dict[str, Any]:
        tenant = tenant or self.tenant
        return {
            "event_id": str(uuid4()),
            "tenant_id": tenant,
            "occurred_at": now() + timedelta(seconds=at),
            "prospect_id": prospect_id(tenant, email=email),
            "email": email,
        }

    def distributed(
        self,
        email: str,
        distribution: str = "d1",
        supplier: str = "globex",
        *,
        tenant: str | None = None,
        at: float = 0,
        **fields: str,
    ) -> LeadDistributed:
        return LeadDistributed(
            **self._envelope(email, tenant, at),
            received_at=now(),
            distribution_id=distribution,
            supplier_id=supplier,
            fields=Fields(**fields),
        )

    def qualified(
        self,
        email: str,
        *activities: Activity,
        score: int = 51,
        version: int = 1,
        connection: str = "",
        tenant: str | None = None,
        **fields: str,
    ) -> LeadQualified:
        return LeadQualified(
            **self._envelope(email, tenant, 0),
            version=version,
            score=score,
            millipoints=score * 1000,
            connection_id=connection or f"{tenant or self.tenant}-sugar",
            threshold=50,
            fields=Fields(**fields),
            activities=list(activities),
        )

    def activities(
        self, email: str, *activities: Activity, score: int = 51, version: int = 2, **fields: str
    ) -> LeadActivities:
        return LeadActivities(
            **self._envelope(email, None, 0),
            version=version,
            score=score,
            millipoints=score * 1000,
            connections=[f"{self.tenant}-sugar"],
            fields=Fields(**fields),
            activities=list(activities),
        )

    def scored(self, email: str, score: int, version: int) -> LeadScored:
        return LeadScored(
            **self._envelope(email, None, 0),
            version=version,
            score=score,
            millipoints=score * 1000,
            connections=[f"{self.tenant}-sugar"],
        )


@pytest.fixture
async def bench(kit: Kit, mongodb: MongoDB, emptied: Callable[[str], Awaitable[str]]) -> AsyncIterator[Bench]:
    client = connect(mongodb.url, app_name="connector tests")
    database = client[await emptied("connector")]
    made = Bench(kit, client, database)
    if not await database.list_collection_names():
        await made.prepare()
    yield made
    await asyncio.gather(*(pod.stop() for pod in made.pods))
    await asyncio.gather(*(crm.stop() for crm in made.crms))
    await client.close()


@pytest.fixture
async def crm(bench: Bench) -> SugarCRM:
    return await bench.crm()


@pytest.fixture
def leads() -> Callable[[SugarCRM], list[dict[str, Any]]]:
    """Live leads, as stored."""
    return lambda crm: [row for row in desk.records(crm.store, "Leads") if not row["deleted"]]


@pytest.fixture
def notes() -> Callable[[SugarCRM], list[dict[str, Any]]]:
    """Notes of what people did, as stored, by name."""

    def of(crm: SugarCRM) -> list[dict[str, Any]]:
        rows = (row for row in desk.records(crm.store, "Notes") if FIELDS_NOTE not in row["name"])
        return sorted(rows, key=lambda row: row["name"])

    return of


@pytest.fixture
def did() -> Callable[..., Activity]:
    """An activity; `minute` orders them."""

    def activity(subject: str, type_: str = WEB_VIEW, minute: int = 0, event_id: str = "") -> Activity:
        at = now() - timedelta(days=1) + timedelta(minutes=minute)
        return Activity(event_id=event_id or str(uuid4()), type=type_, occurred_at=at, subject=subject)

    return activity


Condition = Callable[[], Any] | Callable[[], Awaitable[Any]]


async def until(condition: Condition, within: float = 60.0) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(within):
        while True:
            met = condition()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return
            await asyncio.sleep(0.02)


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[None]]:
    return until


def now() -> datetime:
    return datetime.now(UTC)
