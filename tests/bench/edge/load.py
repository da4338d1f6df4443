"""Posts over many connections at once, each waiting for its answer, and tells how it went.

httptools reads the answers on a bare transport: any HTTP client for Python would take longer to post than
what is measured takes to answer. Run: `python -m bench.edge.load PORT KEY ITEMS CONNECTIONS SECONDS PID`.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import cast

import httptools
import uvloop

from bench.edge.posted import bodies

WARM_SECONDS = 1.0
LAST_SECONDS = 15.0


class Tally:
    """What has been answered so far; `posting` ends it."""

    def __init__(self) -> None:
        self.posting = True
        self.counting = False
        self.answered = 0
        self.refused = 0
        self.waits: list[float] = []


class Connection(asyncio.Protocol):
    """One request after the other."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._parser = httptools.HttpResponseParser(self)
        self._sent = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has another base
        self._post()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("The server hung up."))

    def on_message_complete(self) -> None:
        """Called by the parser."""
        tally = self._tally
        tally.answered += 1
        tally.refused += self._parser.get_status_code() != 202
        if tally.counting:
            tally.waits.append(time.perf_counter() - self._sent)
        if tally.posting:
            self._post()
        else:
            self.ended.set_result(None)
            self._transport.close()

    def _post(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))


async def post(
    port: int, key: str, items: int, connections: int, seconds: float, pid: int
) -> dict[str, float]:
    """Requests a second, their CPU in microseconds, and the slowest hundredth's wait in milliseconds.

    answered: of all, those of the warming up too. load: this process's own share of a core.
    """
    loop, tally = asyncio.get_running_loop(), Tally()
    requests = [_request(key, body) for body in bodies(items)]
    made = [
        await loop.create_connection(
            partial(Connection, islice(cycle(requests), start, None), tally), "127.0.0.1", port
        )
        for start in range(connections)
    ]
    await asyncio.sleep(WARM_SECONDS)
    tally.counting = True
    began, spent, own, before = time.perf_counter(), _cpu(pid), time.process_time(), tally.answered
    await asyncio.sleep(seconds)
    took, answered = time.perf_counter() - began, tally.answered - before
    spent, own = _cpu(pid) - spent, time.process_time() - own
    if not answered:
        raise RuntimeError("Nothing was answered.")
    tally.posting = False
    async with asyncio.timeout(LAST_SECONDS):
        await asyncio.gather(*(connection.ended for _, connection in made))
    return {
        "rate": answered / took,
        "cpu": 1e6 * spent / answered,
        "p99": 1_000 * sorted(tally.waits)[int(0.99 * len(tally.waits))],
        "load": own / took,
        "answered": tally.answered,
        "refused": tally.refused,
    }


def _request(key: str, body: bytes) -> bytes:
    head = (
        "POST /v1/events HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _cpu(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """The exit code."""
    port, key, items, connections, seconds, pid = sys.argv[1:]
    told = uvloop.run(post(int(port), key, int(items), int(connections), float(seconds), int(pid)))
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
