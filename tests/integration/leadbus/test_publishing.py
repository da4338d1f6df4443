"""Publishing, the outbox, and decoding: the parts beneath the consumer."""

import random
import time

from aiokafka import ConsumerRecord
from aiokafka.partitioner import DefaultPartitioner

from leadbus.consuming import ledger
from leadbus.consuming.decoding import Raw, decode
from leadbus.consuming.records import Received
from leadbus.errors import Rejected
from leadbus.publishing import LARGEST_RECORD_BYTES, Outgoing, partition_for
from leadbus.topics import LEADS_SCORED, MARKETING_EVENTS, PARTITIONS


def test_partition_for_agrees_with_the_clients_own_partitioner():
    chance = random.Random(7)
    partitioner = DefaultPartitioner()
    every = list(range(PARTITIONS))
    for _ in range(2_000):
        key = chance.randbytes(chance.randrange(60))
        assert partition_for(key, PARTITIONS) == partitioner(key, every, every)


async def test_a_record_lies_where_partition_for_says(bench):
    await bench.publish(*(bench.event(f"p{n}") for n in range(100)))
    for record in await bench.log_of(MARKETING_EVENTS.name):
        assert record.partition == partition_for(record.key, PARTITIONS)
        assert record.timestamp_type == 1  # the broker's clock


async def test_a_record_too_large_is_refused_and_the_others_arrive(bench):
    for size in (1_500_000, LARGEST_RECORD_BYTES + 1):  # refused by the topic, refused by the client
        large = Outgoing(LEADS_SCORED.name, b"p", b"x" * size)
        small = [Outgoing(LEADS_SCORED.name, b"p", b"%d" % n) for n in range(10)]
        outcomes = await bench.publisher.publish([*small[:5], large, *small[5:]])
        while any(outcome is not None and not isinstance(outcome, Rejected) for outcome in outcomes):
            left = [r for r, o in zip([*small[:5], large, *small[5:]], outcomes, strict=True) if o]
            outcomes = await bench.publisher.publish(left)
    values = [record.value for record in await bench.log_of(LEADS_SCORED.name)]
    assert len(set(values)) == 10


async def test_a_record_that_kafka_never_takes_holds_up_nobody(bench):
    async with bench.running() as member:
        handle = member.handler.handle

        async def emit_one_too_large(batch):
            effects = await handle(batch)
            effects.publish.insert(0, Outgoing(LEADS_SCORED.name, b"p", b"x" * 1_500_000))
            return effects

        member.handler.handle = emit_one_too_large
        await bench.publish(bench.event("p"))
        await bench.until_emitted(["p:0"])
        await bench.eventually(lambda: member.consumer.waiting() is None)


async def test_a_large_outbox_is_split_and_published_whole(bench, monkeypatch):
    monkeypatch.setattr(ledger, "OUTBOX_DOCUMENT_BYTES", 20_000)
    names = [f"p{n}:0" for n in range(300)]
    await bench.publish(*(bench.event(f"p{n}") for n in range(300)))
    sizes: list[int] = []
    async with bench.running() as member:
        publish = bench.publisher.publish

        async def noting(records):
            sizes.append(sum(len(r.value) + len(r.key) + 256 for r in records))
            return await publish(records)

        monkeypatch.setattr(bench.publisher, "publish", noting)
        await bench.until_counted(names)
        await bench.until_emitted(names)
        assert member.consumer.waiting() is None
    assert len(sizes) > 5
    assert max(sizes) <= 20_000
    assert await bench.emitted() == sorted(names)


async def test_decoding_a_record_costs_microseconds(bench):
    record = bench.event("p")
    partition = partition_for(b"p", PARTITIONS)
    raw = Raw(
        MARKETING_EVENTS.name,
        ConsumerRecord(
            MARKETING_EVENTS.name, partition, 0, 1, 1, record.key, record.value, None, 0, 0, record.headers
        ),
    )
    assert isinstance(decode(raw), Received)
    best = min(timed(lambda: decode(raw)) for _ in range(5))
    assert best < 200e-6  # 10-20 here; the bound is for a busy machine


def timed(work, times=1_000):
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times
