"""Points by what an event was about, who did it, and who the person is."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadbus.event_types import EventType
from scoring.explanation import view
from scoring.prospect_documents import from_document, to_document
from scoring.repricing import reprice
from scoring.rules import Rules, RulesBody
from scoring.score import DAY
from scoring.tables import FIRST_NUMBER, MACHINE

DAYS = DAY // 1000
PRICING = {
    "name": "pricing page",
    "on": "web_view",
    "when": {"page": {"contains": ["/pricing"]}},
    "points": 10,
}


def rules(numbers: dict[str, int] | None = None, **body: Any) -> Rules:
    return Rules.of(RulesBody.model_validate(body), 1, numbers)


def score(scene: Any, *records: Any) -> int:
    points: int = scene.turn(records).prospect.score
    return points


@pytest.mark.parametrize(
    ("on", "when", "facts", "fits"),
    [
        ("web_view", {"page": {"contains": ["/Pricing"]}}, {"url": "https://x.de/pricing?a=1"}, True),
        ("web_view", {"page": {"contains": ["/pricing"]}}, {"url": "https://x.de/jobs"}, False),
        ("web_view", {"page": {"contains": ["/pricing"]}}, {}, False),
        ("email_click", {"link": {"one_of": ["https://x.de/demo"]}}, {"url": "https://x.de/demo"}, True),
        ("form_submission", {"form": {"one_of": ["contact sales"]}}, {"subject": "Contact Sales"}, True),
        ("email_open", {"campaign": {"one_of": ["c-7"]}}, {"campaign_id": "c-7"}, True),
        ("web_view", {"campaign": {"one_of": ["spring"]}}, {"attribution": {"campaign": "Spring"}}, True),
        ("web_view", {"properties.seconds": {"at_least": 30}}, {"properties": {"seconds": 31.5}}, True),
        ("web_view", {"properties.seconds": {"at_least": 30}}, {"properties": {"seconds": "long"}}, False),
        ("web_view", {"properties.vip": {"is": True}}, {"properties": {"vip": True}}, True),
        ("web_view", {"page": {"contains": ["a"]}, "medium": {"one_of": ["cpc"]}}, {"url": "a"}, False),
    ],
)
def test_a_rule_asks_what_an_event_was_about(scene: Any, on: str, when: Any, facts: Any, fits: bool) -> None:
    scene.rules = rules(points={on: 1}, events=[{"name": "it", "on": on, "when": when, "points": 100}])
    assert score(scene, scene.event("1", on, **facts)) == (100_000 if fits else 1_000)


def test_the_first_rule_that_fits_counts(scene: Any) -> None:
    first = PRICING | {"name": "pricing for enterprises", "when": {"page": {"contains": ["/pricing/big"]}}}
    scene.rules = rules(events=[first | {"points": 25}, PRICING])
    urls = ["https://x.de/pricing/big", "https://x.de/pricing", "https://x.de/"]
    records = [scene.event(str(n), url=url) for n, url in enumerate(urls)]
    assert score(scene, *records) == 25_000 + 10_000 + 3_000


def test_a_rules_number_is_its_names_for_ever() -> None:
    one = rules(events=[PRICING])
    assert one.numbers == {"/pricing page": FIRST_NUMBER}
    other = rules(
        one.numbers, events=[PRICING | {"name": "jobs"}], scores=[{"name": "s", "events": [PRICING]}]
    )
    assert other.numbers == {"/pricing page": 256, "/jobs": 257, "s/pricing page": 258}


@pytest.mark.parametrize(
    ("type_", "properties", "machine"),
    [
        ("email_open", {"user_agent": "Mozilla/5.0"}, True),
        ("email_open", {"user_agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"}, False),
        ("email_open", {"user_agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"}, False),
        ("email_click", {"user_agent": "BarracudaCentral LinkScanner"}, True),
        ("web_view", {"user_agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}, True),
        ("email_click", {"sent_at": "2026-09-21T14:13:17+00:00"}, True),
        ("email_click", {"sent_at": "2026-09-21T14:13:17"}, True),
        ("email_click", {"sent_at": "2026-09-21T14:00:00Z"}, False),
        ("web_view", {"sent_at": "2026-09-21T14:13:17+00:00"}, False),
        ("email_open", {"sent_at": "yesterday"}, False),
        ("email_open", {"user_agent": 7}, False),
    ],
)
def test_what_machines_do_counts_zero_and_is_shown_as_such(
    scene: Any, type_: str, properties: dict[str, Any], machine: bool
) -> None:
    prospect = scene.turn([scene.event("1", type_, properties=properties)]).prospect
    (row,) = prospect.history
    assert (row.rule == MACHINE, row.millipoints == 0) == (machine, machine)
    (shown,) = view(prospect, scene.rules, 0).explanation
    assert (shown.zero == "A machine did it, not a person") is machine


def test_machines_count_if_the_rules_say_so(scene: Any) -> None:
    scene.rules = rules(machines={"zero": False})
    assert score(scene, scene.event("1", "email_open", properties={"user_agent": "Mozilla/5.0"})) == 2_000


@pytest.mark.parametrize(
    ("domains", "excluded"), [(["Example.com"], True), (["com.example"], False), (["ample.com"], False)]
)
def test_people_of_excluded_domains_have_no_points_at_all(
    scene: Any, domains: list[str], excluded: bool
) -> None:
    profile = [{"name": "ours", "when": {"email_domain": {"contains": ["example"]}}, "points": 5}]
    scene.rules = rules(excluded_domains=domains, profile=profile)
    prospect = scene.turn([scene.event("1", email="ada@mail.example.com")]).prospect
    assert prospect.score == (0 if excluded else 8_000)
    (shown,) = view(prospect, scene.rules, 0).explanation
    assert shown.zero == ("The rules exclude the domain of the email" if excluded else None)
    assert shown.points == (0 if excluded else 3)
    assert view(prospect, scene.rules, 0).excluded is excluded


def test_points_for_who_a_person_is_stand_and_change_with_what_is_said(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=30),)
    scene.rules = rules(
        profile=[
            {"name": "decides", "when": {"title": {"contains": ["chief", "head of"]}}, "points": 15},
            {"name": "big", "when": {"custom.employees": {"at_least": 500}}, "points": 7},
            {"name": "private", "when": {"free_mail": {"is": True}}, "points": -3},
        ]
    )
    said = {"title": "Head of IT", "custom.employees": "1200"}
    turn = scene.turn([scene.event("1", "form_submission", fields=said)])
    assert turn.prospect.score == 42_000
    assert [c.connection.connection_id for c in turn.crossings] == ["c1"]
    later = scene.turn([scene.event("2", "form_submission", at=30 * DAYS, fields={"title": "Intern"})])
    assert later.prospect.score == 20_000
    later = scene.turn([scene.event("2", "sms_delivered", at=300 * DAYS)], turn.prospect).prospect
    assert later.score == 22_000 + 20
    shown = view(later, scene.rules, 0)
    assert [met.rule for met in shown.profile] == ["decides", "big"]
    free = scene.turn([scene.event("1", "sms_delivered", email="ada@gmail.com")]).prospect
    assert free.score == -3_000


@pytest.mark.parametrize("together", [True, False])
def test_who_becomes_known_by_a_distribution_has_its_persons_points_at_once(
    scene: Any, together: bool
) -> None:
    at_example = {"email_domain": {"one_of": ["example.com"]}}
    scene.rules = rules(profile=[{"name": "customer", "when": at_example, "points": 25}])
    scene.connections = (scene.connection(threshold=30),)
    records = [
        scene.event("1", email=None, visitor_id="v"),
        scene.distribution("d1", at=1),
        scene.event("2", email=None, visitor_id="v", at=2),
    ]
    prospect = scene.turns([records] if together else [[record] for record in records])
    assert prospect.score == 31_000
    assert prospect.qualified["c1"].at == scene.start + 2_000


def test_a_long_silence_takes_points_off_but_not_below_nought(scene: Any) -> None:
    scene.rules = rules(half_life_days=3650, inactivity={"days": 10, "points": 8, "most": 30})
    prospect = scene.turn([scene.event("1", "form_submission")]).prospect
    at = [prospect.score_at(scene.start + n * DAY, scene.rules) for n in (9, 10, 20, 30)]
    faded = [20_000 * 2 ** (-n / 3650) for n in (9, 10, 20, 30)]
    off = [0, 8_000, 16_000, 20_000]
    assert at == pytest.approx([f - min(o, f) for f, o in zip(faded, off, strict=True)], abs=1)
    shown = view(prospect, scene.rules, scene.start + 20 * DAY)
    assert shown.inactivity == -16
    # Being sent a mail is no sign of life.
    sent = scene.turn([scene.event("2", "email_sent", at=20 * DAYS)], prospect).prospect
    assert sent.score == at[2]
    assert scene.turn([scene.event("3", at=21 * DAYS)], prospect).prospect.score > 20_000


def test_a_connection_reads_the_score_it_names(scene: Any) -> None:
    pricing = {"name": "pricing", "points": {"form_submission": 1}, "events": [PRICING]}
    scene.rules = rules(points={"web_view": 50}, scores=[pricing])
    scene.connections = (
        scene.connection(threshold=15, score="pricing"),
        scene.connection("c2", score="none"),
    )
    views = [scene.event(str(n), at=n, url="https://x.de/jobs") for n in range(3)]
    turn = scene.turn(views)
    assert (turn.prospect.score, turn.crossings) == (150_000, [])
    turn = scene.turn(
        [scene.event(f"p{n}", at=9, url="https://x.de/pricing") for n in range(2)], turn.prospect
    )
    assert [c.connection.connection_id for c in turn.crossings] == ["c1"]
    assert (turn.prospect.score_of("pricing"), turn.prospect.score_of("none")) == (20_000, 0)
    kept = from_document(to_document(turn.prospect))
    assert kept == turn.prospect
    (shown,) = view(turn.prospect, scene.rules, 0).scores
    assert (shown.name, shown.score, [c.rule for c in shown.explanation]) == (
        "pricing",
        20,
        ["pricing page"] * 2,
    )


BODY: dict[str, Any] = {
    "events": [
        PRICING,
        {"name": "long", "on": "web_view", "when": {"title": {"one_of": ["x"]}}, "points": -4},
    ],
    "caps": [{"name": "week", "on": ["web_view", "pricing page"], "most": 12.5, "per": "week"}],
    "profile": [{"name": "boss", "when": {"title": {"contains": ["boss"]}}, "points": 9}],
    "inactivity": {"days": 3, "points": 2, "most": 11},
    "scores": [
        {"name": "a", "points": {"web_view": 2}, "decay": [{"days": 2, "percent": 50}]},
        {"name": "b", "events": [PRICING], "half_life_days": 5},
    ],
}
event_facts = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from([EventType.WEB_VIEW, EventType.FORM_SUBMISSION, EventType.EMAIL_UNSUBSCRIBE]),
        st.integers(0, 40 * DAYS),
        st.sampled_from(["https://x.de/pricing", "https://x.de/", None]),
        st.sampled_from([{"title": "boss"}, {"title": "clerk"}, None]),
    ),
    max_size=12,
    unique_by=lambda fact: fact[0],
)


def records_of(scene: Any, facts: Any) -> list[Any]:
    return [
        scene.event(str(n), type_, at, url=url, fields=said if type_ == "form_submission" else None)
        for n, type_, at, url, said in facts
    ]


@given(event_facts, st.lists(st.integers(1, 12)), st.sampled_from([None, "a", "b"]), st.integers(0, 30))
def test_with_every_kind_of_rule_the_cut_into_batches_decides_nothing(
    new_scene: Any, facts: Any, cuts: list[int], name: str | None, threshold: int
) -> None:
    scene = new_scene()
    scene.rules = rules(**BODY)
    scene.connections = (
        scene.connection(threshold=threshold, score=name),
        scene.connection("c2", threshold=9),
    )
    records = records_of(scene, sorted(facts, key=lambda fact: fact[2]))
    places = [0, *sorted({c for c in cuts if 0 < c < len(records)}), len(records)]
    one = scene.turns([records])
    assert one == scene.turns([records[a:b] for a, b in pairwise(places)])
    assert one == scene.turns([[record] for record in records])
    assert from_document(to_document(one)) == one


@given(event_facts, st.randoms(), st.integers(0, 60))
def test_with_every_kind_of_rule_any_order_gives_the_same_score_and_parts_add_up(
    new_scene: Any, facts: Any, random: Any, days: int
) -> None:
    scene = new_scene()
    scene.rules = rules(**BODY)
    records = records_of(scene, facts)
    one = scene.turns([records])
    other = scene.turns([[record] for record in random.sample(records, len(records))])
    assert (one.score, one.history, one.named) == (other.score, other.history, other.named)
    shown = view(one, scene.rules, one.at + days * DAY)
    for each in (shown, *shown.scores):
        parts = [c.points_now for c in each.explanation] + [o.points_now for o in each.older]
        parts += [m.points for m in (*each.segments, *each.profile)] + [each.inactivity]
        assert sum(round(part * 1000) for part in parts) == each.millipoints


@given(event_facts)
def test_the_same_rules_applied_to_history_change_nothing(new_scene: Any, facts: Any) -> None:
    scene = new_scene()
    scene.rules = rules(**BODY)
    prospect = scene.turns([records_of(scene, facts)])
    before = to_document(prospect)
    assert not reprice(prospect, scene.rules)
    assert to_document(prospect) == before


@given(event_facts)
def test_new_points_applied_to_history_are_those_it_would_have_had(new_scene: Any, facts: Any) -> None:
    scene = new_scene()
    scene.rules = rules(events=[PRICING])
    numbers = scene.rules.numbers
    prospect = scene.turns([records_of(scene, facts)])
    scene.rules = rules(
        numbers,
        **BODY
        | {"events": [PRICING | {"points": 17}], "points": {"web_view": 6}, "scores": BODY["scores"][:1]},
    )
    expected = scene.turns([records_of(scene, facts)])
    reprice(prospect, scene.rules)
    assert (prospect.history, prospect.score, prospect.named) == (
        expected.history,
        expected.score,
        expected.named,
    )


def test_what_machines_did_stays_zero_whatever_the_points(scene: Any) -> None:
    properties = {"user_agent": "Mozilla/5.0"}
    prospect = scene.turn([scene.event("1", "email_open", properties=properties)]).prospect
    reprice(prospect, rules(points={"email_open": 9}))
    assert prospect.score == 0
    reprice(prospect, rules(points={"email_open": 9}, machines={"zero": False}))
    assert prospect.score == 9_000


@pytest.mark.parametrize(
    "body",
    [
        {"events": [PRICING, PRICING]},
        {"events": [PRICING | {"when": {}}]},
        {"events": [PRICING | {"when": {"page": {}}}]},
        {"events": [PRICING | {"when": {"weather": {"one_of": ["fine"]}}}]},
        {"caps": [{"name": "c", "on": ["pricing page"], "most": 1}]},
        {"caps": [{"name": "c", "on": ["web_view"], "most": 0}]},
        {"decay": [{"days": 7, "percent": 50}, {"days": 7, "percent": 40}]},
        {"decay": [{"days": 7, "percent": 50}, {"days": 9, "percent": 60}]},
        {"decay": [{"days": 401, "percent": 50}]},
        {"scores": [{"name": "a"}, {"name": "a"}]},
        {"scores": [{"name": "a", "scores": []}]},
        {"excluded_domains": ["nobody"]},
        {"profile": [{"name": "p", "when": {"shoe_size": {"at_least": 3}}, "points": 1}]},
    ],
)
def test_rules_that_make_no_sense_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RulesBody.model_validate(body)


def test_what_is_read_can_be_sent_back() -> None:
    body = RulesBody.model_validate(BODY)
    kept = Rules.of(body, 1)
    assert RulesBody.model_validate_json(kept.body().model_dump_json()) == kept.body()
