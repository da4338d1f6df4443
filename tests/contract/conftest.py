"""What listens where a simulator's own calls go."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest


class Receiver:
    """An HTTP server that keeps what it is sent: method and path, and the body's JSON. status: its answer."""

    def __init__(self) -> None:
        self.url, self.status, self.bodies = "", 200, list[Any]()
        self._arrived = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lengths = [line for line in head.splitlines() if line.lower().startswith("content-length:")]
            body = json.loads(await reader.readexactly(int(lengths[0].split(":")[1])))
            self.bodies.append((head.split(" ", 2)[:2], body))
            self._arrived.set()
            writer.write(
                f"HTTP/1.1 {self.status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            await writer.drain()

    async def expect(self, count: int) -> list[Any]:
        async with asyncio.timeout(30):
            while len(self.bodies) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.bodies


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield receiver
    server.close()
