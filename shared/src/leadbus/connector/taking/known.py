"""What takers are given beside the rows, and what they answer. Pure."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from leadbus.connector.capabilities import Capabilities, Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Person, Row
from leadbus.connector.link import Link
from leadbus.connector.mapping import FieldMap
from leadbus.connector.stores.mirror import CONVERTED, MirrorRow, RowProblem
from leadbus.messages import CrmMessage, Feedback, LeadAnswered, Record
from leadbus.topics import Topic

Event = Feedback | CrmMessage | LeadAnswered
Told = tuple[Topic, Event]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a page of rows before they are taken.

    at: the CRM's clock when the page was read. run: the full run it belongs to, if any. mirrored: the rows
    as they were. users, accounts, people: by the record's id. twins: live people by email, those of the page
    as they are now. links: ours, by the record's id. linked: ours, by prospect. made: records that a create
    or conversion of ours has made whose answer has not come yet. elsewhere: records that another connection
    of the tenant has made, and we do not link to. ours: ids of activities that we added, and of lists that
    hold the members of our campaigns.
    """

    connection: Connection
    capabilities: Capabilities
    fields: FieldMap
    at: datetime
    run: str | None = None
    mirrored: Mapping[Record, MirrorRow] = field(default_factory=dict)
    users: Mapping[str, MirrorRow] = field(default_factory=dict)
    accounts: Mapping[str, MirrorRow] = field(default_factory=dict)
    people: Mapping[str, MirrorRow] = field(default_factory=dict)
    twins: Mapping[str, Sequence[Person]] = field(default_factory=dict)
    links: Mapping[str, Sequence[Link]] = field(default_factory=dict)
    linked: Mapping[str, Link] = field(default_factory=dict)
    made: Set[Record] = frozenset()
    elsewhere: Set[Record] = frozenset()
    ours: Set[str] = frozenset()

    def before(self, row: Row) -> MirrorRow | None:
        """The record as it was; None = never seen and never written."""
        return self.mirrored.get(row.record)

    def owner_email(self, owner_id: str | None) -> str | None:
        """Of an active user; None if there is no such one."""
        user = self.users.get(owner_id or "")
        return user.email if user is not None and user.active and not user.deleted else None


@dataclass(slots=True)
class Taken:
    """One row, taken. events: to be published. row: to be remembered; None = nothing of it.

    again: records to be read once more because of it. frees: what depends on this record may be right now.
    """

    events: list[Told] = field(default_factory=list)
    row: MirrorRow | None = None
    again: set[Record] = field(default_factory=set)
    frees: bool = False


def is_first(before: MirrorRow | None) -> bool:
    """Whether a record is to be told as it stands: never read, deleted or held back until now."""
    return (
        before is None
        or before.kind is None
        or before.deleted
        or (before.problem is not None and before.problem.blocking)
    )


def is_outdated(row: Row, known: Known) -> bool:
    """Whether newer things were learnt of a record since a full run began: CRMs may make files of everything,
    and those are older than what changes and pushes tell meanwhile."""
    before = known.before(row)
    if known.run is None or before is None or before.changed_at is None or row.changed_at is None:
        return False
    return row.changed_at < before.changed_at and known.at <= before.changed_at


def remembered(
    row: Row,
    kind: Kind,
    known: Known,
    values: Mapping[str, str],
    problem: RowProblem | None,
) -> MirrorRow:
    """The mirror's new row, as far as it is alike for all kinds; members of one kind are set after it.

    A value changed when the record did, unless it is the one that we wrote.
    """
    before = known.before(row)
    at = row.changed_at or known.at
    new = {
        name: at
        for name, value in values.items()
        if before is None or before.kind is None or value != before.values.get(name, "")
        if before is None or value != before.ours.get(name)
    }
    return MirrorRow(
        connection_id=known.connection.id,
        record=row.record,
        kind=kind,
        values=dict(values),
        ours=before.ours if before else {},
        meant_at=before.meant_at if before else {},
        changed=(before.changed if before else {}) | new,
        owner_id=row.owner_id,
        changed_at=row.changed_at,
        problem=_since_first_sight(problem, before),
        run=known.run or (before.run if before else None),
    )


def gone(row: Row, known: Known) -> MirrorRow | None:
    """The mirror's row of a deleted record: what was known of it stays; None if that is nothing."""
    before = known.before(row)
    if before is None or before.kind is None:
        return None
    at = row.changed_at or (before.changed_at if before.deleted else known.at)
    run = known.run or before.run
    return replace(before, deleted=True, problem=None, changed_at=at, run=run)


def problem_changed(before: MirrorRow, after: MirrorRow) -> bool:
    """Whether something else is wrong with a record than before, or nothing any more."""
    was, now = before.problem, after.problem
    return (was and (was.code, was.root)) != (now and (now.code, now.root))


def frees(before: MirrorRow | None, after: MirrorRow) -> bool:
    """Whether records that were held back because of this one may be right now."""
    if before is None or before.kind is None:
        return False
    return (
        (before.problem is not None and problem_changed(before, after))
        or before.email != after.email
        or before.deleted != after.deleted
        or before.active != after.active
        or before.values.get(CONVERTED, "") != after.values.get(CONVERTED, "")
    )


def _since_first_sight(problem: RowProblem | None, before: MirrorRow | None) -> RowProblem | None:
    known = before.problem if before else None
    if problem is None or known is None or (known.code, known.root) != (problem.code, problem.root):
        return problem
    return replace(problem, since=known.since)
