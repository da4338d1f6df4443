"""Leads with their outcome, as a table of texts."""

import csv
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadbus.errors import LeadbusError

LEAST = 30
"""Won leads, and others, without which nothing can be learned."""
_LARGEST = 1e30
"""Numbers beyond that are none that a person has counted or measured."""

_NOT_GIVEN = frozenset({"", "select", "na", "n/a", "nan", "null", "none", "-"})
_WON = frozenset({"1", "1.0", "yes", "true", "won", "converted"})
_NOT_WON = frozenset({"0", "0.0", "no", "false", "lost", "disqualified", "not converted"})


@dataclass(frozen=True, slots=True)
class Leads:
    """columns: by name, each lead's cell, None = not given. won: each lead's outcome."""

    columns: Mapping[str, Sequence[str | None]]
    won: Sequence[bool]

    def __len__(self) -> int:
        return len(self.won)

    @property
    def base_rate(self) -> float:
        """Share of the leads that were won."""
        return sum(self.won) / len(self)

    def only(self, columns: Collection[str]) -> "Leads":
        """The same leads with these columns."""
        return Leads({name: cells for name, cells in self.columns.items() if name in columns}, self.won)

    def at(self, places: Sequence[int]) -> "Leads":
        """The leads at these places."""
        columns = {name: [cells[place] for place in places] for name, cells in self.columns.items()}
        return Leads(columns, [self.won[place] for place in places])


def read_leads(file: Path, outcome: str, won: Collection[str] = ()) -> Leads:
    """The leads in a CSV file with a line of names, parted by commas, semicolons or tabs.

    outcome: the column that says what became of them; leads where it is empty are passed over. won: the words
    of it that mean won, if not 1, yes, true and the like.

    Raises:
        LeadbusError: no such column, a word of it that is not understood, or too few leads of one outcome.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            separator = max(",;\t", key=opened.readline().count)
            opened.seek(0)
            reader = csv.DictReader(opened, delimiter=separator)
            names = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LeadbusError(f"{file} cannot be read as a table in UTF-8 ({type(error).__name__}).") from None
    if outcome not in names:
        raise LeadbusError(f"{file} has no column {outcome}; it has {', '.join(names)}.")
    rows = [row for row in rows if _cell(row[outcome]) is not None]
    columns = {name: [_cell(row[name]) for row in rows] for name in names if name != outcome}
    return checked(Leads(columns, _outcomes([str(row[outcome]).strip() for row in rows], won)))


def checked(leads: Leads) -> Leads:
    """`leads`, if there are enough of them.

    Raises:
        LeadbusError: there are not.
    """
    count = sum(leads.won)
    if min(count, len(leads) - count) < LEAST:
        raise LeadbusError(
            f"{count} of {len(leads)} leads were won; at least {LEAST} won ones and {LEAST} others are needed"
            " to learn from."
        )
    return leads


def numbers(cells: Sequence[str | None]) -> list[float | None] | None:
    """The cells as numbers, if all that are given are some and they take more than two values."""
    try:
        found = [None if cell is None else float(cell) for cell in cells]
    except ValueError:
        return None
    given = {number for number in found if number is not None}
    return found if len(given) > 2 and all(abs(number) < _LARGEST for number in given) else None


def _cell(text: str | None) -> str | None:
    stripped = (text or "").strip()
    return None if stripped.casefold() in _NOT_GIVEN else stripped


def _outcomes(words: Sequence[str], won: Collection[str]) -> list[bool]:
    if won:
        asked = {word.casefold() for word in won}
        return [word.casefold() in asked for word in words]
    strange = Counter(word for word in words if word.casefold() not in _WON | _NOT_WON)
    if strange:
        some = ", ".join(word for word, _ in strange.most_common(5))
        raise LeadbusError(f"Say with --won which outcomes mean won; there are {some}.")
    return [word.casefold() in _WON for word in words]
