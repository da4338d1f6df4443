"""Learns a table of points by logistic regression (scikit-learn)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import pstdev
from typing import Any
from warnings import catch_warnings, simplefilter

from numpy import array
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from scoring.fitting.bands import Bands, cut
from scoring.fitting.leads import Leads
from scoring.fitting.merging import merged
from scoring.fitting.points import Line, PointsTable, whole

LINES = 20
"""Of a table, unless told otherwise: what a person can take in at once."""
_STRICTNESS = (0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02, 0.015, 0.01, 0.007, 0.005, 0.003)
"""The lasso's `C`, from lenient to strict: the first with few enough lines is taken."""
_SMALLEST = 2
"""Fewer points than that, either way, are not worth a line."""


def learn(leads: Leads, lines: int = LINES) -> PointsTable:
    """A table of at most so many lines. The same leads in the same order give the same table."""
    bands = {name: cut(cells, leads.won) for name, cells in leads.columns.items()}
    named = {name: [bands[name].band(cell) for cell in cells] for name, cells in leads.columns.items()}
    held = [(column, band, n) for column in named for band, n in sorted(Counter(named[column]).items())]
    hits = [[float(cell == band) for cell in named[column]] for column, band, _ in held]
    chosen = _chosen(hits, leads.won, lines)
    points = whole(weights([hits[index] for index in chosen], leads.won))
    kept = [
        Line(*held[index][:2], points=given, leads=held[index][2])
        for index, given in zip(chosen, points, strict=True)
        if abs(given) >= _SMALLEST
    ]
    table = _table(kept, bands)
    intercept, slope = calibrate(table.scores(leads.columns, len(leads)), leads.won)
    return replace(table, intercept=intercept, slope=slope)


def weights(columns: Sequence[Sequence[float]], won: Sequence[bool]) -> list[float]:
    """What each column adds to the logarithm of the odds for each 1 in it."""
    if not columns:
        return []
    model = _fitted(LogisticRegression(C=1.0, solver="newton-cholesky"), _rows(columns), won)
    return [float(weight) for weight in model.coef_[0]]


def calibrate(scores: Sequence[float], won: Sequence[bool]) -> tuple[float, float]:
    """Intercept and slope of the logarithm of the odds of being won, by the score."""
    spread = pstdev(scores) or 1.0
    rows = [[score / spread] for score in scores]
    model = _fitted(LogisticRegression(C=1e6, solver="newton-cholesky"), rows, won)
    return float(model.intercept_[0]), float(model.coef_[0][0]) / spread


def _table(kept: Sequence[Line], bands: Mapping[str, Bands]) -> PointsTable:
    """The lines, the most points first; neighbours that are worth the same as one."""
    columns = dict.fromkeys(line.column for line in kept)
    fewer = {
        name: merged(name, bands[name], [line for line in kept if line.column == name]) for name in columns
    }
    lines = [line for _, some in fewer.values() for line in some]
    lines.sort(key=lambda line: (-line.points, line.column, line.band))
    return PointsTable(tuple(lines), {name: wider for name, (wider, _) in fewer.items()}, 0, 0)


def _chosen(hits: Sequence[Sequence[float]], won: Sequence[bool], most: int) -> list[int]:
    """Which bands tell most, by the lasso: it gives nought to those that tell little beside the others."""
    rows = _rows(hits)
    chosen: list[int] = []
    for strictness in _STRICTNESS:
        lasso = LogisticRegression(
            l1_ratio=1, C=strictness, solver="liblinear", intercept_scaling=10, random_state=0, max_iter=1_000
        )
        chosen = [index for index, weight in enumerate(_fitted(lasso, rows, won).coef_[0]) if weight]
        if len(chosen) <= most:
            break
    return chosen[:most]


def _fitted(model: Any, rows: Any, won: Sequence[bool]) -> Any:
    with catch_warnings():
        # Of leads that differ wildly the very best is not found; what is near enough ranks as well.
        simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, won)


def _rows(columns: Sequence[Sequence[float]]) -> Any:
    return array(columns, dtype=float).T
