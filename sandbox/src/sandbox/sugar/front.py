"""What every protocol shares: counting calls, letting faults strike, and taking as long as was said."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.web import drop_connection, released

from .faults import Faults, Happening, Rule

_HANG_SECONDS = 60.0
_PAGE = "<!DOCTYPE html><html><head><meta charset='utf-8'></head><body><h1>{}</h1><hr></body></html>"
_MAINTENANCE = "Down for maintenance"
_PAGES = {
    "server_error_html": (500, "Internal Server Error"),
    "html_instead_of_xml": (200, _MAINTENANCE),
    "html_instead_of_json": (200, _MAINTENANCE),
    "too_many_requests": (429, "Too Many Requests"),
    "maintenance": (503, _MAINTENANCE),
    "forbidden": (403, "Forbidden"),
}


def page(heading: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(heading), status)


def not_found() -> Response:
    """What the web server says where Sugar has nothing."""
    return page("Not Found", 404)


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows_written` is what the call is charged for."""

    response: Response
    rows_written: int = 0


class Exchange(Protocol):
    """One call in one protocol's words."""

    @property
    def happening(self) -> Happening: ...

    def strike(self, rule: Rule) -> Response | None:
        """What the rule does to this call: its refusal, None if the call is answered after all."""
        ...

    def answer(self) -> Answer: ...


@dataclass(slots=True)
class Front:
    """Costs are milliseconds a call takes at least: per call, and per row it writes."""

    faults: Faults
    cost_per_call_ms: float = 0.0
    cost_per_row_ms: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    async def serve(self, exchange: Exchange, request: Request) -> Response:
        rule = self.faults.strike(exchange.happening)
        if rule is None:
            return await self._answer(exchange)
        if (refusal := exchange.strike(rule)) is not None:
            return refusal
        if rule.kind in _PAGES:
            status, heading = _PAGES[rule.kind]
            response = page(heading, status)
            if rule.kind == "too_many_requests" and rule.seconds:
                response.headers["Retry-After"] = f"{rule.seconds:g}"
            return response
        if rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        served = rule.kind != "hang" or await released(rule.off, request, _HANG_SECONDS)
        response = await self._answer(exchange) if served else Response()
        if not served or rule.kind == "lost_reply_after_write":
            await drop_connection(request)
        return response

    async def _answer(self, exchange: Exchange) -> Response:
        answer = exchange.answer()
        cost = self.cost_per_call_ms + self.cost_per_row_ms * answer.rows_written
        if cost:
            await asyncio.sleep(cost / 1000)
        return answer.response
