"""What a batch changes in one prospect, and whom that makes hear of it."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadbus.event_types import TRAITS, EventType
from leadbus.messages import LeadQualified
from scoring.emission import emissions
from scoring.prospect import DISTRIBUTIONS, FIELDS, RECENT, Prospect
from scoring.rules import Rules, RulesBody
from scoring.score import DAY, rounded

DAYS = DAY // 1000
event_facts = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from(list(EventType)), st.integers(0, 90 * DAYS)), max_size=20
)


def batches_of(records: list[Any], cuts: list[int]) -> list[list[Any]]:
    places = [0, *sorted({c for c in cuts if 0 < c < len(records)}), len(records)]
    return [records[a:b] for a, b in pairwise(places)]


@given(event_facts, st.lists(st.integers(1, 20)), st.randoms())
def test_any_order_and_any_batching_of_the_same_events_gives_the_same_score(
    new_scene: Any, facts: Any, cuts: list[int], random: Any
) -> None:
    scene = new_scene()
    unique = {n: (type_, at) for n, type_, at in facts}
    records = [scene.event(str(n), type_, at) for n, (type_, at) in unique.items()]
    one = scene.turns([records])
    other = scene.turns(batches_of(random.sample(records, len(records)), cuts))
    assert (one.score, one.at, one.version) == (other.score, other.at, other.version)
    assert one.history == other.history
    assert one.recent == other.recent


@given(event_facts, st.lists(st.integers(1, 20)), st.integers(-10, 60))
def test_how_records_fall_into_batches_decides_neither_score_nor_who_is_told(
    new_scene: Any, facts: Any, cuts: list[int], threshold: int
) -> None:
    scene = new_scene()
    scene.connections = (scene.connection("c1", threshold=threshold), scene.connection("c2", threshold=30))
    records = [scene.event(str(n), type_, at) for n, type_, at in sorted(facts, key=lambda fact: fact[2])]
    one = scene.turns([records])
    other = scene.turns(batches_of(records, cuts))
    each = scene.turns([[record] for record in records])
    assert one == other == each


@given(event_facts, st.lists(st.integers(1, 20)), st.integers(-10, 60))
def test_how_records_fall_into_batches_decides_no_score_with_which_a_threshold_was_exceeded(
    new_scene: Any, facts: Any, cuts: list[int], threshold: int
) -> None:
    scene = new_scene()
    scene.connections = (scene.connection("c1", threshold=threshold), scene.connection("c2", threshold=30))
    records = [scene.event(str(n), type_, at) for n, type_, at in sorted(facts, key=lambda fact: fact[2])]
    told = []
    for batches in ([records], batches_of(records, cuts), [[record] for record in records]):
        prospect, crossed = Prospect(scene.key, 0), []
        for batch in batches:
            turn = scene.turn(batch, prospect)
            said = [LeadQualified.model_validate_json(one.value) for one in _qualified(turn)]
            crossed += [(one.event_id, one.version, one.score, one.millipoints) for one in said]
            newest = max(_scores_said(turn), default=None)
            if newest is not None:  # what was said last is what is so
                assert newest[1] == rounded(prospect.score)
        told.append(crossed)
    assert told[0] == told[1] == told[2]


def _qualified(turn: Any) -> list[Any]:
    return [one for one in emissions(turn, lambda cause, _: None) if one.topic == "leads.qualified"]


def _scores_said(turn: Any) -> list[tuple[int, int]]:
    said = [json.loads(one.value) for one in emissions(turn, lambda cause, _: None)]
    return [(one["version"], one["score"]) for one in said]


@pytest.mark.parametrize("type_", list(EventType))
def test_every_event_type_has_its_default_points(scene: Any, type_: EventType) -> None:
    assert scene.turn([scene.event("1", type_)]).prospect.score == TRAITS[type_].millipoints


def test_a_tenants_own_points_and_half_life_hold(scene: Any) -> None:
    scene.rules = Rules.of(RulesBody(points={"web_view": "7.5"}, half_life_days=10), 1)  # type: ignore[dict-item]
    prospect = scene.turns([[scene.event("1")], [scene.event("2", "sms_delivered", at=10 * DAYS)]])
    assert prospect.score == 3_750


def test_a_duplicate_changes_nothing_in_the_same_batch_or_later(scene: Any) -> None:
    turn = scene.turn([scene.event("1"), scene.event("1", at=5)])
    assert (turn.prospect.score, turn.prospect.version) == (3_000, 1)
    again = scene.turn([scene.event("1", at=9)], turn.prospect)
    assert not again.changed
    assert (turn.prospect.score, turn.prospect.at) == (3_000, scene.start)


def test_the_score_must_exceed_the_threshold_not_reach_it(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=20),)
    turn = scene.turn([scene.event("1", "form_submission")])
    assert turn.prospect.score == 20_000
    assert not turn.crossings
    turn = scene.turn([scene.event("2", "email_open")], turn.prospect)
    assert [c.connection.connection_id for c in turn.crossings] == ["c1"]


def test_the_event_that_crossed_is_the_cause_even_where_the_batch_ends_lower(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=25),)
    records = [
        scene.event("1", "form_submission"),
        scene.event("2", "telequalification", at=1),
        scene.event("3", "email_unsubscribe", at=2),
        scene.event("4", "email_unsubscribe", at=3),
    ]
    turn = scene.turn(records)
    assert turn.prospect.score < 25_000
    assert [(c.connection.connection_id, c.cause) for c in turn.crossings] == [("c1", records[1])]


def test_each_connection_has_its_own_threshold(scene: Any) -> None:
    scene.connections = (scene.connection("low", threshold=10), scene.connection("high", threshold=40))
    first = scene.turn([scene.event("1", "form_submission")])
    second = scene.turn([scene.event("2", "telequalification", at=1)], first.prospect)
    assert [c.connection.connection_id for c in first.crossings] == ["low"]
    assert [c.connection.connection_id for c in second.crossings] == ["high"]


@pytest.mark.parametrize(("hysteresis", "expected"), [(None, [1, 0, 1]), (5, [1, 0, 0])])
def test_only_who_has_cooled_qualifies_anew(scene: Any, hysteresis: int | None, expected: list[int]) -> None:
    scene.connections = (scene.connection(threshold=17, hysteresis=hysteresis),)
    steps = ["form_submission", "email_bounce", "web_view"]
    prospect = Prospect(scene.key, 0)
    crossings = [
        len(scene.turn([scene.event(str(n), type_, at=n)], prospect).crossings)
        for n, type_ in enumerate(steps)
    ]
    assert crossings == expected


@pytest.mark.parametrize("settings", [{"on": False}, {"marketing_automation": False}])
def test_a_connection_that_is_off_or_without_marketing_automation_qualifies_nobody(
    scene: Any, settings: dict[str, bool]
) -> None:
    scene.connections = (scene.connection(threshold=1, **settings),)
    assert not scene.turn([scene.event("1", "form_submission")]).crossings


def test_a_visitor_without_an_email_is_scored_and_never_qualifies(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=1),)
    turn = scene.turn([scene.event("1", "form_submission", email=None, visitor_id="v1")])
    assert turn.prospect.score == 20_000
    assert not turn.prospect.qualified


def test_a_longer_half_life_may_qualify_at_the_next_event(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=10),)
    scene.rules = Rules.of(RulesBody(half_life_days=1), 1)
    prospect = scene.turns([[scene.event("1", "form_submission", email=None)]])
    scene.turn([scene.event("2", "sms_delivered", at=10 * DAYS)], prospect)
    assert prospect.score < 100
    scene.rules = Rules.of(RulesBody(half_life_days=300), 2)
    turn = scene.turn([scene.event("3", "sms_delivered", at=11 * DAYS)], prospect)
    assert [c.cause.message.event_id for c in turn.crossings] == ["3"]


def test_time_decays_the_score_to_the_newest_event(scene: Any) -> None:
    prospect = scene.turns(
        [[scene.event("1", "form_submission")], [scene.event("2", "email_sent", at=30 * DAYS)]]
    )
    assert (prospect.score, prospect.at) == (10_000, scene.start + 30 * DAY)


def test_the_later_word_on_a_field_stays_whatever_order_it_came_in(scene: Any) -> None:
    later = scene.event("1", "form_submission", at=9, fields={"phone": "2", "custom.size": "XL"})
    earlier = scene.event("2", "form_submission", at=3, fields={"phone": "1", "city": "Rome"})
    turn = scene.turn([later, earlier])
    known = {name: said.value for name, said in turn.prospect.fields.items()}
    assert known == {"phone": "2", "custom.size": "XL", "city": "Rome"}
    again = scene.turn([scene.event("3", at=5, fields={"phone": "3"})], turn.prospect)
    assert again.said == set()


def test_at_the_same_time_the_greater_event_id_has_the_last_word(scene: Any) -> None:
    one = scene.event("b", fields={"city": "Bari"})
    other = scene.event("a", fields={"city": "Asti"})
    for records in ([one, other], [other, one]):
        assert scene.turn(records).prospect.fields["city"].value == "Bari"


def test_fields_activities_and_distributions_are_bounded(scene: Any) -> None:
    records = [
        scene.event(f"{n:03}", at=n, fields={f"custom.f{n}_{i}": "x" for i in range(60)}) for n in range(40)
    ]
    handed = [scene.distribution(str(n), at=n) for n in range(DISTRIBUTIONS + 5)]
    prospect = scene.turns([records, handed])
    assert len(prospect.fields) == FIELDS
    assert {name.split("_")[0] for name in prospect.fields} == {f"custom.f{n}" for n in (36, 37, 38, 39)}
    assert [r.event_id for r in prospect.recent] == [f"{n:03}" for n in range(40 - RECENT, 40)]
    assert [h.distribution_id for h in prospect.handed] == [str(n) for n in range(5, DISTRIBUTIONS + 5)]


def test_what_no_crm_takes_is_scored_but_no_activity(scene: Any) -> None:
    turn = scene.turn([scene.event("1", "email_bounce"), scene.event("2", "email_open")])
    assert [a.event_id for a in turn.activities] == ["2"]
    assert Counter(row.type for row in turn.prospect.history) == {13: 1, 1: 1}


def test_a_distribution_counts_once(scene: Any) -> None:
    first = scene.turn([scene.distribution("d1"), scene.distribution("d1", at=4)])
    assert first.prospect.version == 1
    assert not scene.turn([scene.distribution("d1", at=8)], first.prospect).changed
    assert scene.turn([scene.distribution("d1", "supplier-2")], first.prospect).changed


@pytest.mark.parametrize("outcome", ["created", "matched", "updated"])
def test_a_record_is_learned_from_a_delivery(scene: Any, outcome: str) -> None:
    turn = scene.turn([scene.delivery(outcome)])
    assert list(turn.prospect.linked) == ["c1"]
    assert turn.linked_by is not None
    assert not scene.turn([scene.delivery("updated")], turn.prospect).changed


def test_a_parked_delivery_teaches_no_record(scene: Any) -> None:
    assert not scene.turn([scene.delivery("parked")]).changed


def test_a_record_that_was_converted_replaces_the_other(scene: Any) -> None:
    prospect = scene.turns([[scene.delivery("created")]])
    turn = scene.turn([scene.delivery("updated", "2")], prospect)
    assert prospect.linked["c1"].record_id == "2"
    assert turn.changed
    assert turn.linked_by is None


def test_an_unlinked_record_is_forgotten_and_another_ones_end_is_no_news(scene: Any) -> None:
    prospect = scene.turns([[scene.delivery("created")]])
    assert not scene.turn([scene.delivery("unlinked", "9")], prospect).changed
    assert scene.turn([scene.delivery("unlinked")], prospect).linked_by is not None
    assert not prospect.linked
    assert not scene.turn([scene.delivery("unlinked", None)], prospect).changed
