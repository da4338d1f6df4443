"""Fields that were mapped since a kind was last read as a whole, read of every record, a slice at a time.

Records that are read because they changed have the new fields by themselves. Those that do not change would
have to wait for the next comparison: here they are read at once, and nothing but these fields is compared.
"""

import time
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Adapter, Page, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.runs import Runs
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.asked import Wish
from leadbus.connector.stores.pulls import Pull, Reread
from leadbus.connector.taking.again import as_they_were
from leadbus.errors import Gone


def new_pairs(pull: Pull | None, fields: FieldMap) -> set[str]:
    """Pairs that were not read of every record; none of a kind that is still to be wholly read."""
    if pull is None or pull.since is None or pull.pairs is None:
        return set()
    return fields.read_pairs(pull.kind) - set(pull.pairs)


def names_of(pairs: Collection[str], *, ours: bool = False) -> set[str]:
    """Of fields: the CRM's names, or ours."""
    return {pair.partition("=")[0 if ours else 2] for pair in pairs}


class Rereading:
    """For one connection, for as long as its settings stay what they are."""

    def __init__(self, connection_id: str, adapter: Adapter, shop: PullShop, runs: Runs) -> None:
        self._name = connection_id
        self._capabilities = adapter.capabilities
        self._shop = shop
        self._runs = runs

    async def begin(self, pulls: Mapping[Kind, Pull], wishes: Collection[Wish]) -> None:
        """What is wanted and can begin; a kind that is being read as a whole is asked afterwards."""
        for pull in pulls.values():
            await self._forget_what_is_not_mapped(pull)
        for wish in wishes:
            wanted = pulls.get(wish.kind) if wish.kind else None
            if wanted is not None and (wanted.full is not None or wanted.reread is not None):
                continue
            if wanted is not None and (new := new_pairs(wanted, self._runs.fields)):
                wanted.reread, wanted.error = Reread(tuple(sorted(new)), datetime.now(UTC)), ""
                await self._shop.pulls.save(wanted)
            await self._shop.asked.done([wish])

    async def go_on(self, pull: Pull, seconds: float) -> None:
        """From where it was left. Stops at the first page after these seconds."""
        if pull.reread is None:
            return
        until = time.monotonic() + seconds
        names = names_of(pull.reread.pairs)
        try:
            async with aclosing(self._runs.pages(pull, None, pull.reread.page, until)) as pages:
                async for page in pages:
                    await self._take(pull, pull.reread, page, names)
        except Gone:  # the CRM knows that place no more
            if pull.reread.page is None:
                raise
            pull.reread = replace(pull.reread, page=None, read=0)
            await self._shop.pulls.save(pull)

    async def _take(self, pull: Pull, reread: Reread, page: Page[Row], names: set[str]) -> None:
        mirrored = await self._shop.mirror.of_records(self._name, [row.record for row in page.rows])
        rows = as_they_were(page.rows, mirrored, names, self._capabilities)
        await self._runs.intake.take(rows, page.server_time, only=frozenset(names))
        pull.reread = replace(
            reread,
            page=page.next,
            read=reread.read + len(page.rows),
            total=page.total if page.total is not None else reread.total,
        )
        pull.error = ""
        if page.next is None:
            pull.reread = None
            pull.pairs = tuple(sorted({*(pull.pairs or ()), *reread.pairs}))
        await self._shop.pulls.save(pull)

    async def _forget_what_is_not_mapped(self, pull: Pull) -> None:
        """Mapped again later, it has to be read again, also of what is half read by then.

        What was read by earlier versions had all fields. New fields that a full run has read meanwhile are
        not new any more.
        """
        mapped = self._runs.fields.read_pairs(pull.kind)
        before = pull.pairs, pull.full, pull.reread
        if pull.since is not None:
            pull.pairs = tuple(sorted(mapped if pull.pairs is None else mapped & set(pull.pairs)))
        if pull.full is not None and pull.full.pairs is not None:
            pull.full = replace(pull.full, pairs=tuple(sorted(mapped & set(pull.full.pairs))))
        if pull.reread is not None:
            left = mapped & set(pull.reread.pairs) - set(pull.pairs or ())
            pull.reread = replace(pull.reread, pairs=tuple(sorted(left))) if left else None
        if before != (pull.pairs, pull.full, pull.reread):
            await self._shop.pulls.save(pull)
