"""What the handler keeps from batch to batch: what is stored, or about to be, and no more than so many."""

from typing import Any

import pytest

from leadbus.consuming.records import Keeper
from scoring.history import History
from scoring.kept import Kept, size
from scoring.prospect import Key, Named, Prospect


def some(*names: str, partition: int = 0) -> list[Prospect]:
    return [Prospect(Key("acme", name), partition) for name in names]


def keys(*names: str) -> list[Key]:
    return [Key("acme", name) for name in names]


def test_rows_of_further_scores_take_room_too() -> None:
    (plain,), (many,) = some("a"), some("a")
    many.named = {str(n): Named(History(bytearray(31_000))) for n in range(10)}
    assert size(many) - size(plain) == 310_000


def test_the_consumer_may_overlap_batches_of_scoring(scoring: Any) -> None:
    assert isinstance(scoring.handler, Keeper)


async def test_a_batch_written_late_writes_what_it_made_itself(scoring: Any) -> None:
    scoring.connect(threshold=10)
    first = await scoring.handler.handle([scoring.event("1", fields={"phone": "1"})])
    second = await scoring.handler.handle([scoring.event("2", at=1, fields={"phone": "2"})])
    await scoring.apply(first)
    stored = await scoring.prospect()
    assert (len(stored.history), stored.version, len(stored.recent)) == (1, 1, 1)
    assert stored.fields["phone"].value == "1"
    await scoring.apply(second)
    stored = await scoring.prospect()
    assert (len(stored.history), stored.version, stored.fields["phone"].value) == (2, 2, "2")
    scoring.handler.forget()
    assert (await scoring.feed(scoring.event("1"), scoring.event("2"))).records == []


async def test_what_is_kept_is_not_read_again_and_what_is_forgotten_is(
    scoring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    load = scoring.prospects.load

    async def noting(asked: Any) -> Any:
        read.append(len(asked))
        return await load(asked)

    monkeypatch.setattr(scoring.prospects, "load", noting)
    event = scoring.event("1")
    await scoring.feed(event)
    await scoring.feed(scoring.event("2", at=1))
    scoring.handler.forget({event.partition + 1})
    await scoring.feed(scoring.event("3", at=2))
    scoring.handler.forget({event.partition})
    await scoring.feed(scoring.event("4", at=3))
    assert read == [1, 0, 0, 1]
    assert len((await scoring.prospect()).history) == 4


async def test_batches_give_the_same_whether_prospects_are_kept_or_read(scoring: Any) -> None:
    scoring.connect(threshold=30)
    told = []
    for tenant in ("acme", "other"):
        scoring.connect(f"c {tenant}", tenant_id=tenant, threshold=30)
        for n in range(12):
            batch = [scoring.event(f"{n} {m}", at=n * 60 + m, tenant_id=tenant) for m in range(3)]
            told.append([record.topic for record in (await scoring.feed(*batch, batch[0])).records])
            if tenant == "other":
                scoring.handler.forget()
    kept, read = await scoring.prospect(), await scoring.prospect(tenant="other")
    assert (kept.score, kept.version, kept.recent) == (read.score, read.version, read.recent)
    assert bytes(kept.history.rows) == bytes(read.history.rows)


def test_those_touched_longest_ago_are_let_go_when_the_next_batch_begins() -> None:
    kept = Kept(most=3 * size(*some("a")))
    kept.put(some("a", "b"))
    assert kept.take(keys("a")).keys() == set(keys("a"))
    kept.put(some("a", "c", "d"))
    assert len(kept) == 4  # none while what a batch changed may not be stored yet
    assert kept.take(keys("a", "b", "c", "d")).keys() == set(keys("a", "c", "d"))


def test_what_the_last_batch_touched_stays_though_it_is_more_than_may_be_kept() -> None:
    kept = Kept(most=size(*some("a")))
    kept.put(some("a", "b", "c"))
    assert kept.take(keys("b")).keys() == set(keys("b"))
    kept.put(some("b"))
    assert len(kept) == 3
    assert kept.take(keys("a", "c")) == {}
    assert len(kept) == 1


async def test_a_long_history_takes_the_room_of_many_short_ones(scoring: Any) -> None:
    await scoring.feed(*(scoring.event(str(n), at=n) for n in range(300)))
    assert size(await scoring.prospect()) > 9 * size(*some("a"))


def test_forgetting_a_partition_leaves_the_others() -> None:
    kept = Kept()
    kept.put([*some("a", partition=1), *some("b", partition=2)])
    kept.forget({1})
    assert kept.take(keys("a", "b")).keys() == set(keys("b"))


async def test_what_was_counted_and_comes_again_is_passed_over_unread_and_nothing_else(scoring: Any) -> None:
    counted, other = scoring.event("1"), scoring.event("2")
    handler, topic, known = scoring.handler, counted.topic, counted.message.to_bytes()
    await scoring.feed(counted)
    assert not handler.knows(topic, known)  # new events are the rule: nobody looks twice
    await scoring.feed(counted)
    assert handler.knows(topic, known)
    assert not handler.knows(topic, other.message.to_bytes())
    assert not handler.knows("leads.distributed", known)
    assert not handler.knows(topic, known.replace(b'"acme"', b'"globex"'))
    assert not handler.knows(topic, known[:-1])
    assert not handler.knows(topic, known[:-1] + b',"event_id":"2"}')  # as whoever reads all of it has it
    await scoring.feed(other)
    assert not handler.knows(topic, known)
    handler.forget()
    await scoring.feed(counted, other)
    handler.forget()
    assert not handler.knows(topic, known)
