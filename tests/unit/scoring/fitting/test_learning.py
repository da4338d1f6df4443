"""A table of points: what it finds, and that it is the same each time."""

import random
from collections.abc import Sequence
from math import exp
from typing import Any

import pytest
from sklearn.metrics import roc_auc_score

from scoring.fitting.bands import NumberBands, WordBands
from scoring.fitting.leads import Leads
from scoring.fitting.learning import calibrate, learn, weights
from scoring.fitting.merging import merged
from scoring.fitting.points import Line, PointsTable, whole


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def leads(draw: Any) -> Leads:
    drawn: Leads = draw()
    return drawn.only(["visits", "source", "noise"])


def test_the_table_finds_what_decides_and_leaves_out_what_does_not(leads: Leads) -> None:
    points = {(line.column, line.band): line.points for line in learn(leads, 6).lines}
    best, worst = max(points, key=points.__getitem__), min(points, key=points.__getitem__)
    assert best == ("visits", "6 or more")
    assert worst == ("source", "Radio")
    # The odds were drawn e^2 times as good with six visits: 10 points for each doubling make 29.
    others = [given for (column, band), given in points.items() if column == "visits" and band != best[1]]
    assert 22 <= points[best] - min([0, *others]) <= 36


def test_the_table_is_no_longer_than_asked_for(leads: Leads) -> None:
    assert 0 < len(learn(leads, 2).lines) <= 2


def test_the_same_leads_give_the_same_table(leads: Leads) -> None:
    assert learn(leads) == learn(leads)


def test_the_order_of_the_leads_hardly_moves_a_point(leads: Leads) -> None:
    places = list(range(len(leads)))
    random.Random(3).shuffle(places)
    one, other = learn(leads), learn(leads.at(places))
    assert one.bands == other.bands
    points, shuffled = (
        {(line.column, line.band): line.points for line in table.lines} for table in (one, other)
    )
    assert points.keys() == shuffled.keys()
    assert all(abs(points[key] - shuffled[key]) <= 1 for key in points)


def test_rounding_to_whole_points_hardly_changes_who_is_ahead_of_whom() -> None:
    rng = random.Random(7)
    columns = [[float(rng.random() < 0.3) for _ in range(3_000)] for _ in range(8)]
    truth = [1.3, 0.9, 0.7, 0.45, 0.2, -0.15, -0.6, -1.1]
    rows = list(zip(*columns, strict=True))
    won = [rng.random() < 1 / (1 + exp(0.5 - dot(truth, row))) for row in rows]
    exact = weights(columns, won)
    aucs = [roc_auc_score(won, [dot(each, row) for row in rows]) for each in (exact, whole(exact))]
    assert abs(aucs[0] - aucs[1]) < 0.002
    assert all(isinstance(point, int) for point in whole(exact))


def test_halves_are_rounded_away_from_nought() -> None:
    assert whole([0.5, -0.5, 1.49, -1.49], scale=1) == [1, -1, 1, -1]


def test_the_chance_of_a_score_is_what_was_seen_at_it() -> None:
    scores = [0.0] * 400 + [20.0] * 400
    won = [n % 4 == 0 for n in range(400)] + [n % 4 != 0 for n in range(400)]
    intercept, slope = calibrate(scores, won)
    table = PointsTable((), {}, intercept, slope)
    assert table.chance(0) == pytest.approx(0.25, abs=0.01)
    assert table.chance(20) == pytest.approx(0.75, abs=0.01)


def test_cells_that_the_table_does_not_name_give_no_points() -> None:
    bands = {"source": WordBands({"fair": "Fair"}), "visits": NumberBands((3,), whole=True)}
    lines = (Line("source", "Fair", 8, 1), Line("visits", "3 or more", 12, 1))
    table = PointsTable(lines, bands, 0, 0)
    columns = {"source": ["FAIR", "Moon", None], "visits": ["5", None, "2"]}
    assert table.scores(columns, 3) == [20, 0, 0]


def test_neighbouring_bands_of_like_points_become_one() -> None:
    bands = NumberBands((1, 5, 9), whole=True)
    lines = [
        Line("visits", "5 to 8", 11, 300),
        Line("visits", "9 or more", 12, 100),
        Line("visits", "not given", -4, 50),
    ]
    wider, joined = merged("visits", bands, lines)
    assert wider == NumberBands((5,), whole=True)
    assert joined == [Line("visits", "5 or more", 11, 400), Line("visits", "not given", -4, 50)]


def test_neighbouring_bands_of_other_points_stay_apart() -> None:
    bands = NumberBands((1, 5), whole=True)
    lines = [Line("visits", "1 to 4", 5, 10), Line("visits", "5 or more", 12, 10)]
    assert merged("visits", bands, lines) == (bands, lines)
