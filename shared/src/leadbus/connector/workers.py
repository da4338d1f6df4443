"""All workers of one pod: takes leases, starts and stops workers, passes on wake-ups. A `Part`."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from pymongo.errors import PyMongoError

from leadbus.connector.measuring import EVERY_SECONDS, Measuring
from leadbus.connector.stores.leases import RENEW_SECONDS, Leases
from leadbus.connector.worker import OrganisationWorker
from leadbus.connector.workshop import Workshop
from leadbus.storage.mongo import farewell
from leadbus.telemetry import names

log = logging.getLogger(__name__)

LOOP_MUST_TURN_SECONDS = 60.0
LAST_TURN_SECONDS = 3.0


class Workers:
    """One worker for each organisation whose lease this pod holds."""

    def __init__(self, workshop: Workshop, leases: Leases) -> None:
        self.name = "workers"
        self._shop = workshop
        self._leases = leases
        self._workers: dict[str, OrganisationWorker] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._turned = time.monotonic()
        self._measuring = Measuring(workshop)
        self._wanted = workshop.telemetry.gauge(names.ORGANISATIONS)
        self._worked = workshop.telemetry.gauge(names.ORGANISATIONS_WORKED)

    async def start(self) -> None:
        """Begins to take leases."""
        self._turned = time.monotonic()
        deliveries, campaigns = self._shop.deliveries, self._shop.pulling.campaigns
        self._tasks = [
            asyncio.create_task(self._keep_leases(), name="leases"),
            asyncio.create_task(
                self._listen(deliveries.wakes, OrganisationWorker.wake), name="deliveries due"
            ),
            asyncio.create_task(self._listen(campaigns.wakes, OrganisationWorker.ring), name="campaigns due"),
            asyncio.create_task(self._measure(), name="measuring"),
        ]

    async def stop(self) -> None:
        """Finishes batches in hand and gives the leases up."""
        self._stopping = True
        self._changed.set()
        if self._tasks:
            # Not cancelled at once: a lease whose taking is broken off is nobody's until it runs out.
            await asyncio.wait(self._tasks[:1], timeout=LAST_TURN_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_TURN_SECONDS)
        for organisation in list(self._workers):
            self._dismiss(organisation)
        await asyncio.gather(*self._leaving.values())

    def trouble(self) -> str | None:
        """Liveness: the lease loop must turn."""
        silent = time.monotonic() - self._turned
        if self._tasks and silent > LOOP_MUST_TURN_SECONDS:
            return f"No lease has been looked after for {silent:.0f} seconds."
        return None

    def waiting(self) -> str | None:
        """Readiness: a pod without any organisation is ready too."""
        return None

    def settings_changed(self, organisation_id: str) -> None:
        """A connection of this organisation was changed here: look at once."""
        self._changed.set()
        if organisation_id in self._workers:
            self._workers[organisation_id].wake()

    async def _keep_leases(self) -> None:
        while not self._stopping:
            self._turned = time.monotonic()
            try:
                await self._take_leases()
            except PyMongoError as error:
                log.warning("Leases cannot be renewed (%s).", type(error).__name__)
            except Exception:
                log.exception("Looking after the leases failed.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), RENEW_SECONDS)
            self._changed.clear()

    async def _take_leases(self) -> None:
        wanted = await self._shop.connections.organisations()
        self._wanted.set(len(wanted))
        try:
            await self._take(wanted)
        finally:
            self._worked.set(len(self._workers))

    async def _take(self, wanted: set[str]) -> None:
        for organisation in wanted - self._leaving.keys():
            until = await self._leases.take(organisation)
            worker = self._workers.get(organisation)
            if until is None and worker is not None:
                self._dismiss(organisation)
            elif until is not None and worker is not None:
                worker.holds_until = until
            elif until is not None:
                log.info("working organisation %s", organisation)
                self._workers[organisation] = OrganisationWorker(organisation, self._shop)
                self._workers[organisation].start(until)
        for organisation in self._workers.keys() - wanted:
            self._dismiss(organisation)

    def _dismiss(self, organisation: str) -> None:
        """Beside everything else: a CRM that hangs must not keep other leases from being renewed."""
        leaving = self._leave(organisation, self._workers.pop(organisation))
        self._leaving[organisation] = asyncio.create_task(leaving, name=f"leave {organisation}")

    async def _leave(self, organisation: str, worker: OrganisationWorker) -> None:
        try:
            await worker.stop()
            with suppress(PyMongoError), farewell():
                await self._leases.release(organisation)
        finally:
            del self._leaving[organisation]
            self._changed.set()

    async def _measure(self) -> None:
        while not self._stopping:
            try:
                await self._measuring.measure(self._workers)
            except PyMongoError:
                pass  # whoever takes leases says so
            except Exception:
                log.exception("Measuring connections failed.")
            await asyncio.sleep(EVERY_SECONDS)

    async def _listen(
        self,
        wakes: Callable[[Callable[[], bool]], AsyncIterator[str | None]],
        wake: Callable[[OrganisationWorker], None],
    ) -> None:
        """Wakes the worker of each delivery, or campaign, that is due; after a break, wakes all."""
        while not self._stopping:
            try:
                async for organisation in wakes(lambda: self._stopping):
                    for worked, worker in self._workers.items():
                        if organisation in (None, worked):
                            wake(worker)
            except PyMongoError as error:
                log.warning("The change stream broke (%s); listening again.", type(error).__name__)
            await asyncio.sleep(1.0)
