"""Works one CRM organisation: delivers what is due, and pulls on schedule, for as long as the lease holds.

All connections of the organisation are worked by this one worker, within one budget of calls. Several
batches are under way at once, but never one email in two of them: that is what makes "match by email, then
create" safe even where two connections point at the same people.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pymongo.errors import PyMongoError

from leadbus.connector.bench import FAREWELL_SECONDS, Bench, Turns, Way
from leadbus.connector.benches import Benches
from leadbus.connector.credits import HeldBack
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.work import Work
from leadbus.connector.delivering.workoff import WorkOff
from leadbus.connector.workshop import Workshop
from leadbus.errors import Fenced, LeadbusError, Rejected, Transient

log = logging.getLogger(__name__)

BATCH = 200
"""Deliveries carried together: enough to fill whole calls, few enough that several batches take turns."""
BATCHES = 4
"""Of one connection at once: while some keep the CRM busy, others are prepared or settled. The last place
is for new leads, which do not wait for the notes of those who are there already."""
IDLE_SECONDS = 5.0
"""How long to wait for a wake-up; only a lost one or a postponed retry makes it matter."""

NOT_WRITTEN = (
    "Leadbus failed at writing this record: one of its values may not be what its field in the CRM holds,"
    " such as a word where a date belongs."
)
NOT_DONE = "Leadbus failed at something beside its deliveries; its operator finds in its log where."


class OrganisationWorker:
    """See the module."""

    def __init__(self, organisation_id: str, workshop: Workshop) -> None:
        self.organisation_id = organisation_id
        self.holds_until = 0.0
        self._shop = workshop
        self._benches = Benches(
            organisation_id, workshop, holds_lease=lambda: self._holds_lease, begin_turns=self._begin_turns
        )
        self._emails: set[str] = set()
        self._batches: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self._delivering: asyncio.Task[None] | None = None

    def start(self, holds_until: float) -> None:
        """Begins work under a lease that holds until then, by the monotonic clock."""
        self.holds_until = holds_until
        self._delivering = asyncio.create_task(
            self._for_ever(self._deliver, self._until_woken), name=f"deliver {self.organisation_id}"
        )

    def wake(self) -> None:
        """Something is due, or the settings have changed."""
        self._wake.set()

    def ring(self) -> None:
        """Something is due of campaigns."""
        self._benches.ring()

    async def stop(self, *, grace_seconds: float = 10.0) -> None:
        """Lets the batches in hand finish; what takes longer is left in doubt, as after a crash."""
        self._stopping = True
        self._wake.set()
        tasks = {*self._batches, *filter(None, [self._delivering])}
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)
        await self._benches.close()

    def credits(self) -> tuple[int | None, int | None]:
        """What is left of the organisation's daily allowance, and that; None = not known, or no limit."""
        return self._benches.allowance.credits() if self._benches.allowance else (None, None)

    @property
    def _holds_lease(self) -> bool:
        return time.monotonic() < self.holds_until

    async def _for_ever(
        self,
        turn: Callable[[], Awaitable[float]],
        rest: Callable[[float], Awaitable[None]],
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Takes turns; each says how long to rest before the next."""
        while not (self._stopping or is_over()):
            pause = await self._safely(turn)
            if pause > 0 and not self._stopping:
                await rest(pause)

    async def _safely(self, turn: Callable[[], Awaitable[float]]) -> float:
        """One turn, if the lease allows it; how long to rest after it, or after what went wrong."""
        try:
            return await turn() if self._holds_lease else 1.0
        except PyMongoError as error:
            log.warning("MongoDB is away (%s).", type(error).__name__)
            return 1.0
        except LeadbusError as error:
            log.warning("%s", error)
            return 1.0
        except Exception as error:
            self._report(error)
            return IDLE_SECONDS

    def _report(self, error: Exception) -> None:
        """Where it happened, without its text: that may hold what was being written or read."""
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s at organisation %s:\n%s", type(error).__name__, self.organisation_id, where)

    async def _until_woken(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _deliver(self) -> float:
        """Begins a batch for every connection that has something due and room; 0 while there is more."""
        did_something = False
        if self._benches.allowance is not None:
            await self._benches.allowance.save()
        for bench in await self._benches.open_now():
            if not bench.has_room(BATCHES):
                continue
            due = await self._shop.deliveries.due(
                bench.connection.id, datetime.now(UTC), BATCH, besides=bench.in_hand
            )
            new = [delivery for delivery in due if delivery.is_new]
            only_new = bench.batches == BATCHES - 1 > 0 or bench.delivering.holds_back
            batch = self._one_per_email(new if new or only_new else due)
            work_off = bench.work_off
            if not due:
                batch, work_off = await self._scores(bench), bench.scores
            if batch and self._holds_lease and not self._stopping:
                did_something = True
                self._begin(bench, batch, work_off)
        return 0.0 if did_something else await self._until_next()

    async def _scores(self, bench: Bench) -> list[Delivery]:
        """Scores to be written alone, once nothing else is to be done."""
        if bench.batches or bench.delivering.pause or bench.scoring.pause:
            return []
        name, now = bench.connection.id, datetime.now(UTC)
        return self._one_per_email(
            await self._shop.deliveries.scores_due(name, now, BATCH, besides=bench.in_hand)
        )

    def _begin(self, bench: Bench, batch: list[Delivery], work_off: WorkOff) -> None:
        """A batch of its own, beside others; its end wakes the worker, as more may be due then."""
        prospects = {delivery.prospect_id for delivery in batch}
        emails = {email for delivery in batch for email in delivery.emails}
        bench.in_hand |= prospects
        bench.batches += 1
        self._emails |= emails

        def ended(task: asyncio.Task[None]) -> None:
            self._batches.discard(task)
            bench.in_hand -= prospects
            bench.batches -= 1
            self._emails -= emails
            self._wake.set()

        work = asyncio.create_task(self._carry(bench, batch, work_off), name=f"batch {bench.connection.id}")
        self._batches.add(work)
        work.add_done_callback(ended)

    async def _carry(self, bench: Bench, batch: list[Delivery], work_off: WorkOff) -> None:
        """What fails here is tried again from what is stored, after a moment."""
        await asyncio.sleep(await self._safely(lambda: self._work_off(bench, batch, work_off)))

    async def _work_off(self, bench: Bench, batch: list[Delivery], work_off: WorkOff) -> float:
        """A fault of ours costs the one delivery that brings it to light, and no other of its batch."""
        works = [Work(delivery) for delivery in batch]
        broken: LeadbusError | None = None
        try:
            await work_off.run(works)
        except LeadbusError as error:
            broken = error
        except PyMongoError:
            raise
        except Exception as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._work_off(bench, batch[:half], work_off)
                return await self._work_off(bench, batch[half:], work_off)
            self._report(error)
            works[0].error = Rejected(NOT_WRITTEN)
        await self._shop.settling.settle(
            bench.connection, bench.adapter.capabilities, works, broken=broken is not None
        )
        if work_off is bench.scores and (broken is None or isinstance(broken, HeldBack)):
            bench.scoring.ended(broken)  # deliveries go on, whatever is kept of scores
            return 0.0
        if isinstance(broken, HeldBack):  # a new lead of which only such a part is left is not taken at once
            until = datetime.now(UTC) + timedelta(seconds=broken.retry_after)
            await self._shop.deliveries.postpone([work.delivery for work in works], until)
        if not isinstance(broken, Fenced):
            await self._note(bench, bench.delivering, broken)
        return 0.0

    async def _take_turn(self, bench: Bench, way: Way, turns: Turns) -> float:
        """One of pulls, say; the time until the next."""
        pause = 0.0
        trouble: LeadbusError | None = None
        try:
            await bench.ask_limits()
            pause = await turns.turn()
        except Fenced:
            return 1.0
        except LeadbusError as error:
            trouble = error
        except PyMongoError:
            raise
        except Exception as error:
            self._report(error)
            trouble = Transient(NOT_DONE)
        await self._note(bench, way, trouble)
        return way.pause or pause

    async def _note(self, bench: Bench, way: Way, error: LeadbusError | None) -> None:
        """Keeps the first failure and the recovery; what lies between is the metrics' business."""
        way.ended(error)
        health = bench.health()
        if health != bench.connection.health:
            await self._shop.connections.report_health(bench.connection, health)
            bench.connection = replace(bench.connection, health=health)
            log.info("connection %s: %s %s", bench.connection.id, health.state.value, health.reason)

    def _begin_turns(self, bench: Bench, way: Way, turns: Turns) -> asyncio.Task[None]:
        async def rest(seconds: float) -> None:
            """While the CRM is to be left in peace, asking for a pull does not help."""
            await (asyncio.sleep(seconds) if way.pause else turns.rest(seconds))

        return asyncio.create_task(
            self._for_ever(lambda: self._take_turn(bench, way, turns), rest, lambda: bench.closed),
            name=f"{type(turns).__name__.lower()} {bench.connection.id}",
        )

    async def _until_next(self) -> float:
        """Seconds until a postponed delivery or a paused connection is to be tried again."""
        now = datetime.now(UTC)
        pauses = {name: bench.delivering.pause for name, bench in self._benches.by_connection.items()}
        idle = [name for name, pause in pauses.items() if not pause]
        next_try = await self._shop.deliveries.next_try(idle, now)
        waits = [IDLE_SECONDS, *filter(None, pauses.values())]
        if next_try is not None:
            waits.append((next_try - now).total_seconds())
        return max(0.05, min(waits))

    def _one_per_email(self, due: list[Delivery]) -> list[Delivery]:
        """Two deliveries for one email (two tenants of one organisation) are worked one after the other."""
        taken = set(self._emails)
        batch: list[Delivery] = []
        for delivery in due:
            if taken.isdisjoint(delivery.emails):
                taken |= set(delivery.emails)
                batch.append(delivery)
        return batch
