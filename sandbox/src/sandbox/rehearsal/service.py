"""A Service: one address that sends each connection to the next ready pod."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count

from sandbox.rehearsal.pod import Pod

_CHUNK = 65_536


class Service:
    """pods: those that its selector means, at any moment. target: the pods' port.

    A connection that exists stays with its pod, as it does in a cluster, also when that is told to stop.
    """

    def __init__(self, address: str, port: int, target: int, pods: Callable[[], Iterable[Pod]]) -> None:
        self.address, self.port = address, port
        self._target = target
        self._pods = pods
        self._turns = count()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{self.address}:{self.port}"

    async def start(self) -> None:
        """Listens. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, self.address, self.port)

    async def stop(self) -> None:
        """With all connections."""
        if self._server:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ready = [pod for pod in self._pods() if pod.ready]
        try:
            if ready:
                pod = ready[next(self._turns) % len(ready)]
                # Refused or broken off: the client sees the same.
                with suppress(OSError):
                    await _join(reader, writer, pod.address, self._target)
        finally:
            writer.close()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int) -> None:
    """Until either side ends."""
    from_pod, to_pod = await asyncio.open_connection(address, port)
    ways = [asyncio.create_task(_copy(reader, to_pod)), asyncio.create_task(_copy(from_pod, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        to_pod.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
