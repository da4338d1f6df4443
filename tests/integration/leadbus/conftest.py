"""A consumer on real servers whose effects can be counted: in MongoDB, and in what it emitted."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pymongo import ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.consuming.consumer import BATCH_RECORDS, Consumer
from leadbus.consuming.ledger import Ledger
from leadbus.consuming.records import Effects, Received
from leadbus.event_types import EventType
from leadbus.messages import LeadDistributed, LeadScored, MarketingEvent
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher, Outgoing, Publisher
from leadbus.storage.mongo import Client, connect
from leadbus.telemetry import Telemetry
from leadbus.topics import (
    DEAD_LETTER_PARTITIONS,
    LEADS_DISTRIBUTED,
    LEADS_SCORED,
    MARKETING_EVENTS,
    PARTITIONS,
    Topic,
)
from sandbox.servers import Kafka, MongoDB

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages; `anew` is found beside them

SERVICE = "scoring"
TOPICS = (MARKETING_EVENTS, LEADS_DISTRIBUTED)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
NO_TELEMETRY = {"OTEL_SDK_DISABLED": "true"}


def event(prospect: str, number: int = 0, tenant: str = "acme") -> Outgoing:
    """A marketing event; what counts it can name it: `<prospect>:<number>`."""
    message = MarketingEvent(
        event_id=f"{prospect}:{number}",
        tenant_id=tenant,
        occurred_at=NOW,
        received_at=NOW,
        prospect_id=prospect,
        type=EventType.WEB_VIEW,
        visitor_id=prospect,
    )
    return Outgoing.of(MARKETING_EVENTS, message)


def distribution(prospect: str) -> Outgoing:
    """A lead distribution, named `<prospect>:d`."""
    message = LeadDistributed(
        event_id=f"{prospect}:d",
        tenant_id="acme",
        occurred_at=NOW,
        received_at=NOW,
        prospect_id=prospect,
        distribution_id=f"{prospect}:d",
        supplier_id="supplier",
        email="someone@example.com",
    )
    return Outgoing.of(LEADS_DISTRIBUTED, message)


def scored(event_id: str, tenant: str, prospect: str) -> Outgoing:
    """What the counting handler emits for one record."""
    message = LeadScored(
        event_id=event_id,
        tenant_id=tenant,
        occurred_at=NOW,
        prospect_id=prospect,
        version=1,
        score=1,
        millipoints=1000,
    )
    return Outgoing.of(LEADS_SCORED, message)


class Counting:
    """Counts each record in MongoDB and emits one for it. `before` may wait, fail or look on."""

    def __init__(self, client: Client, database: str) -> None:
        self.counts = client[database]["counts"]
        self.before: Callable[[Sequence[Received]], object] | None = None
        self.seen: list[Received] = []

    async def handle(self, batch: Sequence[Received]) -> Effects:
        self.seen += batch
        if self.before is not None and asyncio.iscoroutine(waiting := self.before(batch)):
            await waiting

        async def write(session: AsyncClientSession) -> None:
            updates = [UpdateOne({"_id": r.message.event_id}, {"$inc": {"n": 1}}, upsert=True) for r in batch]
            await self.counts.bulk_write(updates, session=session)

        emitted = [scored(r.message.event_id, r.message.tenant_id, r.message.key) for r in batch]
        return Effects(write, emitted)


class Keeping:
    """A `Keeper` that lists each prospect's event ids, so that whatever is read late, written early, lost or
    counted twice shows. `before` and `writing` may wait or fail.
    """

    def __init__(self, client: Client, database: str) -> None:
        self.people = client[database]["people"]
        self.before: Callable[[Sequence[Received]], object] | None = None
        self.writing: Callable[[Sequence[Received]], object] | None = None
        self.seen: list[Received] = []
        self.read: list[str] = []
        self._kept: dict[str, tuple[int, list[str]]] = {}

    def forget(self, partitions=None, keys=None) -> None:
        among = self._kept.keys() if keys is None else self._kept.keys() & keys
        gone = [who for who in among if partitions is None or self._kept[who][0] in partitions]
        for who in gone:
            del self._kept[who]

    def knows(self, topic: str, value: bytes) -> bool:
        return False

    async def handle(self, batch: Sequence[Received]) -> Effects:
        self.seen += batch
        missing = list({r.message.key for r in batch} - self._kept.keys())
        self.read += missing
        async for row in self.people.find({"_id": {"$in": missing}}):
            self._kept[row["_id"]] = (row["partition"], row["ids"])
        for number, received in enumerate(batch):
            _, ids = self._kept.setdefault(received.message.key, (received.partition, []))
            ids.append(received.message.event_id)
            if number == len(batch) // 2 and self.before and asyncio.iscoroutine(wait := self.before(batch)):
                await wait
        changed = {r.message.key for r in batch}
        replacements = [
            ReplaceOne(
                {"_id": who}, {"partition": self._kept[who][0], "ids": list(self._kept[who][1])}, upsert=True
            )
            for who in sorted(changed)
        ]

        async def write(session: AsyncClientSession) -> None:
            await self.people.bulk_write(replacements, session=session)
            if self.writing and asyncio.iscoroutine(wait := self.writing(batch)):
                await wait

        return Effects(write, [scored(r.message.event_id, "acme", r.message.key) for r in batch])


async def eventually(condition: Callable[[], object], within: float = 60) -> None:
    """Waits until the condition (plain or a coroutine) holds."""
    async with asyncio.timeout(within):
        while True:
            answer = condition()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.03)


@dataclass(slots=True)
class Member:
    """One consumer of the group, with all that is its own."""

    consumer: Consumer
    handler: Counting | Keeping
    publisher: Publisher
    ledger: Ledger


@dataclass
class Bench:
    """An installation of its own (topic prefix and database) on the servers of the tests."""

    kafka: Kafka
    mongodb: MongoDB
    client: Client
    prefix: str = field(default_factory=lambda: f"t{uuid4().hex[:8]}.")
    publisher: KafkaPublisher = field(init=False)

    # Test modules cannot import this file (import-mode=importlib), so all they need hangs here.
    event = staticmethod(event)
    distribution = staticmethod(distribution)
    scored = staticmethod(scored)
    eventually = staticmethod(eventually)
    keeping = Keeping

    def __post_init__(self) -> None:
        self.database = self.prefix.rstrip(".")
        self.publisher = self.kafka_publisher()

    def kafka_publisher(self, **options: float) -> KafkaPublisher:
        return KafkaPublisher(self.kafka.bootstrap_servers, "test", topic_prefix=self.prefix, **options)

    def ledger(self) -> Ledger:
        return Ledger(self.client, self.database, SERVICE)

    def member(
        self,
        publisher: Publisher | None = None,
        topics: Sequence[Topic] = TOPICS,
        *,
        kind: type[Counting] | type[Keeping] = Counting,
        batch_records: int = BATCH_RECORDS,
        telemetry: Telemetry | None = None,
    ) -> Member:
        handler = kind(self.client, self.database)
        ledger = self.ledger()
        consumer = Consumer(
            SERVICE,
            topics,
            handler,
            bootstrap_servers=self.kafka.bootstrap_servers,
            ledger=ledger,
            publisher=publisher or self.publisher,
            telemetry=telemetry or Telemetry(SERVICE, NO_TELEMETRY),
            topic_prefix=self.prefix,
            batch_records=batch_records,
        )
        return Member(consumer, handler, publisher or self.publisher, ledger)

    @property
    def group(self) -> str:
        """The members' consumer group."""
        return self.prefix + SERVICE

    @asynccontextmanager
    async def running(self, member: Member | None = None) -> AsyncIterator[Member]:
        member = member or self.member()
        await member.consumer.start()
        try:
            yield member
        finally:
            await member.consumer.stop()

    async def publish(self, *records: Outgoing) -> None:
        assert await self.publisher.publish(records) == [None] * len(records)

    async def publish_raw(
        self, topic: Topic, value: bytes, *, partition: int, key: bytes | None = None, headers: Sequence = ()
    ) -> None:
        """A record as a careless sender may write it."""
        async with AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap_servers) as producer:
            await producer.send_and_wait(
                self.prefix + topic.name, value, key, partition=partition, headers=headers
            )

    async def commit_offsets(self, topic: Topic, offset: int) -> None:
        """Sets what Kafka remembers of the group, on all partitions of a topic."""
        parts = [TopicPartition(self.prefix + topic.name, number) for number in range(topic.partitions)]
        outsider = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers, group_id=self.group, enable_auto_commit=False
        )
        outsider.assign(parts)
        async with outsider:
            await outsider.commit(dict.fromkeys(parts, offset))

    async def until_dead(self, topic: Topic, count: int) -> list[ConsumerRecord]:
        """Waits for so many dead letters of a topic, and returns them."""
        found: list[ConsumerRecord] = []

        async def are() -> bool:
            found[:] = await self.log_of(topic.dead_letters_of(SERVICE), DEAD_LETTER_PARTITIONS)
            return len(found) >= count

        await eventually(are)
        assert len(found) == count
        return found

    async def counts(self) -> dict[str, int]:
        return {row["_id"]: row["n"] async for row in self.client[self.database]["counts"].find()}

    async def until_counted(self, names: Sequence[str], within: float = 60) -> None:
        """Waits until each is counted; then says what is lost or doubled."""
        await eventually(lambda: self._are_counted(names), within)
        assert await self.counts() == dict.fromkeys(names, 1)

    async def _are_counted(self, names: Sequence[str]) -> bool:
        return await self.client[self.database]["counts"].count_documents({}) >= len(names)

    async def people(self) -> dict[str, list[str]]:
        """What `Keeping` wrote: each prospect's event ids."""
        return {row["_id"]: row["ids"] async for row in self.client[self.database]["people"].find()}

    async def log_of(self, topic: str, partitions: int = PARTITIONS) -> list[ConsumerRecord]:
        """All records of a topic, as they lie there."""
        parts = [TopicPartition(self.prefix + topic, number) for number in range(partitions)]
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        reader.assign(parts)
        await reader.start()
        try:
            ends = await reader.end_offsets(parts)
            found: list[ConsumerRecord] = []
            for part in parts:
                while await reader.position(part) < ends[part]:
                    found += (await reader.getmany(part, timeout_ms=200)).get(part, [])
            return found
        finally:
            await reader.stop()

    async def emitted(self) -> list[str]:
        """The event ids of what was emitted, sorted."""
        records = await self.log_of(LEADS_SCORED.name)
        return sorted(LeadScored.model_validate_json(record.value).event_id for record in records)

    async def until_emitted(self, names: Sequence[str], within: float = 60) -> None:
        async def are() -> bool:
            return set(await self.emitted()) >= set(names)

        await eventually(are, within)


@asynccontextmanager
async def installation(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[Bench]:
    client = connect(mongodb.url, app_name="test")
    bench = Bench(kafka, mongodb, client)
    await provision(kafka.bootstrap_servers, [*TOPICS, LEADS_SCORED], SERVICE, bench.prefix)
    await bench.publisher.start()
    try:
        yield bench
    finally:
        await bench.publisher.stop()
        await client.drop_database(bench.database)
        await client.close()


@pytest.fixture
async def bench(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[Bench]:
    async with installation(kafka, mongodb) as made:
        yield made


@pytest.fixture
def install() -> Callable[[Kafka, MongoDB], AbstractAsyncContextManager[Bench]]:
    """For tests that need servers of their own, or two installations."""
    return installation
