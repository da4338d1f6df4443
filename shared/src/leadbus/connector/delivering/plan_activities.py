"""Notes, tasks and calls that a delivery asks for, as rows for the adapter. Pure.

Where notes are made per day, a day's note is written once that day is over in the connection's time zone;
a record that is new is given at once what is known of the person, one note per day. What goes into one
note is kept with the delivery before the note is written, under the note's id: tried again, it is the same
note; an event that comes later goes into another one of its day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from leadbus.connector.connection import Connection
from leadbus.connector.contract import NewActivity
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.owing import worded
from leadbus.connector.delivering.parts import Done, Older, OwedTask
from leadbus.connector.delivering.plan_notes import field_notes
from leadbus.connector.delivering.profiles import tells_by_notes
from leadbus.event_types import TRAITS
from leadbus.ids import derived_id
from leadbus.messages import Activity, Record

Row = tuple[Done, NewActivity]

_TASK_TYPES: dict[str, Literal["task", "call"]] = {"call": "call", "email": "task", "task": "task"}


def unwanted(delivery: Delivery, connection: Connection) -> set[str]:
    """Event ids of activities whose type is not among the chosen ones."""
    chosen = connection.settings.event_types
    return {name for name, activity in delivery.activities.items() if activity.type not in chosen}


def new_activities(
    delivery: Delivery,
    connection: Connection,
    record: Record,
    owner_id: str | None,
    users: Mapping[str, str] = {},
) -> list[Row]:
    """Tasks, one note for what is summed up, then the chosen events, oldest first; with what each deals with.

    owner_id: of the record; does the tasks that name nobody, or nobody of `users` (ids by email). Of notes
    per day only those begun (see `begin_days`) are among them.
    """
    rows = _rows(delivery, connection, record, owner_id, users)
    if not tells_by_notes(delivery, connection):
        rows = [(done, _completed(row, owner_id) if row.type == "note" else row) for done, row in rows]
    rows += field_notes(delivery, connection, record)
    return [
        (done, replace(row, subject=" ".join(row.subject.split()), traceparent=delivery.traceparent))
        for done, row in rows
    ]


def _completed(note: NewActivity, owner_id: str | None) -> NewActivity:
    """As a task that was done."""
    return replace(note, type="task", done=True, owner_id=owner_id)


def _rows(
    delivery: Delivery,
    connection: Connection,
    record: Record,
    owner_id: str | None,
    users: Mapping[str, str],
) -> list[Row]:
    zone = ZoneInfo(connection.settings.time_zone)
    tenant = delivery.tenant_id
    rows = [
        (
            Done(tasks={name}),
            _task(
                derived_id(tenant, record.id, name),
                worded(delivery, owed),
                record,
                zone,
                users.get(owed.owner_email or "", owner_id),
            ),
        )
        for name, owed in sorted(delivery.tasks_due.items())
    ]
    if delivery.older is not None:
        rows.append((Done(older=delivery.older), _summary(tenant, delivery.older, record, zone)))
    chosen = _chosen(delivery, connection)
    if connection.settings.notes == "per_event":
        return rows + [(Done(activities={a.event_id}), _note(tenant, a, record, zone)) for a in chosen]
    for note_id, event_ids in sorted(delivery.begun.items(), key=lambda item: item[1]):
        events = [activity for activity in chosen if activity.event_id in event_ids]
        if events:
            rows.append((Done(activities=set(event_ids)), _day_note(note_id, events, record, zone)))
    return rows


def begin_days(
    delivery: Delivery, connection: Connection, record: Record, now: datetime, *, at_once: bool
) -> dict[str, list[str]]:
    """Notes per day that can be begun now, id -> event ids; what is begun already is not among them.

    at_once: the record is new, today's note need not wait.
    """
    if connection.settings.notes == "per_event":
        return {}
    begun = {event_id for ids in delivery.begun.values() for event_id in ids}
    days: dict[date, list[str]] = defaultdict(list)
    today = _day(now, connection)
    for activity in _chosen(delivery, connection):
        day = _day(activity.occurred_at, connection)
        if activity.event_id not in begun and (at_once or day < today):
            days[day].append(activity.event_id)
    return {
        derived_id(delivery.tenant_id, record.id, day.isoformat(), *ids): ids for day, ids in days.items()
    }


def can_wait(delivery: Delivery, connection: Connection, now: datetime) -> bool:
    """Whether no activity is to be written now to a record that is there."""
    if connection.settings.notes == "per_event":
        return not _chosen(delivery, connection)
    days = {_day(activity.occurred_at, connection) for activity in _chosen(delivery, connection)}
    return not delivery.begun and all(day >= _day(now, connection) for day in days)


def waits_until(delivery: Delivery, connection: Connection, now: datetime) -> datetime | None:
    """When today's events become due, if any wait: at midnight, by the connection's time zone."""
    if connection.settings.notes == "per_event" or not _chosen(delivery, connection):
        return None
    tomorrow = _day(now, connection) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), ZoneInfo(connection.settings.time_zone))


def _chosen(delivery: Delivery, connection: Connection) -> list[Activity]:
    chosen = [a for a in delivery.activities.values() if a.type in connection.settings.event_types]
    return sorted(chosen, key=lambda activity: (activity.occurred_at, activity.event_id))


def _day(at: datetime, connection: Connection) -> date:
    return at.astimezone(ZoneInfo(connection.settings.time_zone)).date()


def _note(tenant: str, activity: Activity, record: Record, zone: ZoneInfo) -> NewActivity:
    """An id derived from record and event: written twice, the second one fails.

    Two tenants of one organisation may each have an event of the same name.
    """
    lines = [f"{activity.occurred_at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}", *filter(None, [activity.url])]
    return NewActivity(
        id=derived_id(tenant, record.id, activity.event_id),
        record=record,
        type="note",
        subject=_words(activity),
        text="\n".join(lines),
    )


def _day_note(note_id: str, events: Sequence[Activity], record: Record, zone: ZoneInfo) -> NewActivity:
    day = events[0].occurred_at.astimezone(zone).date()
    count = "1 activity" if len(events) == 1 else f"{len(events)} activities"
    lines = [
        " ".join(filter(None, [f"{e.occurred_at.astimezone(zone):%H:%M:%S %Z}", _words(e), e.url]))
        for e in events
    ]
    subject = f"{count} on {day.isoformat()}"
    return NewActivity(id=note_id, record=record, type="note", subject=subject, text="\n".join(lines))


def _summary(tenant: str, older: Older, record: Record, zone: ZoneInfo) -> NewActivity:
    first, last = older.first.astimezone(zone), older.last.astimezone(zone)
    return NewActivity(
        id=derived_id(tenant, record.id, "older", str(older.count), older.last.isoformat()),
        record=record,
        type="note",
        subject=f"{older.count} earlier activities: from {first:%Y-%m-%d} to {last:%Y-%m-%d}",
    )


def _task(task_id: str, owed: OwedTask, record: Record, zone: ZoneInfo, owner_id: str | None) -> NewActivity:
    day = owed.at.astimezone(zone).date() + timedelta(days=owed.task.due_in_days)
    return NewActivity(
        id=task_id,
        record=record,
        type=_TASK_TYPES[owed.task.kind],
        subject=owed.task.subject,
        text=owed.task.note or "",
        due_at=max(owed.at, datetime.combine(day, time.fromisoformat(owed.task.due_at), zone)),
        owner_id=owner_id,
    )


def _words(activity: Activity) -> str:
    label = TRAITS[activity.type].label
    return f"{label}: {activity.subject}" if activity.subject else label
