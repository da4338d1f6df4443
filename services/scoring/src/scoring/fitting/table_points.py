"""A table of points for a file of leads: what it was learned from, and how well it ranks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from leadbus.errors import LeadbusError
from leadbus.event_types import TRAITS
from scoring.fitting.events import Told, recognised, scores, told
from scoring.fitting.judging import Judgement, Learned, judge
from scoring.fitting.leads import Leads
from scoring.fitting.leaks import LeftOut, left_out, matches
from scoring.fitting.learning import LINES, calibrate, learn
from scoring.fitting.points import PointsTable, chance

_DEFAULTS = {type_: trait.millipoints for type_, trait in TRAITS.items()}


@dataclass(frozen=True, slots=True)
class Fitted:
    """tells: what the default rules, against which the table is judged, were told by."""

    leads: Leads
    table: PointsTable
    left_out: Sequence[LeftOut]
    tells: Sequence[Told]
    judged: Mapping[str, Judgement]


def fit(
    leads: Leads,
    *,
    leave_out: Collection[str] = (),
    keep: Collection[str] = (),
    events: Sequence[str] = (),
    lines: int = LINES,
    seed: int = 1,
) -> Fitted:
    """leave_out, keep: see `leaks.left_out`. events: see `events.told`; without any they are recognised.

    Raises:
        LeadbusError: a name that is given names no column, or no column is left.
    """
    for pattern in (*leave_out, *keep):
        if not any(matches(column, [pattern]) for column in leads.columns):
            raise LeadbusError(f"There is no column {pattern}.")
    gone = left_out(leads, leave_out, keep, seed)
    used = leads.only(set(leads.columns) - {column.column for column in gone})
    if not used.columns:
        raise LeadbusError("No column is left to learn from; --keep says which to learn from nevertheless.")
    tells = told(events, leads) if events else recognised(used)
    judged = {"the table": judge(leads.won, lambda seen: _learned(used, seen, lines), seed)}
    if tells:
        given = [millipoints / 1000 for millipoints in scores(leads, tells, _DEFAULTS)]
        judged["the default rules"] = judge(leads.won, lambda seen: _given(given, leads.won, seen), seed)
    return Fitted(used, learn(used, lines), gone, tells, judged)


def _learned(leads: Leads, seen: Sequence[int], lines: int) -> Learned:
    table = learn(leads.at(seen), lines)

    def of(places: Sequence[int]) -> list[int]:
        some = leads.at(places)
        return table.scores(some.columns, len(some))

    return Learned(of, table.chance)


def _given(points: Sequence[float], won: Sequence[bool], seen: Sequence[int]) -> Learned:
    intercept, slope = calibrate([points[place] for place in seen], [won[place] for place in seen])
    return Learned(
        lambda places: [points[place] for place in places], lambda score: chance(intercept + slope * score)
    )
