"""Walks over the members of a CRM's lists and tells who was put on or taken off, page by page.

Lists have any number of members: the place in a walk is kept after each page, so that other kinds of records
are read between, and a crash costs one page.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Page, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.intake import Intake
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.settings import ListRule
from leadbus.connector.settings.lists import schedule_name
from leadbus.connector.stores.mirror import MirrorRow, RowProblem
from leadbus.connector.stores.pulls import FullRun, Pull, Walk
from leadbus.connector.taking.known import Known
from leadbus.connector.taking.lists import IMPORTED, WALKED, changes, compare, how_pulled, is_over
from leadbus.errors import AddressRefused, Gone, LeadbusError, RateLimited, Rejected, Transient, Unsupported
from leadbus.messages import Record

OF_ONE_LIST = (Unsupported, Rejected, Gone)
"""Errors that say nothing about the other lists."""
MOST_FAILURES = 5
"""Of one page in a row: a query that the CRM never gets done with keeps no other list from being read."""


class Listing:
    """For one connection."""

    def __init__(self, connection: Connection, adapter: Adapter, shop: PullShop, intake: Intake) -> None:
        self._connection = connection
        self._adapter = adapter
        self._shop = shop
        self._intake = intake
        self._fields = FieldMap.of(connection.settings, adapter.capabilities)

    async def walk(self, pull: Pull, full: FullRun, page: Page[Row], until: float) -> bool:
        """Over all members of a page's lists, which the mirror knows already; by id, from where it was.

        False = it stopped at the first page after `until`, by the monotonic clock; the place is kept.
        A list whose members the CRM cannot name, or not after several tries, keeps those it has, and is
        reported.

        Raises:
            LeadbusError: Kafka or the CRM failed; who was told before is remembered.
        """
        live = {row.record.id: row.record for row in page.rows if not row.deleted}
        mirrored = await self._shop.mirror.of_records(self._connection.id, live.values())
        # A list that people made may have become that of a campaign of ours since: it has its name.
        named = {record: row.name or "" for record, row in mirrored.items()}
        ours = await self._shop.campaigns.lists_among(self._connection.organisation_id, named)
        for list_id, record in sorted(live.items()):
            of, begun = mirrored.get(record), full.walk
            if begun is not None and (list_id, True) <= (begun.list_id, begun.over):
                continue
            rule = self._rule_of(of, full.schedules) if of is not None and list_id not in ours else None
            if of is None or rule is None:
                continue
            is_begun = begun is not None and begun.list_id == list_id
            walk = begun if begun is not None and is_begun else Walk(list_id, uuid4().hex)
            if not await self._go_on(pull, of, rule, page.server_time, walk, until):
                return False
        return True

    def _rule_of(self, of: MirrorRow, schedules: Collection[str] | None) -> ListRule | None:
        """None = it is not to be walked over now. schedules: that are due; None = every list is wanted."""
        settings = self._connection.settings
        rule = how_pulled(settings, of.record.id, of.name or "", of.details)
        if rule is None or is_over(rule, of):
            return None
        due_by = schedule_name(rule.schedule or settings.schedules.list)
        return rule if schedules is None or due_by in schedules else None

    async def _go_on(
        self, pull: Pull, of: MirrorRow, rule: ListRule, at: datetime, walk: Walk, until: float
    ) -> bool:
        """Until all members of a list are read, or time is up."""
        if walk.page is None:
            await self._shop.members.begin_walk(self._connection.id, walk.list_id)
        while not walk.over:
            try:
                page = await self._adapter.members(walk.list_id, walk.page)
            except (RateLimited, AddressRefused):
                raise
            except (*OF_ONE_LIST, Transient) as error:
                if isinstance(error, Transient) and walk.failures + 1 < MOST_FAILURES:
                    await self._keep(pull, replace(walk, failures=walk.failures + 1))
                    raise
                problem = _problem(error, of.problem.since if of.problem else at)
                await self._shop.mirror.put(self._connection.id, [replace(of, problem=problem)])
                await self._keep(pull, replace(walk, over=True))
                return True
            await self._tell(of, rule, at, walk.run, page.rows)
            if page.next is None:
                await self._end(of, rule, at, walk.run)
            walk = replace(walk, page=page.next, over=page.next is None, failures=0)
            await self._keep(pull, walk)
            if time.monotonic() >= until:
                return False
        return True

    async def _tell(
        self, of: MirrorRow, rule: ListRule, at: datetime, run: str, members: Sequence[Record]
    ) -> None:
        """One page."""
        name, list_id = self._connection.id, of.record.id
        people = await self._shop.mirror.of_records(name, members)
        unread = [record for record in members if (p := people.get(record)) is None or p.kind is None]
        if rule.keep == "once" and unread:  # there is no second time
            await self._intake.read(unread, at)
            people = await self._shop.mirror.of_records(name, members)
        on_list = await self._shop.members.on_list(name, list_id, members)
        found = compare(name, list_id, run, members, on_list, people, rule, self._fields)
        told = changes(of, self._known(of, at), added=found.added, updated=found.updated, fields=found.fields)
        await self._shop.publish(told)
        await self._shop.members.put(found.members)

    async def _end(self, of: MirrorRow, rule: ListRule, at: datetime, run: str) -> None:
        """Who was not seen has left, unless another record of the same person was."""
        name, members = self._connection.id, self._shop.members
        if rule.pull.remove:
            async for left in members.left(name, of.record.id, run):
                prospects = [member.prospect_id for member in left if member.prospect_id]
                stay = await members.prospects_on(name, of.record.id, run, prospects)
                removed = [member for member in left if member.prospect_id not in stay]
                await self._shop.publish(changes(of, self._known(of, at), removed=removed))
                await members.forget(left)
        marks = {WALKED: run} | ({IMPORTED: run} if rule.keep == "once" else {})
        await self._shop.mirror.put(name, [replace(of, problem=None, details={**of.details, **marks})])

    def _known(self, of: MirrorRow, at: datetime) -> Known:
        capabilities = self._adapter.capabilities
        return Known(self._connection, capabilities, self._fields, at, mirrored={of.record: of})

    async def _keep(self, pull: Pull, walk: Walk) -> None:
        if pull.full is not None:
            pull.full = replace(pull.full, walk=walk)
            await self._shop.pulls.save(pull)


def _problem(error: LeadbusError, since: datetime) -> RowProblem:
    return RowProblem(
        code="members_unread",
        object="list",
        reason=f"Its members cannot be read, and are left as they were: {error}",
        advice="Correct the list in the CRM; its members are then read by themselves.",
        since=since,
        blocking=False,
    )
