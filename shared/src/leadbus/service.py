"""The shell around every service: its parts in order, its HTTP API, its health.

A service is put together in its own `service.py` (`build(environ) -> Service`) and runs alone in a pod or
beside others in one process; see `leadbus.runner`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiokafka.errors import KafkaError
from fastapi import FastAPI
from pymongo.errors import PyMongoError

from leadbus.errors import Rejected, Transient
from leadbus.gate import Endpoint, Gate
from leadbus.health import add_health_routes
from leadbus.patience import patiently
from leadbus.problems import install
from leadbus.security.networks import network_of, written
from leadbus.server import HttpServer
from leadbus.settings import ConfigurationError
from leadbus.storage.mongo import passes_by_itself
from leadbus.telemetry import Telemetry
from leadbus.telemetry.logs import current_service

log = logging.getLogger(__name__)

_STARTING = "The service is starting."


class Part(Protocol):
    """Something a service is made of: a connection, a consumer, a loop."""

    name: str

    async def start(self) -> None:
        """Ready when it returns. May be called again after it failed, until Kafka and MongoDB are there."""

    async def stop(self) -> None:
        """Finishes what is under way. Called once, also if `start` never succeeded."""

    def trouble(self) -> str | None:
        """A sentence if it can only be helped by a restart (its loop is dead); decides liveness."""

    def waiting(self) -> str | None:
        """A sentence if it cannot do its work right now; decides readiness."""


class Managed:
    """A part made of two functions: a connection that has no loop of its own."""

    def __init__(
        self,
        name: str,
        start: Callable[[], Awaitable[object]],
        stop: Callable[[], Awaitable[object]] | None = None,
        waiting: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.name = name
        self._start = start
        self._stop = stop
        self._waiting = waiting

    async def start(self) -> None:
        await self._start()

    async def stop(self) -> None:
        if self._stop is not None:
            await self._stop()

    def trouble(self) -> str | None:
        return None

    def waiting(self) -> str | None:
        return self._waiting()


class Service:
    """One service.

    stages: the parts in the order they start; those of one stage start together. They stop in reverse. The
    first one makes what the service needs in MongoDB and Kafka, and nothing else.
    trusted_proxies: `LEADBUS_TRUSTED_PROXIES`. api: where the service adds its own routes.

    Raises:
        ConfigurationError: one of the trusted proxies is neither an address nor a network.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        telemetry: Telemetry,
        stages: Sequence[Sequence[Part]] = (),
        title: str | None = None,
        description: str = "",
        trusted_proxies: str = "",
    ) -> None:
        self.name = name
        self.telemetry = telemetry
        self.stages = tuple(tuple(stage) for stage in stages)
        self.api = FastAPI(
            title=title or f"Leadbus {name}",
            description=description,
            version="1",
            redoc_url=None,
            # Ours measures (the gate) and traces (the handlers); looking for another takes 3 us a request.
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        self._not_ready: str | None = _STARTING
        install(self.api)
        add_health_routes(self.api, telemetry, live=self._troubles, ready=self._waits)
        self._gate = Gate(self.api, lambda: self._not_ready, telemetry)
        self._http = HttpServer(self._gate, host, port, _proxies(trusted_proxies))

    def post_straight(self, path: str, endpoint: Endpoint) -> None:
        """Adds a POST that much will come to; it is no part of the generated documentation."""
        self.api.add_route(path, endpoint, ["POST"], include_in_schema=False)
        self._gate.straight[path] = endpoint

    @property
    def url(self) -> str:
        """Where the API is, once started: `http://host:port`."""
        return self._http.url

    @property
    def not_ready(self) -> str | None:
        """Why requests are not taken, as a sentence; None between start and stop."""
        return self._not_ready

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order they start."""
        return tuple(part for stage in self.stages for part in stage)

    async def start(self) -> None:
        """Answers health checks at once; returns when every part is ready, however long that takes."""
        current_service.set(self.name)
        await self._http.start()
        for stage in self.stages:
            await self._start_together(stage)
        self._not_ready = None
        log.info("%s is ready at %s", self.name, self.url)

    async def stop(self) -> None:
        """Not ready any more; finishes requests, then parts, then sends the telemetry."""
        current_service.set(self.name)
        self._not_ready = "The service is stopping."
        await self._http.stop()
        await self._stop_parts(self.stages)
        log.info("%s has stopped", self.name)

    async def prepare(self) -> None:
        """Makes the collections, indexes and topics that the service needs, and ends; any number of times.

        Starting does the same. To have it done before lets new pods start at once, and leaves the building of
        an index to one process, which may take its time.

        Raises:
            Exception: what a part's start raised, if waiting does not help.
        """
        current_service.set(self.name)
        try:
            for stage in self.stages[:1]:
                await self._start_together(stage)
        finally:
            await self._stop_parts(self.stages[:1])
        log.info("%s has all that it needs", self.name)

    async def run(self, stopping: asyncio.Event) -> None:
        """Starts, runs until `stopping` is set, stops; also stops when starting fails.

        Raises:
            Exception: what a part's start raised, if waiting does not help.
        """
        asking = asyncio.create_task(stopping.wait())
        starting = asyncio.create_task(self.start())
        try:
            await asyncio.wait({asking, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await asking
        finally:
            for task in (starting, asking):
                task.cancel()
            await asyncio.gather(starting, asking, return_exceptions=True)
            await self.stop()

    async def _stop_parts(self, stages: Sequence[Sequence[Part]]) -> None:
        for stage in reversed(stages):
            results = await asyncio.gather(*(part.stop() for part in stage), return_exceptions=True)
            for part, result in zip(stage, results, strict=True):
                if isinstance(result, BaseException):
                    log.error("%s: %s did not stop cleanly", self.name, part.name, exc_info=result)
        await asyncio.to_thread(self.telemetry.shutdown)

    async def _start_together(self, stage: Sequence[Part]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for part in stage:
                    group.create_task(self._start_patiently(part), name=f"start {part.name}")
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _start_patiently(self, part: Part) -> None:
        waited = False

        async def start() -> None:
            nonlocal waited
            try:
                await part.start()
            except Exception as error:
                waited = True
                self._not_ready = f"{part.name} is not there yet ({type(error).__name__})."
                raise

        await patiently(log, f"{self.name}'s {part.name}", passes)(start)
        if waited:
            self._not_ready = _STARTING
            log.info("%s: %s is there now", self.name, part.name)

    def _troubles(self) -> list[str]:
        found = [f"{part.name}: {trouble}" for part in self.parts if (trouble := part.trouble())]
        return [*found, "The HTTP server has ended."] if self._http.dead else found

    def _waits(self) -> list[str]:
        if self._not_ready:
            return [self._not_ready]
        return [f"{part.name}: {waits}" for part in self.parts if (waits := part.waiting())]


def _proxies(listed: str) -> list[str]:
    try:
        return [written(network_of(part)) for part in listed.split(",") if part.strip()]
    except Rejected as error:
        raise ConfigurationError(f"LEADBUS_TRUSTED_PROXIES: {error}") from None


def passes(error: BaseException) -> bool:
    """Whether waiting helps: Kafka or MongoDB is not there yet."""
    if isinstance(error, PyMongoError):
        return passes_by_itself(error)
    if isinstance(error, KafkaError):
        return bool(error.retriable) or "Connection" in type(error).__name__
    return isinstance(error, Transient | ConnectionError | TimeoutError)
