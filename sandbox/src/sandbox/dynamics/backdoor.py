"""What the /_sandbox pages have for Dynamics alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from ..web import backdoor
from .errors import CrmError

if TYPE_CHECKING:
    from .server import Dynamics

_COUNTERS = ("logins", "refused_logins", "refused_rows", "reads", "writes", "most_at_once", "throttled")


def routes(crm: Dynamics) -> list[Route]:
    async def counters(request: Request) -> Any:
        sums = {"calls": crm.calls.total(), "operations": crm.operations.total()}
        return sums | {name: getattr(crm, name) for name in _COUNTERS}

    return backdoor.routes([*backdoor.pages_of(crm), ("GET", "counters", counters)], CrmError)
