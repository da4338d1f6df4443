"""uvicorn, made to end at once and to leave the process alone that it is a guest in."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from types import FrameType

import uvicorn

_DATE_SECONDS = 1.0
_CLOSING_SECONDS = 0.1
ACCEPTING_TURNS = 4
"""Of the loop, in which asyncio makes a connection of a socket that it has accepted."""


def bound(host: str, port: int) -> socket.socket:
    """A socket to listen on (port 0 = any free one). Raises OSError if the port is taken."""
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class Server(uvicorn.Server):
    """Leaves the process's signal handlers alone unless it owns the process."""

    def __init__(self, config: uvicorn.Config, *, owns_process: bool) -> None:
        super().__init__(config)
        self.owns_process = owns_process
        self.listens = asyncio.Event()
        self._ending = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(signal.Signals(sig), frame)
        self._loop.call_soon_threadsafe(self._ending.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it is to end.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _DATE_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for _ in range(ACCEPTING_TURNS):
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # Idle connections are gone after one turn of the loop; then nothing is left to be waited for.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        if not self.server_state.connections and not self.server_state.tasks:
            for server in self.servers:
                await server.wait_closed()
            for listener in sockets or []:
                listener.close()
            return
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals() if self.owns_process else contextlib.nullcontext():
            yield
