"""Makes one line of neighbouring bands that are worth the same. Pure."""

from collections.abc import Sequence

from scoring.fitting.bands import Bands, NumberBands
from scoring.fitting.points import Line

_SAME = 2
"""Points by which neighbours may differ."""


def merged(column: str, bands: Bands, lines: Sequence[Line]) -> tuple[Bands, list[Line]]:
    """A column's bands and its lines, with neighbouring bands of numbers made one where points allow."""
    if not isinstance(bands, NumberBands):
        return bands, list(lines)
    by_band = {line.band: line for line in lines}
    none = Line(column, "", 0, 0)
    groups: list[list[Line]] = []
    edges: list[float] = []
    for index, name in enumerate(bands.names):
        line = by_band.pop(name, none)
        if groups and _same(groups[-1], line):
            groups[-1].append(line)
        else:
            groups.append([line])
            edges += bands.edges[index - 1 : index]
    wider = NumberBands(tuple(edges), bands.whole, bands.least)
    joined = [
        _joined(column, name, group)
        for name, group in zip(wider.names, groups, strict=True)
        if any(line.points for line in group)
    ]
    return wider, [*joined, *by_band.values()]


def _same(group: Sequence[Line], line: Line) -> bool:
    if not line.points or not group[0].points:
        return line.points == group[0].points
    return all(abs(line.points - other.points) <= _SAME for other in group)


def _joined(column: str, name: str, group: Sequence[Line]) -> Line:
    leads = sum(line.leads for line in group)
    return Line(column, name, round(sum(line.points * line.leads for line in group) / leads), leads)
