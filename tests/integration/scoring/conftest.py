"""Scoring on a real MongoDB, fed by hand: each batch is handled and written in a transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Effects, Received
from leadbus.erasing.tombstones import Tombstones
from leadbus.ids import prospect_id
from leadbus.messages import (
    ConnectionChanged,
    ContactChanged,
    DeliveryReported,
    LeadActivities,
    LeadDistributed,
    LeadListed,
    LeadQualified,
    LeadScored,
    MarketingEvent,
    OpportunityChanged,
    ProspectMessage,
)
from leadbus.publishing import Outgoing, partition_for
from leadbus.storage.mongo import Client, Document, connect
from leadbus.telemetry import Telemetry
from leadbus.topics import BY_NAME, LEADS_ACTIVITIES, LEADS_LISTS, LEADS_QUALIFIED, LEADS_SCORED, PARTITIONS
from sandbox.servers import MongoDB
from scoring.connections import Connections
from scoring.handlers import ScoringHandler
from scoring.prospect import Key, Prospect
from scoring.rules_store import MongoRules
from scoring.store import MongoProspects
from scoring.sweep import Sweeper, Sweeps

START = 1_790_000_000_000
EMAIL = "ada@example.com"


@dataclass
class Told:
    """What a batch published."""

    records: list[Outgoing]

    def of(self, topic: str) -> list[Any]:
        message = BY_NAME[topic].message
        return [message.model_validate_json(r.value) for r in self.records if r.topic == topic]

    @property
    def scored(self) -> list[LeadScored]:
        return self.of(LEADS_SCORED.name)

    @property
    def qualified(self) -> list[LeadQualified]:
        return self.of(LEADS_QUALIFIED.name)

    @property
    def activities(self) -> list[LeadActivities]:
        return self.of(LEADS_ACTIVITIES.name)

    @property
    def lists(self) -> list[LeadListed]:
        return self.of(LEADS_LISTS.name)

    def traceparents(self, topic: str) -> list[bytes | None]:
        return [dict(r.headers).get("traceparent") for r in self.records if r.topic == topic]


@dataclass
class Scoring:
    """The handler and all it stands on; itself the owner of all partitions for a sweep."""

    client: Client
    database: AsyncDatabase[Document]
    telemetry: Telemetry
    spans: InMemorySpanExporter
    connections: Connections = field(default_factory=Connections)
    partitions: set[int] = field(default_factory=lambda: set(range(PARTITIONS)))
    transactions: int = 0
    swept: list[Outgoing] = field(default_factory=list)
    offset: int = 0

    def __post_init__(self) -> None:
        self.prospects = MongoProspects(self.database)
        self.rules = MongoRules(self.database)
        self.handler = ScoringHandler(
            self.prospects,
            self.rules,
            self.connections,
            self.telemetry,
            Tombstones(self.database, "scoring"),
        )

    async def feed(self, *records: Received) -> Told:
        """Handles a batch, applies it, and says what it published."""
        effects = await self.handler.handle(records)
        await self.apply(effects)
        return Told(effects.publish)

    async def apply(self, effects: Effects) -> None:
        async with self.client.start_session() as session:
            await session.with_transaction(effects.write)

    async def transact(self, partitions: Collection[int], compute: Callable[[], Awaitable[Effects]]) -> None:
        assert set(partitions) <= self.partitions
        if not (effects := await compute()):
            return
        await self.apply(effects)
        self.handler.forget(partitions, effects.stale)
        self.transactions += 1
        self.swept += effects.publish

    async def sweep(self, now: float = START / 1000) -> Told:
        """Brings all partitions up to the connections; `now` is the wall clock."""
        self.swept = []
        sweeps = Sweeps(self.database)
        await Sweeper(self, sweeps, self.prospects, self.rules, self.connections, lambda: now).sweep()
        return Told(self.swept)

    def connect(self, connection_id: str = "c1", **settings: Any) -> ConnectionChanged:
        values: dict[str, Any] = {
            "event_id": f"{connection_id} changed",
            "tenant_id": "acme",
            "occurred_at": datetime.fromtimestamp(START / 1000, UTC),
            "connection_id": connection_id,
            "crm": "sugar",
            "revision": 1,
            "on": True,
            "marketing_automation": True,
            "lead_distribution": False,
            "threshold": 50,
        }
        connection = ConnectionChanged(**values | settings)
        self.connections.apply(connection)
        return connection

    def event(
        self,
        event_id: str,
        type_: str = "form_submission",
        at: float = 0,
        email: str | None = EMAIL,
        **facts: Any,
    ) -> Received:
        tenant = facts.pop("tenant_id", "acme")
        who = prospect_id(tenant, email=email, visitor_id=facts.get("visitor_id"))
        return self._received(
            "marketing.events",
            MarketingEvent,
            at,
            tenant,
            who,
            event_id,
            facts | {"type": type_, "email": email},
        )

    def distribution(
        self, distribution_id: str, supplier_id: str = "s1", at: float = 0, **facts: Any
    ) -> Received:
        names = {"distribution_id": distribution_id, "supplier_id": supplier_id, "email": EMAIL}
        who = prospect_id("acme", email=EMAIL)
        return self._received(
            "leads.distributed", LeadDistributed, at, "acme", who, f"d {distribution_id}", facts | names
        )

    def delivery(self, outcome: str, connection_id: str = "c1", at: float = 0, **facts: Any) -> Received:
        names = {"outcome": outcome, "connection_id": connection_id, "record": {"module": "Leads", "id": "1"}}
        who = prospect_id("acme", email=EMAIL)
        event_id = f"{outcome} {connection_id}"
        return self._received("crm.deliveries", DeliveryReported, at, "acme", who, event_id, names | facts)

    def contact(self, record_id: str = "1", at: float = 0, **facts: Any) -> Received:
        """Of the CRM's contact; at: by the broker and by the CRM."""
        return self._of_crm("crm.contacts", ContactChanged, "Contacts", record_id, at, facts)

    def opportunity(self, record_id: str = "o-1", at: float = 0, **facts: Any) -> Received:
        return self._of_crm("crm.opportunities", OpportunityChanged, "Opportunities", record_id, at, facts)

    async def prospect(self, email: str = EMAIL, tenant: str = "acme") -> Prospect:
        key = Key(tenant, prospect_id(tenant, email=email))
        return (await self.prospects.load([key]))[key]

    def _of_crm(
        self,
        topic: str,
        kind: type[ProspectMessage],
        module: str,
        record_id: str,
        at: float,
        facts: dict[str, Any],
    ) -> Received:
        names = {"connection_id": "c1", "email": EMAIL, "record": {"module": module, "id": record_id}}
        more = {"kind": "contact", "state": "client", "name": "200 engines"}
        who = prospect_id("acme", email=EMAIL)
        return self._received(
            topic, kind, at, "acme", who, f"{module} {record_id} {at}", more | names | facts
        )

    def _received(
        self,
        topic: str,
        kind: type[ProspectMessage],
        at: float,
        tenant: str,
        who: str,
        event_id: str,
        facts: dict[str, Any],
    ) -> Received:
        self.offset += 1
        traceparent = facts.pop("traceparent", None)
        time = datetime.fromtimestamp(START / 1000 + at, UTC)
        names = {"tenant_id": tenant, "prospect_id": who, "event_id": event_id}
        message = kind.model_validate({"occurred_at": time, "received_at": time} | facts | names)
        partition = partition_for(who.encode(), PARTITIONS)
        return Received(topic, partition, self.offset, START + int(at * 1000), message, traceparent)


@pytest.fixture
async def scoring(mongodb: MongoDB) -> AsyncIterator[Scoring]:
    client = connect(mongodb.url, app_name="scoring tests")
    name = f"scoring-{uuid4().hex[:8]}"
    telemetry, spans = Telemetry("scoring", {}), InMemorySpanExporter()
    telemetry._traces.add_span_processor(SimpleSpanProcessor(spans))  # type: ignore[union-attr]
    made = Scoring(client, client[name], telemetry, spans)
    await made.prospects.prepare()
    yield made
    await client.drop_database(name)
    await client.close()
    telemetry.shutdown()


@pytest.fixture
def many() -> Callable[[Scoring, int], Sequence[Received]]:
    """One form submission of each of so many prospects."""

    def records(scoring: Scoring, count: int) -> Sequence[Received]:
        return [scoring.event(f"form {n}", email=f"person{n}@example.com") for n in range(count)]

    return records
