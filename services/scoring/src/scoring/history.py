"""What was counted for a prospect, as packed rows, and one sum per rule for what fell off.

The rows are the window in which a duplicate is recognised, the history, the explanation of the score, and
all that a changed rule can reach; so counting an event is one write.
"""

import struct
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from scoring.fading import Capped, Terms, Used, let_through
from scoring.score import DAY, carried, total, worth

NEWEST = 1_000
"""Rows kept at most."""
AGE = 400 * DAY
"""How much older than the newest a row may be before it falls off, in milliseconds."""

# The time comes first, so that rows sort as bytes: by time, then by id.
_ROW = struct.Struct(">Q16sBiH")
_ID_AT = 8


class Row(NamedTuple):
    """One counted event. at: broker time in ms. type: `Trait.number`. rule: what gave the points: the type's
    number, or above 255 one of `rules`."""

    at: int
    id: bytes
    type: int
    millipoints: int
    rule: int


class Fell(NamedTuple):
    """Under what rows fell off. half_life_days: the one in force then, so that a changed one leaves them
    exact; 0 = steps were: then `day` (since 1970) says when they were counted, 0 = too long ago to matter."""

    rule: int
    half_life_days: int
    day: int = 0


@dataclass(slots=True)
class Sum:
    """What fell off alike: how many rows, and their weight (`score.carried`; plain millipoints by steps)."""

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
    """Rows, oldest first, and the sums of what fell off; used: of caps, by what fell off."""

    rows: bytearray = field(default_factory=bytearray)
    sums: dict[Fell, Sum] = field(default_factory=dict)
    used: Used = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows) // _ROW.size

    def __iter__(self) -> Iterator[Row]:
        return map(Row._make, _ROW.iter_unpack(self.rows))

    @property
    def newest(self) -> int:
        """Time of the newest row, in milliseconds; 0 without any."""
        return self._time(len(self) - 1) if self.rows else 0

    @property
    def newest_given(self) -> int:
        """Time of the newest row that gave points, in milliseconds; 0 without any."""
        for index in range(len(self) - 1, -1, -1):
            row = _ROW.unpack_from(self.rows, index * _ROW.size)
            if row[3] > 0:
                return int(row[0])
        return 0

    @property
    def takes_off(self) -> bool:
        """Whether any of it is points taken off."""
        return any(row.millipoints < 0 for row in self) or any(s.weight < 0 for s in self.sums.values())

    def holds(self, id: bytes) -> bool:
        """Whether the event with this compact id is among the rows."""
        found = self.rows.find(id)
        while found >= 0 and found % _ROW.size != _ID_AT:
            found = self.rows.find(id, found + 1)
        return found >= 0

    def add(self, row: Row, terms: Terms) -> None:
        """Counts an event that is not held yet; what is too old or too much then falls off."""
        packed = _ROW.pack(*row)
        if packed > self.rows[-_ROW.size :]:
            self.rows += packed
        else:
            place = bisect(range(len(self)), packed, key=self._packed) * _ROW.size
            self.rows[place:place] = packed
        self._drop_old(terms)

    def join(self, other: "History", terms: Terms) -> None:
        """Takes in what was counted under another id: an event that both hold stays as it was counted first;
        sums, and what was used of caps in the same period, are added up."""
        for fell, fallen in other.sums.items():
            self._sum_up(fell, fallen.count, fallen.weight)
        for key, (period, spent) in other.used.items():
            known, before = self.used.get(key, (period, 0))
            self.used[key] = max((known, before), (period, spent + (before if known == period else 0)))
        if other.rows:
            rows = sorted((*self, *other), reverse=True)
            self.replace({row.id: row for row in rows}.values())
            self._drop_old(terms)

    def replace(self, rows: Iterable[Row]) -> bool:
        """Keeps these rows instead, in whatever order they are; whether that changed anything."""
        before = self.rows
        self.rows = bytearray().join(sorted(_ROW.pack(*row) for row in rows))
        return self.rows != before

    def score(self, at: int, terms: Terms) -> int:
        """Millipoints at the time `at`, not before the newest row."""
        if not terms.steps and not terms.caps:
            rows = total(((r[0], r[3]) for r in _ROW.iter_unpack(self.rows)), at, terms.half_life_days)
        else:
            rows = sum(terms.left(given.millipoints, row.at, at) for row, given in self.given(terms))
        if self.sums:
            rows += sum(left for _, _, left in self.fallen(at, terms))
        return rows

    def given(self, terms: Terms) -> Iterator[tuple[Row, Capped]]:
        """Each row, oldest first, and what the caps let it give."""
        if not terms.caps:
            yield from ((row, Capped(row.millipoints)) for row in self)
            return
        used = dict(self.used)
        for row in self:
            yield row, let_through(row.type, row.rule, row.millipoints, row.at, terms.caps, used)

    def fallen(self, at: int, terms: Terms) -> Iterator[tuple[Fell, int, int]]:
        """What fell off: under what, how many rows, and what is left of them at `at` in millipoints."""
        for fell, fallen in sorted(self.sums.items()):
            if fell.half_life_days:
                yield fell, fallen.count, worth(fallen.weight, at, fell.half_life_days)
            else:
                yield fell, fallen.count, terms.left(fallen.weight, fell.day * DAY, at)

    def _packed(self, index: int) -> bytes:
        return bytes(self.rows[index * _ROW.size : (index + 1) * _ROW.size])

    def _time(self, index: int) -> int:
        return int.from_bytes(self.rows[index * _ROW.size : index * _ROW.size + _ID_AT], "big")

    def _drop_old(self, terms: Terms) -> None:
        oldest_kept = self.newest - AGE
        while len(self) > NEWEST or self._time(0) < oldest_kept:
            self._drop_oldest(terms)

    def _drop_oldest(self, terms: Terms) -> None:
        row = Row._make(_ROW.unpack_from(self.rows))
        del self.rows[: _ROW.size]
        given = let_through(row.type, row.rule, row.millipoints, row.at, terms.caps, self.used).millipoints
        if terms.steps:
            self._sum_up(Fell(row.rule, 0, row.at // DAY), 1, given)
            self._forget_days()
        else:
            weight = carried(given, row.at, terms.half_life_days)
            self._sum_up(Fell(row.rule, terms.half_life_days), 1, weight)

    def _sum_up(self, fell: Fell, count: int, weight: int) -> None:
        fallen = self.sums.setdefault(fell, Sum())
        fallen.count += count
        fallen.weight += weight

    def _forget_days(self) -> None:
        # Steps end within AGE: which day it was before that makes no difference.
        oldest = (self.newest - AGE) // DAY - 1
        for fell in [fell for fell in self.sums if not fell.half_life_days and 0 < fell.day < oldest]:
            old = self.sums.pop(fell)
            self._sum_up(Fell(fell.rule, 0), old.count, old.weight)
