"""Two owners of one partition: one of them writes, the other finds out."""

import asyncio

import pytest
from aiokafka import ConsumerRecord

from leadbus.consuming.applier import Applier
from leadbus.consuming.decoding import Raw
from leadbus.consuming.positions import Start
from leadbus.consuming.records import Effects
from leadbus.errors import Fenced
from leadbus.publishing import partition_for
from leadbus.telemetry import Telemetry
from leadbus.topics import LEADS_DISTRIBUTED, MARKETING_EVENTS, PARTITIONS

TOPIC = MARKETING_EVENTS.name


class Owner:
    """An applier of one partition, without a group that could tell it of others."""

    def __init__(self, bench, *topics):
        self.bench = bench
        self.topics = topics or (TOPIC,)
        self.member = bench.member()
        self.applier = Applier(
            "scoring",
            self.member.handler,
            self.member.ledger,
            bench.publisher,
            Telemetry("scoring", {"OTEL_SDK_DISABLED": "true"}),
        )
        self.partition = partition_for(b"one", PARTITIONS)

    async def begin(self):
        async def starts():
            owned = [(topic, self.partition) for topic in self.topics]
            held = await self.member.ledger.of(owned)
            known = {p: held.applied.get(p) for p in owned}
            return "cluster", {
                p: Start(a.offset if a else 0, a, held.turns[self.partition]) for p, a in known.items()
            }

        await self.member.ledger.prepare()
        await self.applier.begin(starts, lambda found: found)

    async def apply(self, *offsets):
        await self.take(TOPIC, {n: self.bench.event("one", n) for n in offsets})

    async def take(self, topic, records):
        batch = [
            Raw(topic, ConsumerRecord(topic, self.partition, n, 1_000 + n, 1, r.key, r.value, None, 0, 0, ()))
            for n, r in records.items()
        ]
        await self.applier.apply(batch, self.applier.term)


async def test_an_owner_that_was_overtaken_changes_nothing(bench):
    old, new = Owner(bench), Owner(bench)
    await old.begin()
    await old.apply(0, 1)
    await new.begin()
    await new.apply(2, 3)
    with pytest.raises(Fenced):
        await old.apply(2, 3)
    await old.begin()
    await old.apply(2, 3, 4)
    assert await bench.counts() == {f"one:{n}": 1 for n in range(5)}
    assert set(await bench.emitted()) == {f"one:{n}" for n in range(5)}


@pytest.mark.parametrize("applied", [0, 2])
async def test_an_owner_is_overtaken_on_all_topics_of_a_prospect_at_once(bench, applied):
    """They change the same documents: what an overtaken one has read of them is not what they are now."""
    topics = (TOPIC, LEADS_DISTRIBUTED.name)
    old, new = Owner(bench, *topics), Owner(bench, *topics)
    await old.begin()
    if applied:
        await old.apply(*range(applied))
    await new.begin()
    await new.take(LEADS_DISTRIBUTED.name, {0: bench.distribution("one")})
    with pytest.raises(Fenced):
        await old.apply(applied)
    await new.apply(applied)
    assert await bench.counts() == {f"one:{n}": 1 for n in range(applied + 1)} | {"one:d": 1}


async def test_two_owners_that_begin_a_partition_at_once_do_not_both_apply_it(bench):
    owners = Owner(bench), Owner(bench)
    for owner in owners:
        await owner.begin()
    outcomes = await asyncio.gather(*(owner.apply(0, 1, 2) for owner in owners), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Fenced, type(None)}
    assert await bench.counts() == {f"one:{n}": 1 for n in range(3)}


@pytest.mark.parametrize("applied", [0, 2])
async def test_a_sweep_is_fenced_as_a_batch_is(bench, applied):
    """Also on a partition that has no applied record yet."""

    def sweeping(name):
        async def compute():
            return Effects(publish=[bench.scored(name, "acme", "one")])

        return compute

    old, new = Owner(bench), Owner(bench)
    await old.begin()
    if applied:
        await old.apply(*range(applied))
    await new.begin()
    await new.applier.transact({new.partition}, sweeping("new"))
    with pytest.raises(Fenced):
        await old.applier.transact({old.partition}, sweeping("old"))
    with pytest.raises(Fenced):
        await old.apply(applied)
    with pytest.raises(Fenced):
        await new.applier.transact({new.partition + 1}, sweeping("not ours"))
    await new.apply(applied)
    assert await bench.counts() == {f"one:{n}": 1 for n in range(applied + 1)}
    assert "old" not in await bench.emitted()


async def test_a_batch_polled_before_the_takeover_is_dropped(bench):
    owner = Owner(bench)
    await owner.begin()
    batch = [Raw(TOPIC, ConsumerRecord(TOPIC, owner.partition, 7, 1, 1, b"", b"", None, 0, 0, ()))]
    await owner.applier.apply(batch, owner.applier.term - 1)
    assert owner.applier.offsets == {(TOPIC, owner.partition): 0}


async def test_a_member_that_was_busy_during_a_rebalance_is_fenced_and_nothing_is_lost(bench):
    go_on = asyncio.Event()
    stuck = asyncio.Event()

    async def wait(batch):
        if not go_on.is_set():
            stuck.set()
            await go_on.wait()

    names = [f"p{n}:1" for n in range(200)]
    await bench.publish(*(bench.event(f"p{n}", 1) for n in range(200)))
    busy, other = bench.member(), bench.member()
    busy.handler.before = wait
    async with bench.running(busy):
        await stuck.wait()
        async with bench.running(other):
            await bench.eventually(other.handler.seen.__len__, within=30)
            go_on.set()
            await bench.until_counted(names)
            await bench.publish(*(bench.event(f"p{n}", 2) for n in range(200)))
            await bench.until_counted([*names, *(f"p{n}:2" for n in range(200))])
            assert busy.consumer.partitions
            assert busy.consumer.partitions | other.consumer.partitions == set(range(PARTITIONS))
            assert not busy.consumer.partitions & other.consumer.partitions
    assert len(busy.handler.seen) + len(other.handler.seen) > 400  # what was fenced was handled twice
