"""Kafka and MongoDB for all measurements, and for each a set of topics and a database of its own."""

import asyncio
import base64
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import uuid4

from pymongo import AsyncMongoClient

from bench.connector import Connector, connector
from bench.contest.arena import Arena, arena
from bench.dynamics import Dynamics, dynamics
from bench.edge.contest import Server, by_hand, ingest
from bench.facts import Reports
from bench.sugar import CALL_MS, ROW_MS, Sugar, sugar
from bench.zoho import Zoho, zoho
from leadbus.publishing import KafkaPublisher
from sandbox.servers import Kafka, MongoDB


@dataclass(frozen=True, slots=True)
class Place:
    """A connector with a database and topics of its own, a publisher into them, and what it reports."""

    connector: Connector
    publisher: KafkaPublisher
    reports: Reports


@dataclass
class Stage:
    """`async with` starts the servers. size: of everything, 1 = as the goals mean it."""

    progress: Callable[[str], None]
    size: float = 1.0
    folder: Path = field(init=False)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadbus-bench-")))
            self._kafka = Kafka(self.folder / "kafka", progress=self.progress)
            self._mongodb = MongoDB(self.folder / "mongodb", progress=self.progress)
            self.progress("Starting Kafka and MongoDB")
            for server in (self._kafka, self._mongodb):
                stack.push_async_callback(server.stop)
            await asyncio.gather(self._kafka.start(), self._mongodb.start())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def count(self, full: int) -> int:
        """So many at this stage's size."""
        return max(5, round(full * self.size))

    def rounds(self, full: int) -> int:
        """So many at full size; one is enough to try a change."""
        return full if self.size >= 1 else 1

    @asynccontextmanager
    async def arena(
        self, events: int, prospects: int, *, evenly: bool = False, live: bool = False, later: bool = False
    ) -> AsyncIterator[Arena]:
        """Marketing events to be scored; see `bench.contest.arena`."""
        kafka, mongodb = self._kafka.bootstrap_servers, self._mongodb.url
        self.progress(f"{events:,} events of {prospects:,} people are published")
        more = {"evenly": evenly, "live": live, "later": later}
        async with arena(kafka, mongodb, self.folder, events, prospects, **more) as own:
            yield own

    @asynccontextmanager
    async def edge(self) -> AsyncIterator[tuple[Server, Server]]:
        """What takes events in: by hand, and ours."""
        kafka, mongodb = self._kafka.bootstrap_servers, self._mongodb.url
        async with by_hand(kafka, self.folder) as theirs, ingest(kafka, mongodb, self.folder) as ours:
            yield theirs, ours

    @asynccontextmanager
    async def place(self, service: str = "connector-sugar") -> AsyncIterator[Place]:
        """A connector that knows nothing yet."""
        own = uuid4().hex[:8]
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": self._kafka.bootstrap_servers,
            "MONGODB_URL": self._mongodb.url,
            "MONGODB_DATABASE": f"bench-{own}",
            "LEADBUS_TOPIC_PREFIX": f"bench-{own}.",
            "LEADBUS_SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
            "OTEL_TRACES_SAMPLER": "always_off",
        }
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._forget, f"bench-{own}")
            ours = await stack.enter_async_context(connector(service, self.folder, environment))
            publisher = KafkaPublisher(self._kafka.bootstrap_servers, "bench", topic_prefix=f"bench-{own}.")
            await publisher.start()
            stack.push_async_callback(publisher.stop)
            reports = Reports(self._kafka.bootstrap_servers, f"bench-{own}.")
            yield Place(ours, publisher, await stack.enter_async_context(reports))

    async def _forget(self, database: str) -> None:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(self._mongodb.url)
        async with client:
            await client.drop_database(database)

    @asynccontextmanager
    async def crm(
        self, speaks: str, *, call_ms: float = CALL_MS, row_ms: float = ROW_MS
    ) -> AsyncIterator[Sugar]:
        """A SugarCRM of its own process."""
        async with sugar(self.folder, speaks, call_ms=call_ms, row_ms=row_ms) as crm:
            yield crm

    @asynccontextmanager
    async def dynamics(self, kind: type[Dynamics]) -> AsyncIterator[Dynamics]:
        """A Dynamics of its own process."""
        async with dynamics(kind, self.folder) as crm:
            yield crm

    @asynccontextmanager
    async def zoho(self) -> AsyncIterator[Zoho]:
        """A Zoho CRM of its own process."""
        async with zoho(self.folder) as crm:
            yield crm
