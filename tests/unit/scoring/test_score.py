"""The arithmetic of a score."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.score import DAY, EPOCH, carried, decayed, rounded, total, worth

NOW = EPOCH + 700 * DAY
points = st.integers(-100_000, 100_000)
ages = st.integers(0, 600 * DAY)
half_lives = st.integers(1, 3_650)


def test_points_halve_with_each_half_life() -> None:
    assert [decayed(8_000, n * 30 * DAY, 30) for n in range(4)] == [8_000, 4_000, 2_000, 1_000]


@pytest.mark.parametrize(
    ("millipoints", "shown"), [(0, 0), (499, 0), (500, 1), (50_499, 50), (-500, 0), (-501, -1)]
)
def test_people_see_points_rounded_half_up(millipoints: int, shown: int) -> None:
    assert rounded(millipoints) == shown


@given(st.lists(st.tuples(ages, points)), st.randoms(), half_lives)
def test_a_total_does_not_depend_on_the_order_of_its_parts(
    parts: list[tuple[int, int]], random: Random, half_life: int
) -> None:
    rows = [(NOW - age, value) for age, value in parts]
    shuffled = random.sample(rows, len(rows))
    assert total(rows, NOW, half_life) == total(shuffled, NOW, half_life)
    assert total(rows, NOW, half_life) == sum(decayed(v, NOW - at, half_life) for at, v in rows)


@given(points, ages, half_lives)
def test_a_carried_weight_is_worth_what_its_points_are(value: int, age: int, half_life: int) -> None:
    exact = value * 2 ** (-age / (half_life * DAY))
    assert worth(carried(value, NOW - age, half_life), NOW, half_life) == pytest.approx(exact, abs=0.51)


@given(st.lists(st.tuples(ages, points), max_size=30), half_lives)
def test_many_weights_are_rounded_once_and_not_each(parts: list[tuple[int, int]], half_life: int) -> None:
    weight = sum(carried(value, NOW - age, half_life) for age, value in parts)
    exact = sum(value * 2 ** (-age / (half_life * DAY)) for age, value in parts)
    assert worth(weight, NOW, half_life) == pytest.approx(exact, abs=0.51)


def test_points_from_before_the_epoch_count_as_if_given_then() -> None:
    assert carried(1_000, 0, 30) == carried(1_000, EPOCH, 30)
