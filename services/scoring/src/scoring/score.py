"""The arithmetic of a score: integers of 1/1000 that halve with time.

The same parts give the same score in whatever order and in however many batches they came: each part is
rounded once, from its own points and its own age, and only integers are added up.
"""

from collections.abc import Iterable
from math import exp2

DAY = 86_400_000
"""Milliseconds."""

EPOCH = 1_735_689_600_000
"""2025-01-01, in milliseconds since 1970: carried weights are expressed as of then. Never change it."""

_FRACTION_BITS = 52


def rounded(millipoints: int) -> int:
    """Points for people: half up."""
    return (millipoints + 500) // 1000


def decayed(millipoints: int, age: int, half_life_days: int) -> int:
    """What is left of `millipoints` after `age` milliseconds."""
    return round(millipoints * exp2(-age / (half_life_days * DAY)))


def total(parts: Iterable[tuple[int, int]], at: int, half_life_days: int) -> int:
    """Sum at the time `at` of parts given as (time, millipoints), none later than `at`."""
    half_life = half_life_days * DAY
    return sum(round(points * exp2((time - at) / half_life)) for time, points in parts if points)


def carried(millipoints: int, at: int, half_life_days: int) -> int:
    """The weight at EPOCH of points given at `at`: a whole number, so that weights of different times add up
    exactly, in any order. It grows by one bit per half-life (30 days: 12 bits a year)."""
    half_lives, rest = divmod(max(at, EPOCH) - EPOCH, half_life_days * DAY)
    return round(millipoints * exp2(rest / (half_life_days * DAY)) * (1 << _FRACTION_BITS)) << half_lives


def worth(weight: int, at: int, half_life_days: int) -> int:
    """What a sum of carried weights is worth at `at`, in millipoints; rounded once."""
    half_lives, rest = divmod(max(at, EPOCH) - EPOCH, half_life_days * DAY)
    share = round(exp2(-rest / (half_life_days * DAY)) * (1 << _FRACTION_BITS))
    bits = 2 * _FRACTION_BITS + half_lives
    return (weight * share + (1 << (bits - 1))) >> bits
