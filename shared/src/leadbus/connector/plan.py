"""What a delivery asks of the CRM, as rows for the adapter. Pure: settings and facts in, rows out."""

from leadbus.connector.connection import Connection
from leadbus.connector.contract import NewActivity, NewPerson, PersonChange
from leadbus.connector.delivery import Delivery, Done, Older
from leadbus.connector.link import Link
from leadbus.event_types import TRAITS
from leadbus.ids import derived_id
from leadbus.messages import Activity


def new_person(delivery: Delivery, connection: Connection, record_id: str) -> NewPerson:
    """A record with all that is known; every CRM asks for a last name and a company."""
    settings = connection.settings
    values = {name: fact.value for name, fact in sorted(delivery.fields.items())}
    values.setdefault("last_name", settings.default_last_name)
    values.setdefault("company", settings.default_company)
    return NewPerson(
        id=record_id,
        kind=settings.record_as,
        email=delivery.email or "",
        values=values,
        lead_source=settings.lead_source,
        score=delivery.score.value if settings.score_field and delivery.score else None,
        traceparent=delivery.traceparent,
    )


def person_change(delivery: Delivery, connection: Connection, link: Link) -> PersonChange | None:
    """What an existing record is to be told: fields only where a profile allows it, the score always."""
    settings = connection.settings
    allowed = {
        "marketing": settings.marketing_automation.field_updates,
        "distribution": settings.lead_distribution.field_updates,
    }
    values = {
        name: fact.value for name, fact in delivery.fields.items() if fact.pending and allowed[fact.profile]
    }
    pending_score = delivery.score.value if delivery.score and delivery.score.pending else None
    score = pending_score if settings.score_field else None
    if not values and score is None:
        return None
    return PersonChange(link.record, values, score, delivery.traceparent)


def unwanted(delivery: Delivery, connection: Connection) -> set[str]:
    """Event ids of activities whose type is not among the chosen ones."""
    chosen = connection.settings.event_types
    return {name for name, activity in delivery.activities.items() if activity.type not in chosen}


def new_activities(delivery: Delivery, connection: Connection, link: Link) -> list[tuple[Done, NewActivity]]:
    """One note for what is summed up, then the chosen activities, oldest first; with what each deals with."""
    chosen = [a for a in delivery.activities.values() if a.type in connection.settings.event_types]
    chosen.sort(key=lambda activity: (activity.occurred_at, activity.event_id))
    rows = [(Done(activities={a.event_id}), _row(a, link, delivery)) for a in chosen]
    if delivery.older is not None:
        rows.insert(0, (Done(older=delivery.older), _summary(delivery.older, link, delivery)))
    return rows


def everything(delivery: Delivery) -> Done:
    """All that a delivery holds now, as dealt with."""
    return Done(
        fields={name: fact.event_id for name, fact in delivery.fields.items() if fact.pending},
        activities=set(delivery.activities),
        older=delivery.older,
        score_version=delivery.score.version if delivery.score else None,
        reported={name for name, creator in delivery.creators.items() if not creator.reported},
    )


def _row(activity: Activity, link: Link, delivery: Delivery) -> NewActivity:
    """An id derived from record and event: written twice, the second one fails."""
    return NewActivity(
        id=derived_id(link.record.id, activity.event_id),
        record=link.record,
        label=TRAITS[activity.type].label,
        occurred_at=activity.occurred_at,
        subject=activity.subject,
        url=activity.url,
        traceparent=delivery.traceparent,
    )


def _summary(older: Older, link: Link, delivery: Delivery) -> NewActivity:
    return NewActivity(
        id=derived_id(link.record.id, "older", str(older.count), older.last.isoformat()),
        record=link.record,
        label=f"{older.count} earlier activities",
        occurred_at=older.last,
        subject=f"from {older.first:%Y-%m-%d} to {older.last:%Y-%m-%d}",
        traceparent=delivery.traceparent,
    )
