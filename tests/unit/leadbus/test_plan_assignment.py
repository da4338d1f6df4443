"""Rules: whose a lead is and where it comes from, by what is known of it."""

from typing import Any

import pytest
from paper import CRM, NOON, connection, delivery, distributed, qualified, updated

from leadbus.connector.delivering import plan
from leadbus.connector.delivering.plan_assignment import (
    owner_of_existing,
    rule_for,
    rule_owner,
    rule_source,
    source_of_existing,
)
from leadbus.connector.mapping import FieldMap
from leadbus.event_types import EventType
from leadbus.messages import Activity

GRACE, IDA = "grace@example.com", "ida@example.com"


def submitted(form: str) -> Activity:
    return Activity(event_id="e1", type=EventType.FORM_SUBMISSION, occurred_at=NOON, subject=form)


@pytest.mark.parametrize(
    ("case", "facts", "holds"),
    [
        ({}, [qualified()], True),
        ({"profile": "marketing"}, [qualified()], True),
        ({"profile": "marketing"}, [distributed()], False),
        ({"profile": "distribution"}, [qualified(), distributed()], True),
        ({"supplier_id": "globex"}, [distributed()], True),
        ({"supplier_id": "initech"}, [distributed()], False),
        ({"country": "italy"}, [qualified(country="Italy")], True),
        ({"country": "Italy"}, [qualified()], False),
        ({"event_type": "form_submission"}, [qualified(0, submitted("Quote"))], True),
        ({"event_type": "web_view"}, [qualified(0, submitted("Quote"))], False),
        ({"form": "quote"}, [qualified(0, submitted("Quote"))], True),
        ({"form": "Trial"}, [qualified(0, submitted("Quote"))], False),
        ({"campaign_id": "fair"}, [updated("u1", 1, campaigns=[{"campaign_id": "fair"}])], True),
        ({"campaign_id": "fair"}, [distributed().model_copy(update={"campaign_id": "fair"})], True),
        ({"campaign_id": "fair"}, [distributed()], False),
        ({"supplier_id": "globex", "country": "Italy"}, [distributed(country="Spain")], False),
    ],
)
def test_a_rule_holds_if_all_of_its_case_does(case: dict[str, Any], facts: list[Any], holds: bool) -> None:
    there = connection(rules=[{"when": case, "owner_email": GRACE}])
    assert rule_owner(delivery(*facts), there, is_there=False) == (GRACE if holds else None)


def test_the_first_rule_that_holds_counts_for_owner_and_lead_source() -> None:
    there = connection(
        rules=[
            {"when": {"country": "Spain"}, "owner_email": IDA},
            {"when": {"supplier_id": "globex"}, "lead_source": "Partner"},
            {"owner_email": GRACE},
        ]
    )
    owed = delivery(distributed(country="Italy"))
    assert rule_source(owed, there, is_there=False) == "Partner"
    assert rule_owner(owed, there, is_there=False) is None


def test_records_that_exist_are_for_chosen_rules_and_only_when_a_lead_arrives() -> None:
    chosen, other = (connection(rules=[{"owner_email": GRACE, "existing": flag}]) for flag in (True, False))
    owed = delivery(qualified())
    assert rule_for(owed, chosen, is_there=True) is not None
    assert rule_for(owed, other, is_there=True) is None
    owed.settle(plan.everything(owed))
    assert rule_for(owed, chosen, is_there=True) is None


def test_a_record_is_assigned_once_though_the_rest_of_its_delivery_is_tried_again() -> None:
    """The event is noted by then, so that the next rule would hold."""
    there = connection(
        rules=[
            {"when": {"form": "Quote"}, "owner_email": GRACE, "existing": True},
            {"owner_email": IDA, "existing": True},
        ]
    )
    owed = delivery(qualified(0, submitted("Quote")))
    assert rule_owner(owed, there, is_there=True) == GRACE
    written = plan.record_part(owed, set())
    written.activities = {"e1"}
    owed.settle(written)
    assert owed.is_new
    assert rule_owner(owed, there, is_there=True) is None
    owed.merge(distributed(1), None, NOON)  # a lead arrives anew
    assert rule_owner(owed, there, is_there=True) == IDA


def test_a_right_that_waits_for_its_profile_brings_no_rule_about() -> None:
    there = connection(rules=[{"when": {"supplier_id": "globex"}, "owner_email": GRACE}])
    owed = delivery(qualified(), distributed())
    owed.hold({"distribution:globex:d1"})
    assert rule_owner(owed, there, is_there=False) is None


GIVEN = {"rules": [{"owner_email": GRACE, "lead_source": "Partner", "existing": True}]}
UPDATES = {"marketing_automation": {"field_updates": True}}


@pytest.mark.parametrize(
    ("asked", "owner", "source"),
    [
        ({"update_existing": True, "owner_email": IDA, "lead_source": "Fair"}, IDA, "Fair"),
        ({"update_existing": True}, GRACE, "Partner"),  # it says nothing of them
        ({"update_existing": False, "owner_email": IDA, "lead_source": "Fair"}, None, None),
        ({"owner_email": IDA, "lead_source": "Fair"}, GRACE, "Partner"),
    ],
)
def test_what_a_request_does_not_say_of_an_existing_record_is_the_rules_to_say(
    asked: dict[str, Any], owner: str | None, source: str | None
) -> None:
    owed = delivery(updated("s1", 1, sync=asked))
    there = connection(**GIVEN)
    assert (owner_of_existing(owed, there), source_of_existing(owed, there)) == (owner, source)


def test_the_owner_here_counts_after_a_requests_and_before_the_rules() -> None:
    owed = delivery(updated("s1", 1, owner_email=IDA, sync={"update_existing": True}))
    assert owner_of_existing(owed, connection(**GIVEN, **UPDATES)) == IDA
    assert owner_of_existing(owed, connection(**GIVEN)) is None  # nobody's record changes hands


@pytest.mark.parametrize(("asked", "source"), [({}, "Partner"), ({"sync": {"lead_source": "Fair"}}, "Fair")])
def test_what_a_sync_request_asks_for_counts_before_the_rules(asked: dict[str, Any], source: str) -> None:
    there = connection(rules=[{"lead_source": "Partner"}])
    owed = delivery(qualified(last_name="Lee", company="Initech"), updated("u1", 1, **asked))
    row = plan.new_person(owed, there, CRM, FieldMap.of(there.settings, CRM), "r1", "lead")
    assert row.lead_source == source
