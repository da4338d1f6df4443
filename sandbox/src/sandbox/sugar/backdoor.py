"""The /_sandbox pages: the desk, the faults and the call counts over HTTP, for people and judges."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import desk
from .endpoint import Endpoint

Page = Callable[[Request], Awaitable[Response]]


def routes(endpoint: Endpoint) -> list[Route]:
    store = endpoint.store

    async def records(request: Request) -> Any:
        return desk.records(store, request.query_params.get("module", "Leads"))

    async def create(request: Request) -> Any:
        body = await request.json()
        return {"id": desk.create(store, body["module"], _texts(body["fields"]))}

    async def change(request: Request) -> Any:
        body = await request.json()
        desk.change(store, body["module"], body["id"], _texts(body["fields"]))
        return {"id": body["id"]}

    async def opportunity(request: Request) -> Any:
        return desk.opportunity(store, **_texts(await request.json()))

    async def membership(request: Request) -> Any:
        body = await request.json()
        desk.put_on_list(store, body["list"], body["module"], body["id"], off=bool(body.get("off")))
        return {"id": body["id"]}

    async def option(request: Request) -> Any:
        desk.add_option(store, **_texts(await request.json()))
        return {}

    async def add_fault(request: Request) -> Any:
        endpoint.faults.add(**(await request.json()))
        return {"rules": len(endpoint.faults.rules)}

    async def clear_faults(request: Request) -> Any:
        endpoint.faults.clear()
        return {"rules": 0}

    async def calls(request: Request) -> Any:
        return dict(endpoint.calls)

    pages: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
        ("GET", "records", records),
        ("POST", "create", create),
        ("POST", "change", change),
        ("POST", "opportunity", opportunity),
        ("POST", "membership", membership),
        ("POST", "option", option),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("GET", "calls", calls),
    ]
    return [Route(f"/_sandbox/{path}", _page(do), methods=[method]) for method, path, do in pages]


def _page(do: Callable[[Request], Awaitable[Any]]) -> Page:
    async def page(request: Request) -> Response:
        try:
            return JSONResponse(await do(request))
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return page


def _texts(values: dict[str, Any]) -> dict[str, str]:
    """Form fields are text; JSON's true and false are Sugar's 1 and 0."""
    return {key: str(int(value)) if isinstance(value, bool) else str(value) for key, value in values.items()}
