"""Rows that a run of changes has taken in and the next one will read again, because runs overlap.

Of those that have not changed nothing is left to do: at 50 new leads a second a run reads 6,000 of them anew.
What is not remembered here costs a comparison with the mirror, no more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from leadbus.connector.contract import Row

MOST_ROWS = 20_000
"""Remembered of one kind."""
COARSEST_CLOCK = timedelta(seconds=2)
"""CRMs stamp rows by the second: one read within its own second may change again without a new stamp."""

Fingerprints: TypeAlias = Mapping[str, int]
"""By the records' ids."""


def news(rows: Sequence[Row], known: Fingerprints) -> list[Row]:
    """Those that are not known exactly as they stand."""
    return [row for row in rows if known.get(row.record.id) != _fingerprint(row)]


def to_come_again(rows: Sequence[Row], began: datetime, overlap: timedelta) -> Fingerprints:
    """What to remember of rows that a run has taken in; began: the run, by the CRM's clock."""
    first, last = began - overlap, began - COARSEST_CLOCK
    return {
        row.record.id: _fingerprint(row)
        for row in rows
        if row.changed_at is not None and first <= row.changed_at <= last
    }


def _fingerprint(row: Row) -> int:
    return hash(repr(row))
