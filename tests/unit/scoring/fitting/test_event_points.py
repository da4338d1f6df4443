"""Points for each type of event from one's own outcomes."""

import random
from math import exp

import pytest

from leadbus.errors import LeadbusError
from leadbus.event_types import EventType
from scoring.fitting.event_points import EventPoints, Prospects, propose
from scoring.fitting.proposal import rules_with
from scoring.rules import DEFAULT_RULES, DEFAULTS, RulesBody

IN_FORCE = {type_: float(points) for type_, points in DEFAULTS.items()}


def drawn(count: int = 1_500) -> Prospects:
    """Clicks decide, opens do not, unsubscribing costs; a call follows the decision, a supplier's event is
    rare."""
    rng = random.Random(6)
    events, won = [], []
    for number in range(count):
        did: dict[EventType, float] = {
            EventType.EMAIL_OPEN: float(rng.randrange(1, 20)),
            EventType.EMAIL_CLICK: float(rng.randrange(6)),
        }
        if rng.random() < 0.15:
            did[EventType.EMAIL_UNSUBSCRIBE] = 1.0
        if number < 5:
            did[EventType.SUPPLIER_EVENT] = 1.0
        logit = -2.5 + 0.7 * did[EventType.EMAIL_CLICK] - 1.5 * (EventType.EMAIL_UNSUBSCRIBE in did)
        won.append(rng.random() < 1 / (1 + exp(-logit)))
        if won[-1] and rng.random() < 0.9:
            did[EventType.TELEQUALIFICATION] = 1.0
        events.append(did)
    return Prospects(events, won)


@pytest.fixture(scope="module")
def found() -> EventPoints:
    return propose(drawn(), IN_FORCE, IN_FORCE, keep=(), seed=1)


def test_points_follow_what_decided(found: EventPoints) -> None:
    points = found.points
    assert points[EventType.EMAIL_CLICK] > 5 * abs(points[EventType.EMAIL_OPEN])
    assert points[EventType.EMAIL_UNSUBSCRIBE] < 0
    assert all(each == int(each) for each in points.values())


def test_proposed_points_rank_better_than_those_in_force(found: EventPoints) -> None:
    judged = found.judged
    assert judged["the proposed points"].auc > judged["the rules in force"].auc + 0.03
    assert judged["the rules in force"] == judged["the default rules"]


def test_types_that_are_rare_or_follow_the_outcome_keep_their_points(found: EventPoints) -> None:
    kept = {line.type: line for line in found.lines if line.why_kept}
    assert kept[EventType.SUPPLIER_EVENT].why_kept == "rare"
    assert kept[EventType.TELEQUALIFICATION].why_kept == "suspicious"
    assert all(line.proposed == line.in_force for line in kept.values())
    assert EventType.EMAIL_CLICK not in kept


def test_a_suspicious_type_is_learned_from_on_request() -> None:
    found = propose(drawn(), IN_FORCE, IN_FORCE, keep=("telequalification",), seed=1)
    assert not {line.why_kept for line in found.lines if line.type == EventType.TELEQUALIFICATION} - {""}


def test_about_as_many_prospects_exceed_the_threshold_as_before() -> None:
    prospects = drawn()
    in_force = IN_FORCE | {EventType.EMAIL_OPEN: 3.0, EventType.TELEQUALIFICATION: 0.0}
    found = propose(prospects, in_force, IN_FORCE, keep=(), seed=1)
    places = range(len(prospects.won))
    before, after = (
        sum(score > 50 for score in prospects.scores(points, places)) / len(places)
        for points in (in_force, found.points)
    )
    assert 0.1 < before < 0.5
    assert after == pytest.approx(before, abs=0.08)


def test_the_same_outcomes_give_the_same_proposal(found: EventPoints) -> None:
    assert propose(drawn(), IN_FORCE, IN_FORCE, keep=(), seed=1) == found


def test_too_few_outcomes_are_refused() -> None:
    with pytest.raises(LeadbusError, match="of 20 leads were won; at least 30"):
        propose(drawn(20), IN_FORCE, IN_FORCE, keep=(), seed=1)


def test_the_proposal_is_a_rules_document_that_changes_points_alone(found: EventPoints) -> None:
    rules = DEFAULT_RULES.model_copy(update={"version": 7, "half_life_days": 90}).model_dump(mode="json")
    proposed = RulesBody.model_validate(rules_with(rules | {"author": "operator"}, found))
    assert (proposed.version, proposed.half_life_days) == (7, 90)
    assert {type_: float(points) for type_, points in proposed.points.items()} == found.points
