"""The /_sandbox pages: the desk, the faults and the counts over HTTP, for people and judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import CrmError

if TYPE_CHECKING:
    from .server import Dynamics

Page = Callable[[Request], Awaitable[Response]]


def routes(crm: Dynamics) -> list[Route]:
    async def records(request: Request) -> Any:
        return crm.records(request.query_params.get("module", "lead"))

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

    async def add_fault(request: Request) -> Any:
        crm.faults.add(**(await request.json()))
        return {"rules": len(crm.faults.rules)}

    async def clear_faults(request: Request) -> Any:
        crm.faults.clear()
        return {"rules": 0}

    async def calls(request: Request) -> Any:
        return dict(crm.calls)

    async def counters(request: Request) -> Any:
        names = ("logins", "refused_logins", "refused_rows", "reads", "writes", "most_at_once", "throttled")
        sums = {"calls": crm.calls.total(), "operations": crm.operations.total()}
        return sums | {name: getattr(crm, name) for name in names}

    pages: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
        ("GET", "records", records),
        ("POST", "create", create),
        ("POST", "change", change),
        ("POST", "desk/{call}", at_the_desk),
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
        except (CrmError, ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return page
