"""What the two profiles say about a delivery: what waits, what may change, and what becomes a note."""

from typing import Any

import pytest
from paper import NOON, RECORD, connection, delivery, distributed, later, qualified, updated

from leadbus.connector.delivering import plan
from leadbus.connector.delivering.plan_activities import new_activities
from leadbus.connector.delivering.plan_notes import MOST_LETTERS, field_notes, unwanted_notes
from leadbus.connector.delivering.profiles import field_updates, held_back
from leadbus.event_types import EventType
from leadbus.messages import Activity

OFF = {"synchronise": False}
SEEN = Activity(event_id="e1", type=EventType.WEB_VIEW, occurred_at=NOON, subject="Prices")


@pytest.mark.parametrize(
    ("settings", "held"),
    [
        ({}, set()),
        ({"marketing_automation": OFF}, {"q1"}),
        ({"marketing_automation": {"on": False}}, {"q1"}),
        ({"lead_distribution": OFF}, {"distribution:globex:d1"}),
    ],
)
def test_a_right_to_create_waits_while_its_profile_is_not_synchronised(
    settings: dict[str, Any], held: set[str]
) -> None:
    owed = delivery(qualified(), distributed(), updated("s1", 2, sync={}))
    assert held_back(owed, connection(**settings)) == held


def test_a_right_that_waits_is_not_used_up_by_another_whose_record_is_deleted() -> None:
    owed = delivery(distributed(0))
    owed.settle(plan.everything(owed))
    owed.merge(qualified(1), None, NOON)
    owed.hold({"q1"})
    gone = plan.everything(owed)
    gone.spent = True
    owed.settle(gone)
    owed.hold(set())
    assert (owed.may_create, owed.is_new, owed.is_due) == (True, True, True)


def test_a_profile_that_is_not_synchronised_changes_no_fields() -> None:
    off = {"synchronise": False, "field_updates": True}
    assert dict(field_updates(connection(marketing_automation=off, lead_distribution=off))) == {
        "marketing": False,
        "distribution": False,
    }


def test_every_distribution_is_noted_once_with_all_fields_and_customer_fields_last() -> None:
    owed = delivery(distributed(last_name="Lee", phone="1").model_copy(update={"fields": _fields()}))
    ((done, note),) = field_notes(owed, connection(), RECORD)
    assert note.subject == "Lead d1 of globex: all fields"
    assert note.text == "Email: ann@example.com\nLast name: Lee\nPhone: 1\nmachine: Engine"
    owed.settle(plan.everything(owed))
    assert (field_notes(owed, connection(), RECORD), owed.is_due) == ([], False)
    assert done.noted == {"distribution:globex:d1"}


def test_a_note_of_fields_is_never_longer_than_a_crm_takes() -> None:
    told = {f"f{number}": "long " * 1_999 for number in range(100)}
    lead = distributed().model_copy(update={"fields": _fields().model_copy(update={"custom": told})})
    ((_, note),) = field_notes(delivery(lead), connection(), RECORD)
    assert len(note.text) == MOST_LETTERS
    assert note.text.endswith("... (there is more than a note holds)")


def test_a_note_of_fields_is_owed_until_it_is_written() -> None:
    owed = delivery(distributed(last_name="Lee"))
    done = plan.everything(owed)
    done.noted = set()
    owed.settle(done)
    assert owed.is_due
    assert unwanted_notes(owed, connection()) == set()
    assert unwanted_notes(owed, connection(lead_distribution={"notes": False})) == {"distribution:globex:d1"}


def test_without_notes_a_distributed_lead_gets_completed_tasks_and_one_of_marketing_keeps_notes() -> None:
    there = connection(lead_distribution={"notes": False})
    ((_, task),) = new_activities(delivery(distributed(), later(SEEN)), there, RECORD, "owner")
    assert (task.type, task.done, task.owner_id) == ("task", True, "owner")
    assert task.subject == "Viewed a web page: Prices"
    ((_, note),) = new_activities(delivery(qualified(0, SEEN)), there, RECORD, "owner")
    assert (note.type, note.done) == ("note", False)


def _fields() -> Any:
    return distributed().fields.model_copy(
        update={"last_name": "Lee", "phone": "1", "custom": {"machine": "Engine"}}
    )


def test_scoring_hears_of_a_profile_only_if_it_is_synchronised() -> None:
    told = connection(marketing_automation=OFF).changed("paper", "c1", NOON)
    assert (told.marketing_automation, told.lead_distribution) == (False, True)
    assert connection().takes(distributed())
    assert not connection(lead_distribution=OFF).takes(distributed())
