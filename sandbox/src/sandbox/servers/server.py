"""What all servers of the sandbox share: which one is taken, start until ready, stop, kill, start again."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, Self

from sandbox.servers.container import Container, docker_answers
from sandbox.servers.errors import ServerError
from sandbox.servers.java import Progress, silent
from sandbox.servers.process import Process

_BETWEEN_LOOKS = 0.05


class Host(Protocol):
    """Where a server runs: a process, a container, or out of our hands."""

    @property
    def pid(self) -> int | None:
        """Process id, where there is a process of ours that runs."""

    async def start(self) -> None:
        """Start it (again)."""

    def check(self) -> None:
        """Raise ServerError if it has ended by itself."""

    def tail(self) -> str:
        """The end of its log, as a sentence."""

    async def stop(self) -> None:
        """End it in order."""

    async def kill(self) -> None:
        """End it without warning."""


class Elsewhere:
    """A server that somebody else runs: we neither start nor end it."""

    pid: int | None = None

    async def start(self) -> None:
        """Nothing to do."""

    def check(self) -> None:
        """Nothing to see."""

    def tail(self) -> str:
        """Nothing to quote."""
        return "It is not ours to start; look at it where it runs."

    async def stop(self) -> None:
        """It goes on for others."""

    async def kill(self) -> None:
        """Refused with a ServerError."""
        raise ServerError("This server is not ours, so it is not killed.")


class Server(ABC):
    """A server taken from where the environment says, from a container, or from its published files.

    `address` is known, and `chosen` says in one sentence which was taken and why, once `start` has returned;
    both stay the same when it is stopped or killed and started again.
    """

    name: ClassVar[str]
    variable: ClassVar[str]
    """The environment variable that names a server already running."""
    embedded: ClassVar[str]
    """What runs where there is neither that variable nor a Docker engine; may name `{data}`."""
    image: ClassVar[str]
    ready_within: ClassVar[float] = 60.0
    """Seconds from the start of the process to the first answer."""

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        environ: Mapping[str, str] | None = None,
        progress: Progress = silent,
    ) -> None:
        """`data`: folder of the embedded server, kept between runs. `port`: a free one if None.

        `progress` hears sentences during the first run's downloads, from another thread.
        """
        self.data = data
        self.port = port
        self.address = ""
        self.chosen = f"{self.name}: not started yet."
        self.progress = progress
        self._environ = os.environ if environ is None else environ
        self._host: Host | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the embedded server while it runs, else None."""
        return self._host.pid if self._host else None

    async def start(self) -> None:
        """Start it, or start it again, and return when it answers as a client expects.

        Raises:
            ServerError: it cannot be had, ended, or does not answer in time; says what its log says.
        """
        if self._host is None:
            self._host = await self._choose()
        try:
            await self._host.start()
            await self._until_ready(self._host)
        except BaseException:
            await self._host.stop()
            raise

    async def stop(self) -> None:
        """End it in order; a server that is not ours goes on."""
        if self._host:
            await self._host.stop()

    async def kill(self) -> None:
        """End it with SIGKILL, as a crash would; ServerError if it is not ours."""
        if self._host:
            await self._host.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _choose(self) -> Host:
        if address := self._environ.get(self.variable):
            self.address = address
            # The address is not repeated: it may hold a password.
            self.chosen = f"{self.name}: the one that {self.variable} names, because it is set."
            return Elsewhere()
        if await docker_answers(self._environ):
            self.chosen = (
                f"{self.name}: a container of {self.image}, because a Docker engine answers and "
                f"{self.variable} is not set; its data end with it."
            )
            self.progress(f"{self.name}: starting a container (its image may have to be pulled first)")
            return await asyncio.to_thread(self._container)
        self.chosen = (
            f"{self.name}: {self.embedded.format(data=self.data)}, because {self.variable} is not set "
            "and no Docker engine answers."
        )
        return await self._process()

    async def _until_ready(self, host: Host) -> None:
        try:
            async with asyncio.timeout(self.ready_within):
                while not (await self._listening() and await self._ready()):
                    host.check()
                    await asyncio.sleep(_BETWEEN_LOOKS)
        except TimeoutError as error:
            raise ServerError(
                f"{self.name} did not answer within {self.ready_within:.0f} seconds. {host.tail()}"
            ) from error

    async def _listening(self) -> bool:
        """Whether our process has opened its port; before that, a client would only make noise."""
        if self.pid is None or self.port is None:
            return True
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    @abstractmethod
    async def _process(self) -> Process:
        """The embedded server, ready to be started; sets `address`."""

    @abstractmethod
    def _container(self) -> Container:
        """The same in a container, ready to be started; sets `address`."""

    @abstractmethod
    async def _ready(self) -> bool:
        """Whether a client can work with it now."""
