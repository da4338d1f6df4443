"""Caps and steps: exact, whatever order rows come in, and however many fall off."""

from datetime import UTC, datetime
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import history as module
from scoring.fading import Cap, Period, Terms, period_of
from scoring.history import History, Row, compact
from scoring.score import DAY, EPOCH

START = EPOCH + 500 * DAY
VIEW, CLICK = 4, 5


def cap(most: int, per: Period = "day", types: tuple[int, ...] = (VIEW,), name: str = "views") -> Cap:
    return Cap(name, frozenset(types), frozenset(), most, per)


def filled(rows: list[Row], terms: Terms) -> History:
    history = History()
    for each in rows:
        history.add(each, terms)
    return history


facts = st.lists(
    st.tuples(st.integers(0, 40 * DAY), st.integers(-20_000, 50_000), st.sampled_from([VIEW, CLICK])),
    max_size=25,
).map(
    lambda given: [
        Row(START + at, compact(f"event {n}"), type_, value, type_)
        for n, (at, value, type_) in enumerate(given)
    ]
)
periods: st.SearchStrategy[Period] = st.sampled_from(["day", "week", "month", "ever"])
caps = st.lists(
    st.builds(
        cap,
        st.integers(1, 60_000),
        periods,
        st.sampled_from([(VIEW,), (CLICK,), (VIEW, CLICK)]),
        st.sampled_from("abc"),
    ),
    max_size=3,
    unique_by=lambda cap: cap.key,
)
steps = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 100)), max_size=4, unique_by=lambda step: step[0]
).map(
    lambda given: tuple(
        zip(sorted(d for d, _ in given), sorted((p for _, p in given), reverse=True), strict=True)
    )
)


@given(facts, caps, steps, st.randoms(), st.integers(0, 500 * DAY))
def test_any_order_gives_the_same_score_and_its_parts_add_up(
    rows: list[Row], some: list[Cap], fade: tuple[tuple[int, int], ...], random: Random, later: int
) -> None:
    terms = Terms(30, fade, tuple(some))
    one, other = filled(rows, terms), filled(random.sample(rows, len(rows)), terms)
    now = START + 40 * DAY + later
    assert one == other
    parts = [terms.left(given.millipoints, row.at, now) for row, given in one.given(terms)]
    assert one.score(now, terms) == other.score(now, terms) == sum(parts)


@given(facts, caps, steps.filter(bool), st.integers(0, 500 * DAY))
def test_what_falls_off_by_steps_is_worth_what_it_was(
    rows: list[Row], some: list[Cap], fade: tuple[tuple[int, int], ...], later: int
) -> None:
    terms = Terms(30, fade, tuple(some))
    rows = sorted(row._replace(millipoints=row.millipoints * 100) for row in rows)
    whole = filled(rows, terms)
    with patch.object(module, "NEWEST", 4):
        short = filled(rows, terms)
    now = START + 40 * DAY + later
    assert len(short) == min(4, len(rows))
    # Hundredfold points: no part is rounded, so that sums and single rows agree to the last.
    assert short.score(now, terms) == whole.score(now, terms)


@given(facts, caps)
def test_what_falls_off_uses_its_periods_room_all_the_same(rows: list[Row], some: list[Cap]) -> None:
    terms = Terms(30, (), tuple(some))
    rows = sorted(rows)
    whole = filled(rows, terms)
    with patch.object(module, "NEWEST", 4):
        short = filled(rows, terms)
    kept = list(whole.given(terms))[len(rows) - len(short) :]
    assert list(short.given(terms)) == kept


def test_a_cap_lets_the_earliest_through_and_cuts_the_rest() -> None:
    terms = Terms(caps=(cap(5_000),))
    rows = [Row(START + n, compact(str(n)), VIEW, 3_000, VIEW) for n in range(3)]
    given = [(g.millipoints, g.by) for _, g in filled(rows, terms).given(terms)]
    assert given == [(3_000, None), (2_000, "views"), (0, "views")]


def test_points_taken_off_are_not_capped_and_make_no_room() -> None:
    terms = Terms(caps=(cap(5_000),))
    values = [5_000, -2_000, 4_000]
    rows = [Row(START + n, compact(str(n)), VIEW, value, VIEW) for n, value in enumerate(values)]
    assert [g.millipoints for _, g in filled(rows, terms).given(terms)] == [5_000, -2_000, 0]


@pytest.mark.parametrize(
    ("per", "first"),
    [("day", "2026-02-18"), ("week", "2026-02-16"), ("month", "2026-02-01"), ("ever", "1970-01-01")],
)
def test_periods_are_those_of_the_calendar(per: Period, first: str) -> None:
    at = int(datetime(2026, 2, 18, 23, 59, tzinfo=UTC).timestamp() * 1000)
    assert period_of(at, per) * DAY == datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp() * 1000


def test_steps_go_by_whole_days() -> None:
    terms = Terms(steps=((7, 50), (30, 0)))
    noon = START + DAY // 2
    left = [terms.left(1_000, noon, noon + n * DAY - DAY // 2) for n in (1, 7, 29, 30)]
    assert left == [1_000, 500, 500, 0]
