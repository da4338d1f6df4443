"""A table of points: whole numbers for bands of columns. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from scoring.fitting.bands import Bands

DOUBLES = 10
"""So many points double the odds of being won."""
PER_LOGIT = DOUBLES / log(2)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. leads: how many of those learned from it holds for."""

    column: str
    band: str
    points: int
    leads: int


@dataclass(frozen=True, slots=True)
class PointsTable:
    """bands: how each column of the lines is cut. intercept, slope: see `chance`."""

    lines: tuple[Line, ...]
    bands: Mapping[str, Bands]
    intercept: float
    slope: float

    def scores(self, columns: Mapping[str, Sequence[str | None]], count: int) -> list[int]:
        """The points of each of `count` leads."""
        totals = [0] * count
        by_column: dict[str, dict[str, int]] = {}
        for line in self.lines:
            by_column.setdefault(line.column, {})[line.band] = line.points
        for column, points in by_column.items():
            band = self.bands[column].band
            for place, cell in enumerate(columns[column]):
                totals[place] += points.get(band(cell), 0)
        return totals

    def chance(self, score: float) -> float:
        """The share that is won of leads with such a score."""
        return chance(self.intercept + self.slope * score)


def whole(weights: Iterable[float], scale: float = PER_LOGIT) -> list[int]:
    """Weights (logarithms of odds) as whole points; half away from nought."""
    return [int(abs(weight) * scale + 0.5) * (1 if weight > 0 else -1) for weight in weights]


def chance(logit: float) -> float:
    """Of a logarithm of odds."""
    return 1 / (1 + exp(-logit)) if logit > -700 else 0.0
