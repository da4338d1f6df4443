"""Cuts a column into a few bands that a person can name: `3 or more`, `Google`, `not given`."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Protocol

from sklearn.tree import DecisionTreeClassifier

from scoring.fitting.leads import numbers

NOT_GIVEN = "not given"
ANOTHER = "any other"
_BANDS = 5
"""Of a number's column at most, beside NOT_GIVEN."""
_WORDS = 12
"""Of a column of words at most, beside ANOTHER and NOT_GIVEN."""
_SHARE = 0.01
"""Of the leads that a band of words must hold; a band of numbers, five times that."""
_LEAST = 20
_CHI_SQUARE = 15
"""By which neighbouring bands of numbers must differ: the best of many cuts hardly reaches it by chance."""
_SLACK = 0.03
"""Share of the leads that may change their band so that an edge becomes a round number."""


class Bands(Protocol):
    """How a column is cut."""

    def band(self, cell: str | None) -> str:
        """The name of the band that a cell is in."""
        ...


@dataclass(frozen=True, slots=True)
class NumberBands:
    """edges: where a next band begins, ascending. whole: whether all numbers are whole. least: of them."""

    edges: tuple[float, ...]
    whole: bool
    least: float = 0

    def band(self, cell: str | None) -> str:
        """See `Bands`. A word among numbers says as little as nothing."""
        try:
            number = None if cell is None else float(cell)
        except ValueError:
            number = None
        return NOT_GIVEN if number is None else self._name(bisect_right(self.edges, number))

    @property
    def names(self) -> list[str]:
        """Of the bands of numbers, ascending."""
        return [self._name(index) for index in range(len(self.edges) + 1)]

    def _name(self, index: int) -> str:
        first, last = index == 0, index == len(self.edges)
        if first and last:
            return "given"
        begin = "" if first else shown(self.edges[index - 1])
        if last:
            return f"{begin} or more"
        end = self.edges[index]
        if not self.whole:
            return f"less than {shown(end)}" if first else f"{begin} to less than {shown(end)}"
        if first:
            return shown(self.least) if end - 1 == self.least else f"{shown(end - 1)} or less"
        return begin if end - 1 == self.edges[index - 1] else f"{begin} to {shown(end - 1)}"


@dataclass(frozen=True, slots=True)
class WordBands:
    """words: each in the spelling that is shown, by its folded form."""

    words: dict[str, str]

    def band(self, cell: str | None) -> str:
        """See `Bands`."""
        return NOT_GIVEN if cell is None else self.words.get(cell.casefold(), ANOTHER)


def cut(cells: Sequence[str | None], won: Sequence[bool]) -> Bands:
    """The bands of a column: of numbers where the outcome changes, of words those that are frequent."""
    found = numbers(cells)
    return _word_bands(cells) if found is None else _number_bands(found, won)


def readable(edge: float, low: float, high: float, *, whole: bool = False) -> float:
    """The roundest number from low to high, the nearest to `edge` of such; `high` if there is none."""
    widest = max(abs(low), abs(high))
    for power in range(floor(log10(widest)) if widest else 0, -1 if whole else -4, -1):
        for digit in (5, 2, 1):
            step = digit * 10.0**power
            rounded = round(round(edge / step) * step, 6)
            if low <= rounded <= high:
                return rounded
    return high


def shown(number: float) -> str:
    """As a person writes it."""
    return str(int(number)) if number == int(number) else f"{number:g}"


def _word_bands(cells: Sequence[str | None]) -> WordBands:
    spellings: dict[str, Counter[str]] = {}
    for cell in cells:
        if cell is not None:
            spellings.setdefault(cell.casefold(), Counter())[cell] += 1
    least = max(_LEAST, _SHARE * len(cells))
    # By number, then by name, so that the order of the leads decides nothing.
    frequent = sorted(spellings, key=lambda word: (-spellings[word].total(), word))[:_WORDS]
    return WordBands(
        {
            word: min(spellings[word], key=lambda spelling: (-spellings[word][spelling], spelling))
            for word in frequent
            if spellings[word].total() >= least
        }
    )


def _number_bands(found: Sequence[float | None], won: Sequence[bool]) -> NumberBands:
    given = [(number, is_won) for number, is_won in zip(found, won, strict=True) if number is not None]
    ordered = sorted(number for number, _ in given)
    whole = all(number.is_integer() for number in ordered)
    base = sum(is_won for _, is_won in given) / len(given)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=_BANDS,
        min_samples_leaf=max(_LEAST, int(5 * _SHARE * len(found))),
        min_impurity_decrease=_CHI_SQUARE * 2 * base * (1 - base) / len(given),
        random_state=0,
    )
    tree.fit([[number] for number, _ in given], [is_won for _, is_won in given])
    parted = zip(tree.tree_.feature, tree.tree_.threshold, strict=True)
    edges = {_round_edge(float(threshold), ordered, whole) for feature, threshold in parted if feature >= 0}
    return NumberBands(tuple(sorted(edges)), whole, ordered[0])


def _round_edge(threshold: float, ordered: Sequence[float], whole: bool) -> float:
    """Of an edge between two numbers that occur, one that reads well and parts almost the same leads."""
    place, slack = bisect_right(ordered, threshold), int(_SLACK * len(ordered))
    last = len(ordered) - 1
    above, below = ordered[min(last, place)], ordered[max(0, place - 1)]
    if whole and below == 0:
        return 1  # none, or some
    more_than, at_most = ordered[max(0, place - 1 - slack)], ordered[min(last, place + slack)]
    found = readable(threshold, more_than + 1 if whole else more_than, at_most, whole=whole)
    return found if more_than < found else above
