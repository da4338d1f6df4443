"""A connector's service on real servers, run in this process: facts in, messages out, its API beside."""

import base64
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self
from unittest.mock import patch
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from leadbus.connector.pulling import bell
from leadbus.messages import Message
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher, Outgoing, partition_for
from leadbus.runner import build
from leadbus.service import Service
from leadbus.testing.inbox import Inbox
from leadbus.testing.mailbox import Mailbox
from leadbus.testing.overhearing import Overhearing
from leadbus.testing.waiting import until
from leadbus.topics import BY_NAME, TOPICS

OUTGOING_ADDRESS = "203.0.113.7"
"""What the service is told about the address it calls from."""
FEEDBACK_URL = "https://feedback.example.com"
"""What it is told about where links that accept or reject a lead lead to."""
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "5000"}
OPERATOR = "operator-of-the-contract-suite"


class House:
    """One service `connector-<crm>`, started by its entry point, and everything around it.

    Its database, topics and consumer groups are its own, so that many can share Kafka and MongoDB.
    """

    def __init__(self, crm: str, kafka: str, mongodb: str, **environ: str) -> None:
        self.name = f"connector-{crm}"
        self._kafka, self._mongodb = kafka, mongodb
        self._database = f"{self.name}-{uuid4().hex[:8]}"
        self._prefix = f"{self._database}."
        self._environ: Mapping[str, str] = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "MONGODB_URL": mongodb,
            "MONGODB_DATABASE": self._database,
            "LEADBUS_TOPIC_PREFIX": self._prefix,
            "LEADBUS_SECRET_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
            "LEADBUS_OPERATOR_TOKEN": OPERATOR,
            "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
            "LEADBUS_OUTGOING_ADDRESS": OUTGOING_ADDRESS,
            "FEEDBACK_PUBLIC_URL": FEEDBACK_URL,
            f"CONNECTOR_{crm.upper()}_PORT": "0",
            **environ,
        }
        self.inbox = Inbox(kafka, self._prefix)
        self.overheard = Overhearing("leadbus", f"connector_{crm}")
        self.mailbox = Mailbox()
        self.service: Service | None = None
        self._publisher = KafkaPublisher(kafka, "contract-suite", topic_prefix=self._prefix)
        self._log = AIOKafkaConsumer(bootstrap_servers=kafka)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        # Cases ask for pulls one after the other, and would wait for most of their time.
        self._impatience = patch.object(bell, "LOOK_EVERY_SECONDS", 0.05)
        self._http = httpx.AsyncClient(headers={"authorization": f"Bearer {OPERATOR}"}, timeout=90.0)

    async def __aenter__(self) -> Self:
        self._impatience.start()
        await self.overheard.start()
        await self.mailbox.start()
        await self._publisher.start()
        await self._log.start()
        await self._admin.start()
        await provision(self._kafka, TOPICS, prefix=self._prefix)
        await self.open()
        await self.inbox.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        await self.overheard.stop()
        await self.mailbox.stop()
        await self.inbox.stop()
        await self._http.aclose()
        await self._log.stop()
        await self._publisher.stop()
        await self._admin.delete_topics([self._prefix + topic.name for topic in TOPICS])
        await self._admin.close()
        async with AsyncMongoClient[dict[str, Any]](self._mongodb) as client:
            await client.drop_database(self._database)
        self._impatience.stop()

    async def open(self) -> None:
        """Starts the service (again)."""
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": self.overheard.url, "OTEL_TRACES_SAMPLER": "always_on"}
        with patch.dict(os.environ, SOON):  # OpenTelemetry's SDK reads these there and nowhere else
            (self.service,) = build([self.name], {**self.mailbox.environ, **self._environ, **told})
        await self.service.start()

    async def close(self) -> None:
        """Stops the service."""
        if self.service is not None:
            await self.service.stop()
            self.service = None

    async def publish(self, facts: Sequence[Message], traceparent: bytes | None = None) -> None:
        """Publishes facts, in order, and returns once the service has taken them in."""
        topics = {topic.message: topic for topic in TOPICS}
        outgoing = [Outgoing.of(topics[type(fact)], fact, traceparent) for fact in facts]
        assert await self._publisher.publish(outgoing) == [None] * len(facts)
        places = {
            TopicPartition(
                self._prefix + record.topic, partition_for(record.key, BY_NAME[record.topic].partitions)
            )
            for record in outgoing
        }
        ends = await self._log.end_offsets(list(places))

        async def taken() -> bool:
            known = await self._admin.list_consumer_group_offsets(self.name_of_group, partitions=list(ends))
            return all(place in known and known[place].offset >= end for place, end in ends.items())

        await until(taken, "the service takes the facts in")

    @property
    def name_of_group(self) -> str:
        """The service's consumer group."""
        return self._prefix + self.name

    async def ask(self, method: str, path: str, *, expect: int = 200, **how: Any) -> Any:
        """Calls the service's API as the operator: the answer's JSON. how: as httpx has it."""
        assert self.service is not None
        answer = await self._http.request(method, f"{self.service.url}{path}", **how)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def metrics(self) -> str:
        """The service's own, in Prometheus' text format."""
        assert self.service is not None
        return (await self._http.get(f"{self.service.url}/metrics")).text
