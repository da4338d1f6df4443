"""What HTTP frameworks do not offer: going away without an answer, and noticing that the client has."""

import asyncio
from typing import TypeAlias

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

# Both ends' addresses: two servers may have clients on the same port.
_Ends: TypeAlias = tuple[tuple[str, int], tuple[str, int]]
_open: dict[_Ends, asyncio.Transport] = {}


class TrackedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol; remembers each open connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        own, peer = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self._ends: _Ends = (tuple(own[:2]), tuple(peer[:2]))
        _open[self._ends] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop(self._ends, None)
        super().connection_lost(exc)


def connection_of(request: Request) -> asyncio.Transport | None:
    """What the request came by; None once the client has gone."""
    ends: _Ends = (tuple(request.scope["server"]), tuple(request.scope["client"]))
    return _open.get(ends)


async def drop_connection(request: Request) -> None:
    """Closes the client's connection; what is answered after that goes nowhere."""
    if transport := connection_of(request):
        transport.abort()
        await wait_for_disconnect(request)


async def wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def released(off: asyncio.Event, request: Request, seconds: float) -> bool:
    """Waits until `off` is set (True), the client has gone or the time is over (False)."""
    waits = [asyncio.create_task(off.wait()), asyncio.create_task(wait_for_disconnect(request))]
    done, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return waits[0] in done
