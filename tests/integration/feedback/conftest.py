"""Feedback as a whole on a real Kafka and a real MongoDB, and what stands before and behind it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from feedback.service import build
from leadbus.ids import prospect_id
from leadbus.messages import LeadAnswered, LeadDistributed, Message, ProspectMessage
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher, Outgoing
from leadbus.security.answer_links import AnswerLinks
from leadbus.security.api_keys import MongoApiKeys, Scope, make_key
from leadbus.service import Service
from leadbus.storage.mongo import Client, connect
from leadbus.topics import TOPICS, Topic
from sandbox.servers import Kafka, MongoDB

NOW = datetime.now(UTC)
SECRET_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
OPERATOR = "the operator"
EMAIL = "ada@example.com"


class House:
    """One installation of its own. Tests share it and use tenants of their own."""

    def __init__(self, kafka: Kafka, mongodb: MongoDB) -> None:
        self.prefix = f"{uuid4().hex[:8]}."
        self.database = f"feedback-{uuid4().hex[:8]}"
        self.kafka = kafka.bootstrap_servers
        self.environ = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "MONGODB_URL": mongodb.url,
            "MONGODB_DATABASE": self.database,
            "LEADBUS_TOPIC_PREFIX": self.prefix,
            "LEADBUS_OPERATOR_TOKEN": OPERATOR,
            "LEADBUS_SECRET_KEY": SECRET_KEY,
            "FEEDBACK_PORT": "0",
        }
        self.client: Client = connect(mongodb.url, app_name="feedback tests")
        self.publisher = KafkaPublisher(self.kafka, "tests", topic_prefix=self.prefix)
        self.service: Service | None = None

    async def start(self) -> None:
        await provision(self.kafka, TOPICS, prefix=self.prefix)
        await self.publisher.start()
        await self.start_service()

    async def start_service(self) -> None:
        self.service = build(self.environ)
        await self.service.start()

    async def stop_service(self) -> None:
        if self.service is not None:
            await self.service.stop()
        self.service = None

    async def stop(self) -> None:
        await self.stop_service()
        await self.publisher.stop()
        await self.client.drop_database(self.database)
        await self.client.close()

    @property
    def url(self) -> str:
        assert self.service is not None
        return self.service.url

    @property
    def links(self) -> AnswerLinks:
        return AnswerLinks(SECRET_KEY, self.url)

    def caller(self, token: str = OPERATOR) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers)

    async def key(self, tenant: str, scope: Scope, supplier: str | None = None) -> str:
        key, text = make_key(tenant, [scope], supplier_id=supplier)
        await MongoApiKeys(self.client[self.database]).add(key)
        return text

    async def publish(self, topic: Topic, *messages: Message) -> None:
        outcomes = await self.publisher.publish([Outgoing.of(topic, message) for message in messages])
        assert set(outcomes) == {None}

    async def shown(
        self, tenant: str, distribution: str, until: Callable[[dict[str, Any]], object] = lambda found: True
    ) -> dict[str, Any]:
        """The distribution, as the tenant sees it, once it is as it should be."""
        found: dict[str, Any] = {}

        async def as_it_should_be() -> bool:
            async with self.caller() as operator:
                path = f"/v1/distributions/{quote(distribution, safe='')}"
                answer = await operator.get(path, params={"tenant_id": tenant})
            found.clear()
            found.update(answer.json())
            return answer.status_code == 200 and bool(until(found))

        await wait_until(as_it_should_be)
        return found

    @staticmethod
    def said(
        kind: type[ProspectMessage], tenant: str, email: str, /, minute: float = 0, **facts: Any
    ) -> ProspectMessage:
        """A message of the last hour."""
        at = NOW + timedelta(minutes=minute - 60)
        who = {"tenant_id": tenant, "prospect_id": prospect_id(tenant, email=email)}
        times = {"occurred_at": at, "received_at": at}
        return kind.model_validate({"event_id": uuid4().hex, **who, **times, **facts})

    def lead(
        self, tenant: str, distribution: str = "lead-1", supplier: str = "chipworks", email: str = EMAIL
    ) -> ProspectMessage:
        """A supplier's lead."""
        names = {"distribution_id": distribution, "supplier_id": supplier, "email": email}
        person = {"first_name": "Ada", "last_name": "<Lovelace>", "city": "London"}
        return self.said(LeadDistributed, tenant, email, supplier_name="Chip Works", fields=person, **names)

    def answer(self, tenant: str, answer: str, minute: float, **facts: Any) -> ProspectMessage:
        """An answer to the lead, as a connector says it."""
        names = {"distribution_id": "lead-1", "supplier_id": "chipworks", "by": "crm", "connection_id": "c1"}
        return self.said(LeadAnswered, tenant, EMAIL, minute, **{**names, "answer": answer, **facts})

    def came_back(self, kind: type[ProspectMessage], tenant: str, /, **facts: Any) -> ProspectMessage:
        """Feedback on the lead, as a connector tells it."""
        origins = [{"distribution_id": "lead-1", "supplier_id": "chipworks"}]
        known = {"connection_id": "c1", "record": {"module": "Leads", "id": "7"}, "origins": origins}
        return self.said(kind, tenant, EMAIL, **{**known, **facts})

    async def told(self, topic: Topic, tenant: str, at_least: int) -> list[Any]:
        """What `topic` holds of the tenant, in the order of each key, once there is so much of it."""
        found: list[Any] = []

        async def enough() -> bool:
            found[:] = [message for message in await self._held(topic) if message.tenant_id == tenant]
            return len(found) >= at_least

        await wait_until(enough)
        return found

    async def _held(self, topic: Topic) -> list[Any]:
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


async def wait_until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is awaited happens in Kafka and MongoDB
            await asyncio.sleep(0.03)


@pytest.fixture(scope="package")
async def house(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[House]:
    made = House(kafka, mongodb)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def tenant() -> str:
    return f"acme-{uuid4().hex[:8]}"
