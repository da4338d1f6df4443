"""Cooling: who notices it, and when, decides nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadbus.event_types import EventType
from scoring.cooling import bound, cool, review
from scoring.emission import emissions
from scoring.prospect import Prospect, Qualified
from scoring.prospect_documents import from_document, to_document
from scoring.qualification import cool_level, split
from scoring.rules import Rules, RulesBody
from scoring.score import DAY

DAYS = DAY // 1000
HALF_LIFE = 30 * DAY

RULES = [
    {},
    {"half_life_days": 3},
    {"decay": [{"days": 2, "percent": 60}, {"days": 20, "percent": 0}]},
    {"inactivity": {"days": 5, "points": 7, "most": 40}},
    {"caps": [{"name": "views", "on": ["web_view", "web_click"], "most": 9, "per": "week"}]},
    {"points": {"web_view": 30, "email_open": -9}, "half_life_days": 7},
    {"points": {"form_submission": 90, "email_open": -30}, "decay": [{"days": 7, "percent": 50}]},
    {"half_life_days": 4, "inactivity": {"days": 9, "points": 9, "most": 9}, "points": {"email_sent": 0}},
]
bodies = st.sampled_from(RULES).map(lambda body: Rules.of(RulesBody.model_validate(body), 1))
event_facts = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from(list(EventType)), st.integers(0, 90 * DAYS)), max_size=14
)


def qualified(scene: Any, threshold: int = 10, **settings: Any) -> Prospect:
    scene.connections = (scene.connection(threshold=threshold, **settings),)
    prospect: Prospect = scene.turn([scene.event("1", "form_submission")]).prospect
    assert prospect.qualified
    return prospect


def test_the_bound_is_close_and_never_late(scene: Any) -> None:
    prospect = qualified(scene)
    assert prospect.cools_at is not None
    # From 20 points to 9: log2(20 / 9) half-lives.
    exact = scene.start + int(HALF_LIFE * 1.152)
    assert exact - DAY // 10 < prospect.cools_at < exact + DAY // 10
    assert prospect.score_at(prospect.cools_at - 1, scene.rules) > 9_000


@given(event_facts, bodies, st.integers(1, 60), st.integers(0, 100))
def test_no_score_is_down_before_its_bound(
    new_scene: Any, facts: Any, rules: Rules, threshold: int, share: int
) -> None:
    scene = new_scene()
    scene.rules, scene.connections = rules, (scene.connection(threshold=threshold),)
    records = [scene.event(str(n), type_, at) for n, type_, at in facts]
    prospect = scene.turns([sorted(records, key=lambda record: record.at)])
    _, warm = split(prospect, scene.connections)
    assert (prospect.cools_at is None) or warm
    if not warm:
        return
    until = bound(prospect, warm, rules)
    end = until if until is not None else prospect.at + 2_000 * DAY
    at = prospect.at + max(0, end - 1 - prospect.at) * share // 100
    assert prospect.score_at(at, rules) > cool_level(warm[0])


@given(event_facts, bodies, st.integers(1, 60), st.lists(st.integers(0, 99 * DAYS), max_size=4))
def test_whether_the_clock_has_looked_meanwhile_decides_nothing(
    new_scene: Any, facts: Any, rules: Rules, threshold: int, looks: list[int]
) -> None:
    scene = new_scene()
    scene.rules, scene.connections = rules, (scene.connection(threshold=threshold),)
    records = sorted((scene.event(str(n), type_, at) for n, type_, at in facts), key=lambda record: record.at)
    alone, watched = Prospect(scene.key, 0), Prospect(scene.key, 0)
    crossings: dict[str, list[Any]] = {"alone": [], "watched": []}
    pending = sorted(scene.start + look * 1000 for look in looks)
    for record in records:
        crossings["alone"] += scene.turn([record], alone).crossings
        while pending and pending[0] < record.at:
            look(watched, scene, pending.pop(0))
        crossings["watched"] += scene.turn([record], watched).crossings
    end = scene.start + 100 * DAY
    for prospect in (alone, watched):
        if prospect.cools_at is not None and prospect.cools_at <= end:
            review(prospect, scene.connections, rules, end)
    assert alone.qualified == watched.qualified
    # Each look at it that found something is a version of its own.
    alike = {who: [replace(crossing, version=0) for crossing in made] for who, made in crossings.items()}
    assert alike["alone"] == alike["watched"]
    assert (alone.score, alone.history) == (watched.score, watched.history)


def look(prospect: Prospect, scene: Any, at: int) -> None:
    """What the cooler does."""
    if prospect.cools_at is not None and prospect.cools_at <= at:
        review(prospect, scene.connections, scene.rules, at)


def test_a_record_that_was_on_its_way_takes_back_what_the_clock_noticed_too_soon(scene: Any) -> None:
    prospect = qualified(scene)
    assert cool(prospect, scene.connections, scene.rules, scene.start + 60 * DAY)
    cooled = prospect.qualified["c1"].cooled
    assert cooled is not None
    assert scene.start + 34 * DAY < cooled < scene.start + 35 * DAY
    late = scene.turn([scene.event("2", "form_submission", at=10 * DAYS)], prospect)
    assert not late.crossings
    assert prospect.qualified["c1"].cooled is None


def test_who_cooled_and_comes_back_crosses_anew_with_the_next_number(scene: Any) -> None:
    prospect = qualified(scene)
    again = scene.turn([scene.event("2", "form_submission", at=40 * DAYS)], prospect)
    assert [crossing.number for crossing in again.crossings] == [2]
    assert prospect.qualified["c1"].number == 2


def test_who_cooled_is_told_with_the_score_by_then_and_again_when_it_counts(scene: Any) -> None:
    """A distribution counts nothing, but by its time the points have faded."""
    prospect = qualified(scene)
    handed = scene.turn([scene.distribution("d", at=60 * DAYS)], prospect)
    assert said_scores(handed) == [("5", ["c1"])]
    # 15 points and what is left of 20: as many as the stored score was, and not as many as were told.
    scene.rules = Rules.of(RulesBody(points={"telequalification": "15"}), 1)  # type: ignore[dict-item]
    counted = scene.turn([scene.event("2", "telequalification", at=60 * DAYS)], prospect)
    assert counted.score_before == counted.prospect.score == 20_000
    assert said_scores(counted) == [("20", [])]


def said_scores(turn: Any) -> list[tuple[str, list[str]]]:
    said = [
        json.loads(one.value) for one in emissions(turn, lambda cause, _: None) if one.topic == "leads.scored"
    ]
    return [(str(one["score"]), one["cooled"]) for one in said]


def test_a_score_near_the_threshold_does_not_flap(scene: Any) -> None:
    scene.rules = Rules.of(RulesBody(points={"web_view": "4", "email_bounce": "-4"}), 1)  # type: ignore[dict-item]
    prospect = qualified(scene, threshold=18)
    crossings = 0
    for n in range(10):
        records = [scene.event(f"down {n}", "email_bounce", at=2 * n), scene.event(f"up {n}", at=2 * n + 1)]
        crossings += len(scene.turn(records, prospect).crossings)
    assert crossings == 10
    calm = qualified(scene, threshold=18, hysteresis=5)
    for n in range(10):
        records = [scene.event(f"down {n}", "email_bounce", at=2 * n), scene.event(f"up {n}", at=2 * n + 1)]
        assert not scene.turn(records, calm).crossings


@pytest.mark.parametrize(("threshold", "hysteresis", "level"), [(50, None, 45), (5, None, 4), (50, 20, 30)])
def test_the_level_is_a_tenth_below_the_threshold_or_as_was_said(
    scene: Any, threshold: int, hysteresis: int | None, level: int
) -> None:
    assert cool_level(scene.connection(threshold=threshold, hysteresis=hysteresis)) == level * 1000


def test_only_who_may_cool_bears_a_time(scene: Any) -> None:
    below = scene.turn([scene.event("1")]).prospect
    assert "cools_at" not in to_document(below)
    assert "cools_at" in to_document(qualified(scene))


def test_what_stands_without_fading_keeps_hot_for_ever(scene: Any) -> None:
    when = [{"field": "in_crm_as_contact", "is": True}]
    body = {"segments": [{"name": "client", "when": when, "points": 15}]}
    scene.rules = Rules.of(RulesBody.model_validate(body), 1)
    scene.connections = (scene.connection(threshold=10),)
    prospect = scene.turn([scene.contact(), scene.event("1")]).prospect
    assert prospect.qualified
    assert prospect.cools_at is None


def test_a_crossing_is_kept_as_it_was_before_there_were_numbers(scene: Any) -> None:
    prospect = qualified(scene)
    document = to_document(prospect)
    assert set(document["qualified"][0]) == {"connection_id", "threshold", "at", "trace_id"}
    assert from_document(document).qualified["c1"] == Qualified("c1", 10, scene.start, None)
    cool(prospect, scene.connections, scene.rules, scene.start + 60 * DAY)
    assert from_document(to_document(prospect)).qualified == prospect.qualified
