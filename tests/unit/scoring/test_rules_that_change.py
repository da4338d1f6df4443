"""Rules that come, go and come back, and odd ones: what a marketer may do on a bad day."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadbus.event_types import EventType
from scoring import history
from scoring.cooling import bound, review
from scoring.explanation import view
from scoring.prospect import Prospect
from scoring.qualification import cool_level, split
from scoring.repricing import reprice
from scoring.rules import Rules, RulesBody
from scoring.score import DAY
from scoring.tables import FIRST_NUMBER, LAST_NUMBER

DAYS = DAY // 1000
JOBS = {"name": "Jobs", "on": "web_view", "when": {"page": {"contains": ["/jobs"]}}, "points": 0}
MACHINE = {"user_agent": "Mozilla/5.0"}


def rules(numbers: dict[str, int] | None = None, **body: Any) -> Rules:
    return Rules.of(RulesBody.model_validate_json(json.dumps(body)), 1, numbers)


def test_the_same_rules_applied_to_history_leave_a_further_scores_rule_of_no_points_alone(scene: Any) -> None:
    scene.rules = rules(scores=[{"name": "s", "points": {"web_view": 2}, "events": [JOBS]}])
    prospect = scene.turns([[scene.event("1", url="https://x.de/jobs"), scene.event("2")]])
    assert prospect.score_of("s") == 2_000
    assert not reprice(prospect, scene.rules)
    assert prospect.score_of("s") == 2_000


def test_a_further_score_that_the_rules_know_no_more_qualifies_nobody(scene: Any) -> None:
    scene.rules = rules(scores=[{"name": "s", "points": {"web_view": 80}}])
    prospect = scene.turns([[scene.event("1")]])
    scene.rules, scene.connections = rules(), (scene.connection(score="s"),)
    assert not scene.turn([scene.event("2", at=1)], prospect).crossings
    assert prospect.score_of("s") == 0


@pytest.mark.parametrize("known_by", ["event", "distribution", "contact"])
@pytest.mark.parametrize("together", [True, False])
def test_who_turns_out_to_be_excluded_has_no_points_for_what_came_before_either(
    scene: Any, known_by: str, together: bool
) -> None:
    scene.rules = rules(excluded_domains=["example.com"], scores=[{"name": "s", "points": {"web_view": 9}}])
    scene.connections = (scene.connection(threshold=2),)
    known = {
        "event": scene.event("2", at=1),
        "distribution": scene.distribution("d", at=1),
        "contact": scene.contact(at=1),
    }
    records = [scene.event(n, email=None, visitor_id="v", at=at) for n, at in (("1", 0), ("3", 2))]
    records.insert(1, known[known_by])
    prospect = scene.turns([records] if together else [[record] for record in records])
    assert (prospect.score, prospect.score_of("s"), prospect.qualified) == (0, 0, {})
    shown = view(prospect, scene.rules, 0)
    assert {each.zero for each in shown.explanation} == {"The rules exclude the domain of the email"}
    # Let in again: nothing is lost.
    scene.rules = rules(scores=[{"name": "s", "points": {"web_view": 9}}])
    reprice(prospect, scene.rules)
    views = 3 if known_by == "event" else 2
    assert (prospect.score, prospect.score_of("s")) == (views * 3_000, views * 9_000)


def test_who_becomes_known_as_excluded_by_a_distribution_is_hot_no_more(scene: Any) -> None:
    scene.rules = rules(excluded_domains=["example.com"])
    scene.connections = (scene.connection(threshold=10),)
    prospect = scene.turns([[scene.event("1", "form_submission", email="ada@home.com")]])
    assert prospect.qualified["c1"].cooled is None
    scene.turn([scene.distribution("d", at=1)], prospect)
    assert prospect.score == 0
    assert prospect.qualified["c1"].cooled == scene.start + 1_000


def test_what_machines_did_is_still_known_as_such_after_it_has_counted_for_a_while(scene: Any) -> None:
    named = {"scores": [{"name": "s", "points": {"email_open": 5}}]}
    scene.rules = rules(**named)
    prospect = scene.turn([scene.event("1", "email_open", properties=MACHINE)]).prospect
    for zero, scores in ((True, (0, 0)), (False, (2_000, 5_000)), (True, (0, 0))):
        applied = rules(machines={"zero": zero}, **named)
        reprice(prospect, applied)
        assert (prospect.score, prospect.score_of("s")) == scores
        (shown,) = view(prospect, applied, 0).explanation
        assert (shown.zero is not None) is zero


@pytest.mark.parametrize("sent_at", ["2026-09-21T14:13:20.600+00:00", "2026-09-21T16:13:18+02:00"])
def test_an_open_at_its_mails_sending_is_a_machines_though_clocks_differ_a_little(
    scene: Any, sent_at: str
) -> None:
    prospect = scene.turn([scene.event("1", "email_open", properties={"sent_at": sent_at})]).prospect
    assert prospect.score == 0


@pytest.mark.parametrize(
    ("threshold", "hysteresis", "level"), [(50, 60, 0), (0, None, 0), (1, None, 0), (50, 50, 0)]
)
def test_nobody_is_hot_for_ever_because_of_a_level_below_nought(
    scene: Any, threshold: int, hysteresis: int | None, level: int
) -> None:
    scene.connections = (scene.connection(threshold=threshold, hysteresis=hysteresis),)
    assert cool_level(scene.connections[0]) == level
    prospect = scene.turns([[scene.event(str(n), "form_submission") for n in range(3)]])
    assert prospect.cools_at is not None
    end = scene.start + 2_000 * DAY
    review(prospect, scene.connections, scene.rules, end)
    cooled = prospect.qualified["c1"].cooled
    assert cooled is not None
    assert prospect.cools_at is None
    assert prospect.score_at(cooled, scene.rules) == 0 < prospect.score_at(cooled - 1, scene.rules)


def test_what_inactivity_took_off_stays_off_while_the_rest_fades_so_the_bound_is_not_late(scene: Any) -> None:
    scene.rules = rules(
        points={"form_submission": 400, "email_sent": 0},
        half_life_days=10,
        inactivity={"days": 20, "points": 30, "most": 30},
    )
    scene.connections = (scene.connection(hysteresis=30),)
    prospect = scene.turns(
        [[scene.event("1", "form_submission")], [scene.event("2", "email_sent", at=20 * DAYS)]]
    )
    until = bound(prospect, split(prospect, scene.connections)[1], scene.rules)
    assert until is not None
    assert prospect.score_at(until - 1, scene.rules) > 20_000
    assert prospect.score_at(until + DAY // 10, scene.rules) <= 20_000


def test_a_dip_of_some_days_is_noticed_also_by_whoever_looks_after_it(scene: Any) -> None:
    points = {"form_submission": 100, "email_unsubscribe": -40}
    scene.rules = rules(decay=[{"days": 7, "percent": 50}], points=points)
    scene.connections = (scene.connection(threshold=20, hysteresis=5),)
    facts = [scene.event("1", "form_submission"), scene.event("2", "email_unsubscribe", at=3 * DAYS)]
    last = scene.event("3", "email_sent", at=15 * DAYS)
    looks: dict[str, list[int]] = {"daily": list(range(4, 15)), "late": [13], "never": []}
    found = {}
    for who, days in looks.items():
        prospect: Prospect = scene.turns([facts])
        for day in days:
            at = scene.start + day * DAY
            if prospect.cools_at is not None and prospect.cools_at <= at:
                assert not review(prospect, scene.connections, scene.rules, at)
        scene.turn([last], prospect)
        found[who] = prospect.qualified["c1"]
    assert found["daily"] == found["late"] == found["never"]
    assert found["never"].number == 2


def test_there_are_ten_thousand_names_and_then_an_answer() -> None:
    names = {f"/{n}": n for n in range(FIRST_NUMBER, LAST_NUMBER)}
    assert rules(names, events=[JOBS]).numbers["/Jobs"] == LAST_NUMBER
    with pytest.raises(ValueError, match="no numbers left"):
        rules(names, events=[JOBS, JOBS | {"name": "More jobs"}])
    assert rules(names | {"/Jobs": LAST_NUMBER}, events=[JOBS]).numbers["/Jobs"] == LAST_NUMBER


@pytest.mark.parametrize(
    "body",
    [
        {"points": {"web_view": float("nan")}},
        {"points": {"web_view": "Infinity"}},
        {"inactivity": {"days": 1, "points": 5, "most": "inf"}},
        {"events": [JOBS | {"when": {"properties.a": {"at_least": "NaN"}}}]},
        {"events": [JOBS | {"name": "web_view"}]},
        {"events": [JOBS | {"when": {"page": {"is": True}}}]},
        {"profile": [{"name": "p", "when": {"custom.vip": {"is": True}}, "points": 1}]},
        {"scores": [{"name": "a/b"}]},
        {"excluded_domains": [".acme.com"]},
        {"excluded_domains": ["*.acme.com"]},
        {"excluded_domains": ["@acme.com"]},
    ],
)
def test_what_could_never_mean_what_it_says_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rules(**body)


points = st.integers(-40_000, 60_000).map(lambda millipoints: millipoints / 1000)
pages = st.sampled_from(["/jobs", "/pricing", "/"])
types = st.sampled_from(["web_view", "form_submission", "email_open", "email_unsubscribe"])
event_rules = st.lists(
    st.builds(
        lambda name, on, page, points: {
            "name": name,
            "on": on,
            "when": {"page": {"contains": [page]}},
            "points": points,
        },
        st.sampled_from(["one", "two", "three"]),
        types,
        pages,
        points,
    ),
    max_size=3,
    unique_by=lambda rule: rule["name"],
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    events = draw(event_rules)
    on = [*draw(st.lists(types, min_size=1, max_size=2)), *(rule["name"] for rule in events[:1])]
    body = {
        "points": draw(st.dictionaries(types, points, max_size=3)),
        "events": events,
        "half_life_days": draw(st.integers(1, 90)),
        "profile": [{"name": "free", "when": {"free_mail": {"is": False}}, "points": draw(points)}],
        "segments": [
            {"name": "lead", "when": [{"field": "in_crm_as_lead", "is": True}], "points": draw(points)}
        ],
    }
    if draw(st.booleans()):
        most, per = draw(st.integers(1, 50)), draw(st.sampled_from(["day", "week", "month", "ever"]))
        body["caps"] = [{"name": "cap", "on": on, "most": most, "per": per}]
    if draw(st.booleans()):
        body["decay"] = [{"days": draw(st.integers(1, 9)), "percent": 66}, {"days": 20, "percent": 1}]
    if draw(st.booleans()):
        body["inactivity"] = {
            "days": draw(st.integers(1, 9)),
            "points": 3.333,
            "most": draw(st.integers(4, 9)),
        }
    return body


documents = st.builds(
    lambda main, others, excluded: (
        main
        | {"scores": [body | {"name": f"s{n}"} for n, body in enumerate(others)]}
        | {"excluded_domains": excluded}
    ),
    bodies(),
    st.lists(bodies(), max_size=2),
    st.sampled_from([[], [], [], ["example.com"]]),
)
event_facts = st.lists(
    st.tuples(types, pages, st.integers(0, 40 * DAYS), st.sampled_from([{}, {}, MACHINE])), max_size=12
)


def added_up(prospect: Prospect, rules: Rules, at: int) -> None:
    shown = view(prospect, rules, at)
    for each in (shown, *shown.scores):
        parts = [c.points_now for c in each.explanation] + [o.points_now for o in each.older]
        parts += [m.points for m in (*each.segments, *each.profile)] + [each.inactivity]
        assert sum(round(part * 1000) for part in parts) == each.millipoints
    assert shown.millipoints == prospect.score_at(max(at, prospect.at), rules)


@given(documents, documents, event_facts, st.integers(0, 60), st.integers(2, 12))
def test_whatever_the_rules_every_point_has_a_cause_before_and_after_others_are_applied(
    new_scene: Any, first: Any, second: Any, facts: Any, days: int, newest: int
) -> None:
    scene = new_scene()
    scene.rules = rules(**first)
    records = [
        scene.event(str(n), EventType(type_), at, url=f"https://x.de{page}", properties=properties)
        for n, (type_, page, at, properties) in enumerate(facts)
    ]
    with patch.object(history, "NEWEST", newest):
        prospect = scene.turns([[*records, scene.contact(kind="lead")]])
        at = prospect.at + days * DAY
        added_up(prospect, scene.rules, at)
        assert not reprice(prospect, scene.rules)
        others = rules(scene.rules.numbers, **second)
        added_up(prospect, others, at)
        reprice(prospect, others)
        assert not reprice(prospect, others)
        added_up(prospect, others, at)
