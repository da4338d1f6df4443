"""A delivery is the same whatever order its facts come in, and settling takes out only what was read."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadbus.connector.delivery import MOST_ACTIVITIES, Delivery, Fact
from leadbus.connector.plan import everything
from leadbus.event_types import EventType
from leadbus.messages import (
    Activity,
    Fields,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
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


FACTS: list[Fact] = [
    distributed("d1", 3, phone="1", city="Bonn"),
    qualified(4, 4, phone="2", last_name="Lee"),
    active("a2", 2, 2),
    active("a5", 5, 5, phone="3"),
    scored(6, 6, 40),
    distributed("d1", 3, phone="1", city="Bonn"),
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
    assert len(expected.creators) == 2
    for order in permutations(FACTS):
        assert merged(order) == expected


@given(st.lists(st.sampled_from(FACTS), min_size=1, max_size=12))
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
