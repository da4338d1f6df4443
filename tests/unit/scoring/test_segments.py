"""Rules over what CRMs hold of a prospect: what they may ask, what they give, and automatic lists."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadbus.messages import LeadListed
from scoring.emission import emissions
from scoring.explanation import view
from scoring.rules import MOST_ASKED, Rules, RulesBody, SegmentRule
from scoring.score import DAY
from scoring.segments import Condition, met

DEAL = {"stage": "Prospecting", "amount": "12500.50", "currency": "EUR", "probability": 40}
DEAL |= {"close_date": date(2027, 1, 31), "lead_source": "Leadbus"}


def rule(points: str = "10", **when: Any) -> SegmentRule:
    """Each field with what it is asked."""
    conditions = tuple(Condition.model_validate({"field": name} | asked) for name, asked in when.items())
    return SegmentRule.model_validate({"name": "a rule", "when": conditions, "points": points})


def rules(*segments: SegmentRule) -> Rules:
    return Rules.of(RulesBody(segments=segments), 1)


def told(scene: Any) -> Any:
    """A prospect who is a contact of a customer, with one opportunity."""
    account = {"annual_revenue": "1000000", "account_type": "Customer"}
    contact = scene.contact(status="Hot", owner_email="grace@example.com", account_fields=account)
    return scene.turns([[contact, scene.opportunity(**DEAL)]])


@pytest.mark.parametrize(
    ("field", "passes", "fails"),
    [
        ("in_crm_as_lead", {"is": False}, {"is": True}),
        ("in_crm_as_contact", {"is": True}, {"is": False}),
        ("status", {"one_of": ["hot", "warm"]}, {"one_of": ["Cold"]}),
        ("owner", {"contains": "GRACE"}, {"contains": "ada"}),
        ("account_type", {"one_of": ["Customer"]}, {"one_of": ["Partner"]}),
        ("account_annual_revenue", {"at_least": 1_000_000}, {"at_least": "1000000.01"}),
        ("opportunity_name", {"contains": "engine"}, {"contains": "loom"}),
        ("opportunity_stage", {"one_of": ["Prospecting"]}, {"one_of": ["Closed Won"]}),
        ("opportunity_amount", {"at_least": 12_000, "at_most": 13_000}, {"at_most": 12_500}),
        ("opportunity_currency", {"one_of": ["EUR"]}, {"one_of": ["USD"]}),
        ("opportunity_close_date", {"at_most": "2027-01-31"}, {"at_least": "2027-02-01"}),
        ("opportunity_probability", {"at_least": 40}, {"at_most": 39}),
        ("opportunity_lead_source", {"one_of": ["Leadbus"]}, {"one_of": ["Fair"]}),
    ],
)
def test_every_segment_field_can_be_a_condition(
    scene: Any, field: str, passes: dict[str, Any], fails: dict[str, Any]
) -> None:
    prospect = told(scene)
    assert met(prospect, [rule(**{field: passes})])
    assert not met(prospect, [rule(**{field: fails})])


@pytest.mark.parametrize("revenue", ["NaN", "sNaN", "-Infinity", "Infinity", "1,000,000", "much", " "])
def test_a_revenue_that_is_no_number_meets_nothing_and_stops_nothing(scene: Any, revenue: str) -> None:
    scene.rules = rules(
        rule("60", account_annual_revenue={"at_least": 1}), rule("1", status={"contains": "H"})
    )
    contact = scene.contact(status="hot", account_fields={"annual_revenue": revenue})
    assert scene.turns([[contact]]).score == 1_000


def test_conditions_about_opportunities_are_met_together_by_one_of_them(scene: Any) -> None:
    first = scene.opportunity("o-1", stage="Prospecting", amount="100")
    second = scene.opportunity("o-2", stage="Closed Won", amount="9000")
    prospect = scene.turns([[first, second]])
    big = {"at_least": 5_000}
    assert met(prospect, [rule(opportunity_stage={"one_of": ["Closed Won"]}, opportunity_amount=big)])
    assert not met(prospect, [rule(opportunity_stage={"one_of": ["Prospecting"]}, opportunity_amount=big)])


@pytest.mark.parametrize(
    "asked",
    [
        {"field": "in_crm_as_lead", "one_of": ["yes"]},
        {"field": "status", "at_least": 5},
        {"field": "status"},
        {"field": "opportunity_amount", "at_least": "2027-01-31"},
        {"field": "opportunity_close_date", "at_most": 5},
        {"field": "shoe_size", "at_least": 5},
    ],
)
def test_a_field_is_asked_only_what_fits_it(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(asked)


def test_rules_that_would_ask_too_much_of_each_prospect_are_refused() -> None:
    words = [str(number) for number in range(49)]
    asks = {"one_of": words, "contains": "x"}
    allowed = [rule(status=asks) for _ in range(MOST_ASKED // 50)]
    assert RulesBody(segments=allowed)
    with pytest.raises(ValidationError, match="at most"):
        RulesBody(segments=[*allowed, rule(in_crm_as_lead={"is": True})])


def test_rules_with_segments_are_read_back_as_they_were_written() -> None:
    written = RulesBody(
        segments=(
            rule("2.5", in_crm_as_lead={"is": False}, opportunity_close_date={"at_most": "2027-01-31"}),
            rule("-3", account_annual_revenue={"at_most": "99.5"}, status={"contains": "x"}),
        )
    )
    assert RulesBody.model_validate_json(written.model_dump_json()) == written


def test_segment_points_stand_while_the_conditions_hold_and_do_not_fade(scene: Any) -> None:
    scene.rules = rules(rule("40", in_crm_as_contact={"is": True}))
    prospect = scene.turns([[scene.event("1", "form_submission")], [scene.contact(at=1)]])
    assert prospect.score == 60_000
    later = scene.turn([scene.event("2", "sms_delivered", at=30 * DAY // 1000)], prospect).prospect
    assert later.score == 50_000
    gone = scene.turn([scene.contact(at=30 * DAY // 1000, deleted=True)], later).prospect
    assert (gone.score, gone.standing) == (10_000, 0)


def test_what_a_crm_tells_can_make_a_prospect_qualified_and_names_its_record_as_the_cause(scene: Any) -> None:
    scene.rules = rules(rule("40", opportunity_stage={"one_of": ["Closed Won"]}))
    scene.connections = (scene.connection(threshold=50),)
    prospect = scene.turns([[scene.event("1", "form_submission"), scene.opportunity(stage="New")]])
    assert not prospect.qualified
    turn = scene.turn([won := scene.opportunity(at=5, stage="Closed Won")], prospect)
    assert [(c.connection.connection_id, c.cause) for c in turn.crossings] == [("c1", won)]
    topics = {each.topic for each in emissions(turn, lambda cause, prospect: None)}
    assert topics == {"leads.scored", "leads.qualified", "leads.lists"}


def test_segment_points_let_a_small_event_cross_the_threshold(scene: Any) -> None:
    scene.rules = rules(rule("49.5", in_crm_as_contact={"is": True}))
    scene.connections = (scene.connection(threshold=50),)
    prospect = scene.turns([[scene.contact()]])
    assert (prospect.score, prospect.qualified) == (49_500, {})
    assert scene.turn([scene.event("1", "email_open", at=1)], prospect).crossings


@given(
    st.lists(st.tuples(st.sampled_from(("event", "contact", "deal")), st.integers(0, 9)), max_size=15),
    st.lists(st.integers(1, 15)),
)
def test_how_records_fall_into_batches_decides_nothing(new_scene: Any, told: Any, cuts: list[int]) -> None:
    scene = new_scene()
    scene.rules = rules(
        rule("30", opportunity_stage={"one_of": ["Won"]}), rule("-5.5", in_crm_as_contact={"is": True})
    )
    scene.connections = (scene.connection(threshold=25),)
    make = {
        "event": lambda at, n: scene.event(str(n), "form_submission", at=at),
        "contact": lambda at, n: scene.contact(str(n), at=at, deleted=n > 5),
        "deal": lambda at, n: scene.opportunity(str(n), at=at, stage=("Won", "Lost", "New")[n % 3]),
    }
    records = [make[what](at, n) for at, (what, n) in enumerate(told)]
    places = [0, *sorted({c for c in cuts if c < len(records)}), len(records)]
    assert scene.turns([records[a:b] for a, b in pairwise(places)]) == scene.turns([records])


def test_a_changed_rule_counts_from_the_next_event_on(scene: Any) -> None:
    prospect = scene.turns([[scene.contact()]])
    scene.rules = rules(rule("60", in_crm_as_contact={"is": True}))
    scene.connections = (scene.connection(threshold=50),)
    turn = scene.turn([scene.event("1", "web_view", at=1)], prospect)
    assert (turn.prospect.score, len(turn.crossings)) == (63_000, 1)


def test_a_record_that_we_made_counts_as_in_the_crm_before_anybody_changes_it(scene: Any) -> None:
    in_crm = [rule(in_crm_as_lead={"is": True})]
    prospect = scene.turns([[scene.delivery("created", kind="lead")]])
    assert met(prospect, in_crm)
    scene.turn([scene.delivery("unlinked")], prospect)
    assert not met(prospect, in_crm)


def test_the_explanation_adds_up_to_the_score_with_segments(scene: Any) -> None:
    scene.rules = rules(rule("40", in_crm_as_contact={"is": True}), rule(in_crm_as_lead={"is": True}))
    prospect = scene.turns(
        [[scene.event("1", "form_submission")], [scene.contact(), scene.opportunity(**DEAL)]]
    )
    shown = view(prospect, scene.rules, scene.start + 3 * DAY)
    points = [*(c.points_now for c in shown.explanation), *(m.points for m in shown.segments)]
    assert round(sum(points) * 1000) == shown.millipoints
    assert [m.points for m in shown.segments] == [40]
    assert (shown.crm.in_crm_as_lead, shown.crm.in_crm_as_contact) == (False, True)
    assert shown.crm.opportunities[0].model_dump()["close_date"] == "2027-01-31"
    assert shown.crm.lists == ["Opportunity stage: Prospecting"]


def listed(turn: Any) -> tuple[list[str], list[str], list[str]]:
    """Names of the lists in the turn's one message: added, removed, all."""
    (one,) = [e for e in emissions(turn, lambda cause, prospect: None) if e.topic == "leads.lists"]
    message = LeadListed.model_validate_json(one.value)
    added, removed, lists = (
        [each.name for each in some] for some in (message.added, message.removed, message.lists)
    )
    return added, removed, lists


def test_automatic_lists_follow_account_type_and_opportunity_stage(scene: Any) -> None:
    customer, partner = ({"account_type": kind} for kind in ("Customer", "Partner"))
    turn = scene.turn([scene.contact(account_fields=customer), scene.opportunity(stage="Prospecting")])
    both = ["Account type: Customer", "Opportunity stage: Prospecting"]
    assert listed(turn) == (both, [], both)
    turn = scene.turn([scene.contact(at=1, account_fields=partner)], turn.prospect)
    now = ["Account type: Partner", both[1]]
    assert listed(turn) == (now[:1], both[:1], now)
    turn = scene.turn([scene.opportunity(at=2, deleted=True)], turn.prospect)
    assert listed(turn) == ([], both[1:], now[:1])


def test_space_around_a_value_makes_no_other_list_and_space_alone_none(scene: Any) -> None:
    some, blank = ({"account_type": kind} for kind in (" VIP ", " "))
    told = scene.turn([scene.contact("1", account_fields=some), scene.contact("2", account_fields=blank)])
    assert listed(told) == (["Account type: VIP"], [], ["Account type: VIP"])


def test_a_replay_and_a_change_of_something_else_say_nothing_of_lists(scene: Any) -> None:
    first = scene.contact(account_fields={"account_type": "Customer"})
    prospect = scene.turn([first]).prospect
    again = scene.turn([first], prospect)
    assert not again.changed
    other = scene.turn(
        [scene.contact(at=1, status="Hot", account_fields={"account_type": "Customer"})], prospect
    )
    assert other.changed
    assert not emissions(other, lambda cause, prospect: None)
