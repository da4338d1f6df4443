"""Turning a connection on, or lowering its threshold, qualifies those who are above it already."""

from typing import Any

from scoring import store

DAYS = 86_400
START = 1_790_000_000


def who(told: Any) -> list[str]:
    return sorted(message.email for message in told.qualified)


async def test_turning_a_connection_on_qualifies_who_is_above_its_threshold(scoring: Any) -> None:
    scoring.connect(on=False, threshold=15)
    await scoring.feed(
        scoring.event("1", email="above@example.com", subject="Form", fields={"phone": "1"}),
        scoring.event("2", "web_view", email="below@example.com"),
        scoring.event("3", email=None, visitor_id="v1"),
        scoring.event("4", email="other@example.com", tenant_id="umbrella"),
    )
    assert (await scoring.sweep()).records == []
    scoring.connect(on=True, revision=2, threshold=15)
    told = await scoring.sweep()
    (message,) = told.qualified
    assert (message.email, message.version, message.fields.phone) == ("above@example.com", 2, "1")
    assert [a.subject for a in message.activities] == ["Form"]
    assert list((await scoring.prospect("above@example.com")).qualified) == ["c1"]


async def test_a_swept_revision_is_not_swept_again(scoring: Any) -> None:
    scoring.connect(threshold=15)
    await scoring.sweep()
    done = scoring.transactions
    await scoring.sweep()
    assert scoring.transactions == done


async def test_a_lower_threshold_sweeps_and_nobody_twice(scoring: Any) -> None:
    scoring.connect(threshold=30)
    await scoring.feed(scoring.event("1", email="a@example.com"), scoring.event("2", email="b@example.com"))
    await scoring.feed(scoring.event("3", "telequalification", email="a@example.com"))
    assert who(await scoring.sweep()) == []
    scoring.connect(threshold=15, revision=2)
    assert who(await scoring.sweep()) == ["b@example.com"]
    scoring.connect(threshold=10, revision=3)
    assert who(await scoring.sweep()) == []


async def test_who_has_cooled_below_the_threshold_by_now_is_left_out(scoring: Any) -> None:
    await scoring.feed(scoring.event("1", email="cold@example.com"))
    await scoring.feed(scoring.event("2", email="hot@example.com", at=29 * DAYS))
    scoring.connect(threshold=12)
    told = await scoring.sweep(now=START + 30 * DAYS)
    assert who(told) == ["hot@example.com"]
    assert told.qualified[0].score == 20
    assert told.qualified[0].millipoints < 20_000


async def test_only_owned_partitions_are_swept_and_the_rest_by_their_owner(scoring: Any) -> None:
    await scoring.feed(*(scoring.event(str(n), email=f"p{n}@example.com") for n in range(40)))
    scoring.connect(threshold=10)
    scoring.partitions = {0, 1, 2, 3, 4, 5}
    ours = who(await scoring.sweep())
    scoring.partitions = {6, 7, 8, 9, 10, 11}
    theirs = who(await scoring.sweep())
    assert len(ours) + len(theirs) == 40
    assert ours
    assert theirs
    assert not set(ours) & set(theirs)


async def test_many_are_swept_in_chunks(scoring: Any, many: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(store, "CHUNK", 10)
    await scoring.feed(*many(scoring, 200))
    scoring.connect(threshold=10)
    scoring.partitions = {3}
    mine = await scoring.database["scoring.prospects"].count_documents({"partition": 3})
    told = await scoring.sweep()
    assert len(told.qualified) == mine
    assert scoring.transactions == -(-mine // 10) + 1


async def test_a_sweep_that_dies_begins_again_and_tells_nobody_twice(scoring: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(store, "CHUNK", 1)
    await scoring.feed(*(scoring.event(str(n), email=f"p{n}@example.com") for n in range(30)))
    scoring.connect(threshold=10)
    whole, apply = [], scoring.apply
    calls = 0

    async def dying(effects: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 20:
            raise ConnectionError
        await apply(effects)

    scoring.apply = dying
    try:
        await scoring.sweep()
    except ConnectionError:
        whole += scoring.swept
    scoring.apply = apply
    second = await scoring.sweep()
    records = [*whole, *second.records]
    assert whole
    assert len({record.key for record in records}) == len(records) == 30


async def test_a_prospect_swept_before_its_next_event_is_not_qualified_again(scoring: Any) -> None:
    await scoring.feed(scoring.event("1"))
    scoring.connect(threshold=10)
    await scoring.sweep()
    told = await scoring.feed(scoring.event("2", at=1))
    assert told.qualified == []
    assert [m.connections for m in told.activities] == [["c1"]]
