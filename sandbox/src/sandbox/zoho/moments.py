"""Dates and times as Zoho writes them."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_STORED = "%Y-%m-%dT%H:%M:%SZ"


def shown(seconds: int, zone: ZoneInfo) -> str:
    """`2026-01-12T10:30:00+01:00`."""
    return datetime.fromtimestamp(seconds, zone).isoformat()


def seconds(text: str) -> int:
    """Of a date and time with its offset. Raises ValueError."""
    if not _DATETIME.fullmatch(text):
        raise ValueError(text)
    return int(datetime.fromisoformat(text).timestamp())


def stored(text: str) -> str:
    """In UTC, so that texts compare as moments do. Raises ValueError."""
    return datetime.fromtimestamp(seconds(text), UTC).strftime(_STORED)


def stored_shown(text: str, zone: ZoneInfo) -> str:
    """A stored one, as a user sees it."""
    return datetime.fromisoformat(text).astimezone(zone).isoformat()


def check_date(text: str) -> str:
    """`yyyy-MM-dd`. Raises ValueError."""
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()
