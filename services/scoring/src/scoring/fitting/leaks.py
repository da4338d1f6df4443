"""Which columns are not learned from, and why: those that say nothing, and those that know the outcome."""

from collections import Counter
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from scoring.fitting.bands import cut
from scoring.fitting.judging import Learned, judge
from scoring.fitting.leads import Leads

SUSPICIOUS = 0.78
"""Area under the curve that no single column reaches that was known before the outcome, as a rule."""
_NEARLY_ALL = 0.995
_MOSTLY = 0.5

ASKED = "you asked to"
IDENTIFIER = "nearly every lead has another value"
EMPTY = "it says the same of nearly every lead"


class LeftOut(NamedTuple):
    """A column and why it is left out. auc: how well it ranks alone, of a suspicious one."""

    column: str
    why: str
    kind: Literal["asked", "says_nothing", "suspicious"]
    auc: float | None = None


def left_out(leads: Leads, asked: Collection[str], keep: Collection[str], seed: int) -> list[LeftOut]:
    """The columns not to learn from. asked, keep: names, with * for any letters; what is asked for goes, and
    what is kept stays however well it ranks."""
    found = [_judged(name, cells, leads, asked, keep, seed) for name, cells in leads.columns.items()]
    return [column for column in found if column is not None]


def matches(column: str, patterns: Collection[str]) -> bool:
    """Whether a column is named by one of the patterns, whatever their case."""
    return any(fnmatchcase(column.casefold(), pattern.casefold()) for pattern in patterns)


def alone(cells: Sequence[str | None], won: Sequence[bool], seed: int) -> float:
    """How well a column ranks by itself, as an area under the curve, on leads that it was not cut by."""

    def learn(seen: Sequence[int]) -> Learned:
        outcomes = [won[place] for place in seen]
        bands = cut([cells[place] for place in seen], outcomes)
        held: dict[str, list[bool]] = {}
        for place in seen:
            held.setdefault(bands.band(cells[place]), []).append(won[place])
        base = sum(outcomes) / len(outcomes)
        rates = {band: sum(each) / len(each) for band, each in held.items()}
        return Learned(
            lambda places: [rates.get(bands.band(cells[place]), base) for place in places], lambda rate: rate
        )

    return judge(won, learn, seed).auc


def _judged(
    name: str,
    cells: Sequence[str | None],
    leads: Leads,
    asked: Collection[str],
    keep: Collection[str],
    seed: int,
) -> LeftOut | None:
    if matches(name, asked):
        return LeftOut(name, ASKED, "asked")
    if matches(name, keep):
        return None
    counted = Counter(cells)
    given = len(cells) - counted[None]
    if max(counted.values()) >= _NEARLY_ALL * len(cells):
        return LeftOut(name, EMPTY, "says_nothing")
    if _names_each_lead([cell for cell in cells if cell is not None], given):
        return LeftOut(name, IDENTIFIER, "says_nothing")
    auc = alone(cells, leads.won, seed)
    if auc >= SUSPICIOUS:
        why = f"alone it ranks suspiciously well ({auc:.2f}): was it filled in after the outcome?"
        return LeftOut(name, why, "suspicious", auc)
    return None


def _names_each_lead(given: Sequence[str], count: int) -> bool:
    different = len(set(given))
    if all(cell.isdecimal() for cell in given):
        return different == count
    try:
        [float(cell) for cell in given]
    except ValueError:
        return different > _MOSTLY * count
    return False
