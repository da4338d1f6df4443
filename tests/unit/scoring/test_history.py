"""The packed rows: duplicates, order, and what falls off."""

from random import Random
from unittest.mock import patch
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import history as module
from scoring.fading import Terms
from scoring.history import AGE, Fell, History, Row, compact
from scoring.score import DAY, EPOCH

START = EPOCH + 500 * DAY
TERMS = Terms()


def row(number: int, at: int, millipoints: int = 1_000, rule: int = 4) -> Row:
    return Row(at, compact(f"event {number}"), 4, millipoints, rule)


def filled(rows: list[Row], half_life: int = 30) -> History:
    history = History()
    for each in rows:
        history.add(each, Terms(half_life))
    return history


rows_of_different_events = st.lists(
    st.tuples(st.integers(0, 450 * DAY), st.integers(-50_000, 50_000), st.integers(1, 3)), max_size=25
).map(lambda facts: [row(n, START + at, value, rule) for n, (at, value, rule) in enumerate(facts)])


@given(rows_of_different_events, st.randoms())
def test_the_same_events_in_any_order_leave_the_same_rows_sums_and_score(
    rows: list[Row], random: Random
) -> None:
    with patch.object(module, "NEWEST", 8):
        one, other = filled(rows), filled(random.sample(rows, len(rows)))
    assert one == other
    now = START + 451 * DAY
    assert one.score(now, TERMS) == other.score(now, TERMS)
    assert len(one) + sum(s.count for s in one.sums.values()) == len(rows)


def test_an_event_is_recognised_as_counted() -> None:
    history = filled([row(1, START), row(2, START + 5)])
    assert history.holds(compact("event 1"))
    assert not history.holds(compact("event 3"))


def test_bytes_that_only_look_like_an_id_across_two_rows_are_none() -> None:
    history = filled([row(n, START + n) for n in range(3)])
    across = bytes(history.rows[20:36])
    assert not history.holds(across)


@given(st.lists(st.integers(0, 40), max_size=60))
def test_each_event_counts_once_however_often_it_comes(numbers: list[int]) -> None:
    history = History()
    for number in numbers:
        if not history.holds(compact(f"event {number}")):
            history.add(row(number, START + number), TERMS)
    assert len(history) == len(set(numbers))


def test_rows_are_kept_by_time_whatever_order_they_came_in() -> None:
    history = filled([row(2, START + 2), row(3, START + 3), row(1, START + 1)])
    assert [r.at for r in history] == [START + 1, START + 2, START + 3]
    assert history.newest == START + 3


def test_the_newest_thousand_are_kept_and_the_rest_is_one_sum_per_rule() -> None:
    history = filled([row(n, START + n, 1_000, rule=n % 2 + 1) for n in range(1_010)])
    assert len(history) == 1_000
    assert next(r.at for r in history) == START + 10
    assert {key: s.count for key, s in history.sums.items()} == {Fell(1, 30): 5, Fell(2, 30): 5}
    assert history.score(START + 1_010, TERMS) == 1_010_000


def test_what_is_400_days_older_than_the_newest_falls_off() -> None:
    history = filled([row(1, START), row(2, START + 10), row(3, START + AGE + 5)])
    assert [r.at for r in history] == [START + 10, START + AGE + 5]
    assert history.sums[Fell(4, 30)].count == 1


def test_a_changed_half_life_leaves_what_fell_off_before_as_it_was() -> None:
    history = filled([row(1, START), row(2, START + AGE + 1)], half_life=400)
    history.add(row(3, START + 2 * AGE + 2), TERMS)
    assert set(history.sums) == {Fell(4, 400), Fell(4, 30)}
    worth_of_first = 250
    assert history.score(START + 2 * AGE + 2, Terms(3_650)) == 1_000 + worth_of_first + 0


def test_an_id_is_packed_into_16_bytes_and_a_uuid_into_its_own() -> None:
    uuid = uuid4()
    assert compact(str(uuid)) == uuid.bytes


@pytest.mark.parametrize("event_id", ["a", "order 17", "x" * 256, "--------" * 4 + "----", " " * 36, "é"])
def test_an_id_that_is_no_uuid_is_digested(event_id: str) -> None:
    assert len(compact(event_id)) == 16
    assert compact(event_id) != compact(event_id + "2")


def test_a_uuid_with_its_dashes_elsewhere_is_another_id() -> None:
    uuid = str(uuid4())
    moved = uuid[:7] + "-" + uuid[7] + uuid[9:]
    assert compact(moved) != compact(uuid)
