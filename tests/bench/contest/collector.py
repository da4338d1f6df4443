"""Takes in telemetry and forgets it: what a collector costs the one who sends."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def collector() -> AsyncIterator[str]:
    """An OTLP endpoint, as a url."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()


async def _serve(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            await reader.readexactly(int(rest.split(b"\r\n")[0] or 0))
            writer.write(_ANSWER)
            await writer.drain()
    writer.close()
