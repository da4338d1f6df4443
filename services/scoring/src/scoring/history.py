"""What was counted for a prospect, as packed rows, and one sum per rule for what fell off.

The rows are the window in which a duplicate is recognised, the history, the explanation of the score, and
all that a changed rule can reach; so counting an event is one write.
"""

import struct
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from scoring.score import DAY, carried, total, worth

NEWEST = 1_000
"""Rows kept at most."""
AGE = 400 * DAY
"""How much older than the newest a row may be before it falls off, in milliseconds."""

# The time comes first, so that rows sort as bytes: by time, then by id.
_ROW = struct.Struct(">Q16sBiH")
_ID_AT = 8


class Row(NamedTuple):
    """One counted event. at: broker time in ms. type: `Trait.number`. rule: what gave the points."""

    at: int
    id: bytes
    type: int
    millipoints: int
    rule: int


@dataclass(slots=True)
class Sum:
    """What fell off under one rule: how many rows, and their `score.carried` weight."""

    count: int = 0
    weight: int = 0


def compact(event_id: str) -> bytes:
    """16 bytes for an event id: a UUID's own, else a digest."""
    if len(event_id) == 36 and event_id[8] == event_id[13] == event_id[18] == event_id[23] == "-":
        try:
            packed = bytes.fromhex(event_id.replace("-", ""))
        except ValueError:
            packed = b""
        if len(packed) == 16:
            return packed
    return blake2b(event_id.encode(), digest_size=16).digest()


@dataclass(slots=True)
class History:
    """Rows, oldest first, and the sums, by rule and by the half-life in days under which the rows fell off
    (so that a changed half-life leaves them exact)."""

    rows: bytearray = field(default_factory=bytearray)
    sums: dict[tuple[int, int], Sum] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows) // _ROW.size

    def __iter__(self) -> Iterator[Row]:
        return map(Row._make, _ROW.iter_unpack(self.rows))

    @property
    def newest(self) -> int:
        """Time of the newest row, in milliseconds; 0 without any."""
        return self._time(len(self) - 1) if self.rows else 0

    def holds(self, id: bytes) -> bool:
        """Whether the event with this compact id is among the rows."""
        found = self.rows.find(id)
        while found >= 0 and found % _ROW.size != _ID_AT:
            found = self.rows.find(id, found + 1)
        return found >= 0

    def add(self, row: Row, half_life_days: int) -> None:
        """Counts an event that is not held yet; what is too old or too much then falls off."""
        packed = _ROW.pack(*row)
        if packed > self.rows[-_ROW.size :]:
            self.rows += packed
        else:
            place = bisect(range(len(self)), packed, key=self._packed) * _ROW.size
            self.rows[place:place] = packed
        oldest_kept = self.newest - AGE
        while len(self) > NEWEST or self._time(0) < oldest_kept:
            self._drop_oldest(half_life_days)

    def score(self, at: int, half_life_days: int) -> int:
        """Millipoints at the time `at`, not before the newest row."""
        rows = total(((r[0], r[3]) for r in _ROW.iter_unpack(self.rows)), at, half_life_days)
        return rows + sum(worth(s.weight, at, half_life) for (_, half_life), s in self.sums.items())

    def _packed(self, index: int) -> bytes:
        return bytes(self.rows[index * _ROW.size : (index + 1) * _ROW.size])

    def _time(self, index: int) -> int:
        return int.from_bytes(self.rows[index * _ROW.size : index * _ROW.size + _ID_AT], "big")

    def _drop_oldest(self, half_life_days: int) -> None:
        row = Row._make(_ROW.unpack_from(self.rows))
        del self.rows[: _ROW.size]
        fallen = self.sums.setdefault((row.rule, half_life_days), Sum())
        fallen.count += 1
        fallen.weight += carried(row.millipoints, row.at, half_life_days)
