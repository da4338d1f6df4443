"""The table of figures, and traffic that follows it."""

import csv
import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from sandbox.upstream import figures as figures_module
from sandbox.upstream.figures import Outcome, Profile, figures, profile
from sandbox.upstream.measuring import measure

_SOURCE = Path(__file__).parents[3].parent / "shared" / "data" / "lead_outcomes.csv"
_DRAWN = 8_000


@pytest.fixture(scope="module")
def drawn() -> list[Profile]:
    rng = random.Random(11)
    return [profile(rng) for _ in range(_DRAWN)]


def test_measuring_the_leads_again_gives_the_committed_figures() -> None:
    if not _SOURCE.exists():
        pytest.skip(f"the leads that the figures were measured from are not here: {_SOURCE}")
    with _SOURCE.open(encoding="utf-8", newline="") as file:
        measured = measure(list(csv.DictReader(file)))
    committed = Path(figures_module.__file__).with_name("figures.json").read_text(encoding="utf-8")
    assert measured == json.loads(committed)


def test_columns_that_leak_the_outcome_are_never_read() -> None:
    class Watched(dict[str, str]):
        read: set[str] = set()

        def __getitem__(self, name: str) -> str:
            self.read.add(name)
            return super().__getitem__(name)

    used = ("Lead Source", "Lead Origin", "Last Activity", "What is your current occupation", "Do Not Email")
    rows = [
        Watched(
            {"Converted": mark, "TotalVisits": "2", "Page Views Per Visit": "3"} | dict.fromkeys(used, "x")
        )
        for mark in "01"
    ]
    measure(rows)
    assert Watched.read == {"Converted", "TotalVisits", "Page Views Per Visit", *used}


def test_as_many_leads_are_won_as_in_the_figures(drawn: list[Profile]) -> None:
    _assert_follows(Counter(p.won for p in drawn), {True: figures().won, False: 1 - figures().won})


@pytest.mark.parametrize("column", ["source", "origin", "last_activity", "occupation", "visits", "pages"])
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_drawn_leads_follow_the_figures(drawn: list[Profile], outcome: str, column: str) -> None:
    some = [p for p in drawn if p.won is (outcome == "won")]
    _assert_follows(Counter(getattr(p, column) for p in some), _shares(figures().outcomes[outcome], column))


def test_a_table_that_is_not_followed_is_noticed(drawn: list[Profile]) -> None:
    drawn_visits = Counter(p.visits for p in drawn if p.won)
    with pytest.raises(AssertionError):
        _assert_follows(drawn_visits, _shares(figures().outcomes["lost"], "visits"))


def _shares(outcome: Outcome, column: str) -> Mapping[object, float]:
    known = getattr(outcome, column)
    if isinstance(known, dict):
        return known
    return _of_values(known, outcome.visitors)


def _of_values(values: Iterable[object], visitors: float) -> dict[object, float]:
    counted = Counter(values)
    return {0: 1 - visitors} | {v: visitors * n / counted.total() for v, n in counted.items()}


def _assert_follows(counted: Mapping[object, int], shares: Mapping[object, float]) -> None:
    """Pearson's chi-square; far beyond its 99.9 % quantile for so many degrees of freedom is too much."""
    total = sum(counted.values())
    assert not counted.keys() - shares.keys()
    chi_square = sum((counted.get(k, 0) - total * s) ** 2 / (total * s) for k, s in shares.items() if s > 0)
    degrees = len(shares) - 1
    assert chi_square < degrees + 4 * (2 * degrees) ** 0.5 + 8
