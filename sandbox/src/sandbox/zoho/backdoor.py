"""The /_sandbox pages: the desk, the faults and the counts over HTTP, for people and judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from .server import Zoho

Page = Callable[[Request], Awaitable[Response]]


def routes(crm: Zoho) -> list[Route]:
    async def records(request: Request) -> Any:
        return crm.records(request.query_params.get("module", "Leads"))

    async def create(request: Request) -> Any:
        body = await request.json()
        return {"id": crm.desk.create(body["module"], body["fields"])}

    async def change(request: Request) -> Any:
        body = await request.json()
        crm.desk.change(body["module"], body["id"], body["fields"])
        return {"id": body["id"]}

    async def at_the_desk(request: Request) -> Any:
        name = request.path_params["call"]
        if name.startswith("_"):
            raise ValueError(f"no such thing to do: {name}")
        return {"result": getattr(crm.desk, name)(**(await request.json()))}

    async def grant(request: Request) -> Any:
        return {"code": crm.grant(**(await request.json()))}

    async def sign_in(request: Request) -> Any:
        """Who is at the browser from now on, and what they say to the consent page."""
        body = await request.json()
        crm.oauth.signs_in = body.get("user", crm.oauth.signs_in)
        crm.oauth.consents = body.get("consents", True)
        return {}

    async def add_fault(request: Request) -> Any:
        crm.faults.add(**(await request.json()))
        return {"rules": len(crm.faults.rules)}

    async def clear_faults(request: Request) -> Any:
        crm.faults.clear()
        return {"rules": 0}

    async def calls(request: Request) -> Any:
        return dict(crm.calls)

    async def counters(request: Request) -> Any:
        names = ("logins", "refused_logins", "refused_rows", "reads", "writes", "credits_used")
        more = ("most_at_once", "most_heavy_at_once")
        return {"calls": crm.calls.total()} | {name: getattr(crm, name) for name in (*names, *more)}

    pages: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
        ("GET", "records", records),
        ("POST", "create", create),
        ("POST", "change", change),
        ("POST", "desk/{call}", at_the_desk),
        ("POST", "grant", grant),
        ("POST", "sign-in", sign_in),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("GET", "calls", calls),
        ("GET", "counters", counters),
    ]
    return [Route(f"/_sandbox/{path}", _page(do), methods=[method]) for method, path, do in pages]


def _page(do: Callable[[Request], Awaitable[Any]]) -> Page:
    async def page(request: Request) -> Response:
        try:
            return JSONResponse(await do(request))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return page
