"""The /_sandbox pages: the desk, the faults and the call counts over HTTP, for people and judges."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ..web import backdoor
from . import desk
from .front import Front
from .store import Store

# What needs no words of its own: the arguments are those of `desk`.
_DESK: Mapping[str, Callable[..., Any]] = {
    call.__name__: call
    for call in (
        desk.accept,
        desk.add_oauth_key,
        desk.add_team,
        desk.add_user,
        desk.allow,
        desk.end_sessions,
        desk.expire_access,
        desk.join_team,
        desk.load,
        desk.on_list,
        desk.refuse,
        desk.register_platform,
        desk.set_password,
        desk.set_timezone,
        desk.unlock,
    )
} | {"deny": lambda store, user, module, actions=(): desk.deny(store, user, module, *actions)}


def routes(store: Store, front: Front) -> list[Route]:
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

    async def at_the_desk(request: Request) -> Any:
        return {"result": _DESK[request.path_params["call"]](store, **(await request.json()))}

    async def add_fault(request: Request) -> Any:
        front.faults.add(**(await request.json()))
        return {"rules": len(front.faults.rules)}

    async def clear_faults(request: Request) -> Any:
        front.faults.clear()
        return {"rules": 0}

    async def calls(request: Request) -> Any:
        return dict(front.calls)

    pages: list[backdoor.Page] = [
        ("GET", "records", records),
        ("POST", "create", create),
        ("POST", "change", change),
        ("POST", "opportunity", opportunity),
        ("POST", "membership", membership),
        ("POST", "option", option),
        ("POST", "desk/{call}", at_the_desk),
        ("POST", "faults", add_fault),
        ("DELETE", "faults", clear_faults),
        ("GET", "calls", calls),
    ]
    return backdoor.routes(pages)


def _texts(values: dict[str, Any]) -> dict[str, str]:
    """Form fields are text; JSON's true and false are Sugar's 1 and 0."""
    return {key: str(int(value)) if isinstance(value, bool) else str(value) for key, value in values.items()}
