"""Every tenant's connections, in memory: each pod reads the whole compacted topic and follows it."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from leadbus.brokers import Brokers
from leadbus.messages import ConnectionChanged
from leadbus.patience import patiently
from leadbus.topics import CRM_CONNECTIONS
from leadbus.wire_names import on_wire

log = logging.getLogger(__name__)

POLL_MS = 1_000


class Connections:
    """The connections as they stand. `changed` is set whenever one changes."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._by_id: dict[str, ConnectionChanged] = {}
        self._by_tenant: dict[str, tuple[ConnectionChanged, ...]] = {}

    def __iter__(self) -> Iterator[ConnectionChanged]:
        return iter(self._by_id.values())

    def for_tenant(self, tenant_id: str) -> tuple[ConnectionChanged, ...]:
        """A tenant's connections, whether on or off."""
        return self._by_tenant.get(tenant_id, ())

    def apply(self, connection: ConnectionChanged) -> None:
        """Takes in how a connection stands now; a deleted one is forgotten."""
        self.forget(connection.connection_id)
        if not connection.deleted:
            self._by_id[connection.connection_id] = connection
            self._group(connection.tenant_id)

    def forget(self, connection_id: str) -> None:
        """There is no such connection any more."""
        gone = self._by_id.pop(connection_id, None)
        if gone is not None:
            self._group(gone.tenant_id)
        self.changed.set()

    def _group(self, tenant_id: str) -> None:
        self._by_tenant[tenant_id] = tuple(c for c in self._by_id.values() if c.tenant_id == tenant_id)


class ConnectionsReader:
    """Reads the topic from its beginning, without a group. A `Part`: started = all of it is in memory."""

    name = "connections"

    def __init__(
        self, connections: Connections, bootstrap_servers: Brokers | str, topic_prefix: str = ""
    ) -> None:
        self._connections = connections
        self._brokers = Brokers.at(bootstrap_servers)
        self._topic = on_wire(topic_prefix, CRM_CONNECTIONS.name)
        self._consumer: AIOKafkaConsumer | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reads up to what the topic holds now, then follows; raises KafkaError while no broker answers."""
        consumer = AIOKafkaConsumer(
            **self._brokers.for_aiokafka(), auto_offset_reset="earliest", enable_auto_commit=False
        )
        try:
            await consumer.start()
            partitions = [TopicPartition(self._topic, n) for n in range(CRM_CONNECTIONS.partitions)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning()
            while [p for p in partitions if await consumer.position(p) < ends[p]]:
                await self._take(consumer)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        self._following = asyncio.create_task(self._follow(consumer), name="scoring: connections")

    async def stop(self) -> None:
        """Stops following."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        if self._consumer is not None:
            # While no broker answers, aiokafka hands its caller the cancellation of its own fetches
            # (0.14, `Fetcher.close` awaits what it has cancelled).
            with suppress(asyncio.CancelledError):
                await self._consumer.stop()

    def trouble(self) -> str | None:
        """A dead loop would leave old thresholds in force."""
        return "It is not read any more." if self._following is not None and self._following.done() else None

    def waiting(self) -> str | None:
        """Nothing: what was read stays good while Kafka is away."""
        return None

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await patiently(log, "Kafka", lambda error: isinstance(error, KafkaError))(self._take, consumer)

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                self._apply(record)

    def _apply(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        if not record.value:
            self._connections.forget((record.key or b"").decode(errors="replace"))
            return
        try:
            self._connections.apply(ConnectionChanged.model_validate_json(record.value))
        except ValidationError:
            # Not a dead letter: the topic keeps each connection's newest state, and this is it.
            log.error("The connection at offset %d cannot be read; it stays as it was.", record.offset)  # noqa: TRY400 - its values are not for the log
