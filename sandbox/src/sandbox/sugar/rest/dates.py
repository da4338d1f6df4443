"""The named spans of time that filters know; all in the user's days."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta


def _months(day: date, by: int) -> date:
    """The first of the month that is `by` months away."""
    index = day.year * 12 + day.month - 1 + by
    return date(index // 12, index % 12 + 1, 1)


def _year(day: date, by: int) -> date:
    return date(day.year + by, 1, 1)


def _days(day: date, first: int, last: int) -> tuple[date, date]:
    return day + timedelta(days=first), day + timedelta(days=last + 1)


Span = tuple[date | None, date | None]
"""First day, and the day after the last one; None = open."""

RANGES: Mapping[str, Callable[[date], Span]] = {
    "today": lambda day: _days(day, 0, 0),
    "yesterday": lambda day: _days(day, -1, -1),
    "tomorrow": lambda day: _days(day, 1, 1),
    "last_7_days": lambda day: _days(day, -6, 0),
    "next_7_days": lambda day: _days(day, 0, 6),
    "last_30_days": lambda day: _days(day, -29, 0),
    "next_30_days": lambda day: _days(day, 0, 29),
    "last_month": lambda day: (_months(day, -1), _months(day, 0)),
    "this_month": lambda day: (_months(day, 0), _months(day, 1)),
    "next_month": lambda day: (_months(day, 1), _months(day, 2)),
    "last_year": lambda day: (_year(day, -1), _year(day, 0)),
    "this_year": lambda day: (_year(day, 0), _year(day, 1)),
    "next_year": lambda day: (_year(day, 1), _year(day, 2)),
}

COUNTED: Mapping[str, Callable[[date, int], Span]] = {
    "$last_x_days": lambda day, count: _days(day, 1 - count, 0),
    "$next_x_days": lambda day, count: _days(day, 0, count - 1),
    "$more_x_days_ago": lambda day, count: (None, day - timedelta(days=count)),
    "$more_x_days_ahead": lambda day, count: (day + timedelta(days=count + 1), None),
}
