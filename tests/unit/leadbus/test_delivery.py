"""A delivery is the same whatever order its facts come in, and settling takes out only what was read."""

from itertools import permutations

import pytest
from facts import (
    SAMPLED,
    active,
    activity,
    asks,
    common,
    distributed,
    empty,
    heard,
    merged,
    minute,
    qualified,
    scored,
    updated,
    word,
)

from leadbus.connector.delivering.delivery import REPEATED
from leadbus.connector.delivering.merging import MOST_ACTIVITIES, Fact
from leadbus.connector.delivering.parts import Parked
from leadbus.connector.delivering.plan import everything
from leadbus.connector.delivering.scores import Score, left, to_write, written
from leadbus.messages import (
    LeadActivities,
    Task,
)

FACTS: list[Fact] = [
    distributed("d1", 3, phone="1", city="Bonn"),
    qualified(4, 4, phone="2", last_name="Lee"),
    active("a5", 5, 5, phone="3"),
    asks("s1", 6, record_as="contact", owner_email="boss@example.com", task=Task(subject="Call her")),
    word("w7", 7, "opted_in", explicit=True),
    heard("h8", 8, "opted_out", "acme-zoho"),
    updated("m9", 9, "anna@example.com", previous_email="ann@example.com"),
]


def test_every_order_of_the_same_facts_gives_the_same_delivery() -> None:
    expected = merged(FACTS)
    assert expected.fields["phone"].value == "3"
    assert sorted(expected.activities) == ["a1", "a2", "a5"]
    assert len(expected.creators) == 3
    assert expected.consent.opted_out
    assert expected.emails == ["anna@example.com", "ann@example.com"]
    for order in permutations(FACTS):
        assert merged(order) == expected


def test_a_lead_is_timed_from_its_acceptance_until_it_waits_for_a_person() -> None:
    delivery = merged(FACTS)
    timed = {creator.right: creator.accepted_at for creator in delivery.creators.values()}
    assert timed == {"distribution": minute(3), "marketing": minute(4), "request": minute(6)}
    delivery.wait_for_a_person()
    delivery.merge(distributed("d2", 12), None, minute(13))
    assert {c.accepted_at for c in delivery.creators.values()} == {None, minute(13)}


def test_of_two_values_said_at_the_same_time_every_order_keeps_the_same_one() -> None:
    one, other = active("x", 5, 5, phone="x"), active("y", 5, 6, phone="y")
    assert merged([one, other]).fields == merged([other, one]).fields


def test_activities_alone_wait_for_the_right_to_create() -> None:
    delivery = merged([active("a5", 5, 5)])
    assert not delivery.is_due
    delivery.merge(qualified(6, 6), None, minute(6))
    assert delivery.is_due


def test_beyond_five_hundred_the_oldest_activities_are_summed_up() -> None:
    delivery = merged([active(f"e{n:04}", n, n + 1) for n in range(MOST_ACTIVITIES + 20)])
    assert len(delivery.activities) == MOST_ACTIVITIES
    assert delivery.older is not None
    assert (delivery.older.count, delivery.older.first, delivery.older.last) == (20, minute(0), minute(19))


def test_settling_leaves_what_came_in_since() -> None:
    delivery = merged([qualified(4, 4, phone="2")])
    done = everything(delivery)
    delivery.merge(active("a9", 9, 9, phone="9"), None, minute(9))
    delivery.settle(done)
    assert sorted(delivery.activities) == ["a9"]
    assert delivery.fields["phone"].pending
    assert delivery.is_due
    delivery.settle(everything(delivery))
    assert not delivery.is_due
    assert delivery.due_since is None


def test_an_older_value_never_comes_back_after_the_newer_one_was_settled() -> None:
    delivery = merged([active("a9", 9, 9, phone="new"), qualified(10, 10)])
    delivery.settle(everything(delivery))
    delivery.merge(active("a1", 1, 1, phone="old"), None, minute(11))
    assert delivery.fields["phone"].value == "new"
    assert not delivery.fields["phone"].pending


def test_a_deleted_record_uses_up_the_right_to_create_until_a_new_distribution() -> None:
    delivery = merged([distributed("d1", 1)])
    delivery.settle(everything(delivery))
    gone = everything(delivery)
    gone.spent = True
    delivery.settle(gone)
    delivery.merge(active("a5", 5, 5), None, minute(5))
    delivery.merge(scored(6, 6, 60), None, minute(6))
    assert not delivery.is_due
    delivery.merge(distributed("d2", 7), None, minute(7))
    assert delivery.is_due


@pytest.mark.parametrize("score", [40, 60])
def test_a_changed_score_is_due_up_or_down(score: int) -> None:
    delivery = merged([qualified(4, 4)])
    done = everything(delivery)
    done.score, done.told = written(delivery.score, "score_c", minute(5), "r1"), minute(5)
    delivery.settle(done)
    assert delivery.score_due_at is None
    delivery.merge(scored(6, 6, score), None, minute(6))
    assert (delivery.is_due, delivery.score_due_at) == (False, minute(65))
    assert delivery.score is not None
    assert to_write(delivery.score, "score_c", minute(64)) is None
    assert to_write(delivery.score, "score_c", minute(65)) == score
    delivery.merge(scored(7, 7, 51), None, minute(7))  # as the record has it
    assert delivery.score_due_at is None


def test_a_score_that_was_never_written_is_due_at_once_but_only_for_a_linked_record() -> None:
    delivery = merged([scored(6, 6, 40)])
    assert (delivery.is_due, delivery.score_due_at) == (False, None)
    linked = everything(delivery)
    linked.score, linked.told = None, minute(7)
    delivery.settle(linked)
    assert delivery.score_due_at is not None
    assert delivery.score_due_at < minute(0)
    delivery.merge(distributed("d1", 8), None, minute(8))  # it goes along with that
    assert (delivery.is_due, delivery.score_due_at) == (True, None)


def test_what_a_score_becomes_while_it_is_written_waits_for_the_next_hour() -> None:
    delivery = merged([qualified(4, 4)])
    done = everything(delivery)
    done.score, done.told = written(delivery.score, "score_c", minute(5), "r1"), minute(5)
    delivery.merge(scored(6, 6, 70), None, minute(6))
    delivery.settle(done)
    assert delivery.score == Score(70, 6, True, 51, minute(5), "score_c", "r1")


def test_what_another_field_or_another_record_was_given_is_not_the_score_of_this_one() -> None:
    known = written(Score(60, 4), "score_c", minute(5), "lead")
    for field, record in (("other_c", "lead"), ("score_c", "contact")):
        assert to_write(known, field, minute(6), record) == 60
        assert left(known, field, record) == Score(60, 4, field=field, record=record)
    assert to_write(known, "score_c", minute(99), "lead") is None
    assert left(left(known, None), "score_c", "lead") == Score(60, 4, field="score_c", record="lead")


def test_rights_that_the_settings_hold_back_create_nothing_until_they_are_wanted() -> None:
    delivery = merged([qualified(4, 4)])
    delivery.hold({"q"})
    assert (delivery.may_create, delivery.is_due, delivery.held) == (False, False, {"marketing"})
    delivery.merge(active("a9", 9, 9), None, minute(9))
    assert not delivery.is_due
    delivery.merge(word("w10", 10, "opted_out"), None, minute(10))
    assert delivery.is_due  # an opt-out is for whatever record there is
    delivery.hold(set())
    assert (delivery.may_create, delivery.is_new, set(delivery.activities)) == (
        True,
        True,
        {"a1", "a2", "a9"},
    )


def test_a_sampled_fact_takes_the_trace_of_a_delivery_that_has_an_unsampled_one() -> None:
    delivery = empty()
    delivery.merge(qualified(1, 1), SAMPLED[:-1] + b"0", minute(1))
    delivery.merge(distributed("d1", 2), SAMPLED, minute(2))
    delivery.merge(distributed("d2", 3), SAMPLED.replace(b"0af", b"1af"), minute(3))
    assert delivery.traceparent == SAMPLED


def test_what_a_form_said_before_a_distribution_does_not_win_by_being_told_after_it() -> None:
    early = {"phone": minute(1)}
    told_late = qualified(9, 9, phone="early").model_copy(update={"said_at": early})
    delivery = merged([distributed("d1", 3, phone="later"), told_late])
    assert delivery.fields["phone"].value == "later"


def test_a_new_email_outlasts_what_still_names_the_one_before_it() -> None:
    moved = updated("m2", 2, "new@example.com", previous_email="ann@example.com")
    delivery = merged([moved, qualified(5, 5)])
    assert delivery.emails == ["new@example.com", "ann@example.com"]
    assert delivery.address is not None
    assert delivery.address.pending
    delivery.settle(everything(delivery))
    delivery.merge(moved, None, minute(6))
    assert not delivery.address.pending


def test_a_sync_request_gives_the_right_to_create_and_its_terms_last_until_they_are_met() -> None:
    delivery = merged([asks("s1", 1, record_as="contact", task=Task(subject="Call"))])
    assert delivery.is_due
    assert list(delivery.tasks) == ["s1"]
    delivery.settle(everything(delivery))
    assert (delivery.is_due, delivery.tasks) == (False, {})
    assert delivery.terms is not None
    assert not delivery.terms.pending
    delivery.merge(asks("s1", 1, record_as="contact", task=Task(subject="Call")), None, minute(2))
    assert not delivery.is_due


def test_what_we_wrote_last_is_remembered_when_a_newer_value_comes() -> None:
    delivery = merged([qualified(4, 4, phone="2")])
    done = everything(delivery)
    done.wrote = {"phone"}
    delivery.settle(done)
    delivery.merge(active("a9", 9, 9, phone="9"), None, minute(9))
    assert (delivery.fields["phone"].value, delivery.fields["phone"].written) == ("9", "2")


def test_a_state_is_due_without_the_right_to_create_until_it_is_dealt_with() -> None:
    became = updated("c3", 3, state="client")
    delivery = merged([became])
    assert (delivery.is_due, delivery.may_create) == (True, False)
    delivery.settle(everything(delivery))
    delivery.merge(became, None, minute(4))
    assert not delivery.is_due
    delivery.merge(updated("c5", 5, state="prospect"), None, minute(5))
    assert delivery.is_due


def test_a_state_that_the_crm_cannot_follow_is_not_asked_for_again_until_it_is_another() -> None:
    delivery = merged([updated("c3", 3, state="prospect")])
    done = everything(delivery)
    done.refused = Parked("A contact stays one.", minute(3), object="contact")
    delivery.settle(done)
    delivery.merge(updated("c4", 4, state="prospect"), None, minute(4))
    assert not delivery.is_due
    assert delivery.state is not None
    assert delivery.state.refused is not None
    delivery.merge(updated("c5", 5, state="client"), None, minute(5))
    assert delivery.is_due
    assert delivery.state.refused is None


def test_an_owner_waits_for_the_right_to_create() -> None:
    delivery = merged([updated("c3", 3, owner_email="ida@example.com")])
    assert not delivery.is_due
    delivery.merge(qualified(4, 4), None, minute(4))
    delivery.settle(everything(delivery))
    assert not delivery.is_due
    delivery.merge(updated("c5", 5, owner_email="grace@example.com"), None, minute(5))
    assert delivery.is_due


def test_an_event_that_is_a_note_where_ids_are_not_ours_is_none_again_while_topics_tell_of_it() -> None:
    delivery = merged([qualified(1, 1)])
    done = everything(delivery)
    done.added = dict.fromkeys(delivery.activities, minute(3))
    delivery.settle(done)
    again = LeadActivities(
        **common("la-again", 4),
        version=2,
        score=51,
        millipoints=51_000,
        connections=["acme-sugar"],
        activities=[activity("a1", 1), activity("a3", 4)],
    )
    delivery.merge(again, None, minute(4))
    assert delivery.activities.keys() == {"a3"}
    later = everything(delivery)
    later.added = {"a3": minute(3) + REPEATED}
    delivery.settle(later)
    assert delivery.added.keys() == {"a3"}


def test_of_a_record_that_was_deleted_no_note_is_there_any_more() -> None:
    delivery = merged([qualified(1, 1)])
    done = everything(delivery)
    done.added = dict.fromkeys(delivery.activities, minute(3))
    delivery.settle(done)
    gone = everything(delivery)
    gone.spent = True
    delivery.settle(gone)
    assert delivery.added == {}
