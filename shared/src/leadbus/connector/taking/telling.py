"""Events out of rows: what every one carries, and how values of the CRM are made to fit. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from leadbus.connector.contract import Row
from leadbus.connector.link import Link
from leadbus.connector.taking.known import Known
from leadbus.ids import derived_id
from leadbus.messages import CrmMessage, Email, Feedback, Message

AnyFeedback = TypeVar("AnyFeedback", bound=Feedback)
AnyCrmMessage = TypeVar("AnyCrmMessage", bound=CrmMessage)
AnyEvent = TypeVar("AnyEvent", bound=Message)

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
    **members: Any,
) -> AnyFeedback:
    """An event about one prospect. changed: what is new in it, as JSON may hold it.

    Its id holds what changed and when, so that a repeat after a crash is no second event.
    """
    at = row.changed_at or known.at
    return _fitting(
        message,
        {
            "event_id": _event_id(message, row, known, prospect_id, changed),
            "tenant_id": known.connection.settings.tenant_id,
            "occurred_at": at,
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


def _event_id(message: type[Feedback | CrmMessage], row: Row, known: Known, who: str, changed: object) -> str:
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
