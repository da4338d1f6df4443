"""The whole service on a real Kafka and a real MongoDB."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from leadbus.ids import prospect_id
from leadbus.messages import (
    ConnectionChanged,
    LeadDistributed,
    LeadQualified,
    MarketingEvent,
    Message,
    ProspectUpdated,
)
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher, Outgoing
from leadbus.service import Service
from leadbus.storage.mongo import Client, connect
from leadbus.topics import (
    CRM_CONNECTIONS,
    LEADS_ACTIVITIES,
    LEADS_DISTRIBUTED,
    LEADS_QUALIFIED,
    MARKETING_EVENTS,
    PROSPECTS_UPDATED,
    TOPICS,
    Topic,
)
from sandbox.servers import Kafka, MongoDB
from scoring.connections import Connections, ConnectionsReader
from scoring.prospect import Key
from scoring.service import build
from scoring.store import MongoProspects

NOW = datetime.now(UTC)


class Installation:
    """Topics and a database of its own, and what stands before and behind scoring."""

    def __init__(self, kafka: Kafka, mongodb: MongoDB) -> None:
        self.prefix = f"{uuid4().hex[:8]}."
        self.database = f"scoring-{uuid4().hex[:8]}"
        self.kafka = kafka.bootstrap_servers
        self.environ = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "MONGODB_URL": mongodb.url,
            "MONGODB_DATABASE": self.database,
            "LEADBUS_TOPIC_PREFIX": self.prefix,
            "LEADBUS_OPERATOR_TOKEN": "the operator",
            "SCORING_PORT": "0",
        }
        self.client: Client = connect(mongodb.url, app_name="scoring tests")
        self.publisher = KafkaPublisher(self.kafka, "tests", topic_prefix=self.prefix)
        self.running: list[Service] = []

    async def start_service(self) -> Service:
        service = build(self.environ)
        self.running.append(service)
        await service.start()
        await until(lambda: ready(service))
        return service

    async def stop_service(self, service: Service) -> None:
        self.running.remove(service)
        await service.stop()

    async def publish(self, topic: Topic, *messages: Message) -> None:
        outcomes = await self.publisher.publish([Outgoing.of(topic, message) for message in messages])
        assert set(outcomes) == {None}

    async def outcome(self, topic: Topic) -> list[Any]:
        """Everything that `topic` holds now."""
        async with AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest") as consumer:
            partitions = [TopicPartition(self.prefix + topic.name, n) for n in range(topic.partitions)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning()
            found: list[Any] = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [topic.message.model_validate_json(record.value) for record in records]
            return found

    async def counted(self, email: str) -> int | None:
        key = Key("acme", prospect_id("acme", email=email))
        found = await MongoProspects(self.client[self.database]).load([key])
        return len(found[key].history) if key in found else None


async def ready(service: Service) -> bool:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{service.url}/healthz/ready")).status_code == 200


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is awaited happens in Kafka and MongoDB
            await asyncio.sleep(0.05)


@pytest.fixture
async def installation(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[Installation]:
    made = Installation(kafka, mongodb)
    await provision(made.kafka, TOPICS, prefix=made.prefix)
    await made.publisher.start()
    yield made
    for service in list(made.running):
        await made.stop_service(service)
    await made.publisher.stop()
    await made.client.drop_database(made.database)
    await made.client.close()


def connection(threshold: int, revision: int, *, on: bool = True) -> ConnectionChanged:
    return ConnectionChanged(
        event_id=f"c1 {revision}",
        tenant_id="acme",
        occurred_at=NOW,
        connection_id="c1",
        crm="sugar",
        revision=revision,
        on=on,
        marketing_automation=True,
        lead_distribution=True,
        threshold=threshold,
    )


def event(event_id: str, email: str, type_: str = "form_submission") -> MarketingEvent:
    return MarketingEvent.model_validate(
        {
            "event_id": event_id,
            "tenant_id": "acme",
            "occurred_at": NOW,
            "received_at": NOW,
            "prospect_id": prospect_id("acme", email=email),
            "email": email,
            "type": type_,
        }
    )


async def test_all_connections_are_known_once_the_reader_has_started_and_it_follows(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    await installation.publish(CRM_CONNECTIONS, connection(30, 1), connection(20, 2))
    gone = connection(30, 1).model_copy(update={"connection_id": "gone"})
    await installation.publish(CRM_CONNECTIONS, gone)
    await installation.publisher.publish(
        [
            Outgoing(CRM_CONNECTIONS.name, b"gone", b""),
            Outgoing(CRM_CONNECTIONS.name, b"c1", b'{"threshold": "secret@example.com"}'),
        ]
    )
    connections = Connections()
    reader = ConnectionsReader(connections, installation.kafka, installation.prefix)
    await reader.start()
    try:
        assert [(c.connection_id, c.threshold) for c in connections] == [("c1", 20)]
        assert "cannot be read" in caplog.text
        assert "secret@example.com" not in caplog.text
        await installation.publish(CRM_CONNECTIONS, connection(10, 3))

        async def followed() -> bool:
            return [c.threshold for c in connections.for_tenant("acme")] == [10]

        await until(followed)
        assert reader.trouble() is None
    finally:
        await reader.stop()


async def test_events_become_qualified_leads_and_a_lower_threshold_those_already_above(
    installation: Installation,
) -> None:
    await installation.publish(CRM_CONNECTIONS, connection(threshold=30, revision=1))
    service = await installation.start_service()
    handed = LeadDistributed(
        event_id="d",
        tenant_id="acme",
        occurred_at=NOW,
        received_at=NOW,
        prospect_id=prospect_id("acme", email="cy@example.com"),
        distribution_id="d1",
        supplier_id="s1",
        email="cy@example.com",
    )
    await installation.publish(LEADS_DISTRIBUTED, handed)
    await installation.publish(
        MARKETING_EVENTS,
        event("1", "ada@example.com"),
        event("1", "ada@example.com"),
        event("2", "ada@example.com"),
        event("3", "bob@example.com"),
        event("4", "cy@example.com", "web_view"),
    )

    async def qualified(emails: set[str]) -> bool:
        found: list[LeadQualified] = await installation.outcome(LEADS_QUALIFIED)
        return Counter(m.email for m in found) == Counter(emails)

    await until(lambda: qualified({"ada@example.com"}))
    await installation.publish(CRM_CONNECTIONS, connection(threshold=10, revision=2))
    await until(lambda: qualified({"ada@example.com", "bob@example.com"}))
    told = await installation.outcome(LEADS_ACTIVITIES)
    assert [(m.email, m.connections) for m in told] == [("cy@example.com", ["c1"])]
    async with httpx.AsyncClient(
        base_url=service.url, headers={"Authorization": "Bearer the operator"}, params={"tenant_id": "acme"}
    ) as http:
        answer = await http.get(f"/v1/prospects/{prospect_id('acme', email='ada@example.com')}")
        assert answer.json()["score"] == 40
        await a_visitor_becomes_known_and_its_email_changes(installation, http)


async def a_visitor_becomes_known_and_its_email_changes(
    installation: Installation, http: httpx.AsyncClient
) -> None:
    """Across partitions: the visitor's, the first email's and the second's."""
    visitor = prospect_id("acme", visitor_id="v-1")
    anonymous = [
        event(f"a{n}", "dora@example.com", "web_view").model_copy(
            update={"email": None, "visitor_id": "v-1", "prospect_id": visitor}
        )
        for n in range(3)
    ]
    form = event("a form", "dora@example.com").model_copy(update={"visitor_id": "v-1"})
    changed = ProspectUpdated(
        event_id="u",
        tenant_id="acme",
        occurred_at=NOW,
        received_at=NOW,
        prospect_id=prospect_id("acme", email="d@example.com"),
        email="d@example.com",
        previous_email="dora@example.com",
    )

    async def counted(events: int) -> bool:
        answer = await http.get(f"/v1/prospects/{visitor}")
        return answer.status_code == 200 and len(answer.json()["explanation"]) == events

    await installation.publish(MARKETING_EVENTS, anonymous[0])
    await until(lambda: counted(1))
    await installation.publish(MARKETING_EVENTS, form)
    await until(lambda: counted(2))
    await installation.publish(MARKETING_EVENTS, anonymous[1])
    await installation.publish(PROSPECTS_UPDATED, changed)
    await installation.publish(MARKETING_EVENTS, anonymous[2], event("late", "dora@example.com"))
    await until(lambda: counted(5))
    shown = (await http.get(f"/v1/prospects/{visitor}")).json()
    assert (shown["email"], shown["score"]) == ("d@example.com", 49)
    assert shown["aliases"] == ["email:dora@example.com", "visitor:v-1"]


async def test_counts_stay_exact_while_members_come_and_go(installation: Installation) -> None:
    await installation.publish(CRM_CONNECTIONS, connection(threshold=50, revision=1))
    emails = [f"p{n}@example.com" for n in range(30)]
    first = await installation.start_service()

    async def publish_round(number: int) -> None:
        await installation.publish(
            MARKETING_EVENTS,
            *(event(f"{number} {copy // 2} {email}", email) for email in emails for copy in range(4)),
        )

    await publish_round(0)
    second = await installation.start_service()
    await publish_round(1)
    await installation.stop_service(first)
    await publish_round(2)
    await publish_round(0)

    async def all_counted() -> bool:
        return {await installation.counted(email) for email in emails} == {6}

    await until(all_counted)
    await installation.stop_service(second)
    found: list[LeadQualified] = await installation.outcome(LEADS_QUALIFIED)
    assert {m.email for m in found} == set(emails)
    assert len({m.event_id for m in found}) == len(emails)
