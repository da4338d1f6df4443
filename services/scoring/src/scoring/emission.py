"""What scoring tells the others: built from a prospect's turn, the same for the same records."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from leadbus.consuming.records import Received
from leadbus.event_types import EventType
from leadbus.ids import derived_id, prospect_id_of
from leadbus.messages import (
    Activity,
    ConnectionChanged,
    Fields,
    LeadActivities,
    LeadListed,
    LeadQualified,
    LeadScored,
    ProspectLinked,
)
from leadbus.publishing import Outgoing
from leadbus.topics import (
    LEADS_ACTIVITIES,
    LEADS_LISTS,
    LEADS_QUALIFIED,
    LEADS_SCORED,
    PROSPECTS_JOINED,
    PROSPECTS_LINKED,
)
from scoring.passing import Passing
from scoring.prospect import Prospect, Recent
from scoring.qualification import cooled_for, handed_to, synced
from scoring.score import rounded
from scoring.segments import automatic_lists
from scoring.turn import Turn

Continue = Callable[[Received, Prospect], bytes | None]
"""The traceparent for what a record has caused."""


def emissions(turn: Turn, continued: Continue) -> list[Outgoing]:
    """Everything that follows from one prospect's turn."""
    return [
        *_scored(turn, continued),
        *_qualified(turn, continued),
        *_activities(turn, continued),
        *_listed(turn, continued),
        *(_linked(turn.prospect, *said, continued) for said in turn.aliases),
    ]


def handed_on(passing: Passing, continued: Continue) -> list[Outgoing]:
    """What an alias hands to its person."""
    return [
        Outgoing.of(PROSPECTS_JOINED, joined, continued(cause, passing.prospect))
        for cause, joined in passing.handed_on
    ]


def qualified(
    prospect: Prospect,
    connection: ConnectionChanged,
    number: int,
    millipoints: int,
    version: int,
    at: int,
    traceparent: bytes | None,
) -> Outgoing:
    """The prospect exceeded the connection's threshold at `at`, with `millipoints` of the score it reads.

    number: of the crossing. version: of the prospect, by then.
    """
    again = [str(number)] if number > 1 else []
    message = LeadQualified.model_construct(
        # Once per crossing, so that a replay says it under the same id.
        event_id=_id(prospect, connection.connection_id, "qualified", *again),
        connection_id=connection.connection_id,
        threshold=connection.threshold,
        fields=_fields(prospect, prospect.fields),
        said_at=_said_at(prospect, prospect.fields),
        activities=_as_activities(prospect.recent),
        **_common(prospect, at, millipoints) | {"version": version},
    )
    return Outgoing.of(LEADS_QUALIFIED, message, traceparent)


def _scored(turn: Turn, continued: Continue) -> Iterable[Outgoing]:
    prospect = turn.prospect
    moved = rounded(prospect.score) != rounded(turn.score_before) or any(
        rounded(crossing.millipoints) != rounded(prospect.score_of(crossing.connection.score))
        for crossing in turn.crossings
    )
    moved = moved or turn.has_faded
    if prospect.named:
        moved = moved or _others_moved(turn)
    cause = turn.scored_by if moved else turn.linked_by
    if turn.cooled_before is not None and cooled_for(prospect) != turn.cooled_before:
        cause = cause or turn.scored_by or turn.cooled_by
    if cause is not None:
        by_then = prospect.score if cause.at <= prospect.at else prospect.score_at(cause.at, turn.rules)
        yield scored(prospect, by_then, cause.at, continued(cause, prospect))


def scored(prospect: Prospect, millipoints: int, at: int, traceparent: bytes | None) -> Outgoing:
    """How the prospect's score stands at `at`, and for whom it has cooled."""
    value = LeadScored.bytes_of(
        event_id=_versioned_id(prospect, "scored"),
        connections=sorted(prospect.linked),
        cooled=cooled_for(prospect),
        scores=_scores(prospect),
        **_common(prospect, at, millipoints),
    )
    return Outgoing.made(LEADS_SCORED, prospect.key.prospect_id, value, traceparent)


def _others_moved(turn: Turn) -> bool:
    before = turn.scores_before or {}
    return any(
        rounded(named.score) != rounded(before.get(name, 0)) for name, named in turn.prospect.named.items()
    )


def _qualified(turn: Turn, continued: Continue) -> Iterable[Outgoing]:
    for crossing in turn.crossings:
        connection, cause = crossing.connection, crossing.cause
        score = crossing.millipoints, crossing.version
        traceparent = continued(cause, turn.prospect)
        yield qualified(turn.prospect, connection, crossing.number, *score, cause.at, traceparent)


def _activities(turn: Turn, continued: Continue) -> Iterable[Outgoing]:
    prospect = turn.prospect
    if prospect.email is None:
        return
    told = synced(prospect, turn.connections)
    # Whom this batch's LeadQualified tells all there is need not hear it twice.
    if turn.crossings and set(turn.activities) <= set(prospect.recent):
        told -= {crossing.connection.connection_id for crossing in turn.crossings}
    handed = handed_to(turn.suppliers, turn.connections) & told
    if handed and turn.handed_by and (everything := sorted({*prospect.recent, *turn.activities})):
        yield _activities_of(turn, continued, "handed", handed, everything, turn.handed_by)
    others = told - handed
    if others and turn.active_by:
        yield _activities_of(turn, continued, "activities", others, turn.activities, turn.active_by)


def _listed(turn: Turn, continued: Continue) -> Iterable[Outgoing]:
    if turn.told_by is None:
        return
    prospect, before = turn.prospect, turn.lists_before
    now = automatic_lists(prospect)
    if now.keys() == before.keys():
        return
    message = LeadListed.model_construct(
        event_id=_versioned_id(prospect, "listed"),
        added=[now[key] for key in now if key not in before],
        removed=[before[key] for key in before if key not in now],
        lists=list(now.values()),
        **_common(prospect, turn.told_by.at, prospect.score),
    )
    yield Outgoing.of(LEADS_LISTS, message, continued(turn.told_by, prospect))


def _linked(prospect: Prospect, name: str, email: str, cause: Received, continued: Continue) -> Outgoing:
    tenant_id, person = prospect.key
    alias = prospect_id_of(tenant_id, name)
    message = ProspectLinked(
        event_id=derived_id(alias, person, str(cause.at), "linked"),
        tenant_id=tenant_id,
        prospect_id=alias,
        occurred_at=_time(cause.at),
        alias=name,
        person=person,
        email=email,
        at=cause.at,
    )
    return Outgoing.of(PROSPECTS_LINKED, message, continued(cause, prospect))


def _activities_of(
    turn: Turn, continued: Continue, kind: str, to: set[str], activities: list[Recent], cause: Received
) -> Outgoing:
    prospect = turn.prospect
    said = turn.said & prospect.fields.keys()
    message = LeadActivities.model_construct(
        event_id=_versioned_id(prospect, kind),
        connections=sorted(to),
        scores=_scores(prospect),
        fields=_fields(prospect, said),
        said_at=_said_at(prospect, said),
        activities=_as_activities(activities),
        **_common(prospect, cause.at, prospect.score),
    )
    return Outgoing.of(LEADS_ACTIVITIES, message, continued(cause, prospect))


def _common(prospect: Prospect, at: int, millipoints: int) -> dict[str, Any]:
    return {
        "tenant_id": prospect.key.tenant_id,
        "prospect_id": prospect.key.prospect_id,
        "occurred_at": _time(at),
        "version": prospect.version,
        "email": prospect.email,
        "score": rounded(millipoints),
        "millipoints": millipoints,
    }


def _scores(prospect: Prospect) -> dict[str, int]:
    return {name: rounded(named.score) for name, named in prospect.named.items()}


def _versioned_id(prospect: Prospect, kind: str) -> str:
    return _id(prospect, str(prospect.version), kind)


def _id(prospect: Prospect, *what: str) -> str:
    """After an erasure versions and crossings begin anew: none is to be taken for one from before."""
    since = [str(prospect.erased_at)] if prospect.erased_at else []
    return derived_id(prospect.key.prospect_id, *what, *since)


def _fields(prospect: Prospect, names: Iterable[str]) -> Fields:
    return Fields.from_flat({name: prospect.fields[name].value for name in sorted(names)})


def _said_at(prospect: Prospect, names: Iterable[str]) -> dict[str, datetime]:
    return {name: _time(prospect.fields[name].occurred_at) for name in sorted(names)}


def _as_activities(activities: Iterable[Recent]) -> list[Activity]:
    return [
        Activity.model_construct(
            event_id=a.event_id,
            type=EventType(a.type),
            occurred_at=_time(a.occurred_at),
            subject=a.subject,
            url=a.url,
        )
        for a in activities
    ]


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
