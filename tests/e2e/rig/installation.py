"""One installation: its topics, its database, its services, and whether anything is still under way in it."""

import asyncio
import base64
import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from leadbus.testing.waiting import PATIENCE
from leadbus.topics import DEAD_LETTER_PARTITIONS, TOPICS
from leadbus.wire_names import on_wire
from rig.children import Child, client_of
from rig.reading import Record, ends_of, to_the_end
from rig.tenant import Tenant
from sandbox.servers import Kafka, MongoDB

OPERATOR = "an operator's token"
SERVICES = ("ingest", "scoring", "connector-sugar")
READ_BY = {
    "scoring": (
        *("marketing.events", "leads.distributed", "crm.deliveries"),
        *("crm.contacts", "crm.opportunities"),
    ),
    "connector-sugar": (
        *("leads.distributed", "leads.qualified", "leads.activities", "leads.scored"),
        *("prospects.updated", "crm.subscriptions"),
    ),
    "feedback": (
        *("leads.distributed", "leads.answered", "crm.deliveries"),
        *("crm.lead-status", "crm.opportunities", "crm.activities", "crm.contacts"),
    ),
}
TRANSACTION_SECONDS = 4
"""How long MongoDB keeps the open transaction of a client that vanished; its default is 60 s."""


class Installation:
    """Services on a Kafka and a MongoDB, apart from others by prefix and database."""

    def __init__(self, kafka: Kafka, mongodb: MongoDB, folder: Path, **more: str) -> None:
        self.kafka = kafka
        self.mongodb = mongodb
        self.prefix = f"{uuid4().hex[:8]}."
        self.database = f"e2e-{uuid4().hex[:8]}"
        self.environ = {
            "PATH": os.environ["PATH"],
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "MONGODB_URL": mongodb.url,
            "MONGODB_DATABASE": self.database,
            "LEADBUS_TOPIC_PREFIX": self.prefix,
            "LEADBUS_OPERATOR_TOKEN": OPERATOR,
            "LEADBUS_SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
            "OTEL_TRACES_SAMPLER": "always_off",
            **more,
        }
        self.members: dict[str, list[Child]] = defaultdict(list)
        self._folder = folder
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb.url, tz_aware=True)
        self.db = self._client[self.database]
        self._tenants: list[Tenant] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def all(self) -> list[Child]:
        return [child for children in self.members.values() for child in children]

    @property
    def ingest(self) -> Child:
        return self.members["ingest"][0]

    @property
    def scoring(self) -> Child:
        return self.members["scoring"][0]

    @property
    def connector(self) -> Child:
        return self.members["connector-sugar"][0]

    async def __aenter__(self) -> Self:
        await self._client.admin.command(
            {"setParameter": 1, "transactionLifetimeLimitSeconds": TRANSACTION_SECONDS}
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self.all:
            if child.runs:
                child.kill()
        for tenant in self._tenants:
            await tenant.close()
        with suppress(Exception):
            await self._client.close()

    def spawn(self, service: str) -> Child:
        """One more member of a service; see that it gets ready."""
        children = self.members[service]
        child = Child(service, len(children) + 1, self.environ, self._folder)
        children.append(child)
        child.spawn()
        return child

    async def start(self, *services: str) -> list[Child]:
        """Starts these side by side, and returns when all are ready."""
        children = [self.spawn(service) for service in services]
        await asyncio.gather(*(child.until_ready() for child in children))
        return children

    def operator(self, child: Child) -> httpx.AsyncClient:
        return client_of(child.url, OPERATOR)

    async def tenant(self, **settings: Any) -> Tenant:
        """A tenant with an API key, a CRM of its own and a connection to it that is on."""
        tenant = Tenant(f"t-{uuid4().hex[:10]}", self)
        self._tenants.append(tenant)
        await tenant.settle_in(**settings)
        return tenant

    async def until_drained(self, within: float = PATIENCE) -> None:
        """Nothing is under way any more: all is ready, applied and delivered, and stays so."""
        calm = 0
        left = "?"
        try:
            async with asyncio.timeout(within):
                while calm < 3:
                    left = await self._under_way()
                    calm = 0 if left else calm + 1
                    await asyncio.sleep(0.2)
        except TimeoutError:
            tails = "\n".join(f"--- {child.service}\n{child.tail()}" for child in self.all)
            raise AssertionError(f"Still under way after {within} s: {left}\n{tails}") from None

    async def _under_way(self) -> str:
        """What is, in words; empty = nothing."""
        for child in self.all:
            if child.runs and await child.status("/healthz/ready") != 200:
                return f"{child.service} is not ready"
        ends = await self.ends({topic for topics in READ_BY.values() for topic in topics})
        for service in READ_BY.keys() & self.members.keys():
            rows = self.db[f"{service}.applied_offsets"].find()
            applied = {(row["topic"], row["partition"]): row["offset"] async for row in rows}
            wanted = {p: end for p, end in ends.items() if end and p[0] in READ_BY[service]}
            if behind := {p: end for p, end in wanted.items() if applied.get(p) != end}:
                return f"{service} has not applied {behind}"
            due = await self.db[f"{service}.deliveries"].count_documents({"due": True})
            if due:
                return f"{service} has {due} deliveries due"
        return ""

    async def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Where the partitions end."""
        async with self._reader() as consumer:
            partitions = self._partitions(topics)
            ends = await ends_of(consumer, partitions)
        return {partitions[p]: end for p, end in ends.items()}

    async def records(self, *topics: str) -> list[Record]:
        """Everything that these topics hold."""
        async with self._reader() as consumer:
            return await to_the_end(consumer, list(self._partitions(topics)))

    def _partitions(self, topics: Iterable[str]) -> dict[TopicPartition, tuple[str, int]]:
        by_name = {topic.name: topic.partitions for topic in TOPICS}
        return {
            TopicPartition(on_wire(self.prefix, name), n): (name, n)
            for name in topics
            for n in range(by_name.get(name, DEAD_LETTER_PARTITIONS))
        }

    def _reader(self) -> "_Reader":
        return _Reader(self.kafka.bootstrap_servers)


class _Reader:
    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers

    async def __aenter__(self) -> AIOKafkaConsumer:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await self._consumer.start()
        return self._consumer

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
