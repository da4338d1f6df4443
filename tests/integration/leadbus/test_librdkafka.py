"""Publishing by librdkafka keeps what `Publisher` promises."""

import asyncio
import random
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from anew import Wire, made_anew
from confluent_kafka import KafkaError

from leadbus.errors import Rejected, Transient
from leadbus.librdkafka import LibrdkafkaPublisher
from leadbus.provisioning import provision
from leadbus.publishing import LARGEST_RECORD_BYTES, Outgoing, partition_for
from leadbus.topics import LEADS_SCORED, PARTITIONS
from sandbox.servers import Kafka
from sandbox.servers.process import free_port

TOPIC = LEADS_SCORED.name


@pytest.fixture
async def publisher(kafka: Kafka) -> AsyncIterator[LibrdkafkaPublisher]:
    async with started(kafka) as own:
        yield own


class started:
    """A publisher with a topic of its own."""

    def __init__(self, kafka: Kafka, **options: float) -> None:
        self._kafka, self._options = kafka, options

    async def __aenter__(self) -> LibrdkafkaPublisher:
        prefix = f"{uuid4().hex}."
        await provision(self._kafka.bootstrap_servers, [LEADS_SCORED], prefix=prefix)
        self._own = LibrdkafkaPublisher(
            self._kafka.bootstrap_servers,
            "test",
            topic_prefix=prefix,
            **self._options,  # type: ignore[arg-type]
        )
        await self._own.start()
        return self._own

    async def __aexit__(self, *_: object) -> None:
        await self._own.stop()


def records(count: int, *, keys: int = 50, begin: int = 0) -> list[Outgoing]:
    return [
        Outgoing(TOPIC, b"p%d" % (n % keys), b"%d" % n, (("n", b"%d" % n),))
        for n in range(begin, begin + count)
    ]


async def log_of(kafka: Kafka, publisher: LibrdkafkaPublisher):  # type: ignore[no-untyped-def]
    """All records of the topic, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(publisher._prefix + TOPIC, n) for n in range(PARTITIONS)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found = []
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for batch in (await consumer.getmany(timeout_ms=1_000)).values():
                found += batch
    finally:
        await consumer.stop()
    return found


async def test_records_lie_where_partition_for_says_and_in_their_order(
    kafka: Kafka, publisher: LibrdkafkaPublisher
) -> None:
    sent = records(3_000)
    cuts = sorted(random.Random(3).sample(range(3_000), 40))
    parts = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, 3_000], strict=True)]
    answers = await asyncio.gather(*map(publisher.publish, parts))
    assert all(outcome is None for outcomes in answers for outcome in outcomes)
    assert [len(outcomes) for outcomes in answers] == [len(part) for part in parts]
    numbers: dict[bytes, list[int]] = {}
    for record in await log_of(kafka, publisher):
        assert record.partition == partition_for(record.key, PARTITIONS)
        assert dict(record.headers) == {"n": record.value}
        numbers.setdefault(record.key, []).append(int(record.value))
    assert sum(map(len, numbers.values())) == 3_000
    assert all(of_key == sorted(of_key) for of_key in numbers.values())
    assert await publisher.publish([]) == []


async def test_a_record_too_large_is_refused_and_the_others_arrive(
    kafka: Kafka, publisher: LibrdkafkaPublisher
) -> None:
    for size in (1_500_000, LARGEST_RECORD_BYTES + 1):  # refused by the topic, refused by the client
        large = Outgoing(TOPIC, b"p", b"x" * size)
        first, last = records(5, keys=1), records(5, keys=1, begin=5)
        outcomes = await publisher.publish([*first, large, *last])
        assert isinstance(outcomes.pop(5), Rejected)
        assert outcomes == [None] * 10
    assert [int(r.value) for r in await log_of(kafka, publisher)] == [*range(10)] * 2


async def test_what_awaits_an_acknowledgement_is_bounded(kafka: Kafka) -> None:
    async with started(kafka, max_in_flight=100) as publisher:
        outcomes = await publisher.publish(records(150))
        assert outcomes[:100] == [None] * 100
        assert {str(outcome) for outcome in outcomes[100:]} == {"Too much awaits Kafka's acknowledgement."}
        assert await publisher.publish(records(100)) == [None] * 100


async def test_while_kafka_is_away_all_is_transient_and_nothing_of_it_arrives_later(own_kafka: Kafka) -> None:
    async with started(own_kafka, patience_seconds=1.0) as publisher:
        while any(await publisher.publish(records(10))):
            pass  # a broker that has just begun
        await own_kafka.kill()
        outcomes = await publisher.publish(records(50, begin=10))
        assert all(isinstance(outcome, Transient) for outcome in outcomes)
        while not (absence := publisher.waiting()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for _ in range(50):  # which ends without an acknowledgement to wait for
            assert [str(outcome) for outcome in await publisher.publish(records(2))] == [absence] * 2
        await own_kafka.start()
        async with asyncio.timeout(30):
            while any(await publisher.publish(records(5, begin=200))):  # noqa: ASYNC110 - as senders do
                await asyncio.sleep(0.05)
        values = {int(record.value) for record in await log_of(own_kafka, publisher)}
    assert values == {*range(10), *range(200, 205)}


async def test_it_stops_while_kafka_is_away_and_those_who_wait_are_told(
    own_kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadbus.librdkafka.FAREWELL_SECONDS", 0.3)
    async with started(own_kafka) as publisher:
        await own_kafka.kill()
        waiting = asyncio.create_task(publisher.publish(records(3)))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(30):
            await publisher.stop()
            outcomes = await waiting
        assert all(isinstance(outcome, Transient) for outcome in outcomes)
        assert all(isinstance(outcome, Transient) for outcome in await publisher.publish(records(1)))


async def test_a_batch_that_a_topic_made_anew_has_not_got_is_not_acknowledged(kafka: Kafka) -> None:
    prefix = f"{uuid4().hex}."
    await provision(kafka.bootstrap_servers, [LEADS_SCORED], prefix=prefix)
    async with Wire(kafka, TOPIC) as wire:
        publisher = LibrdkafkaPublisher(f"127.0.0.1:{wire.port}", "test", topic_prefix=prefix)
        await publisher.start()
        assert await publisher.publish(records(1)) == [None]
        await made_anew(kafka, LEADS_SCORED, prefix)
        assert await log_of(kafka, publisher) == []  # once each partition is led, or both would be refused
        wire.parts_two = True
        first = asyncio.create_task(publisher.publish(records(1, begin=50)))
        await wire.holds.wait()  # or both would be one batch
        second = await publisher.publish(records(1, begin=100))
        refused = await first
        found = [int(record.value) for record in await log_of(kafka, publisher)]
        await publisher.stop()
    assert (found, second) == ([100], [None])
    assert [str(outcome) for outcome in refused] == ["Kafka did not say where the record lies."]


async def test_without_a_broker_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadbus.librdkafka.START_SECONDS", 0.3)
    publisher = LibrdkafkaPublisher(f"127.0.0.1:{free_port()}", "test")
    with pytest.raises(Transient):
        await publisher.start()
    await publisher.stop()


async def test_a_producer_that_has_broken_down_is_replaced(
    kafka: Kafka, publisher: LibrdkafkaPublisher
) -> None:
    before = publisher._producer
    waiting = asyncio.create_task(publisher.publish(records(1)))
    await asyncio.sleep(0)
    broken = KafkaError(KafkaError._FATAL, "told by the test", fatal=True)
    publisher._awaited += 1
    answers = type("Told", (), {"settle": lambda *_: None})()
    publisher._delivered(answers, 0, broken, None)  # type: ignore[arg-type]
    await waiting
    assert publisher._producer is not before
    assert await publisher.publish(records(2)) == [None, None]
