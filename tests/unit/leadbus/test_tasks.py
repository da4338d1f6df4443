"""Tasks by rule: what may be set, when they are owed, and what they say."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from paper import RECORD, connection, delivery, distributed, minute, qualified, updated
from pydantic import ValidationError

from leadbus.connector.connection import Connection
from leadbus.connector.contract import CrmActivity, NewActivity
from leadbus.connector.delivering import plan, plan_activities
from leadbus.connector.delivering.adding import taken_from
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.merging import MOST_CREATORS, Fact
from leadbus.connector.delivering.owing import take_in, worded
from leadbus.connector.settings.schema import rows_of
from leadbus.connector.settings.tasks import TaskRule
from leadbus.event_types import EventType
from leadbus.messages import Activity, Record, SyncRequest, Task

CALL = {"on": "qualification", "kind": "call", "subject": "Call {name} of {company}"}
THANK = {"on": "distribution", "kind": "email", "subject": "Thank {supplier}"}
LOOK = {"on": "distribution", "kind": "task", "subject": "Look up {company}", "due_at": "09:30"}


def given(*facts: Fact, rules: list[dict[str, Any]] | None = None) -> Delivery:
    made = delivery()
    settings = connection(tasks=[CALL, THANK, LOOK] if rules is None else rules).settings
    for fact in facts:
        take_in(made, fact, None, fact.occurred_at, settings.tasks)
    return made


def written(owed: Delivery, there: Connection | None = None, **users: str) -> list[NewActivity]:
    """What of the rows for the CRM are tasks."""
    named = {f"{name}@example.com": user for name, user in users.items()}
    rows = plan_activities.new_activities(owed, there or connection(), RECORD, "u-owner", named)
    return [row for done, row in rows if done.tasks]


def subjects(owed: Delivery) -> list[str]:
    return sorted(worded(owed, task).task.subject for task in owed.tasks.values())


# Settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (CALL | {"subject": "Call {nmae}"}, "stands for nothing"),
        (CALL | {"subject": "Call {name"}, "stands alone"),
        (CALL | {"subject": "Call {}"}, "stands for nothing"),
        (CALL | {"subject": "Thank {supplier}"}, "only on distribution"),
        (CALL | {"due_at": "24:00"}, "pattern"),
        (CALL | {"due_at": "9:30"}, "pattern"),
        (CALL | {"kind": "visit"}, "call"),
        (CALL | {"on": "monday"}, "distribution"),
    ],
)
def test_a_rule_that_could_not_hold_is_refused_when_it_is_saved(rule: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        connection(tasks=[rule])


def test_there_are_twenty_rules_at_most() -> None:
    assert len(connection(tasks=[CALL] * 20).settings.tasks) == 20
    with pytest.raises(ValidationError, match="20"):
        connection(tasks=[CALL] * 21)


def test_a_tasks_day_ends_at_five_if_nobody_says_another_time() -> None:
    assert TaskRule.model_validate(CALL).task.due_at == Task(subject="x").due_at == "17:00"


def test_the_settings_say_what_placeholders_stand_for() -> None:
    (row,) = [row for row in rows_of(type(connection().settings)) if row.path == "tasks[].subject"]
    assert "{company} = the person's company" in row.help
    assert "{supplier}" in row.allowed


# Owing -----------------------------------------------------------------------------------------------


def test_each_right_to_create_gives_the_tasks_of_its_kind_once() -> None:
    facts = [distributed(0, company="Acme", last_name="Lee"), qualified(1, first_name="Ann")]
    owed = given(*facts)
    assert subjects(owed) == ["Call Ann Lee of Acme", "Email: Thank globex", "Look up Acme"]
    owed.settle(plan.everything(owed))
    assert owed.tasks == {}
    for fact in facts:
        take_in(owed, fact, None, minute(9), connection(tasks=[CALL, LOOK]).settings.tasks)
    assert owed.tasks == {}


def test_another_distribution_of_the_same_person_gives_its_tasks_too() -> None:
    again = distributed(5).model_copy(update={"distribution_id": "d2", "event_id": "e2"})
    assert subjects(given(distributed(), again, rules=[THANK])) == ["Email: Thank globex"] * 2


def test_two_suppliers_may_give_their_distributions_the_same_number() -> None:
    other = distributed(5).model_copy(update={"supplier_id": "initech", "event_id": "e2"})
    owed = given(distributed(), other, rules=[THANK])
    assert subjects(owed) == ["Email: Thank globex", "Email: Thank initech"]
    assert [c.origin.supplier_id for c in owed.creators.values() if c.origin] == ["globex", "initech"]


def test_requests_without_end_for_one_person_are_bounded_also_while_nothing_is_written() -> None:
    asks = SyncRequest(task=Task(subject="Call"))
    facts = [updated(f"s{number:04}", number, sync=asks) for number in range(MOST_CREATORS + 5)]
    owed = given(distributed(-1), *facts, rules=[THANK])
    assert len(owed.creators) == MOST_CREATORS + 1  # beside the distribution
    assert len(owed.tasks) == MOST_CREATORS + 1
    assert given(distributed(-1), *reversed(facts), facts[0], rules=[THANK]) == owed


def test_who_is_neither_qualified_nor_distributed_is_given_none_by_rule() -> None:
    request = updated("s1", 0, sync=SyncRequest(task=Task(subject="Ask {name}")))
    assert subjects(given(updated("u1", 0, fields={"company": "Acme"}), request)) == ["Ask ann@example.com"]


def test_every_order_of_the_facts_owes_the_same_tasks() -> None:
    facts = [
        distributed(0, company="Acme"),
        qualified(1, first_name="Ann"),
        updated("s1", 2, sync=SyncRequest(task=Task(kind="call", subject="Call"))),
        distributed(3).model_copy(update={"distribution_id": "d2", "event_id": "e2"}),
    ]
    expected = given(*facts)
    assert len(expected.tasks) == 6
    for order in permutations(facts):
        assert given(*order) == expected


def test_the_suppliers_name_counts_more_than_its_id() -> None:
    named = distributed().model_copy(update={"supplier_name": "Globex Ltd"})
    assert subjects(given(named, rules=[THANK])) == ["Email: Thank Globex Ltd"]


# Wording ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"first_name": "Ann", "last_name": "Lee", "company": "Acme"}, "Call Ann Lee of Acme"),
        ({"last_name": " Lee "}, "Call Lee of an unknown company"),
        ({}, "Call ann@example.com of an unknown company"),
        ({"last_name": "{company}"}, "Call {company} of an unknown company"),
        ({"last_name": "{__class__}", "company": "{0.__init__}"}, "Call {__class__} of {0.__init__}"),
    ],
)
def test_what_is_not_known_has_words_too(fields: dict[str, str], subject: str) -> None:
    assert subjects(given(qualified(0, **fields), rules=[CALL])) == [subject]


def test_a_task_that_was_worded_once_stays_as_it_is() -> None:
    owed = given(distributed(0, company="Acme"), rules=[LOOK | {"kind": "email"}])
    (name,) = owed.tasks
    owed.tasks[name] = worded(owed, owed.tasks[name])
    take_in(owed, updated("u1", 5, fields={"company": "Globex"}), None, minute(5), ())
    assert subjects(owed) == ["Email: Look up Acme"]


def test_a_name_that_looks_like_a_placeholder_is_not_filled_in_at_the_second_try() -> None:
    owed = given(qualified(0, last_name="{company}", company="Acme"), rules=[CALL])
    (task,) = owed.tasks.values()
    once = worded(owed, task)
    assert worded(owed, once).task.subject == once.task.subject == "Call {company} of Acme"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_days_count_from_when_we_hear_of_it_whatever_its_sender_says(zone: str) -> None:
    long_ago = datetime(1, 1, 1, tzinfo=UTC)  # in New York there was no such day
    asks = updated("s1", 0, sync=SyncRequest(task=Task(subject="Ask")))
    facts = [fact.model_copy(update={"occurred_at": long_ago}) for fact in (distributed(0), asks)]
    owed = delivery()
    for fact in facts:
        take_in(owed, fact, None, minute(0), connection(tasks=[THANK]).settings.tasks)
    due = [row.due_at for row in written(owed, connection(time_zone=zone))]
    assert all(at and timedelta(0) < at - minute(0) < timedelta(days=2) for at in due), due


@pytest.mark.parametrize(
    ("heard", "due"),
    [
        ("2026-10-24T21:00Z", "2026-10-25T16:00Z"),  # summer time ends in the night: 17:00 stays 17:00
        ("2026-03-28T21:00Z", "2026-03-29T15:00Z"),
    ],
)
def test_a_time_of_day_is_that_of_its_own_day_when_clocks_change(heard: str, due: str) -> None:
    owed, rules = delivery(), connection(tasks=[THANK]).settings.tasks
    take_in(owed, distributed(), None, datetime.fromisoformat(heard), rules)
    (row,) = written(owed, connection(time_zone="Europe/Berlin"))
    assert row.due_at == datetime.fromisoformat(due)


def test_nothing_is_due_before_it_is_asked_for_also_in_the_hour_that_comes_twice() -> None:
    owed = delivery()
    heard = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 2:10 in Berlin, for the second time
    rule = THANK | {"due_in_days": 0, "due_at": "02:15"}
    take_in(owed, distributed(), None, heard, connection(tasks=[rule]).settings.tasks)
    (row,) = written(owed, connection(time_zone="Europe/Berlin"))
    assert row.due_at is not None
    assert row.due_at >= heard


def test_it_is_due_at_its_time_of_day_where_the_connection_is() -> None:
    there = connection(time_zone="Europe/Berlin")
    owed = given(distributed(0, company="Acme"), rules=[LOOK | {"due_in_days": 2}])
    (row,) = written(owed, there)
    assert row.due_at == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_each_task_goes_to_whom_it_names_and_the_rest_to_the_records_owner() -> None:
    asks = SyncRequest(owner_email="boss@example.com", task=Task(subject="Asked"))
    strange = SyncRequest(owner_email="nobody@example.com", task=Task(subject="Strange"))
    owed = given(distributed(0), updated("s1", 1, sync=asks), updated("s2", 2, sync=strange), rules=[THANK])
    owners = {row.subject: row.owner_id for row in written(owed, boss="u-boss")}
    assert owners == {"Email: Thank globex": "u-owner", "Asked": "u-boss", "Strange": "u-owner"}


@pytest.mark.parametrize(
    ("due", "is_it"),
    [
        (minute(60 * 24 * -7), False),  # of last week's distribution
        (minute(60 * -17), True),  # a CRM that keeps the day alone
        (minute(0), True),
        (minute(60 * 24 * 2), True),  # it was due already, and put off until the CRM took it
        (None, True),
    ],
)
def test_an_earlier_task_of_the_same_words_is_not_taken_for_one_whose_answer_was_lost(
    due: datetime | None, is_it: bool
) -> None:
    row = NewActivity(id="n", record=RECORD, type="task", subject="Call Ann", due_at=minute(0))
    task = CrmActivity(Record(module="Tasks", id="t"), type="task", subject="Call Ann", due_at=due)
    assert (taken_from([task], row, by_subject=False) is task) is is_it


def test_what_senders_write_into_names_stays_on_one_line() -> None:
    submitted = Activity(
        event_id="a1", type=EventType.FORM_SUBMISSION, occurred_at=minute(0), subject="Quote\n\tnow"
    )
    owed = given(qualified(0, submitted, last_name="Lee\r\nBcc: x", company="Acme"), rules=[CALL])
    rows = plan_activities.new_activities(owed, connection(), RECORD, None)
    assert [row.subject for _, row in rows] == ["Call Lee Bcc: x of Acme", "Submitted a form: Quote now"]


def test_tasks_of_a_right_that_is_held_back_wait_with_it() -> None:
    owed = given(distributed(0), qualified(1), rules=[CALL | {"subject": "Call"}, THANK])
    owed.hold({"distribution:globex:d1"})
    assert [row.subject for row in written(owed)] == ["Call"]
    owed.settle(plan.everything(owed))
    assert not owed.is_due
    owed.hold(())
    assert [row.subject for row in written(owed)] == ["Email: Thank globex"]
