"""Cooling on a real MongoDB: noticed by the clock, told once, crossed anew."""

from typing import Any

from leadbus.ids import derived_id, prospect_id
from leadbus.publishing import Outgoing
from scoring import store
from scoring.cooler import Cooler

DAYS = 86_400
START = 1_790_000_000


async def look(scoring: Any, days: float) -> list[Outgoing]:
    """What the cooler publishes so many days after START."""
    scoring.swept = []
    at = START + days * DAYS
    await Cooler(scoring, scoring.prospects, scoring.rules, scoring.connections, lambda: at).look()
    return list(scoring.swept)


async def test_who_has_cooled_is_told_once_and_qualifies_anew_under_a_new_id(scoring: Any) -> None:
    scoring.connect(threshold=10)
    first = (await scoring.feed(scoring.event("1"))).qualified
    assert await look(scoring, 30) == []
    (record,) = await look(scoring, 40)
    assert record.topic == "leads.scored"
    kept = await scoring.prospect()
    assert kept.cools_at is None
    assert kept.qualified["c1"].cooled is not None
    assert await look(scoring, 41) == []
    told = await scoring.feed(scoring.event("2", at=45 * DAYS))
    who = prospect_id("acme", email="ada@example.com")
    ids = [message.event_id for message in (*first, *told.qualified)]
    assert ids == [derived_id(who, "c1", "qualified"), derived_id(who, "c1", "qualified", "2")]
    assert [message.cooled for message in told.scored] == [[]]


async def test_only_those_that_are_due_are_looked_at(scoring: Any, many: Any, monkeypatch: Any) -> None:
    scoring.connect(threshold=10)
    await scoring.feed(*many(scoring, 30))
    await scoring.feed(scoring.event("again", email="person0@example.com", at=20 * DAYS))
    monkeypatch.setattr(store, "CHUNK", 4)
    before = scoring.transactions
    assert await look(scoring, 1) == []
    assert scoring.transactions == before
    assert len(await look(scoring, 40)) == 29
    assert len(await look(scoring, 80)) == 1


async def test_a_higher_threshold_dates_the_hot_anew(scoring: Any) -> None:
    scoring.connect(threshold=5)
    await scoring.feed(scoring.event("1"))
    before = (await scoring.prospect()).cools_at
    scoring.connect(threshold=18, revision=2)
    await scoring.sweep()
    after = (await scoring.prospect()).cools_at
    assert before is not None
    assert after is not None
    assert after < before
    assert len(await look(scoring, 10)) == 1


async def test_who_is_far_from_cooling_is_not_written_when_a_connection_changes(scoring: Any) -> None:
    scoring.connect(threshold=5)
    await scoring.feed(scoring.event("1"))
    await scoring.sweep()
    kept = await scoring.prospect()
    scoring.connect(threshold=5, revision=2)
    await scoring.sweep()
    after = await scoring.prospect()
    assert (after, after.cools_at) == (kept, kept.cools_at)


async def test_another_partitions_prospects_are_left_to_their_owner(scoring: Any, many: Any) -> None:
    scoring.connect(threshold=10)
    await scoring.feed(*many(scoring, 24))
    scoring.partitions = {0, 1, 2, 3, 4}
    ours = await look(scoring, 40)
    scoring.partitions = set(range(5, 12))
    theirs = await look(scoring, 40)
    assert len(ours) + len(theirs) == 24
    assert ours
    assert theirs
