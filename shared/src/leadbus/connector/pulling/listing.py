"""Walks over the members of a CRM's lists and tells who was put on or taken off, page by page."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.mirror import MirrorRow, RowProblem
from leadbus.connector.taking.known import Known
from leadbus.connector.taking.lists import WALKED, changes, compare
from leadbus.errors import Gone, LeadbusError, Rejected, Unsupported

OF_ONE_LIST = (Unsupported, Rejected, Gone)
"""Errors that say nothing about the other lists."""


class Listing:
    """For one connection."""

    def __init__(self, connection: Connection, adapter: Adapter, shop: PullShop) -> None:
        self._connection = connection
        self._adapter = adapter
        self._shop = shop
        self._fields = FieldMap.of(connection.settings, adapter.capabilities)

    async def walk(self, rows: Sequence[Row], at: datetime) -> None:
        """Over all members of these lists, which the mirror knows already; deleted lists have none.

        A list whose members the CRM cannot name keeps those it has, and is reported.

        Raises:
            LeadbusError: Kafka or the CRM failed; who was told before is remembered.
        """
        mirrored = await self._shop.mirror.of_records(self._connection.id, [row.record for row in rows])
        # A list that people made may have become that of a campaign of ours since: it has its name.
        named = {record: row.name or "" for record, row in mirrored.items()}
        ours = await self._shop.campaigns.lists_among(self._connection.organisation_id, named)
        for row in rows:
            if row.record in mirrored and row.record.id not in ours:
                try:
                    await self._walk(mirrored[row.record], at, deleted=row.deleted)
                except OF_ONE_LIST as error:
                    reported = replace(mirrored[row.record], problem=_problem(error, at))
                    await self._shop.mirror.put(self._connection.id, [reported])

    async def _walk(self, of: MirrorRow, at: datetime, *, deleted: bool) -> None:
        known = Known(
            self._connection, self._adapter.capabilities, self._fields, at, mirrored={of.record: of}
        )
        run, members = uuid4().hex, self._shop.members
        name, list_id = self._connection.id, of.record.id
        is_news = False
        token: str | None = None
        while not deleted:
            page = await self._adapter.members(list_id, token)
            on_list = await members.on_list(name, list_id, page.rows)
            people = await self._shop.mirror.of_records(name, page.rows)
            found = compare(name, list_id, run, page.rows, on_list, people)
            await self._shop.publish(changes(of, known, added=found.added))
            await members.put(found.members)
            is_news |= bool(found.added)
            token = page.next
            if token is None:
                break
        async for left in members.left(name, list_id, run):
            if not deleted:  # that the list is gone was told
                await self._shop.publish(changes(of, known, removed=left))
            await members.forget(left)
            is_news = True
        if is_news:
            await self._shop.mirror.put(name, [replace(of, details={**of.details, WALKED: run})])


def _problem(error: LeadbusError, at: datetime) -> RowProblem:
    return RowProblem(
        code="members_unread",
        object="list",
        reason=f"Its members cannot be read, and are left as they were: {error}",
        advice="Correct the list in the CRM; its members are then read by themselves.",
        since=at,
        blocking=False,
    )
