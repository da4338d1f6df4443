"""The /_sandbox pages: a simulator's desk, faults and counts over HTTP, for people and judges."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Faults

Page = tuple[str, str, Callable[[Request], Awaitable[Any]]]
"""Method, path below /_sandbox/, and what it does: a result for JSON."""


class Desk(Protocol):
    """What people do by hand in the CRM; every public method is a page."""

    def create(self, module: str, values: Mapping[str, Any], /) -> str: ...
    def change(self, module: str, key: str, values: Mapping[str, Any], /) -> object: ...


class Simulator(Protocol):
    """A CRM with a desk."""

    @property
    def desk(self) -> Desk: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def calls(self) -> Counter[str]: ...
    def records(self, module: str, /) -> list[dict[str, Any]]: ...


def pages_of(crm: Simulator) -> list[Page]:
    """What every such simulator has."""

    async def records(request: Request) -> Any:
        return crm.records(request.query_params["module"])

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

    return [
        ("GET", "records", records),
        ("POST", "create", create),
        ("POST", "change", change),
        ("POST", "desk/{call}", at_the_desk),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("GET", "calls", calls),
    ]


def routes(pages: list[Page], *refusals: type[Exception]) -> list[Route]:
    """refusals: the simulator's own errors that are the caller's fault, beside Python's usual ones."""
    faults: tuple[type[Exception], ...] = (ValueError, KeyError, TypeError, AttributeError, *refusals)
    return [Route(f"/_sandbox/{path}", _answer(do, faults), methods=[method]) for method, path, do in pages]


def _answer(
    do: Callable[[Request], Awaitable[Any]], faults: tuple[type[Exception], ...]
) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        try:
            return JSONResponse(await do(request))
        except faults as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return page
