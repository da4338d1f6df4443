"""Ingest, and the same by hand, on one Kafka: posted to in turn."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.connector import connector
from bench.edge.posted import TENANT
from leadbus.provisioning import provision
from leadbus.topics import MARKETING_EVENTS
from leadbus.wire_names import on_wire
from sandbox.servers.process import Process, free_port

_TESTS = Path(__file__).parents[2]
_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """rate: events a second. cpu: microseconds of the server's CPU an event. p99: ms a request waits.

    load: how much of a core the posting took.
    """

    rate: float
    cpu: float
    p99: float
    load: float

    def __str__(self) -> str:
        each = f"{self.cpu:.1f} us of CPU each, p99 {self.p99:.1f} ms"
        return f"{self.rate:,.0f} events/s, {each}; posting took {self.load:.2f} of a core"


@dataclass
class Server:
    """One that takes events. taken: what it has said it accepted, over all runs."""

    name: str
    process: Process
    port: int
    key: str
    environment: Mapping[str, str]
    taken: int = 0

    async def run(self, items: int, connections: int, seconds: float) -> Run:
        """Posts for so long.

        Raises:
            RuntimeError: something was not accepted, or Kafka does not hold what was.
        """
        arguments = (self.port, self.key, items, connections, seconds, self.process.pid)
        load = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.edge.load",
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
        )
        out, _ = await load.communicate()
        self.process.check()
        if load.returncode:
            raise RuntimeError(f"Posting to {self.name} has failed. {self.process.tail()}")
        told = json.loads(out)
        self.taken += items * told["answered"]
        if told["refused"] or await self._held() != self.taken:
            raise RuntimeError(
                f"{self.name}: {told['refused']} refused, {await self._held()} of {self.taken} there"
            )
        return Run(told["rate"] * items, told["cpu"] / items, told["p99"], told["load"])

    async def _held(self) -> int:
        """How many records the topic has."""
        name = on_wire(self.environment["LEADBUS_TOPIC_PREFIX"], MARKETING_EVENTS.name)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.environment["KAFKA_BOOTSTRAP_SERVERS"])
        await consumer.start()
        try:
            ends = await consumer.end_offsets(
                [TopicPartition(name, n) for n in range(MARKETING_EVENTS.partitions)]
            )
        finally:
            await consumer.stop()
        return sum(ends.values())


@asynccontextmanager
async def ingest(kafka: str, mongodb: str, folder: Path) -> AsyncIterator[Server]:
    """Leadbus's own, as it is, but for tracing and for limits that nobody would come near."""
    own = uuid4().hex[:8]
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "MONGODB_URL": mongodb,
        "MONGODB_DATABASE": f"bench-{own}",
        "LEADBUS_TOPIC_PREFIX": f"edge-{own}.",
        "INGEST_ITEMS_PER_SECOND": "1000000000",
        "OTEL_TRACES_EXPORTER": "none",
    }
    async with connector("ingest", folder, environment) as service:
        answer = await service.client.post("/v1/api-keys", json={"tenant_id": TENANT, "scopes": ["ingest"]})
        port = urlsplit(str(service.client.base_url)).port or 0
        yield Server("Leadbus", service.process, port, answer.raise_for_status().json()["key"], environment)


@asynccontextmanager
async def by_hand(kafka: str, folder: Path) -> AsyncIterator[Server]:
    """`bench.edge.application`."""
    port, own = free_port(), uuid4().hex
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "LEADBUS_TOPIC_PREFIX": f"bare-{own[:8]}.",
        "BENCH_PORT": str(port),
        "BENCH_KEY": own,
        "BENCH_TENANT": TENANT,
        "PYTHONPATH": str(_TESTS),
    }
    await provision(kafka, [MARKETING_EVENTS], prefix=environment["LEADBUS_TOPIC_PREFIX"])
    command = ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items()), sys.executable]
    process = Process("by hand", [*command, "-m", "bench.edge.application"], folder / f"bare-{port}.log")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(process.stop)
        await process.start()
        await _until_listening(process, port)
        yield Server("by hand", process, port, own, environment)


async def _until_listening(process: Process, port: int) -> None:
    async with asyncio.timeout(_WITHIN):
        while True:
            process.check()
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    return
            await asyncio.sleep(0.05)
