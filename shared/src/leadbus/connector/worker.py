"""Works one CRM organisation: delivers what is due, and pulls on schedule, for as long as the lease holds.

All connections of the organisation are worked by this one worker, one batch after another. That is what
makes "match by email, then create" safe even where two connections point at the same people.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pymongo.errors import PyMongoError

from leadbus.connector.bench import FAREWELL_SECONDS, Bench, Way
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import Adapter
from leadbus.connector.delivery import Delivery
from leadbus.connector.pulling import Pulling
from leadbus.connector.settling import Settling
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.pulls import Pulls
from leadbus.connector.workoff import Work, WorkOff
from leadbus.errors import Fenced, LeadbusError
from leadbus.publishing import Publisher
from leadbus.telemetry import Telemetry

log = logging.getLogger(__name__)

BATCH = 100
IDLE_SECONDS = 5.0
"""How long to wait for a wake-up; only a lost one or a postponed retry makes it matter."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every worker of a connector shares."""

    connections: Connections
    deliveries: Deliveries
    links: Links
    pulls: Pulls
    publisher: Publisher
    settling: Settling
    telemetry: Telemetry
    adapter_for: Callable[[Connection], Awaitable[Adapter]]


class OrganisationWorker:
    """See the module."""

    def __init__(self, organisation_id: str, workshop: Workshop) -> None:
        self.organisation_id = organisation_id
        self.holds_until = 0.0
        self._shop = workshop
        self._benches: dict[str, Bench] = {}
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

    async def stop(self, *, grace_seconds: float = 10.0) -> None:
        """Lets the batch in hand finish; what takes longer is left in doubt, as after a crash."""
        self._stopping = True
        self._wake.set()
        if self._delivering is not None:
            await asyncio.wait([self._delivering], timeout=grace_seconds)
            self._delivering.cancel()
            await asyncio.wait([self._delivering], timeout=FAREWELL_SECONDS)
        await asyncio.gather(*(bench.close() for bench in self._benches.values()))

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
            try:
                pause = await turn() if self._holds_lease else 1.0
            except PyMongoError as error:
                log.warning("MongoDB is away (%s).", type(error).__name__)
                pause = 1.0
            except LeadbusError as error:
                log.warning("%s", error)
                pause = 1.0
            except Exception:
                log.exception("A turn at organisation %s failed.", self.organisation_id)
                pause = IDLE_SECONDS
            if pause > 0 and not self._stopping:
                await rest(pause)

    async def _until_woken(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    async def _deliver(self) -> float:
        """One batch for every connection that has something due; 0 while there is more."""
        did_something = False
        for bench in await self._open_benches():
            if bench.delivering.pause or self._stopping or not self._holds_lease:
                continue
            due = await self._shop.deliveries.due(bench.connection.id, datetime.now(UTC), BATCH)
            batch = _one_per_email(_new_ones_first(due))
            if batch:
                did_something = True
                await self._work_off(bench, batch)
        return 0.0 if did_something else await self._until_next()

    async def _work_off(self, bench: Bench, batch: list[Delivery]) -> None:
        works = [Work(delivery) for delivery in batch]
        work_off = WorkOff(
            bench.connection,
            bench.adapter,
            links=self._shop.links,
            pulls=self._shop.pulls,
            holds_lease=lambda: self._holds_lease,
        )
        broken: LeadbusError | None = None
        try:
            await work_off.run(works)
        except LeadbusError as error:
            broken = error
        await self._shop.settling.settle(bench.connection, works, broken=broken is not None)
        if not isinstance(broken, Fenced):
            await self._note(bench, bench.delivering, broken)

    async def _pull(self, bench: Bench, pulling: Pulling) -> float:
        """One pull; the time until the next."""
        trouble: LeadbusError | None = None
        try:
            await pulling.run()
        except LeadbusError as error:
            trouble = error
        await self._note(bench, bench.pulling, trouble)
        return bench.pulling.pause or bench.connection.settings.pull_every_seconds

    async def _note(self, bench: Bench, way: Way, error: LeadbusError | None) -> None:
        """Keeps the first failure and the recovery; what lies between is the metrics' business."""
        way.ended(error)
        health = bench.health()
        if health != bench.connection.health:
            await self._shop.connections.report_health(bench.connection, health)
            bench.connection = replace(bench.connection, health=health)
            log.info("connection %s: %s %s", bench.connection.id, health.state.value, health.reason)

    async def _open_benches(self) -> list[Bench]:
        """A bench for each connection that is on and not refused; adapters live as long as their settings."""
        open_now: list[Bench] = []
        for connection in await self._shop.connections.of_organisation(self.organisation_id):
            bench = self._benches.get(connection.id)
            works = connection.on and connection.health.state is not HealthState.REFUSED
            if bench is not None and not (works and bench.connection.revision == connection.revision):
                await self._benches.pop(connection.id).close()
                bench = None
            if works:
                bench = bench or await self._open(connection)
            if bench is not None:
                open_now.append(bench)
        return open_now

    async def _open(self, connection: Connection) -> Bench | None:
        """None if its address may not be called, or not now; its health says so."""
        try:
            connection.require_readable()
            adapter = await self._shop.adapter_for(connection)
        except LeadbusError as error:
            if connection.health.reason != str(error):
                health = Health(HealthState.TROUBLE, str(error), datetime.now(UTC))
                await self._shop.connections.report_health(connection, health)
            return None
        bench = self._benches[connection.id] = Bench(connection, adapter)
        pulling = Pulling(
            connection,
            adapter,
            links=self._shop.links,
            pulls=self._shop.pulls,
            publisher=self._shop.publisher,
            telemetry=self._shop.telemetry,
        )
        bench.pulls = asyncio.create_task(
            self._for_ever(lambda: self._pull(bench, pulling), asyncio.sleep, lambda: bench.closed),
            name=f"pull {connection.id}",
        )
        return bench

    async def _until_next(self) -> float:
        """Seconds until a postponed delivery or a paused connection is to be tried again."""
        pauses = {name: bench.delivering.pause for name, bench in self._benches.items()}
        next_try = await self._shop.deliveries.next_try([name for name, pause in pauses.items() if not pause])
        waits = [IDLE_SECONDS, *filter(None, pauses.values())]
        if next_try is not None:
            waits.append((next_try - datetime.now(UTC)).total_seconds())
        return max(0.05, min(waits))


def _new_ones_first(due: list[Delivery]) -> list[Delivery]:
    """A new lead does not wait for the notes of those who are there already."""
    return [delivery for delivery in due if delivery.is_new] or due


def _one_per_email(due: list[Delivery]) -> list[Delivery]:
    """Two deliveries for one email (two tenants of one organisation) are worked one after the other."""
    first: dict[str | None, Delivery] = {}
    for delivery in due:
        first.setdefault(delivery.email, delivery)
    return list(first.values())
