"""Takes rows of a CRM in: publish, then remember; then what was held back because of them.

In that order a crash repeats an event, under the same id, and never loses one.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Row
from leadbus.connector.link import account_id
from leadbus.connector.pulling.problems import SKIPPED
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.mirror import LONGEST_WRITE, MirrorRow, is_met
from leadbus.connector.taking.again import knowing_only
from leadbus.connector.taking.gathering import Gathering
from leadbus.connector.taking.known import Taken, Told, is_outdated
from leadbus.connector.taking.table import TAKERS, take
from leadbus.erasing.holdings import Person
from leadbus.messages import Feedback, ProspectMessage, Record

DEEPEST = 6
"""A user, its account, that one's contact, the contact's opportunity: no longer chain makes sense."""


class Intake:
    """For one connection, for as long as its settings stay what they are."""

    def __init__(self, connection: Connection, adapter: Adapter, shop: PullShop) -> None:
        self._connection = connection
        self._adapter = adapter
        self._shop = shop
        self._gathering = Gathering(
            connection, adapter.capabilities, mirror=shop.mirror, links=shop.links, campaigns=shop.campaigns
        )

    async def take(
        self,
        rows: Sequence[Row],
        at: datetime,
        run: str | None = None,
        unsettled: set[str] | None = None,
        only: frozenset[str] = frozenset(),
    ) -> Counter[str]:
        """Rows of any kinds. at: the CRM's clock. run: the full run they belong to. Answers outcomes.

        unsettled: is given the ids of those that are to be read again although they may not change: what
        became of a write of ours is not known yet. only: fields that are new; of rows `as_they_were` else.

        Raises:
            LeadbusError: Kafka or the CRM failed; what was taken before is remembered.
        """
        return await self._take(rows, at, run, 0, unsettled, only)

    async def read(self, records: Iterable[Record], at: datetime, run: str | None = None) -> Counter[str]:
        """Reads these by id and takes them in; what is not found there was deleted."""
        return await self._read(_each(records), at, run, 0)

    async def _take(
        self,
        rows: Sequence[Row],
        at: datetime,
        run: str | None,
        depth: int,
        unsettled: set[str] | None = None,
        only: frozenset[str] = frozenset(),
    ) -> Counter[str]:
        """depth: how many roots were corrected on the way here."""
        kinds = self._adapter.capabilities
        outcomes: Counter[str] = Counter()
        again: set[Record] = set()
        freed: set[str] = set()
        unsettled = set() if unsettled is None else unsettled
        for kind in TAKERS:
            of_kind = [row for row in rows if kinds.kind_of(row.record.module) == kind]
            if of_kind:
                counts = await self._take_kind(kind, of_kind, at, run, again, freed, unsettled, only)
                outcomes += counts
        again -= {row.record for row in rows}
        if (again or freed) and depth < DEEPEST:
            await self._read(self._waiting_for(freed, again), at, None, depth + 1)
        return outcomes

    async def _take_kind(
        self,
        kind: Kind,
        rows: Sequence[Row],
        at: datetime,
        run: str | None,
        again: set[Record],
        freed: set[str],
        unsettled: set[str],
        only: frozenset[str],
    ) -> Counter[str]:
        known = await self._gathering.about(rows, at, run)
        known = knowing_only(known, only) if only else known
        events: list[Told] = []
        changed: list[MirrorRow] = []
        unchanged: list[Record] = []
        outcomes: Counter[str] = Counter()
        for row in rows:
            if is_outdated(row, known):
                unchanged.append(row.record)
                outcomes["unchanged"] += 1
                continue
            before, taken = known.before(row), take(kind, row, known)
            events += taken.events
            again |= taken.again
            freed |= {row.record.id} if taken.frees else set()
            unsettled |= {row.record.id} if _is_unsettled(taken.row) else set()
            outcomes[_outcome(before, taken)] += 1
            if taken.row is not None and _differs(before, taken.row):
                changed.append(taken.row)
            else:
                unchanged.append(row.record)
        if erased := await self._just_erased(events, changed):
            held = {row.record for row in changed if row.prospect_id in erased}
            held |= {e.record for _, e in events if isinstance(e, Feedback) and e.prospect_id in erased}
            events = [told for told in events if _who(told) not in erased]
            changed = [row for row in changed if row.record not in held]
            unsettled |= {record.id for record in held}  # whoever is known anew by then is told of
        await self._shop.publish(events)
        if kind == "list":  # who restores one is told who is on it, as everybody was told that it is gone
            gone = [row.record.id for row in changed if row.deleted]
            await self._shop.members.forget_lists(self._connection.id, gone)
        await self._shop.mirror.put(self._connection.id, changed)
        corrected = [row.record.id for row in changed if known.mirrored.get(row.record) is not None]
        if kind == "account":  # one that was refused to us may have been made by hand
            place = self._connection.organisation_id, self._connection.settings.team_scope
            corrected += [account_id(*place, row.name) for row in changed]
        if corrected:  # what the CRM refused because of them is tried again
            await self._shop.deliveries.resume_root(self._connection.id, *corrected)
        if run is not None:
            await self._shop.mirror.touch(self._connection.id, unchanged, run)
        self._shop.count(self._adapter.capabilities.crm, self._connection.id, kind, outcomes)
        return outcomes

    async def _just_erased(self, events: Sequence[Told], rows: Sequence[MirrorRow]) -> set[str]:
        """Prospects who were erased while rows of theirs were in hand."""
        tenant = self._connection.settings.tenant_id
        about = {*(row.prospect_id for row in rows), *map(_who, events)}
        erased = await self._shop.tombstones.just_now({Person(tenant, who) for who in about if who})
        return {person.prospect_id for person in erased}

    async def _read(
        self, records: AsyncIterator[Record], at: datetime, run: str | None, depth: int
    ) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        batch: list[Record] = []
        async for record in records:
            batch.append(record)
            if len(batch) >= self._adapter.capabilities.rows_per_read:
                outcomes += await self._read_batch(batch, at, run, depth)
                batch = []
        if batch:
            outcomes += await self._read_batch(batch, at, run, depth)
        return outcomes

    async def _read_batch(
        self, records: Sequence[Record], at: datetime, run: str | None, depth: int
    ) -> Counter[str]:
        found = await self._adapter.read(records)
        rows = [found.get(record.id) or Row(record, deleted=True) for record in records]
        return await self._take(rows, at, run, depth)

    async def _waiting_for(self, freed: set[str], again: set[Record]) -> AsyncIterator[Record]:
        for record in sorted(again, key=lambda record: (record.module, record.id)):
            yield record
        if freed:
            async for record in self._shop.mirror.dependents_of(self._connection.id, freed):
                yield record


def _who(told: Told) -> str | None:
    return told[1].prospect_id if isinstance(told[1], ProspectMessage) else None


async def _each(records: Iterable[Record]) -> AsyncIterator[Record]:
    for record in records:
        yield record


def _differs(before: MirrorRow | None, after: MirrorRow) -> bool:
    """Whether anything but the run is new, or an intention is to be forgotten."""
    over = datetime.now(UTC) - LONGEST_WRITE
    if before is None or any(is_met(after, name, value, over) for name, value in before.ours.items()):
        return True
    return replace(after, run=before.run) != before


def _is_unsettled(after: MirrorRow | None) -> bool:
    """Whether something else stands where we meant to write, and the write may not be over."""
    over = datetime.now(UTC) - LONGEST_WRITE
    return after is not None and any(
        name in after.values and not is_met(after, name, value, over) for name, value in after.ours.items()
    )


def _outcome(before: MirrorRow | None, taken: Taken) -> str:
    """published, skipped (no prospect), refused (something is wrong with it), echo (our own), unchanged."""
    if taken.events:
        return "published"
    row = taken.row
    if row is not None and row.problem is not None and row.problem.blocking:
        return "skipped" if row.problem.code in SKIPPED else "refused"
    is_own = row is None or (
        before is not None and any(row.values.get(n) == v for n, v in before.ours.items())
    )
    return "echo" if is_own and before is not None else "unchanged"
