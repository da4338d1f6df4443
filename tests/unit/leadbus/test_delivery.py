"""A delivery is the same whatever order its facts come in, and settling takes out only what was read."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadbus.connector.delivering.delivery import MOST_ACTIVITIES, REPEATED, Delivery, Fact
from leadbus.connector.delivering.parts import Parked
from leadbus.connector.delivering.plan import everything
from leadbus.event_types import EventType
from leadbus.messages import (
    Activity,
    Fields,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    ProspectUpdated,
    Record,
    Subscription,
    SubscriptionChanged,
    SyncRequest,
    Task,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def empty() -> Delivery:
    return Delivery(connection_id="acme-sugar", organisation_id="org", tenant_id="acme", prospect_id="p1")


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def common(event_id: str, at: int) -> dict[str, object]:
    return {"event_id": event_id, "tenant_id": "acme", "occurred_at": minute(at), "prospect_id": "p1"}


def distributed(distribution: str, at: int, **fields: str) -> LeadDistributed:
    return LeadDistributed(
        **common(f"d-{distribution}", at),
        received_at=minute(at),
        distribution_id=distribution,
        supplier_id="globex",
        email="ann@example.com",
        fields=Fields(**fields),
    )


def activity(event_id: str, at: int) -> Activity:
    return Activity(event_id=event_id, type=EventType.WEB_VIEW, occurred_at=minute(at))


def qualified(at: int, version: int, **fields: str) -> LeadQualified:
    return LeadQualified(
        **common("q", at),
        version=version,
        email="ann@example.com",
        score=51,
        millipoints=51_000,
        connection_id="acme-sugar",
        threshold=50,
        fields=Fields(**fields),
        activities=[activity("a1", 1), activity("a2", 2)],
    )


def active(event_id: str, at: int, version: int, **fields: str) -> LeadActivities:
    return LeadActivities(
        **common(f"la-{event_id}", at),
        version=version,
        score=version,
        millipoints=version * 1000,
        connections=["acme-sugar"],
        fields=Fields(**fields),
        activities=[activity(event_id, at)],
    )


def scored(at: int, version: int, score: int) -> LeadScored:
    return LeadScored(**common(f"s{version}", at), version=version, score=score, millipoints=score * 1000)


def updated(event_id: str, at: int, email: str = "ann@example.com", **facts: object) -> ProspectUpdated:
    return ProspectUpdated(**common(event_id, at), received_at=minute(at), email=email, **facts)


def asks(event_id: str, at: int, **request: object) -> ProspectUpdated:
    return updated(event_id, at, sync=SyncRequest.model_validate(request))


def word(event_id: str, at: int, status: str, *, explicit: bool = False) -> ProspectUpdated:
    said = Subscription(status=status, at=minute(at), source="form", explicit=explicit)
    return updated(event_id, at, subscription=said)


def heard(event_id: str, at: int, status: str, of: str, *, explicit: bool = False) -> SubscriptionChanged:
    return SubscriptionChanged(
        **common(event_id, at),
        connection_id=of,
        record=Record(module="Leads", id="r1"),
        status=status,
        explicit=explicit,
    )


def unsubscribed(event_id: str, at: int) -> LeadActivities:
    left = Activity(event_id=event_id, type=EventType.EMAIL_UNSUBSCRIBE, occurred_at=minute(at))
    return active(event_id, at, at).model_copy(update={"activities": [left]})


FACTS: list[Fact] = [
    distributed("d1", 3, phone="1", city="Bonn"),
    qualified(4, 4, phone="2", last_name="Lee"),
    active("a5", 5, 5, phone="3"),
    asks("s1", 6, record_as="contact", owner_email="boss@example.com", task=Task(subject="Call her")),
    word("w7", 7, "opted_in", explicit=True),
    heard("h8", 8, "opted_out", "acme-zoho"),
    updated("m9", 9, "anna@example.com", previous_email="ann@example.com"),
]
MORE: list[Fact] = [
    *FACTS,
    active("a2", 2, 2),
    scored(6, 6, 40),
    asks("s2", 5, update_existing=True),
    word("w9", 9, "opted_in", explicit=True),
    word("w99", 99, "opted_in"),
    heard("h6", 6, "opted_out", "acme-sugar"),
    unsubscribed("u5", 5),
    updated("m10", 10, "ann.lee@example.com", previous_email="anna@example.com"),
    updated("c3", 3, state="client", owner_email="ida@example.com"),
    updated("c8", 8, state="prospect"),
    updated("c4", 4, owner_email="grace@example.com"),
    updated("j3", 3, campaigns=[{"campaign_id": "fair", "response": "Invited"}]),
    updated("j7", 7, campaigns=[{"campaign_id": "fair", "response": "Attended"}]),
    updated("j5", 5, campaigns=[{"campaign_id": "fair", "member": False}, {"campaign_id": "other"}]),
]


def merged(facts: tuple[Fact, ...] | list[Fact]) -> Delivery:
    delivery = empty()
    for fact in facts:
        delivery.merge(fact, None, fact.occurred_at)
    return delivery


def test_every_order_of_the_same_facts_gives_the_same_delivery() -> None:
    expected = merged(FACTS)
    assert expected.fields["phone"].value == "3"
    assert sorted(expected.activities) == ["a1", "a2", "a5"]
    assert len(expected.creators) == 3
    assert expected.consent.opted_out
    assert expected.emails == ["anna@example.com", "ann@example.com"]
    for order in permutations(FACTS):
        assert merged(order) == expected


@given(st.permutations(MORE))
def test_every_order_of_more_facts_gives_the_same_delivery(order: list[Fact]) -> None:
    delivery = merged(order)
    assert delivery == merged(MORE)
    assert delivery.consent.opted_out is False  # w9 is explicit and later than every opt-out
    assert delivery.email == "ann.lee@example.com"
    assert delivery.state is not None
    assert delivery.state.value == "prospect"
    assert delivery.owner is not None
    assert delivery.owner.email == "grace@example.com"
    assert delivery.memberships["fair"].response == "Attended"


@given(st.lists(st.sampled_from(MORE), min_size=1, max_size=12))
def test_a_repeated_fact_changes_nothing(facts: list[Fact]) -> None:
    once = merged([fact for number, fact in enumerate(facts) if fact not in facts[:number]])
    assert merged(facts) == once
    assert merged(facts + facts) == once


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
    delivery.settle(everything(delivery))
    delivery.merge(scored(6, 6, score), None, minute(6))
    assert delivery.is_due
    assert delivery.score is not None
    assert delivery.score.value == score


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


def state(*facts: Fact) -> bool | None:
    return merged(facts).consent.opted_out


def test_an_opt_out_yields_to_an_opt_in_only_if_that_is_later_and_explicit() -> None:
    out = word("o5", 5, "opted_out")
    assert state() is None
    assert state(out) is True
    assert state(word("i4", 4, "opted_in", explicit=True), out) is True
    assert state(word("i5", 5, "opted_in", explicit=True), out) is True
    assert state(word("i6", 6, "opted_in"), out) is True
    assert state(word("i6", 6, "opted_in", explicit=True), out) is False
    assert state(word("i6", 6, "opted_in", explicit=True), word("i9", 9, "opted_in"), out) is False
    assert state(word("i6", 6, "opted_in")) is False


def test_whoever_unsubscribes_from_emails_is_opted_out_from_then_on() -> None:
    assert state(unsubscribed("u5", 5)) is True
    assert state(unsubscribed("u5", 5), word("i4", 4, "opted_in", explicit=True)) is True
    assert state(unsubscribed("u5", 5), word("i6", 6, "opted_in", explicit=True)) is False


def test_an_opt_out_is_due_without_the_right_to_create_until_it_is_dealt_with() -> None:
    delivery = merged([word("o5", 5, "opted_out")])
    assert (delivery.is_due, delivery.may_create) == (True, False)
    delivery.settle(everything(delivery))
    assert not delivery.is_due
    delivery.merge(word("o5", 5, "opted_out"), None, minute(6))
    assert not delivery.is_due
    assert delivery.consent.opted_out is True
    delivery.merge(word("i7", 7, "opted_in", explicit=True), None, minute(7))
    assert delivery.is_due


def test_an_opt_out_does_not_go_back_to_the_crm_it_was_made_in() -> None:
    assert not merged([heard("h1", 1, "opted_out", "acme-sugar")]).is_due
    assert merged([heard("h1", 1, "opted_out", "acme-zoho")]).is_due
    known = merged([heard("h1", 1, "opted_out", "acme-sugar"), word("i2", 2, "opted_in")])
    assert (known.consent.opted_out, known.is_due) == (True, False)


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
