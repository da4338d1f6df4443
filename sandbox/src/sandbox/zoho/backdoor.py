"""What the /_sandbox pages have for Zoho alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from ..web import backdoor

if TYPE_CHECKING:
    from .server import Zoho

_COUNTERS = (
    "logins",
    "refused_logins",
    "refused_rows",
    "reads",
    "writes",
    "credits_used",
    "most_at_once",
    "most_heavy_at_once",
)


def routes(crm: Zoho) -> list[Route]:
    async def grant(request: Request) -> Any:
        return {"code": crm.grant(**(await request.json()))}

    async def sign_in(request: Request) -> Any:
        """Who is at the browser from now on, and what they say to the consent page."""
        body = await request.json()
        crm.oauth.signs_in = body.get("user", crm.oauth.signs_in)
        crm.oauth.consents = body.get("consents", True)
        return {}

    async def counters(request: Request) -> Any:
        return {"calls": crm.calls.total()} | {name: getattr(crm, name) for name in _COUNTERS}

    own: list[backdoor.Page] = [
        ("POST", "grant", grant),
        ("POST", "sign-in", sign_in),
        ("GET", "counters", counters),
    ]
    return backdoor.routes([*backdoor.pages_of(crm), *own])
