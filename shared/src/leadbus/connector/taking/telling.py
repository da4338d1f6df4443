"""Events out of rows: what every one carries, and how values of the CRM are made to fit. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from leadbus.connector.contract import Row
from leadbus.connector.link import Link
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known, Taken
from leadbus.ids import derived_id
from leadbus.messages import CrmMessage, Email, Feedback, Message

AnyFeedback = TypeVar("AnyFeedback", bound=Feedback)
AnyCrmMessage = TypeVar("AnyCrmMessage", bound=CrmMessage)
AnyEvent = TypeVar("AnyEvent", bound=Message)

TOLD_AT = "told_at"
"""Among `details`: as of when a record was told last, if that is later than it changed."""
MOMENT = timedelta(milliseconds=1)
MOST_ROUNDS = 5
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


def valid_email(email: str | None) -> str | None:
    """None for what a salesperson may have typed instead of an address."""
    try:
        return _EMAIL.validate_python(email)
    except ValidationError:
        return None


def about_prospect(
    message: type[AnyFeedback],
    row: Row,
    known: Known,
    prospect_id: str,
    link: Link | None,
    changed: object,
    *,
    at: datetime | None = None,
    **members: Any,
) -> AnyFeedback:
    """An event about one prospect. changed: what is new in it, as JSON may hold it. at: when, if not when
    the record itself changed; later in any case than what was told of it before, since CRMs stamp their rows
    by the second, and not at all when a right or a rule lets a record be seen again.

    Its id holds what changed and when, so that a repeat after a crash is no second event.
    """
    at = at or row.changed_at or known.at
    before = _told_at(row, known.before(row))
    after = before if before is not None and at <= before else None
    return _fitting(
        message,
        {
            "event_id": _event_id(message, row, known, prospect_id, changed, after),
            "tenant_id": known.connection.settings.tenant_id,
            "occurred_at": after + MOMENT if after else at,
            "prospect_id": prospect_id,
            "connection_id": known.connection.id,
            "record": row.record,
            "origins": known.connection.origins_of(link.origins) if link else [],
            "lead_trace_id": link.lead_trace_id if link else None,
            **members,
        },
    )


def about_record(
    message: type[AnyCrmMessage], row: Row, known: Known, changed: object, **members: Any
) -> AnyCrmMessage:
    """An event about something that is no person. See `about_prospect`."""
    return _fitting(
        message,
        {
            "event_id": _event_id(message, row, known, "", changed),
            "tenant_id": known.connection.settings.tenant_id,
            "occurred_at": row.changed_at or known.at,
            "connection_id": known.connection.id,
            "record": row.record,
            "deleted": row.deleted,
            **members,
        },
    )


def noted(taken: Taken, before: MirrorRow | None) -> Taken:
    """With the time as of which the record was told, where its own does not say it."""
    after = taken.row
    if after is None:
        return taken
    times = [event.occurred_at for _, event in taken.events if isinstance(event, Feedback)]
    known = before.details.get(TOLD_AT) if before else None
    times += [datetime.fromisoformat(known)] if known else []
    details = {name: text for name, text in after.details.items() if name != TOLD_AT}
    if times and after.changed_at is not None and max(times) > after.changed_at:
        details[TOLD_AT] = max(times).isoformat()
    after.details = details
    return taken


def _told_at(row: Row, before: MirrorRow | None) -> datetime | None:
    """As of when it was told last, or may have been; None for a row that was on its way since before that."""
    if before is None or before.kind is None or before.changed_at is None:
        return None
    if row.changed_at is not None and row.changed_at < before.changed_at and not before.deleted:
        return None
    told = before.details.get(TOLD_AT)
    return datetime.fromisoformat(told) if told else before.changed_at


def _event_id(
    message: type[Feedback | CrmMessage],
    row: Row,
    known: Known,
    who: str,
    changed: object,
    after: datetime | None = None,
) -> str:
    before = known.before(row)
    at: datetime | None = row.changed_at or (before.changed_at if before else None)
    return derived_id(
        known.connection.id,
        message.CLOUD_EVENT_TYPE,
        who,
        row.record.module,
        row.record.id,
        at.isoformat() if at else "",
        json.dumps(changed, sort_keys=True),
        *([after.isoformat()] if after else []),
    )


def _fitting(message: type[AnyEvent], values: dict[str, Any]) -> AnyEvent:
    """What a message cannot hold is cut to length or left out: one odd value stops no pull."""
    for _ in range(MOST_ROUNDS):
        try:
            return message.model_validate(values)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                values = _without(values, fault["loc"], fault.get("ctx", {}).get("max_length"))
    return message.model_validate(values)


def _without(values: Mapping[Any, Any], path: tuple[Any, ...], most: int | None) -> dict[Any, Any]:
    name, rest = path[0], path[1:]
    kept = dict(values)
    value = kept.get(name)
    if rest and isinstance(value, Mapping):
        kept[name] = _without(value, rest, most)
    elif isinstance(value, str) and most is not None and len(value) > most:
        kept[name] = value[:most]
    else:
        kept.pop(name, None)
    return kept
