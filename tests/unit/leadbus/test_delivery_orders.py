"""A delivery is the same whatever order its facts come in, with rules for tasks and lists too."""

from dataclasses import replace

from facts import (
    SAMPLED,
    active,
    asks,
    distributed,
    heard,
    qualified,
    scored,
    unsubscribed,
    updated,
    word,
)
from hypothesis import given
from hypothesis import strategies as st
from paper import NOON, connection

from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.handler import merging
from leadbus.connector.delivering.merging import Fact
from leadbus.connector.delivering.plan import everything
from leadbus.messages import Task

THERE = connection(
    connection_id="acme-sugar",
    tasks=[
        {"on": "distribution", "subject": "Call {name} of {supplier}"},
        {"on": "qualification", "kind": "email", "subject": "Write to {name}"},
    ],
    lists=[
        {"list": "Fair", "list_id": "fair", "push": {"add": True, "remove": True}},
        {"list": "News", "list_id": "news", "push": {"add": True}},
        {"list": "Old", "list_id": "old", "push": {"remove": True}},
    ],
)


def on_list(event_id: str, at: int, list_id: str, *, member: bool = True) -> Fact:
    return updated(event_id, at, lists=[{"list_id": list_id, "member": member}])


FACTS: list[Fact] = [
    distributed("d1", 3, phone="1"),
    distributed("d2", 6, phone="2", country="Italy").model_copy(
        update={"supplier_id": "initech", "campaign_id": "fair"}
    ),
    qualified(4, 4, phone="3"),
    active("a2", 2, 2),
    active("a5", 5, 5, phone="4"),
    unsubscribed("u6", 6),
    scored(8, 8, 40),
    asks("s1", 2, record_as="contact", owner_email="boss@example.com", task=Task(subject="Call her")),
    asks("s2", 7, update_existing=True, lead_source="Fair"),
    word("w7", 7, "opted_in", explicit=True),
    word("w9", 9, "opted_in", explicit=True),
    word("w99", 99, "opted_in"),
    heard("h6", 6, "opted_out", "acme-sugar"),
    heard("h8", 8, "opted_out", "acme-zoho"),
    updated("m9", 9, "anna@example.com", previous_email="ann@example.com"),
    updated("m10", 10, "ann.lee@example.com", previous_email="anna@example.com"),
    updated("c3", 3, state="client", owner_email="ida@example.com", lead_status="Working"),
    updated("c8", 8, state="prospect"),
    updated("c4", 4, owner_email="grace@example.com", lead_status="Lost"),
    updated("j5", 5, campaigns=[{"campaign_id": "fair", "response": "Invited"}]),
    updated("j7", 7, campaigns=[{"campaign_id": "fair", "response": "Attended"}]),
    updated("j6", 6, campaigns=[{"campaign_id": "fair", "member": False}, {"campaign_id": "show"}]),
    on_list("l1", 1, "fair"),
    on_list("l5", 5, "fair", member=False),
    on_list("l2", 2, "news"),
    on_list("l3", 3, "news", member=False),
    on_list("l4", 4, "news"),
    on_list("l6", 6, "old", member=False),
    on_list("l7", 7, "nobodys"),
]


def taken_in(facts: list[Fact], known: Delivery | None = None) -> Delivery:
    """As the consumer does; since when it waits is another matter."""
    return merging(THERE, "p1", [(fact, SAMPLED, NOON) for fact in facts])(known)


@given(st.permutations(FACTS))
def test_every_order_of_every_kind_of_fact_gives_the_same_delivery(order: list[Fact]) -> None:
    delivery = taken_in(order)
    assert delivery == taken_in(FACTS)
    assert delivery.consent.opted_out is False  # w9 is explicit and later than every opt-out
    assert (delivery.email, len(delivery.tasks)) == ("ann.lee@example.com", 4)
    assert delivery.state is not None
    assert delivery.state.value == "prospect"
    assert delivery.owner is not None
    assert delivery.owner.email == "grace@example.com"
    assert delivery.lead_status is not None
    assert delivery.lead_status.value == "Lost"
    assert delivery.memberships["fair"].response == "Attended"
    assert {right for right in delivery.creators if right.startswith("list:")} == {
        "list:l1",  # also if it came after l5
        "list:l2",
        "list:l4",
    }


@given(st.lists(st.sampled_from(FACTS), min_size=1, max_size=12))
def test_a_repeated_fact_changes_nothing(facts: list[Fact]) -> None:
    once = taken_in([fact for number, fact in enumerate(facts) if fact not in facts[:number]])
    assert taken_in(facts) == once
    assert taken_in(facts + facts) == once


@given(st.permutations(FACTS), st.lists(st.sampled_from(FACTS), min_size=1, max_size=8))
def test_what_was_dealt_with_is_not_owed_again_when_its_facts_are_repeated(
    order: list[Fact], again: list[Fact]
) -> None:
    delivery = taken_in(order)
    done = everything(delivery)
    done.memberships = {
        name: replace(known, pending=False, waits=False) for name, known in delivery.memberships.items()
    }
    delivery.settle(done)
    delivery = taken_in(again, delivery)
    delivery.activities.clear()  # under their ids they are no others in the CRM, or `added` knows them
    assert not delivery.is_due
