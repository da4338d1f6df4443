"""Notes, tasks and calls: what is written about what a prospect did."""

from datetime import UTC, datetime, timedelta

import pytest
from paper import (
    NOON,
    RECORD,
    connection,
    delivery,
    later,
    qualified,
    updated,
)

from leadbus.connector.connection import Connection
from leadbus.connector.delivering import plan_activities
from leadbus.connector.delivering.delivery import Delivery
from leadbus.event_types import EventType
from leadbus.messages import (
    Activity,
    SyncRequest,
    Task,
)


def seen(event_id: str, at: datetime, subject: str = "Prices") -> Activity:
    return Activity(event_id=event_id, type=EventType.WEB_VIEW, occurred_at=at, subject=subject)


def test_an_events_note_says_what_and_when_in_the_connections_time() -> None:
    there = connection(time_zone="Europe/Berlin")
    owed = delivery(qualified(0, seen("e1", NOON)))
    ((done, note),) = plan_activities.new_activities(owed, there, RECORD, None)
    assert (note.type, note.subject) == ("note", "Viewed a web page: Prices")
    assert note.text == "2026-11-22 13:00:00 CET"
    assert done.activities == {"e1"}


def days(owed: Delivery, there: Connection, now: datetime, *, at_once: bool = False) -> list[list[str]]:
    begun = plan_activities.begin_days(owed, there, RECORD, now, at_once=at_once)
    owed.begun |= begun
    return sorted(begun.values())


def test_a_days_note_is_written_once_that_day_is_over_where_the_connection_is() -> None:
    there = connection(notes="per_day", time_zone="America/New_York")
    evening = datetime(2026, 11, 22, 2, tzinfo=UTC)  # still the 21st in New York
    owed = delivery(qualified(0, seen("e1", evening), seen("e2", evening + timedelta(hours=4))))
    assert days(owed, there, evening) == []
    assert plan_activities.can_wait(owed, there, evening)
    midnight = plan_activities.waits_until(owed, there, evening)
    assert midnight == datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert midnight is not None
    assert days(owed, there, midnight) == [["e1"]]
    ((done, note),) = plan_activities.new_activities(owed, there, RECORD, None)
    assert (note.subject, done.activities) == ("1 activity on 2026-11-21", {"e1"})


def test_a_new_record_is_told_at_once_what_is_known_one_note_a_day() -> None:
    there = connection(notes="per_day")
    yesterday = NOON - timedelta(days=1)
    owed = delivery(qualified(0, seen("e1", yesterday), seen("e2", yesterday), seen("e3", NOON)))
    assert days(owed, there, NOON, at_once=True) == [["e1", "e2"], ["e3"]]
    notes = [note for _, note in plan_activities.new_activities(owed, there, RECORD, None)]
    assert [note.subject for note in notes] == ["2 activities on 2026-11-21", "1 activity on 2026-11-22"]
    assert notes[0].text.splitlines() == ["12:00:00 UTC Viewed a web page: Prices"] * 2


def test_a_note_that_was_begun_stays_what_it_is_when_a_later_event_of_its_day_comes() -> None:
    there = connection(notes="per_day")
    tomorrow = NOON + timedelta(days=1)
    owed = delivery(qualified(0, seen("e1", NOON)))
    days(owed, there, tomorrow)
    (first,) = plan_activities.new_activities(owed, there, RECORD, None)
    owed.merge(later(seen("e0", NOON - timedelta(hours=1))), None, tomorrow)
    assert plan_activities.new_activities(owed, there, RECORD, None) == [first]
    assert days(owed, there, tomorrow) == [["e0"]]
    again = plan_activities.new_activities(owed, there, RECORD, None)
    assert first in again
    assert len({note.id for _, note in again}) == 2
    owed.settle(first[0])
    assert (list(owed.activities), list(owed.begun.values())) == (["e0"], [["e0"]])


@pytest.mark.parametrize(
    ("kind", "written", "subject"),
    [("call", "call", "Call her"), ("email", "task", "Email: Call her"), ("task", "task", "Call her")],
)
def test_a_task_is_due_at_the_end_of_the_day_it_is_asked_for(kind: str, written: str, subject: str) -> None:
    there = connection(time_zone="Europe/Berlin")
    task = Task(kind=kind, subject="Call her", due_in_days=3, note="About prices")
    owed = delivery(updated("s1", 0, sync=SyncRequest(task=task)))
    ((done, row),) = plan_activities.new_activities(owed, there, RECORD, "u1")
    assert (row.type, row.subject, row.text, row.owner_id) == (written, subject, "About prices", "u1")
    assert row.due_at == datetime(2026, 11, 25, 16, tzinfo=UTC)
    assert done.tasks == {"s1"}


def test_a_task_for_today_is_not_due_before_it_was_asked_for() -> None:
    late = datetime(2026, 11, 22, 22, tzinfo=UTC)
    task = Task(subject="Call", due_in_days=0)
    asked = updated("s1", 0, sync=SyncRequest(task=task)).model_copy(update={"received_at": late})
    owed = delivery(asked)
    ((_, row),) = plan_activities.new_activities(owed, connection(), RECORD, None)
    assert row.due_at == late
