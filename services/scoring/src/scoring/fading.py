"""What is left of points: how they fade, and how many a cap lets through. Integers of 1/1000, exact.

All of it is computed from rows in the order of (time, id), so that the order in which they came decides
nothing; days, weeks and months are those of the calendar, in UTC.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from scoring.score import DAY, decayed

Period = Literal["day", "week", "month", "ever"]
Used = dict[str, tuple[int, int]]
"""By `Cap.key`: the period's first day (since 1970), and the millipoints that were given in it."""

_EPOCH = date(1970, 1, 1)


class Cap(NamedTuple):
    """Rows of these types, or under these rules, give at most so many millipoints per period."""

    name: str
    types: frozenset[int]
    rules: frozenset[int]
    most: int
    per: Period

    @property
    def key(self) -> str:
        """Names what was used of it; a changed period begins anew."""
        return f"{self.per}:{self.name}"


class Terms(NamedTuple):
    """How rows become points. steps: (after so many whole days, so many percent are left), ascending; with
    any, they are used instead of the half-life."""

    half_life_days: int = 30
    steps: tuple[tuple[int, int], ...] = ()
    caps: tuple[Cap, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether a half-life is all there is."""
        return not self.steps and not self.caps

    def left(self, millipoints: int, since: int, at: int) -> int:
        """What is left at `at` of points given at `since` (ms), rounded once."""
        if not self.steps:
            return decayed(millipoints, at - since, self.half_life_days)
        return (millipoints * self.percent(at // DAY - since // DAY) + 50) // 100

    def percent(self, days: int) -> int:
        """What the steps leave after so many days."""
        left = 100
        for after, percent in self.steps:
            if days < after:
                break
            left = percent
        return left


class Capped(NamedTuple):
    """What a row gives. by: the name of the cap that took the rest, if one did."""

    millipoints: int
    by: str | None = None


def let_through(type_: int, rule: int, millipoints: int, at: int, caps: Iterable[Cap], used: Used) -> Capped:
    """What the caps let through of a row; `used` takes it in. Points taken off are never capped."""
    if millipoints <= 0:
        return Capped(millipoints)
    covering = [(cap, period_of(at, cap.per)) for cap in caps if type_ in cap.types or rule in cap.rules]
    given, by = millipoints, None
    for cap, period in covering:
        known, spent = used.get(cap.key, (period, 0))
        room = cap.most - (spent if known == period else 0)
        if room < given:
            given, by = max(0, room), cap.name
    for cap, period in covering:
        known, spent = used.get(cap.key, (period, 0))
        if period >= known:
            used[cap.key] = (period, given + (spent if known == period else 0))
    return Capped(given, by)


def period_of(at: int, per: Period) -> int:
    """The first day of the period in which `at` (ms) lies, in days since 1970."""
    return _first_day(at // DAY, per)


@lru_cache(maxsize=4_096)
def _first_day(day: int, per: Period) -> int:
    if per == "ever":
        return 0
    on = _EPOCH + timedelta(days=day)
    if per == "week":
        return day - on.weekday()
    return day - (on.day - 1) if per == "month" else day
