"""Points for each type of event, learned from a tenant's own outcomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sklearn.metrics import roc_auc_score

from leadbus.event_types import EventType
from scoring.fitting.judging import Judgement, Learned, judge
from scoring.fitting.leads import Leads, checked
from scoring.fitting.leaks import SUSPICIOUS
from scoring.fitting.learning import calibrate, weights
from scoring.fitting.points import PER_LOGIT, chance, whole

LEAST = 20
"""Prospects that have had an event of a type, without which its points stay as they are."""
THRESHOLD = 50
_PARTS = (0.02, 0.5)
"""Shares of the prospects above the threshold now between which as many stay above it."""
_LARGEST_SCALE = 10 * PER_LOGIT
"""A hundred points for each doubling of the odds are plenty."""

Points = Mapping[EventType, float]
Way = Callable[[Sequence[int]], Points]
"""How to come to points by the prospects at some places."""


class Prospects(NamedTuple):
    """events: of each prospect by type, each as much as it counted at the outcome. won: the outcomes."""

    events: Sequence[Mapping[EventType, float]]
    won: Sequence[bool]

    def scores(self, points: Points, places: Sequence[int]) -> list[float]:
        """What those at these places have with such points."""
        given = {type_: each for type_, each in points.items() if each}
        return [
            sum(given[type_] * count for type_, count in self.events[place].items() if type_ in given)
            for place in places
        ]


class EventLine(NamedTuple):
    """prospects: with such an event. why_kept: why the points stay as they are."""

    type: EventType
    in_force: float
    proposed: float
    prospects: int
    why_kept: Literal["", "rare", "suspicious"] = ""


@dataclass(frozen=True, slots=True)
class EventPoints:
    """judged: the proposed points, those in force, the defaults; each without suspicious types, which would
    flatter them all."""

    lines: tuple[EventLine, ...]
    judged: Mapping[str, Judgement]

    @property
    def points(self) -> dict[EventType, float]:
        """Of each type, as proposed."""
        return {line.type: line.proposed for line in self.lines}


def propose(
    prospects: Prospects, in_force: Points, defaults: Points, *, keep: Sequence[str], seed: int
) -> EventPoints:
    """keep: types that are learned from however well they rank alone.

    Raises:
        LeadbusError: too few outcomes.
    """
    checked(Leads({}, prospects.won))
    why = {type_: _why_kept(prospects, type_, keep) for type_ in in_force}
    learned = [type_ for type_, reason in why.items() if not reason]
    fair = [type_ for type_, reason in why.items() if reason != "suspicious"]
    now, usual = ({type_: points[type_] for type_ in fair} for points in (in_force, defaults))
    proposed = {**in_force, **_points(prospects, range(len(prospects.won)), learned, now)}
    lines = [
        EventLine(type_, points, proposed[type_], _holders(prospects, type_), why[type_])
        for type_, points in in_force.items()
    ]
    ways: dict[str, Way] = {
        "the proposed points": lambda seen: _points(prospects, seen, learned, now),
        "the rules in force": lambda _: now,
        "the default rules": lambda _: usual,
    }
    return EventPoints(
        tuple(sorted(lines, key=lambda line: (-line.proposed, line.type))),
        {name: judge(prospects.won, _judged(prospects, way), seed) for name, way in ways.items()},
    )


def _points(
    prospects: Prospects, places: Sequence[int], learned: Sequence[EventType], in_force: Points
) -> dict[EventType, float]:
    columns = [[prospects.events[place].get(type_, 0.0) for place in places] for type_ in learned]
    found = dict(zip(learned, weights(columns, [prospects.won[place] for place in places]), strict=True))
    scale = _scale(prospects.scores(found, places), prospects.scores(in_force, places))
    return {**in_force, **dict(zip(found, map(float, whole(found.values(), scale)), strict=True))}


def _scale(raw: Sequence[float], now: Sequence[float]) -> float:
    """Makes as many prospects exceed the default threshold as do now, so that sales get neither more nor
    fewer; where hardly any or most of them do, ten points double the odds."""
    above = sum(score > THRESHOLD for score in now)
    if not _PARTS[0] <= above / len(now) <= _PARTS[1]:
        return PER_LOGIT
    edge = sorted(raw)[-above - 1]
    return min(THRESHOLD / edge, _LARGEST_SCALE) if edge > 0 else PER_LOGIT


def _why_kept(
    prospects: Prospects, type_: EventType, keep: Sequence[str]
) -> Literal["", "rare", "suspicious"]:
    if _holders(prospects, type_) < LEAST:
        return "rare"
    counts = [events.get(type_, 0.0) for events in prospects.events]
    auc = float(roc_auc_score(prospects.won, counts))
    return "suspicious" if max(auc, 1 - auc) >= SUSPICIOUS and type_ not in keep else ""


def _holders(prospects: Prospects, type_: EventType) -> int:
    return sum(type_ in events for events in prospects.events)


def _judged(prospects: Prospects, way: Way) -> Callable[[Sequence[int]], Learned]:
    def learn(seen: Sequence[int]) -> Learned:
        points = way(seen)
        won = [prospects.won[place] for place in seen]
        intercept, slope = calibrate(prospects.scores(points, seen), won)
        return Learned(
            lambda places: prospects.scores(points, places), lambda score: chance(intercept + slope * score)
        )

    return learn
