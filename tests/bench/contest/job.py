"""Scoring by hand, for what Leadbus is compared with: the same documents and messages, by none of its code
but the messages' own types.

Only what the benchmark's events ask for: default rules, one connection per tenant, no forms' fields, nothing
that falls off a history, and nobody who cools but by points.
"""

import struct
from bisect import insort
from collections.abc import Sequence
from math import exp2, log2
from typing import Any

from bench.contest.lead import Lead, Recent, Taken
from bench.contest.marketing import THRESHOLD, connection_of
from bench.contest.telling import Crossing, Told, active, crossed, points_of, scored
from leadbus.event_types import CRM_EVENT_TYPES, TRAITS
from leadbus.messages import MarketingEvent

COOL = (THRESHOLD - THRESHOLD // 10) * 1000
"""Millipoints at which somebody qualified has cooled; exceeding the threshold then is a new crossing."""
RECENT = 25
_ROW = struct.Struct(">Q16sBiH")
_ID_AT = 8
_HALF_LIFE = 30 * 86_400_000
_TRAITS = {type_: (trait.number, trait.millipoints) for type_, trait in TRAITS.items()}


def take(lead: Lead, records: Sequence[Taken]) -> tuple[bool, list[Told]]:
    """Counts a batch's records of one lead; whether anything changed, and what follows from it."""
    before, was_cooled = lead.score, lead.is_cooled
    cause, active_by = None, None
    crossings: list[Crossing] = []
    activities: list[Recent] = []
    ceiling = _ceiling(lead)
    for record in records:
        event = record.event
        points = _count(lead, event, record.at)
        if points is None:
            continue
        cause = record
        if event.type in CRM_EVENT_TYPES:
            at = int(event.occurred_at.timestamp() * 1000)
            activity = Recent(at, event.event_id, event.type.value, event.subject, event.url)
            insort(lead.recent, activity)
            del lead.recent[:-RECENT]
            activities.append(activity)
            active_by = record
        ceiling += max(0, points)
        if points < 0 if lead.is_hot else ceiling > THRESHOLD * 1000:
            crossings += _rescore(lead, record)
            ceiling = _ceiling(lead)
    if cause is None:
        return False, []
    crossings += _rescore(lead, cause)
    told: list[Told] = []
    seen = {points_of(before), *(points_of(crossing.score) for crossing in crossings)}
    if seen != {points_of(lead.score)} or lead.is_cooled != was_cooled:
        told.append(scored(lead, cause))
    told += [crossed(lead, crossing) for crossing in crossings]
    missed = not crossings or not set(activities) <= set(lead.recent)
    if lead.qualified and active_by is not None and missed:
        told.append(active(lead, activities, active_by))
    return True, told


def _rescore(lead: Lead, cause: Taken) -> list[Crossing]:
    """The exact score, and what it makes of the lead: the crossing, if this is one."""
    at = lead.at
    rows = _ROW.iter_unpack(lead.rows)
    lead.score = sum(round(r[3] * exp2((r[0] - at) / _HALF_LIFE)) for r in rows if r[3])
    crossings = []
    if lead.is_hot and lead.score <= COOL:
        lead.qualified = {**(lead.qualified or {}), "cooled": at}
    elif not lead.is_hot and lead.score > THRESHOLD * 1000:
        number = (lead.qualified.get("number", 1) if lead.qualified else 0) + 1
        lead.qualified = _qualified(lead, cause, number)
        crossings.append(Crossing(cause, number, lead.score, lead.version))
    _watch(lead)
    return crossings


def _ceiling(lead: Lead) -> int:
    """No score exceeds it before more points come: time raises none, and each part is rounded up by less than
    one."""
    return max(0, lead.score) + len(lead.rows) // _ROW.size


def _watch(lead: Lead) -> None:
    """Notes a time before which the lead does not cool; an earlier one that was noted does as well."""
    if not lead.is_hot:
        lead.cools_at = None
        return
    slack = len(lead.rows) // _ROW.size + 1
    found = lead.at
    if lead.score - slack > COOL + slack:
        found += int(_HALF_LIFE * log2((lead.score - slack) / (COOL + slack)))
    if lead.cools_at is None or not lead.at < lead.cools_at <= found:
        lead.cools_at = found


def _count(lead: Lead, event: MarketingEvent, at: int) -> int | None:
    """Its millipoints; None if it was counted before."""
    id = bytes.fromhex(event.event_id.replace("-", ""))
    found = lead.rows.find(id)
    while found >= 0 and found % _ROW.size != _ID_AT:
        found = lead.rows.find(id, found + 1)
    if found >= 0:
        return None
    number, points = _TRAITS[event.type]
    row = _ROW.pack(at, id, number, points, number)
    if row > lead.rows[-_ROW.size :]:
        lead.rows += row
    else:
        rows = [bytes(lead.rows[n : n + _ROW.size]) for n in range(0, len(lead.rows), _ROW.size)]
        lead.rows = bytearray(b"".join(sorted([*rows, row])))
    lead.at = max(lead.at, at)
    lead.email = event.email or lead.email
    lead.version += 1
    return points


def _qualified(lead: Lead, cause: Taken, number: int) -> dict[str, Any]:
    trace = cause.traceparent
    known = {
        "connection_id": connection_of(lead.tenant),
        "threshold": THRESHOLD,
        "at": cause.at,
        "trace_id": trace[3:35].decode() if trace else None,
    }
    return known if number == 1 else known | {"number": number}
