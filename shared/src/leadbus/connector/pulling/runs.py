"""One kind of record read to its end: changes since the cursor, or everything, page by page.

The cursor is the CRM's own time; each run begins a little before it, because a row may become visible after
a later one. While a page is being stored the next one is asked for. The place in a full run is kept after
each page, so that a crash costs one page.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Page, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling import lately
from leadbus.connector.pulling.intake import Intake
from leadbus.connector.pulling.listing import Listing
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.settings.lists import schedules_of
from leadbus.connector.stores.pulls import FullRun, Pull
from leadbus.errors import Gone, LeadbusError

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)
GONE_BATCH = 200


class Runs:
    """For one connection."""

    def __init__(self, connection: Connection, adapter: Adapter, shop: PullShop) -> None:
        self._connection = connection
        self._adapter = adapter
        self._shop = shop
        self._intake = Intake(connection, adapter, shop)
        self.fields = FieldMap.of(connection.settings, adapter.capabilities)
        self._listing = Listing(connection, adapter, shop, self._intake)
        self._lately: dict[Kind, lately.Fingerprints] = {}

    @property
    def intake(self) -> Intake:
        """For single records."""
        return self._intake

    async def changes(self, pull: Pull) -> None:
        """What has changed since the cursor, which moves at the end; everything, if the mark is too old."""
        if pull.since is None:
            raise ValueError("changes are read after everything was read once")
        try:
            await self._changes(pull, pull.since - OVERLAP)
        except Gone as stale:
            if pull.mark is None:
                raise
            log.warning("Connection %s reads every %s again: %s", pull.connection_id, pull.kind, stale)
            pull.mark, pull.notice = None, f"Everything is read again: {stale}"
            await self.begin_full(pull)

    async def _changes(self, pull: Pull, since: datetime) -> None:
        counts: Counter[str] = Counter()
        server_time: datetime | None = None
        known, again = self._lately.pop(pull.kind, {}), dict[str, int]()
        mark = pull.mark
        async with aclosing(self.pages(pull, since, None)) as pages:
            async for page in pages:
                server_time, mark = server_time or page.server_time, page.mark or mark
                unsettled = set[str]()
                fresh = replace(page, rows=lately.news(page.rows, known))
                counts += await self._take(pull, fresh, None, unsettled)
                if len(again) < lately.MOST_ROWS:
                    settled = [row for row in page.rows if row.record.id not in unsettled]
                    again |= lately.to_come_again(settled, server_time, OVERLAP)
        self._lately[pull.kind] = again
        pull.since, pull.mark = server_time or pull.since, mark
        await self._ended(pull, counts)

    async def begin_full(self, pull: Pull, schedules: Collection[str] | None = None) -> None:
        """Notes that everything is to be read; one that is under way goes on.

        schedules: names of those by which it is due, where a kind has several; None = as a whole.
        """
        if pull.full is None:
            due = None if schedules is None else tuple(sorted(schedules))
            pairs = tuple(sorted(self.fields.read_pairs(pull.kind)))
            pull.full = FullRun(uuid4().hex, datetime.now(UTC), schedules=due, pairs=pairs)
            await self._shop.pulls.save(pull)
        elif schedules is None and pull.full.schedules is not None:
            pull.full = replace(pull.full, page=None, schedules=None, walk=None)
            await self._shop.pulls.save(pull)

    async def full(self, pull: Pull, seconds: float) -> None:
        """Reads everything, from where it was left, or anew if the CRM knows that place no more.

        Stops at the first page, of records or of members of a list, after these seconds.
        """
        until = time.monotonic() + seconds
        while pull.full is not None:
            try:
                async with aclosing(self.pages(pull, None, pull.full.page, until)) as pages:
                    async for page in pages:
                        if not await self._store(pull, pull.full, page, until):
                            break
            except Gone as lost:
                if pull.full.page is None:
                    raise
                # Another run: what was deleted since this one has seen it would never be missed.
                log.warning("Connection %s begins %s anew: %s", pull.connection_id, pull.kind, lost)
                schedules, pull.full = pull.full.schedules, None
                await self.begin_full(pull, schedules)
            if time.monotonic() >= until:
                return

    async def failed(self, pull: Pull, error: LeadbusError, *, over: bool) -> None:
        """Keeps why; the next run begins where this one was. over: not before the kind is due again."""
        pull.error = str(error)
        pull.last_run_at = datetime.now(UTC) if over else pull.last_run_at
        await self._shop.pulls.save(pull)

    async def pages(
        self, pull: Pull, since: datetime | None, token: str | None, until: float | None = None
    ) -> AsyncGenerator[Page[Row], None]:
        """One page ahead; no further one is asked for after `until`, by the monotonic clock."""
        mark = pull.mark if since is not None else None
        ahead = asyncio.ensure_future(self._adapter.changed(pull.kind, since, token, mark))
        try:
            while True:
                page = await ahead
                is_last = page.next is None or (until is not None and time.monotonic() >= until)
                if not is_last:
                    ahead = asyncio.ensure_future(self._adapter.changed(pull.kind, since, page.next, mark))
                yield page
                if is_last:
                    return
        finally:
            ahead.cancel()
            await asyncio.wait([ahead])
            ahead.cancelled() or ahead.exception()  # seen, so that asyncio does not tell of it

    async def _store(self, pull: Pull, full: FullRun, page: Page[Row], until: float) -> bool:
        """False = the members of its lists are not all read, and the page is to be read once more."""
        server_time = full.server_time or page.server_time
        await self._take(pull, page, full.run)
        if pull.kind == "list" and not await self._listing.walk(pull, full, page, until):
            return False
        full = replace(
            full,
            page=page.next or full.page,
            read=full.read + len(page.rows),
            total=page.total if page.total is not None else full.total,
            server_time=server_time,
            walk=None,
        )
        if page.next is not None:
            pull.full = full
            await self._shop.pulls.save(pull)
            return True
        await self._look_for_gone(pull, full.run, server_time)
        pull.since = max(pull.since or server_time, server_time)
        self._read_by(pull, full)
        pull.pairs = full.pairs
        pull.full, pull.last_full_at = None, datetime.now(UTC)
        pull.mark, pull.notice = page.mark or pull.mark, ""
        await self._ended(pull, Counter(read=full.read))
        return True

    async def _look_for_gone(self, pull: Pull, run: str, at: datetime) -> None:
        """What a full run has not come across is read by id: it was deleted, or appeared meanwhile."""
        while rows := await self._shop.mirror.unseen(self._connection.id, pull.kind, run, GONE_BATCH):
            records = [row.record for row in rows]
            await self._intake.read(records, at, run)
            await self._shop.mirror.touch(self._connection.id, records, run)

    async def _take(
        self, pull: Pull, page: Page[Row], run: str | None, unsettled: set[str] | None = None
    ) -> Counter[str]:
        counts = await self._intake.take(page.rows, page.server_time, run, unsettled)
        return counts + Counter(read=len(page.rows))

    def _read_by(self, pull: Pull, full: FullRun) -> None:
        """Notes which schedules of lists were kept; of others than there are now, nothing."""
        settings = self._connection.settings
        if pull.kind == "list":
            there = schedules_of(settings.lists, settings.schedules.list).keys()
            kept = there if full.schedules is None else there & set(full.schedules)
            known = {name: at for name, at in pull.by_schedule.items() if name in there}
            pull.by_schedule = known | dict.fromkeys(kept, datetime.now(UTC))

    async def _ended(self, pull: Pull, counts: Counter[str]) -> None:
        pull.error, pull.last_run_at, pull.counts = "", datetime.now(UTC), dict(counts)
        await self._shop.pulls.save(pull)
