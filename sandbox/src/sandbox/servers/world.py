"""Kafka, MongoDB and the trace viewer, started side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from sandbox.servers.errors import ServerError
from sandbox.servers.java import Progress, silent
from sandbox.servers.kafka import Kafka
from sandbox.servers.mongodb import MongoDB
from sandbox.servers.zipkin import Zipkin


class World:
    """The servers that the services need; `async with` starts them and stops them again."""

    def __init__(
        self,
        data: Path,
        *,
        ports: Mapping[str, int] | None = None,
        environ: Mapping[str, str] | None = None,
        progress: Progress = silent,
    ) -> None:
        """`data`: a folder, kept between runs. `ports`: of `kafka`, `mongodb`, `zipkin`; else free ones."""
        port = (ports or {}).get
        self.kafka = Kafka(data / "kafka", port=port("kafka"), environ=environ, progress=progress)
        self.mongodb = MongoDB(data / "mongodb", port=port("mongodb"), environ=environ, progress=progress)
        self.zipkin = Zipkin(data / "zipkin", port=port("zipkin"), environ=environ, progress=progress)
        self._progress = progress
        self._viewer: asyncio.Task[None] | None = None

    @property
    def chosen(self) -> tuple[str, ...]:
        """Per server one sentence: which was taken and why."""
        return tuple(server.chosen for server in (self.kafka, self.mongodb, self.zipkin))

    async def start(self) -> None:
        """Return when Kafka and MongoDB are ready; Zipkin goes on starting, and its failure is only told.

        Raises:
            ServerError: Kafka or MongoDB cannot be had; then nothing is left running.
        """
        self.zipkin.reserve()
        self._viewer = asyncio.create_task(self._start_viewer())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.kafka.start())
                group.create_task(self.mongodb.start())
        except BaseExceptionGroup as failures:
            await self.stop()
            raise failures.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all that is ours, side by side."""
        if self._viewer:
            self._viewer.cancel()
            await asyncio.gather(self._viewer, return_exceptions=True)
        await asyncio.gather(self.kafka.stop(), self.mongodb.stop(), self.zipkin.stop())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start_viewer(self) -> None:
        try:
            await self.zipkin.start()
        except ServerError as error:
            self._progress(f"There is no trace viewer: {error}")
