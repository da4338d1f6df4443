"""The error report: what the CRM refused and what could not be taken in, as rows grouped under their roots.

Pure. A pulled row's id is its record; a parked delivery's is its prospect; a campaign's is its own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from leadbus.connector.campaigning.campaign import CampaignLink
from leadbus.connector.capabilities import Kind
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.messages import Record

Direction = Literal["to_crm", "from_crm"]
Object = Kind | Literal["campaign"]
_OBJECTS: TypeAdapter[Object] = TypeAdapter(Object)
IF_DELETED = "If that was meant, end its sync here; else restore it in the CRM, then send it again."
SEND_AGAIN = "Correct it in the CRM or in the settings, then send it again."


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One row of the report. url: where a person sees the record in the CRM.

    blocking: nothing of the record is told, or written; False = the rest is. root: the record whose
    correction makes this row right. dependents: rows that have this one as their root.
    """

    id: str
    direction: Direction
    object: Object
    reason: str
    since: datetime
    advice: str = ""
    record: Record | None = None
    url: str | None = None
    prospect_id: str | None = None
    blocking: bool = True
    root: Record | None = None
    dependents: tuple["ErrorRow", ...] = ()
    field: str | None = None


def pulled(row: MirrorRow, url_of: Callable[[Record], str | None]) -> ErrorRow | None:
    """A row that could not be taken in; None if nothing is wrong with it."""
    problem = row.problem
    if problem is None:
        return None
    return ErrorRow(
        id=pulled_id(row.record),
        direction="from_crm",
        object=problem.object,
        reason=problem.reason,
        since=problem.since,
        advice=problem.advice,
        record=row.record,
        url=url_of(row.record),
        prospect_id=row.prospect_id,
        field=problem.field,
        blocking=problem.blocking,
        root=problem.root,
    )


def parked(
    delivery: Delivery, record: Record | None, root: Record | None, url_of: Callable[[Record], str | None]
) -> ErrorRow | None:
    """A delivery that the CRM refuses, or its state alone; None if neither. record: the linked one."""
    refused = delivery.parked or (delivery.state.refused if delivery.state else None)
    if refused is None:
        return None
    return ErrorRow(
        id=parked_id(delivery.prospect_id),
        direction="to_crm",
        object=_OBJECTS.validate_python(refused.object),
        reason=refused.reason,
        since=refused.since,
        advice=SEND_AGAIN,
        record=record,
        url=url_of(record) if record else None,
        prospect_id=delivery.prospect_id,
        blocking=delivery.parked is not None,
        field=refused.field,
        root=root,
    )


def not_taken(delivery: Delivery, record: Record | None, url: str | None) -> list[ErrorRow]:
    """Campaigns and lists that do not take the prospect: everything else of it is written all the same."""
    return [
        ErrorRow(
            id=parked_id(delivery.prospect_id, name),
            direction="to_crm",
            object=_OBJECTS.validate_python(membership.refused.object),
            reason=membership.refused.reason,
            since=membership.refused.since,
            advice=SEND_AGAIN,
            record=record,
            url=url,
            prospect_id=delivery.prospect_id,
            blocking=False,
            field=membership.refused.field,
        )
        for name, membership in sorted(delivery.memberships.items())
        if membership.refused is not None
    ]


def refused_campaign(link: CampaignLink, name: str, url: str | None) -> ErrorRow | None:
    """A campaign that the CRM does not take, or that somebody has deleted there; None if neither."""
    if link.refused is None:
        return None
    return ErrorRow(
        id=campaign_row_id(link.campaign_id),
        direction="to_crm",
        object="campaign",
        reason=f"Campaign {name}: {link.refused.reason}",
        since=link.refused.since,
        advice=IF_DELETED if link.gone else SEND_AGAIN,
        record=link.there.record if link.there else None,
        url=url,
        blocking=not link.gone,
        field=link.refused.field,
    )


def refused_list(link: CampaignLink) -> ErrorRow | None:
    """A list to which one here is pushed, and that is not there or takes nobody; None if it does."""
    if link.refused is None:
        return None
    return ErrorRow(
        id=campaign_row_id(link.campaign_id),
        direction="to_crm",
        object="list",
        reason=link.refused.reason,
        since=link.refused.since,
        advice=SEND_AGAIN,
        blocking=False,
        field=link.refused.field,
    )


def parked_id(prospect_id: str, campaign_id: str = "") -> str:
    """The id of a parked delivery in the report, or of its place in a campaign."""
    return ":".join(filter(None, ["delivery", prospect_id, campaign_id]))


def campaign_row_id(campaign_id: str) -> str:
    """The id of a refused campaign in the report."""
    return f"campaign:{campaign_id}"


def pulled_id(record: Record) -> str:
    """The id of a pulled row in the report."""
    return f"record:{record.module}/{record.id}"


def grouped(rows: Iterable[ErrorRow], wanted: Object | None = None) -> list[ErrorRow]:
    """Roots, oldest first, each with its dependents; a row whose root is no row of the report stands alone.

    wanted: only groups in which such an object occurs.
    """
    ordered = sorted(rows, key=lambda row: (row.since, row.id))
    by_record = {row.record: row for row in ordered if row.record is not None and row.direction == "from_crm"}
    dependents: dict[str, list[ErrorRow]] = defaultdict(list)
    for row in ordered:
        top = _top(row, by_record)
        if top is not row:
            dependents[top.id].append(row)
    groups = [
        replace(row, dependents=tuple(dependents[row.id])) for row in ordered if _top(row, by_record) is row
    ]
    return [group for group in groups if wanted is None or wanted in _objects(group)]


def _top(row: ErrorRow, by_record: Mapping[Record, ErrorRow]) -> ErrorRow:
    """The row at the end of the chain of roots; itself, if it stands alone or the chain is a ring."""
    passed = [row]
    while (named := passed[-1].root) is not None and named in by_record:
        root = by_record[named]
        if root in passed:
            return min(passed[passed.index(root) :], key=lambda one: one.id)
        passed.append(root)
    return passed[-1]


def _objects(group: ErrorRow) -> Sequence[Object]:
    return [group.object, *(row.object for row in group.dependents)]
