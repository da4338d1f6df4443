"""One kind of record read to its end: changes since the cursor, or everything, page by page.

The cursor is the CRM's own time; each run begins a little before it, because a row may become visible after
a later one. While a page is being stored the next one is asked for. The place in a full run is kept after
each page, so that a crash costs one page.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Page, Row
from leadbus.connector.pulling import lately
from leadbus.connector.pulling.intake import Intake
from leadbus.connector.pulling.listing import Listing
from leadbus.connector.pulling.shop import PullShop
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
        self._listing = Listing(connection, adapter, shop)
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
        async with aclosing(self._pages(pull, since, None)) as pages:
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

    async def begin_full(self, pull: Pull) -> None:
        """Notes that everything is to be read; one that is under way goes on."""
        if pull.full is None:
            pull.full = FullRun(uuid4().hex, datetime.now(UTC))
            await self._shop.pulls.save(pull)

    async def full(self, pull: Pull, seconds: float) -> None:
        """Reads everything, from where it was left, or anew if the CRM knows that place no more.

        Stops at the first page after these seconds.
        """
        until = time.monotonic() + seconds
        while pull.full is not None:
            try:
                async with aclosing(self._pages(pull, None, pull.full.page, until)) as pages:
                    async for page in pages:
                        await self._store(pull, pull.full, page)
            except Gone as lost:
                if pull.full.page is None:
                    raise
                # Another run: what was deleted since this one has seen it would never be missed.
                log.warning("Connection %s begins %s anew: %s", pull.connection_id, pull.kind, lost)
                pull.full = None
                await self.begin_full(pull)
            if time.monotonic() >= until:
                return

    async def failed(self, pull: Pull, error: LeadbusError, *, over: bool) -> None:
        """Keeps why; the next run begins where this one was. over: not before the kind is due again."""
        pull.error = str(error)
        pull.last_run_at = datetime.now(UTC) if over else pull.last_run_at
        await self._shop.pulls.save(pull)

    async def _pages(
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

    async def _store(self, pull: Pull, full: FullRun, page: Page[Row]) -> None:
        server_time = full.server_time or page.server_time
        await self._take(pull, page, full.run)
        full = replace(
            full,
            page=page.next or full.page,
            read=full.read + len(page.rows),
            total=page.total if page.total is not None else full.total,
            server_time=server_time,
        )
        if page.next is not None:
            pull.full = full
            await self._shop.pulls.save(pull)
            return
        await self._look_for_gone(pull, full.run, server_time)
        pull.since = max(pull.since or server_time, server_time)
        pull.full, pull.last_full_at = None, datetime.now(UTC)
        pull.mark, pull.notice = page.mark or pull.mark, ""
        await self._ended(pull, Counter(read=full.read))

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
        if pull.kind == "list":
            await self._listing.walk(page.rows, page.server_time)
        return counts + Counter(read=len(page.rows))

    async def _ended(self, pull: Pull, counts: Counter[str]) -> None:
        pull.error, pull.last_run_at, pull.counts = "", datetime.now(UTC), dict(counts)
        await self._shop.pulls.save(pull)
