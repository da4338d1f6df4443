"""A batch is computed while the one before it is written: what may go wrong meanwhile, and what follows."""

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
from leadbus.topics import MARKETING_EVENTS, PARTITIONS

TOPIC = MARKETING_EVENTS.name
PARTITION = partition_for(b"one", PARTITIONS)


class Owner:
    """An applier of one partition whose handler keeps its state."""

    def __init__(self, bench):
        self.bench = bench
        self.handler = bench.keeping(bench.client, bench.database)
        self.ledger = bench.ledger()
        telemetry = Telemetry("scoring", {"OTEL_SDK_DISABLED": "true"})
        self.applier = Applier("scoring", self.handler, self.ledger, bench.publisher, telemetry)

    async def begin(self):
        async def starts():
            held = await self.ledger.of([(TOPIC, PARTITION)])
            known = held.applied.get((TOPIC, PARTITION))
            start = Start(known.offset if known else 0, known, held.turns[PARTITION])
            return "cluster", {(TOPIC, PARTITION): start}

        await self.ledger.prepare()
        await self.applier.begin(starts, lambda found: found)

    async def apply(self, *offsets, more=True):
        records = {n: self.bench.event("one", n) for n in offsets}
        batch = [
            Raw(TOPIC, ConsumerRecord(TOPIC, PARTITION, n, 1_000 + n, 1, r.key, r.value, None, 0, 0, ()))
            for n, r in records.items()
        ]
        await self.applier.apply(batch, self.applier.term, more=more)

    async def look_back(self):
        await self.bench.eventually(self.applier.look_back)

    @property
    def place(self):
        return self.applier.offsets[TOPIC, PARTITION]

    async def turns(self):
        return (await self.ledger.of([(TOPIC, PARTITION)])).turns[PARTITION]

    async def counted(self):
        return [int(name.split(":")[1]) for name in (await self.bench.people()).get("one", [])]


class Gate:
    """Holds up the writing of the first batch, until it is opened."""

    def __init__(self, owner):
        self.reached, self._open = asyncio.Event(), asyncio.Event()
        owner.handler.writing = self._wait

    async def _wait(self, _):
        self.reached.set()
        await self._open.wait()

    def open(self):
        self._open.set()


@pytest.fixture
async def owner(bench):
    made = Owner(bench)
    await made.begin()
    yield made
    await made.applier.finish()


async def test_a_batch_is_computed_while_the_last_is_written_and_written_after_it(owner):
    gate = Gate(owner)
    await owner.apply(0, 1)
    await gate.reached.wait()
    second = asyncio.create_task(owner.apply(2, 3))
    await owner.bench.eventually(lambda: len(owner.handler.seen) == 4)
    assert (owner.place, await owner.counted(), second.done()) == (0, [], False)
    gate.open()
    await second
    await owner.apply(4, more=False)
    assert (owner.place, await owner.counted()) == (5, [0, 1, 2, 3, 4])
    assert owner.handler.read == ["one"]  # never again, since it was kept
    assert await owner.bench.emitted() == [f"one:{n}" for n in range(5)]


async def test_what_is_written_late_is_what_the_batch_made_and_nothing_of_the_next(owner):
    go_on = asyncio.Event()
    written = []

    async def wait_in_each_but_the_first(batch):
        written.append(batch)
        if len(written) > 1:
            await go_on.wait()

    gate = Gate(owner)
    await owner.apply(0)
    await gate.reached.wait()
    second = asyncio.create_task(owner.apply(1))
    await owner.bench.eventually(lambda: len(owner.handler.seen) == 2)
    owner.handler.writing = wait_in_each_but_the_first
    written.append(None)
    gate.open()
    await second
    assert (owner.place, await owner.counted(), await owner.bench.emitted()) == (1, [0], ["one:0"])
    go_on.set()
    await owner.apply(2, more=False)
    assert await owner.counted() == [0, 1, 2]


async def test_an_owner_overtaken_while_it_writes_drops_all_that_it_has_computed_since(owner, bench):
    await owner.apply(0, more=False)
    other = Owner(bench)
    await other.begin()
    await other.apply(1, 2, more=False)
    await owner.apply(1)
    with pytest.raises(Fenced):
        await owner.apply(2)
    with pytest.raises(Fenced):  # it stays so, whoever asks, until it begins again
        await owner.applier.transact({PARTITION}, nothing)
    with pytest.raises(Fenced):
        await owner.look_back()
    assert await owner.counted() == [0, 1, 2]
    await owner.begin()
    await owner.apply(2, 3, more=False)
    assert await owner.counted() == [0, 1, 2, 3]


async def test_an_owner_that_has_nothing_more_to_do_finds_out_that_it_was_overtaken(owner, bench):
    other = Owner(bench)
    await other.begin()
    await other.apply(0, more=False)
    await owner.apply(0)
    with pytest.raises(Fenced):
        await owner.look_back()


async def test_a_record_that_cannot_be_written_takes_nothing_with_it(owner, bench):
    """Neither what was in its batch, nor the batch that was computed on top of it."""

    async def refuse(batch):
        if any(r.message.event_id == "one:1" for r in batch):
            await asyncio.sleep(0.1)
            raise ValueError("it cannot be written")

    owner.handler.writing = refuse
    await owner.apply(0, 1, 2)
    await owner.apply(3, 4)
    await owner.apply(5, more=False)
    assert (owner.place, await owner.counted()) == (6, [0, 2, 3, 4, 5])
    (dead,) = await bench.until_dead(MARKETING_EVENTS, 1)
    assert b'"one:1"' in dead.value
    assert sorted(set(await bench.emitted())) == [f"one:{n}" for n in (0, 2, 3, 4, 5)]


async def test_a_record_that_cannot_be_computed_leaves_the_batch_before_it_alone(owner, bench):
    async def refuse(batch):
        if any(r.message.event_id == "one:3" for r in batch):
            raise ValueError("it cannot be computed")

    gate = Gate(owner)
    owner.handler.before = refuse
    await owner.apply(0, 1)
    await gate.reached.wait()
    second = asyncio.create_task(owner.apply(2, 3, 4))
    await bench.eventually(lambda: len(owner.handler.seen) == 5)
    gate.open()
    await second
    await owner.apply(5, more=False)
    assert (owner.place, await owner.counted()) == (6, [0, 1, 2, 4, 5])
    await bench.until_dead(MARKETING_EVENTS, 1)


async def test_a_sweep_sees_what_was_under_way_and_the_next_batch_sees_the_sweep(owner, bench):
    gate = Gate(owner)
    await owner.apply(0)
    await gate.reached.wait()

    async def compute():
        assert await owner.counted() == [0]

        async def write(session):
            await owner.handler.people.update_one(
                {"_id": "one"}, {"$push": {"ids": "one:9"}}, session=session
            )

        return Effects(write)

    sweep = asyncio.create_task(owner.applier.transact({PARTITION}, compute))
    await asyncio.sleep(0.1)
    assert not sweep.done()
    gate.open()
    await sweep
    await owner.apply(1, more=False)
    assert await owner.counted() == [0, 9, 1]


async def test_a_transaction_without_a_change_is_none_and_only_what_one_makes_stale_is_read_again(owner):
    await owner.apply(0, more=False)
    turns = await owner.turns()
    await owner.applier.transact({PARTITION}, nothing)
    await owner.apply(1, more=False)
    assert owner.handler.read == ["one"]
    assert await owner.turns() == turns + 1

    async def elsewhere():
        async def write(session):
            await owner.handler.people.insert_one({"_id": "two", "partition": PARTITION}, session=session)

        return Effects(write, stale=["two"])

    await owner.applier.transact({PARTITION}, elsewhere)
    await owner.apply(2, more=False)
    assert owner.handler.read == ["one"]
    assert await owner.turns() == turns + 3


async def test_an_assignment_amid_a_batch_goes_on_after_it(owner):
    gate = Gate(owner)
    await owner.apply(0, 1)
    await gate.reached.wait()
    assignment = asyncio.create_task(owner.begin())
    await asyncio.sleep(0.1)
    assert not assignment.done()
    gate.open()
    await assignment
    assert owner.place == 2
    await owner.apply(0, 1, 2, more=False)
    assert await owner.counted() == [0, 1, 2]


async def test_a_member_works_off_a_backlog_and_says_how_far_it_is(bench):
    people = [f"p{n}" for n in range(20)]
    await bench.publish(*(bench.event(who, n) for n in range(30) for who in people))
    member = bench.member(kind=bench.keeping, batch_records=50)
    most = 0

    async def look(_):
        nonlocal most
        most = max(most, len(member.handler.seen) - sum(member.consumer._applier.offsets.values()))

    member.handler.before = look
    async with bench.running(member):
        await bench.until_emitted([f"{who}:{n}" for n in range(30) for who in people])
        assert await bench.people() == {who: [f"{who}:{n}" for n in range(30)] for who in people}
        assert most > 50  # what was computed ran ahead of what was written
        assert len(member.handler.read) == len(people)
        await bench.eventually(lambda: sum(member.consumer._applier.offsets.values()) == 600)


async def slowly(_):
    await asyncio.sleep(0.02)


async def test_nothing_is_lost_or_doubled_when_mongodb_dies_amid_a_backlog(kafka, own_mongodb, install):
    async with install(kafka, own_mongodb) as bench:
        listed = await backlog(bench)
        member = bench.member(kind=bench.keeping, batch_records=50)
        member.handler.writing = slowly
        async with bench.running(member):
            await bench.eventually(lambda: len(member.handler.seen) > 600)
            await own_mongodb.kill()
            await bench.eventually(lambda: "away" in (member.consumer.waiting() or ""))
            await own_mongodb.start()
            await bench.eventually(lambda: is_done(bench, listed), within=40)
            await bench.until_emitted([name for names in listed.values() for name in names])
        assert await bench.people() == listed


async def test_nothing_is_lost_or_doubled_when_partitions_move_amid_a_backlog(bench):
    listed = await backlog(bench)
    first, second = (bench.member(kind=bench.keeping, batch_records=20) for _ in range(2))
    first.handler.writing = second.handler.writing = slowly
    async with bench.running(first):
        await bench.eventually(lambda: len(first.handler.seen) > 200)
        async with bench.running(second):
            await bench.eventually(lambda: is_done(bench, listed), within=40)
            await bench.until_emitted([name for names in listed.values() for name in names])
            assert second.handler.seen
    assert await bench.people() == listed


async def backlog(bench):
    """2,400 events of 40 people; their ids by person."""
    people = [f"p{n}" for n in range(40)]
    await bench.publish(*(bench.event(who, n) for n in range(60) for who in people))
    return {who: [f"{who}:{n}" for n in range(60)] for who in people}


async def is_done(bench, listed):
    found = await bench.people()
    return sum(map(len, found.values())) >= sum(map(len, listed.values()))


async def nothing():
    return Effects()
