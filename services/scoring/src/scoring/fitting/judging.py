"""How well a score ranks, on leads that it was not learned from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

FOLDS = 5
"""So many times a table is learned from all but one part of the leads and judged on that part."""
TOP = 0.1
_GROUPS = 5

Scores = Callable[[Sequence[int]], Sequence[float]]
"""The scores of the leads at these places."""


class Learned(NamedTuple):
    """scores: of any leads. chance: the share that is won of leads with a score."""

    scores: Scores
    chance: Callable[[float], float]


class Group(NamedTuple):
    """Leads of a like chance. least: points of the last of them. expected, actual: the share that was won, as
    the score said and in fact."""

    leads: int
    least: float
    expected: float
    actual: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """auc: area under the curve, the chance that a won lead has more points than another one; mean of the
    parts, `lowest` and `highest` of them. lift: how many times the base rate is won of the tenth with most
    points. groups: fifths by points, the best first."""

    auc: float
    lowest: float
    highest: float
    lift: float
    groups: tuple[Group, ...]


def judge(won: Sequence[bool], learn: Callable[[Sequence[int]], Learned], seed: int) -> Judgement:
    """Learns from the leads at some places and judges at the others, so that each is judged once, unseen."""
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(won, won)
    aucs, lifts, fifths = [], [], []
    for seen, unseen in parts:
        learned = learn(seen.tolist())
        scores = learned.scores(unseen.tolist())
        outcomes = [won[place] for place in unseen]
        aucs.append(float(roc_auc_score(outcomes, scores)))
        lifts.append(lift(scores, outcomes))
        fifths.append(_fifths(scores, learned, outcomes))
    groups = tuple(map(_together, zip(*fifths, strict=True)))
    return Judgement(sum(aucs) / FOLDS, min(aucs), max(aucs), sum(lifts) / FOLDS, groups)


def lift(scores: Sequence[float], won: Sequence[bool], top: float = TOP) -> float:
    """Share won of the `top` share with the highest scores, in base rates; of equal scores at the edge each
    counts in part, so that the order of the leads decides nothing."""
    wanted = top * len(scores)
    by_score: dict[float, list[bool]] = {}
    for score, is_won in zip(scores, won, strict=True):
        by_score.setdefault(score, []).append(is_won)
    taken = hits = 0.0
    for score in sorted(by_score, reverse=True):
        equal = by_score[score]
        part = min(1.0, (wanted - taken) / len(equal))
        taken += part * len(equal)
        hits += part * sum(equal)
        if part < 1:
            break
    return hits / wanted / (sum(won) / len(won))


def _fifths(scores: Sequence[float], learned: Learned, won: Sequence[bool]) -> list[Group]:
    ordered = sorted(zip(scores, won, strict=True), key=lambda lead: -lead[0])
    edges = [round(index * len(ordered) / _GROUPS) for index in range(_GROUPS + 1)]
    return [_group(ordered[begin:end], learned) for begin, end in pairwise(edges)]


def _group(leads: Sequence[tuple[float, bool]], learned: Learned) -> Group:
    expected = sum(learned.chance(score) for score, _ in leads) / len(leads)
    return Group(len(leads), leads[-1][0], expected, sum(is_won for _, is_won in leads) / len(leads))


def _together(groups: Sequence[Group]) -> Group:
    """The same fifth of each part as one."""
    leads = sum(group.leads for group in groups)
    means = (sum(group[column] * group.leads for group in groups) / leads for column in (1, 2, 3))
    return Group(leads, *means)
