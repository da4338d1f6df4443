"""A user-given address is checked at every request, and nothing else is connected to."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from leadbus.errors import Rejected
from leadbus.security.addresses import AddressGuard
from leadbus.security.guarded_transport import GuardedTransport
from leadbus.server import HttpServer


async def test_a_name_that_later_leads_inside_is_refused_at_that_request() -> None:
    answers: list[Sequence[str]] = [["127.0.0.1"], ["10.0.0.7"]]

    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.headers["host"])

    server = HttpServer(Starlette(routes=[Route("/", who)]), "127.0.0.1", 0)
    await server.start()
    port = httpx.URL(server.url).port
    guard = AddressGuard("127.0.0.1", resolve)
    async with httpx.AsyncClient(transport=GuardedTransport(guard)) as client:
        answer = await client.get(f"http://crm.example:{port}/")
        assert answer.text == f"crm.example:{port}"
        with pytest.raises(Rejected, match="internal network"):
            await client.get(f"http://crm.example:{port}/")
    await server.stop()


async def test_another_one_has_the_same_guard_and_connections_of_its_own() -> None:
    at_once, most = 0, 0

    async def slowly(request: Request) -> PlainTextResponse:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        return PlainTextResponse("done")

    server = HttpServer(Starlette(routes=[Route("/", slowly)]), "127.0.0.1", 0)
    await server.start()
    first = GuardedTransport(AddressGuard("127.0.0.1"))
    other = first.another(1)
    await first.aclose()
    async with httpx.AsyncClient(transport=other) as client:
        await asyncio.gather(*(client.get(server.url) for _ in range(4)))
        assert most == 1
        with pytest.raises(Rejected, match="internal network"):
            await client.get("http://10.0.0.7/")
    await server.stop()
