"""What scoring by hand tells the others, once it has counted a batch's events of one lead."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bench.contest.lead import Lead, Recent, Taken
from bench.contest.marketing import THRESHOLD, connection_of
from leadbus.event_types import EventType
from leadbus.ids import derived_id
from leadbus.messages import Activity, LeadActivities, LeadQualified, LeadScored
from leadbus.messages.scored import Scored


class Told(NamedTuple):
    """A message to publish, and the record that caused it."""

    topic: str
    message: Scored
    cause: Taken


class Crossing(NamedTuple):
    """The threshold was exceeded for the `number`th time; score, version: of the lead, as of then."""

    cause: Taken
    number: int
    score: int
    version: int


def points_of(score: int) -> int:
    """Points for people, half up."""
    return (score + 500) // 1000


def _common(lead: Lead, cause: Taken, id: str) -> dict[str, Any]:
    return {
        "event_id": id,
        "tenant_id": lead.tenant,
        "prospect_id": lead.prospect,
        "occurred_at": datetime.fromtimestamp(cause.at / 1000, UTC),
        "version": lead.version,
        "email": lead.email,
        "score": points_of(lead.score),
        "millipoints": lead.score,
    }


def scored(lead: Lead, cause: Taken) -> Told:
    """That the score moved, or that the lead has cooled."""
    id = derived_id(lead.prospect, str(lead.version), "scored")
    message = LeadScored.model_construct(
        **_common(lead, cause, id),
        connections=[],
        cooled=[connection_of(lead.tenant)] if lead.is_cooled else [],
    )
    return Told("leads.scored", message, cause)


def crossed(lead: Lead, crossing: Crossing) -> Told:
    """That the threshold was exceeded."""
    cause, number, score, version = crossing
    connection = connection_of(lead.tenant)
    again = [str(number)] if number > 1 else []
    common = _common(lead, cause, derived_id(lead.prospect, connection, "qualified", *again))
    message = LeadQualified.model_construct(
        **common | {"score": points_of(score), "millipoints": score, "version": version},
        connection_id=connection,
        threshold=THRESHOLD,
        activities=list(map(_activity, lead.recent)),
    )
    return Told("leads.qualified", message, cause)


def active(lead: Lead, new: Iterable[Recent], cause: Taken) -> Told:
    """What a lead did that a CRM was told of."""
    id = derived_id(lead.prospect, str(lead.version), "activities")
    message = LeadActivities.model_construct(
        **_common(lead, cause, id),
        connections=[connection_of(lead.tenant)],
        activities=list(map(_activity, new)),
    )
    return Told("leads.activities", message, cause)


def _activity(recent: Recent) -> Activity:
    return Activity.model_construct(
        event_id=recent.event_id,
        type=EventType(recent.type),
        occurred_at=datetime.fromtimestamp(recent.at / 1000, UTC),
        subject=recent.subject,
        url=recent.url,
    )
