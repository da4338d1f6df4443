"""Ingest as it runs in a pod, on a real Kafka and MongoDB; and what its topics then hold."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from ingest.service import build
from leadbus.service import Service
from leadbus.topics import Topic
from leadbus.wire_names import on_wire
from sandbox.servers import Kafka, MongoDB

OPERATOR = "an operator's token"


@dataclass(frozen=True)
class Record:
    """What Kafka holds of one item."""

    partition: int
    key: str
    value: dict[str, Any]
    headers: dict[str, bytes]


@dataclass(frozen=True)
class Edge:
    """A running ingest and its surroundings."""

    service: Service
    kafka: str
    prefix: str

    def client(self, token: str = OPERATOR, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.service.url, headers={"Authorization": f"Bearer {token}", **headers}, timeout=30
        )

    async def key(self, tenant: str, *scopes: str) -> str:
        async with self.client() as operator:
            body = {"tenant_id": tenant, "scopes": scopes or ["ingest"]}
            answer = await operator.post("/v1/api-keys", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])

    async def records(self, topic: Topic, tenant: str) -> list[Record]:
        """All of the topic's records of one tenant, partition by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            parts = [TopicPartition(on_wire(self.prefix, topic.name), n) for n in range(topic.partitions)]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            found: list[Record] = []
            while any([await consumer.position(p) < ends[p] for p in parts]):
                for batch in (await consumer.getmany(timeout_ms=1_000)).values():
                    found += [
                        Record(r.partition, r.key.decode(), json.loads(r.value), dict(r.headers))
                        for r in batch
                    ]
        finally:
            await consumer.stop()
        return [record for record in found if record.value["tenant_id"] == tenant]


Environ = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def ingest_environ(kafka: Kafka, mongodb: MongoDB) -> Environ:
    """An environment for an ingest of its own: topics and database that nobody else has."""

    def environ(**more: str) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "MONGODB_URL": mongodb.url,
            "MONGODB_DATABASE": f"ingest-{uuid4().hex}",
            "LEADBUS_TOPIC_PREFIX": f"{uuid4().hex}.",
            "LEADBUS_OPERATOR_TOKEN": OPERATOR,
            "INGEST_PORT": "0",
            "INGEST_ITEMS_PER_SECOND": "1000000",
            "OTEL_TRACES_SAMPLER": "always_off",
        } | more

    return environ


@pytest.fixture(scope="package")
async def edge(ingest_environ: Environ) -> AsyncIterator[Edge]:
    """One ingest for all tests that tell themselves apart by tenant."""
    environ = ingest_environ()
    service = build(environ)
    await service.start()
    yield Edge(service, environ["KAFKA_BOOTSTRAP_SERVERS"], environ["LEADBUS_TOPIC_PREFIX"])
    await service.stop()


@pytest.fixture
def tenant() -> str:
    return f"t-{uuid4().hex[:12]}"
