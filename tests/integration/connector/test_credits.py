"""An organisation that allows so many calls a day: new leads arrive when all else has to wait."""

import asyncio
import time
from collections import Counter
from dataclasses import replace

from leadbus.connector import workers
from leadbus.connector.benches import Benches
from leadbus.connector.connection import HealthState
from leadbus.connector.contract import Limits
from leadbus.connector.credits import HELD_BACK, USED_UP, Urgency
from leadbus.errors import Transient
from sandbox.sugar import desk

OFTEN = {"lead": {"every_seconds": 1}}
ANN, BOB, EVE = (f"{name}@example.com" for name in ("ann", "bob", "eve"))
VERBS = ("read", "find_by_email", "create", "update", "add_activities", "changed")


class Metered:
    """The CRM, as if a call of each verb cost a credit of an allowance."""

    def __init__(self, adapter, limits):
        self._adapter, self.calls = adapter, Counter()
        self.answer = limits
        self.capabilities = replace(adapter.capabilities, credits=dict.fromkeys(VERBS, lambda rows: 1))

    def __getattr__(self, name):
        verb = getattr(self._adapter, name)
        if name not in VERBS:
            return verb

        async def counted(*arguments):
            self.calls[name] += 1
            return await verb(*arguments)

        return counted

    async def limits(self):
        self.calls["limits"] += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def working(bench, until, limits):
    """A pod at work, and its adapter, which has been asked for its limits."""
    opened = []
    pod = await bench.pod(wrap=lambda adapter: opened.append(Metered(adapter, limits)) or opened[-1])
    await until(lambda: opened and opened[0].calls["limits"])
    return pod, opened[0]


def left(credits):
    return Limits(credits_a_day=1_000, credits_left=credits)


async def health(bench, connection):
    return (await bench.desk.connections.get(connection.id)).health


async def is_told(bench, connection, reason):
    found = await health(bench, connection)
    return (found.state, found.reason) == (HealthState.TROUBLE, reason)


async def test_pulls_wait_first_while_leads_and_their_changes_go_on(bench, crm, leads, did, until):
    connection = await bench.connect(crm, schedules=OFTEN)
    _, adapter = await working(bench, until, left(150))
    await until(lambda: is_told(bench, connection, HELD_BACK[Urgency.PULLING]))
    await bench.feed(bench.qualified(ANN, did("Read the prices")))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.settled(ANN)
    assert (adapter.calls["add_activities"], adapter.calls["changed"]) == (1, 0)
    assert await is_told(bench, connection, HELD_BACK[Urgency.PULLING])


async def test_new_leads_arrive_at_once_while_changes_and_notes_wait(bench, crm, leads, notes, did, until):
    profile = {"on": True, "field_updates": True}
    connection = await bench.connect(crm, lead_distribution=profile)
    pod, adapter = await working(bench, until, left(90))
    await bench.feed(bench.qualified(ANN, did("Read the prices")))
    await until(lambda: bench.outcomes() == ["created"])
    await until(lambda: is_told(bench, connection, HELD_BACK[Urgency.DELIVERING]))
    began = time.monotonic()
    await bench.feed(bench.distributed(BOB))
    await until(lambda: len(bench.outcomes()) == 2)
    assert time.monotonic() - began < 15
    # Bob is there already: of what his supplier says anew only the change is left, which waits.
    await bench.feed(bench.distributed(BOB, "d2", phone="+49 30 1"))

    async def waits() -> bool:
        return (await bench.delivery(BOB)).next_try is not None

    await until(waits)
    calls = adapter.calls.total()
    pause = time.monotonic() + 1.0
    await until(lambda: time.monotonic() > pause)
    assert adapter.calls.total() == calls  # what waits is not tried again and again
    await bench.feed(bench.distributed(EVE))
    await until(lambda: sum(lead["email"] == EVE for lead in leads(crm)))
    assert notes(crm) == []
    assert (adapter.calls["update"], adapter.calls["add_activities"]) == (0, 0)
    assert await is_told(bench, connection, HELD_BACK[Urgency.DELIVERING])

    await pod.stop()
    await working(bench, until, left(900))
    await bench.feed(bench.scored(ANN, 60, 2), bench.distributed(BOB, "d3", phone="+49 30 1"))
    await bench.settled(ANN, BOB)
    assert [note["name"] for note in notes(crm)] == ["Viewed a web page: Read the prices"]
    assert [lead["phone_work"] for lead in leads(crm) if lead["email"] == BOB] == ["+49 30 1"]

    async def is_well() -> bool:
        return (await health(bench, connection)).state is HealthState.WELL

    await until(is_well)


async def test_scores_wait_first_and_trouble_nobody(bench, crm, leads, notes, did, until):
    connection = await bench.connect(crm, score_field="lead_score_c")
    desk.create(crm.store, "Leads", {"last_name": "Lee", "email1": ANN})
    _, adapter = await working(bench, until, left(290))
    await bench.feed(bench.distributed(ANN), bench.scored(ANN, 60, 2))
    await bench.settled(ANN)
    await bench.feed(bench.activities(ANN, did("Read the prices"), score=70, version=3))
    await until(lambda: notes(crm))
    await bench.settled(ANN)
    delivery = await bench.delivery(ANN)
    assert (delivery.score.value, delivery.score.written) == (70, None)
    assert delivery.score_due_at is not None  # it is due, but what is left is for others
    assert adapter.calls["update"] == 0
    assert (await health(bench, connection)).state is HealthState.WELL


async def test_when_nothing_is_left_new_leads_wait_as_well(bench, crm, leads, until):
    connection = await bench.connect(crm)
    await working(bench, until, left(0))
    await bench.feed(bench.distributed(ANN))
    await until(lambda: is_told(bench, connection, USED_UP))
    assert leads(crm) == []
    assert (await bench.delivery(ANN)).is_new


async def test_what_was_spent_is_known_to_the_next_pod_and_on_the_metrics(bench, crm, until, monkeypatch):
    monkeypatch.setattr(workers, "EVERY_SECONDS", 0.2)
    connection = await bench.connect(crm)
    pod, _ = await working(bench, until, Limits(credits_a_day=100, credits_left=50))
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    await pod.stop()
    store = bench.desk.workshop.credits
    kept = await store.of(connection.organisation_id)
    assert kept.a_day == 100
    assert 50 < sum(kept.hours.values()) < 60
    # The next one is told nothing, and goes on with what it finds.
    await store.save(connection.organisation_id, replace(kept, hours=dict.fromkeys(kept.hours, 80)))
    await working(bench, until, Transient("The CRM does not answer."))
    await bench.feed(bench.distributed(BOB))
    await until(lambda: len(bench.outcomes()) == 2)
    label = f'leadbus_connection_id="{connection.id}"'

    def exposed() -> list[float]:
        lines = bench.kit.telemetry.exposition().decode().splitlines()
        found = [li for li in lines if li.startswith("leadbus_crm_credits_left") and label in li]
        return [float(line.split()[-1]) for line in found]

    await until(lambda: exposed() and 10 < exposed()[0] < 20)


def no_turns(*_):
    return asyncio.create_task(asyncio.sleep(0))


async def test_as_many_calls_at_once_as_the_organisation_bears(bench, crm, until):
    connection = await bench.connect(crm)
    opened = []
    shop = bench.desk.workshop

    async def adapter_for(connection):
        opened.append(Metered(await shop.adapter_for(connection), Limits(calls=2)))
        return opened[-1]

    benches = Benches(
        connection.organisation_id,
        replace(shop, adapter_for=adapter_for),
        holds_lease=lambda: True,
        begin_turns=no_turns,
    )
    (opened_bench,) = await benches.open_now()
    assert benches.allowance.budget.slots == opened[0].capabilities.concurrent_calls > 2
    for _ in range(3):
        await opened_bench.ask_limits()
    assert benches.allowance.budget.slots == 2
    assert opened[0].calls["limits"] == 1  # not before an hour is over
    await benches.close()


async def test_an_organisation_whose_credits_are_gone_is_asked_all_the_same_what_is_left(bench, crm):
    connection = await bench.connect(crm)
    opened = []
    shop = bench.desk.workshop

    async def adapter_for(connection):
        opened.append(Metered(await shop.adapter_for(connection), left(0)))
        opened[-1].capabilities = replace(opened[-1].capabilities, credits={"check": lambda rows: 2})
        return opened[-1]

    benches = Benches(
        connection.organisation_id,
        replace(shop, adapter_for=adapter_for),
        holds_lease=lambda: True,
        begin_turns=no_turns,
    )
    (opened_bench,) = await benches.open_now()
    await opened_bench.ask_limits()
    assert benches.allowance.credits()[0] == 0
    opened[0].answer = left(900)  # what others had spent the day before counts no more
    benches.allowance._ask_at = 0.0  # an hour later
    await opened_bench.ask_limits()
    assert benches.allowance.credits()[0] == 900
    await benches.close()


async def test_a_crm_without_an_allowance_is_not_counted(bench, crm, until):
    await bench.connect(crm)
    pod = await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    await pod.stop()
    assert await bench.database["connector-sugar.credits"].count_documents({}) == 0
