"""Every record is counted once and emitted once, wherever it lies, whoever reads it, however often."""

import asyncio
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer, TopicPartition

from leadbus.consuming import consumer as consuming
from leadbus.messages import LeadScored
from leadbus.publishing import partition_for
from leadbus.topics import LEADS_SCORED, MARKETING_EVENTS, PARTITIONS


async def test_each_record_is_counted_and_emitted_once_on_all_partitions(bench):
    prospects = [f"prospect-{n}" for n in range(300)]
    names = [f"{p}:{n}" for p in prospects for n in (1, 2)] + [f"{p}:d" for p in prospects]
    await bench.publish(*(bench.event(p, n) for p in prospects for n in (1, 2)))
    await bench.publish(*map(bench.distribution, prospects))
    async with bench.running() as member:
        await bench.until_counted(names)
        await bench.until_emitted(names)
        assert {r.partition for r in member.handler.seen} == set(range(PARTITIONS))
        assert member.consumer.partitions == set(range(PARTITIONS))
    assert await bench.emitted() == sorted(names)


async def test_what_a_prospect_did_is_emitted_in_the_order_it_happened(bench):
    await bench.publish(*(bench.event(f"p{n % 20}", n) for n in range(2_000)))
    async with bench.running():
        await bench.until_counted([f"p{n % 20}:{n}" for n in range(2_000)])
    orders: dict[str, list[int]] = {}
    for record in await bench.log_of(LEADS_SCORED.name):
        prospect, number = LeadScored.model_validate_json(record.value).event_id.split(":")
        orders.setdefault(prospect, []).append(int(number))
    assert len(orders) == 20
    assert all(order == sorted(order) and len(order) == 100 for order in orders.values())


async def test_a_record_on_another_partition_than_its_keys_is_forwarded_and_counted_once(bench):
    right = partition_for(b"somebody", PARTITIONS)
    wrong = (right + 1) % PARTITIONS
    await bench.publish_raw(MARKETING_EVENTS, bench.event("somebody", 1).value, partition=wrong)
    async with bench.running() as member:
        await bench.until_counted(["somebody:1"])
        assert [r.partition for r in member.handler.seen] == [right]
    assert await bench.emitted() == ["somebody:1"]


async def test_going_back_in_kafka_changes_nothing(bench):
    names = [f"p{n}:1" for n in range(100)]
    await bench.publish(*(bench.event(f"p{n}", 1) for n in range(100)))
    async with bench.running():
        await bench.until_counted(names)
        await bench.until_emitted(names)
    await bench.commit_offsets(MARKETING_EVENTS, 0)
    await bench.publish(bench.event("later"))
    async with bench.running() as member:
        await bench.until_counted([*names, "later:0"])
        assert [r.message.event_id for r in member.handler.seen] == ["later:0"]
    assert await bench.emitted() == sorted([*names, "later:0"])


async def test_offsets_in_kafka_that_are_ahead_of_the_ledger_skip_nothing(bench):
    """As after MongoDB was restored from a backup: aiokafka fetches from there until it is told better."""
    names = [f"p{n}:1" for n in range(400)]
    await bench.publish(*(bench.event(f"p{n}", 1) for n in range(200)))
    await bench.commit_offsets(MARKETING_EVENTS, 10)
    await bench.publish(*(bench.event(f"p{n}", 1) for n in range(200, 400)))
    slow = bench.member()
    find = slow.consumer._positions.starts

    async def starts_slowly(*arguments):
        await asyncio.sleep(0.5)
        return await find(*arguments)

    slow.consumer._positions.starts = starts_slowly
    async with bench.running(slow):
        await bench.until_counted(names)


async def test_members_come_and_go_and_everything_is_counted_once(bench, monkeypatch):
    """With five and four members a round robin would part one prospect's two topics."""
    monkeypatch.setattr(consuming, "BATCH_RECORDS", 50)
    names: list[str] = []

    async def traffic(wave: str) -> None:
        people = [f"{wave}-{n}" for n in range(120)]
        names.extend(f"{p}:{kind}" for p in people for kind in (0, "d"))
        await bench.publish(*map(bench.event, people))
        await bench.publish(*map(bench.distribution, people))

    async with AsyncExitStack() as stack:
        members = [bench.member() for _ in range(5)]
        leaving = [await stack.enter_async_context(AsyncExitStack()) for _ in members]
        joining = [
            exits.enter_async_context(bench.running(member))
            for member, exits in zip(members, leaving, strict=True)
        ]
        await asyncio.gather(*joining, traffic("joining"))
        await bench.eventually(lambda: shared(members) == 5)
        await traffic("five")
        await bench.until_counted(names)
        together(members, "five")
        await asyncio.gather(leaving[2].aclose(), traffic("leaving"))
        members.pop(2)
        await bench.eventually(lambda: shared(members) == 4)
        await traffic("four")
        await bench.until_counted(names)
        together(members, "four")
    assert set(await bench.emitted()) == set(names)


def shared(members) -> int:
    """How many members share all partitions without overlap; 0 while they are being shared out."""
    owned = sorted(p for member in members for p in member.consumer._applier.offsets)
    whole = len(owned) == len(set(owned)) == 2 * PARTITIONS
    return sum(bool(member.consumer.partitions) for member in members) if whole else 0


def together(members, wave: str) -> None:
    """Both topics of one prospect were seen by the same member."""
    saw = [
        {(r.topic, r.message.key) for r in m.handler.seen if r.message.key.startswith(wave)} for m in members
    ]
    for seen in saw:
        keys = [{key for topic, key in seen if topic == name} for name in {topic for topic, _ in seen}]
        assert all(k == keys[0] for k in keys)
    assert sum(bool(seen) for seen in saw) == len(members)


async def test_trouble_is_told_only_of_a_poll_loop_that_is_dead(bench, monkeypatch):
    monkeypatch.setattr(consuming, "LOOP_MUST_TURN_SECONDS", 0.5)
    async with bench.running() as member:
        await bench.eventually(lambda: member.consumer.waiting() is None)
        await asyncio.sleep(0.7)
        assert member.consumer.trouble() is None
        (loop,) = member.consumer._subscriber.tasks
        loop.cancel()
        await bench.eventually(lambda: member.consumer.trouble() is not None, within=2)
        assert "has not turned" in member.consumer.trouble()


async def test_progress_is_told_to_kafka_for_lag(bench):
    await bench.publish(*(bench.event("one", n) for n in range(5)))
    async with bench.running():
        await bench.until_counted([f"one:{n}" for n in range(5)])
    part = TopicPartition(bench.prefix + MARKETING_EVENTS.name, partition_for(b"one", PARTITIONS))
    async with AIOKafkaConsumer(
        bootstrap_servers=bench.kafka.bootstrap_servers, group_id=bench.group, enable_auto_commit=False
    ) as onlooker:
        assert await onlooker.committed(part) == 5
