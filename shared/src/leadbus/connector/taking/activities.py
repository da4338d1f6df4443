"""What salespeople did with prospects, or plan to; what we added ourselves is skipped. Pure."""

from leadbus.connector.contract import CrmActivity, Row
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known, Taken, Told, gone, is_first, remembered
from leadbus.connector.taking.telling import about_prospect, valid_email
from leadbus.messages import CrmActivityChanged
from leadbus.topics import CRM_ACTIVITIES

PEOPLE = "people"
"""Among `details`: prospects that it was told to."""


def take(row: Row, known: Known) -> Taken:
    """Published, once for each prospect it is about, if something of it is news."""
    before = known.before(row)
    if row.record.id in known.ours:
        return Taken()
    if row.deleted or not isinstance(row, CrmActivity):
        return _deleted(row, known, before)
    values = {
        **row.values,
        "type": row.type,
        "subject": row.subject,
        "status": row.status or "",
        "priority": row.priority or "",
        "due_at": row.due_at.isoformat() if row.due_at else "",
    }
    after = remembered(row, "activity", known, values, None)
    after.name, after.refs = row.subject, sorted(set(row.about))
    emails = {who: email for key in row.about for who, email in _prospects(key, known)}
    told_to = set() if before is None or is_first(before) else _told_to(before)
    after.details = {PEOPLE: " ".join(sorted(emails))}
    is_news = before is None or is_first(before) or before.values != values
    events: list[Told] = [
        (CRM_ACTIVITIES, _event(row, known, who, emails[who], values))
        for who in sorted(emails)
        if is_news or who not in told_to
    ]
    return Taken(events, after)


def _prospects(record_id: str, known: Known) -> list[tuple[str, str | None]]:
    """Whom one of the records it hangs on stands for, with their email."""
    person = known.people.get(record_id)
    email = valid_email(person.email) if person else None
    links = known.links.get(record_id, ())
    if links:
        return [(link.prospect_id, email) for link in links]
    is_wanted = known.connection.settings.pull_people
    return [(person.prospect_id, email)] if is_wanted and person is not None and person.prospect_id else []


def _told_to(before: MirrorRow) -> set[str]:
    return set(before.details.get(PEOPLE, "").split())


def _event(
    row: CrmActivity, known: Known, who: str, email: str | None, values: dict[str, str]
) -> CrmActivityChanged:
    return about_prospect(
        CrmActivityChanged,
        row,
        known,
        who,
        known.linked.get(who),
        values,
        email=email,
        type=row.type,
        subject=row.subject,
        status=row.status,
        priority=row.priority,
        due_at=row.due_at,
    )


def _deleted(row: Row, known: Known, before: MirrorRow | None) -> Taken:
    after = gone(row, known)
    if after is None or before is None:
        return Taken()
    told_to = set() if is_first(before) else _told_to(before)
    events: list[Told] = [
        (
            CRM_ACTIVITIES,
            about_prospect(
                CrmActivityChanged,
                row,
                known,
                who,
                known.linked.get(who),
                "deleted",
                type=before.values.get("type", ""),
                subject=before.name,
                deleted=True,
            ),
        )
        for who in sorted(told_to)
    ]
    return Taken(events, after)
