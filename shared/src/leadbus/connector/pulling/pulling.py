"""Pulls from a CRM on schedule and on request, for one connection.

Each turn: single records somebody asks for, then changes of every kind that is due, then a slice of a full
run. So what salespeople change comes back in time even while a million records are being read. Before all
that, a CRM that pushes where it is asked to is asked, when it is time to.
"""

import logging
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime

from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.pulling.rereading import Rereading
from leadbus.connector.pulling.runs import Runs
from leadbus.connector.pulling.schedules import next_time
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.pulling.watching import Watching
from leadbus.connector.settings.lists import schedules_of
from leadbus.connector.stores.asked import Wish
from leadbus.connector.stores.pulls import Pull
from leadbus.connector.taking.table import TAKERS
from leadbus.errors import (
    AddressRefused,
    Conflict,
    Fenced,
    Gone,
    LeadbusError,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)

log = logging.getLogger(__name__)

SLICE_SECONDS = 5.0
LONGEST_REST = 300.0
OF_ONE_KIND = (Rejected, Unsupported, Gone, Conflict)
"""Errors that say nothing about the other kinds of records."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)


class Pulling:
    """For as long as the connection's settings stay what they are."""

    def __init__(self, connection: Connection, adapter: Adapter, shop: PullShop) -> None:
        self._connection = connection
        self._shop = shop
        self._runs = Runs(connection, adapter, shop)
        self._rereading = Rereading(connection.id, adapter, shop, self._runs)
        self._watching = Watching(connection, adapter, shop)
        self._there: tuple[Kind, ...] = tuple(k for k in TAKERS if k in adapter.capabilities.modules)

    async def turn(self) -> float:
        """One turn; seconds until the next one has something to do, unless somebody asks before.

        Raises:
            LeadbusError: the CRM or Kafka failed; the next turn begins where this one was.
        """
        await self._watching.turn()
        name = self._connection.id
        wishes = await self._shop.asked.of_connection(name)
        records = [wish for wish in wishes if wish.record is not None]
        trouble = await _trouble_of(self._read_records(records))
        asked = {wish.kind: wish for wish in wishes if wish.kind is not None and not wish.new_fields}
        await self._shop.asked.done([wish for kind, wish in asked.items() if kind not in self._there])
        pulls = await self._shop.pulls.of_connection(name)
        each = [pulls.get(kind) or Pull(name, kind) for kind in self._there]
        # What failed comes last, so that a kind which always fails keeps no other from being read.
        mine = {pull.kind: pull for pull in sorted(each, key=lambda pull: bool(pull.error))}
        await self._begin_comparison(mine)
        await self._rereading.begin(mine, [wish for wish in wishes if wish.new_fields])
        trouble = await _trouble_of(self._run_what_is_due(mine, asked)) or trouble
        more = await self._go_on_with_slices(mine, asked)
        if trouble is not None:
            raise trouble
        if more:
            return 0.0
        soonest = min(map(self._next, mine.values()), default=_NEVER)
        return max(0.05, min(LONGEST_REST, (soonest - datetime.now(UTC)).total_seconds()))

    async def rest(self, seconds: float) -> None:
        """Until the next turn, or until somebody asks for something."""
        await self._shop.bell.rest(self._connection.id, seconds)

    async def _read_records(self, wishes: Sequence[Wish]) -> None:
        """What a push names, or somebody who has corrected it."""
        try:
            records = [wish.record for wish in wishes if wish.record is not None]
            await self._runs.intake.read(records, datetime.now(UTC))
        except OF_ONE_KIND as error:
            log.warning("What was asked for of connection %s cannot be read: %s", self._connection.id, error)
        await self._shop.asked.done(wishes)

    async def _begin_comparison(self, pulls: dict[Kind, Pull]) -> None:
        """A connection begins with reading everything: the first comparison is the next one named."""
        schedules, now = self._connection.settings.schedules, datetime.now(UTC)
        if schedules.comparison is None:
            return
        last = await self._shop.pulls.compared_at(self._connection.id)
        zone = self._connection.settings.time_zone
        if last is not None and next_time(schedules.comparison, last, now, zone) > now:
            return
        for kind, pull in pulls.items():
            if last is not None and schedules.of(kind) is not None:
                await self._runs.begin_full(pull)
        await self._shop.pulls.compare(self._connection.id, now)

    async def _run_what_is_due(self, pulls: dict[Kind, Pull], asked: dict[Kind, Wish]) -> None:
        """Changes, wherever everything was read once; else a full run begins, which is wanted to its end."""
        now = datetime.now(UTC)
        for kind, pull in pulls.items():
            wish = asked.get(kind)
            if wish is None and self._next(pull) > now:
                continue
            if kind == "list" or pull.since is None or (wish is not None and wish.full):
                pull.error = ""
                by_schedule = kind == "list" and pull.since is not None and wish is None
                await self._runs.begin_full(pull, self._due_lists(pull, now) if by_schedule else None)
                continue
            await self._guarded(pull, full=False)
            if wish is not None:
                await self._shop.asked.done([wish])

    async def _go_on_with_slices(self, pulls: dict[Kind, Pull], asked: dict[Kind, Wish]) -> bool:
        """A slice of the first full run, or reading of new fields, under way; False if there is none, or the
        CRM lets none be read now."""
        for kind, pull in pulls.items():
            if not _goes_on(pull):
                continue
            await self._guarded(pull, full=True)
            is_over = pull.full is None or bool(pull.error)
            if is_over and kind in asked:
                await self._shop.asked.done([asked[kind]])
            return True
        return False

    async def _guarded(self, pull: Pull, *, full: bool) -> None:
        """A kind that the CRM does not let us read, say, keeps no other from being read."""
        try:
            await (self._slice(pull) if full else self._runs.changes(pull))
        except OF_ONE_KIND as error:
            is_reread = full and pull.full is None
            pull.reread = None if is_reread else pull.reread  # it is offered again
            await self._runs.failed(pull, error, over=not is_reread)
        except Fenced:  # what is remembered is the next owner's by now
            raise
        except LeadbusError as error:
            await self._runs.failed(pull, error, over=False)
            raise

    async def _slice(self, pull: Pull) -> None:
        """Of everything; what has been read so is not read again for its new fields at the same time."""
        if pull.full is not None:
            await self._runs.full(pull, SLICE_SECONDS)
        else:
            await self._rereading.go_on(pull, SLICE_SECONDS)

    def _next(self, pull: Pull) -> datetime:
        """When a kind is due; one without a schedule is read only if somebody asks."""
        settings = self._connection.settings
        if pull.kind == "list":
            return min(self._lists_next(pull).values(), default=_NEVER)
        schedule = settings.schedules.of(pull.kind)
        if schedule is None:
            return _NEVER
        if pull.last_run_at is None:
            return _AT_ONCE
        return next_time(schedule, pull.last_run_at, pull.last_run_at, settings.time_zone)

    def _lists_next(self, pull: Pull) -> dict[str, datetime]:
        """When lists are due, by the name of each schedule that some of them have."""
        settings, found = self._connection.settings, dict[str, datetime]()
        for name, schedule in schedules_of(settings.lists, settings.schedules.list).items():
            last = pull.by_schedule.get(name) if pull.last_run_at else None
            if pull.error and pull.last_run_at:  # not before it is due again
                last = max(filter(None, (last, pull.last_run_at)))
            found[name] = next_time(schedule, last, last, settings.time_zone) if last else _AT_ONCE
        return found

    def _due_lists(self, pull: Pull, now: datetime) -> list[str]:
        return [name for name, at in self._lists_next(pull).items() if at <= now]


def _goes_on(pull: Pull) -> bool:
    """What failed begins again when it is due; new fields never are, and go on once the CRM answers."""
    return not pull.error if pull.full is not None else pull.reread is not None


async def _trouble_of(work: Awaitable[None]) -> Transient | None:
    """What the CRM cannot do now: it may well do the next thing, unless it wants to be left in peace."""
    try:
        await work
    except (RateLimited, AddressRefused):
        raise
    except Transient as error:
        return error
    return None
