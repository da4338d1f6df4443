"""The HTTP side of the API: counting calls, faults, who it is, limits, and taking as long as was said."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.web import drop_connection, released

from ..web.faults import Faults, Nature, Rule
from .errors import ApiError
from .faults import KINDS
from .oauth import DENIED, OAuth, Refused
from .operations import Call, Directory, Operation, Reply
from .site import Site

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_PAGES = {"html": (200, "Zoho CRM is being upgraded"), "forbid": (403, "Forbidden")}
_CODES = {"error": "INTERNAL_ERROR", "rate_limit": "TOO_MANY_REQUESTS", "expire_session": "INVALID_TOKEN"}


@dataclass(slots=True)
class Front:
    """calls: received so far, by operation; natures: by what they are. Costs are seconds a call takes at
    least: per call, and per row it writes."""

    site: Site
    oauth: OAuth
    directory: Directory
    faults: Faults = field(default_factory=lambda: Faults(KINDS))
    call_seconds: float = 0.0
    row_seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    natures: Counter[Nature] = field(default_factory=Counter)

    async def api(self, request: Request) -> Response:
        try:
            operation, path = self.directory.find(request.method, request.url.path)
        except ApiError as refused:
            self._count("unknown", "other")
            return self._json(refused.status, refused.body)
        self._count(operation.name, operation.nature)
        rule = self.faults.strike(operation.name, operation.nature)
        header = request.headers.get("authorization", "")
        if rule is not None and (refusal := self._refusal(rule, header)):
            return refusal
        try:
            token = self.oauth.who(header)
            token.check(operation.scope, path.get("module"))
            call = Call(
                self.site,
                token.user,
                path,
                dict(request.query_params),
                {name.lower(): value for name, value in request.headers.items()},
                raw=await request.body(),
            )
            call.body = _json_of(call.raw, call.headers.get("content-type", ""))
            with self.site.limits.running(token.client, heavy=operation.heavy(call)):
                reply = await self._answer(operation, call, rule, request)
        except ApiError as refused:
            return self._json(refused.status, refused.body)
        response = self._response(reply)
        if rule is not None and rule.kind == "lose_reply":
            await drop_connection(request)
        return response

    async def token(self, request: Request) -> Response:
        return await self._accounts(request, "token")

    async def revoke(self, request: Request) -> Response:
        return await self._accounts(request, "revoke")

    async def consent(self, request: Request) -> Response:
        """The page itself is not there: whoever `oauth` says has signed in has answered it already."""
        self._count("consent", "other")
        try:
            return RedirectResponse(self.oauth.consent(dict(request.query_params)), 302)
        except Refused as refused:
            return HTMLResponse(_PAGE.format(refused.body["error"]), 400)

    async def _accounts(self, request: Request, operation: str) -> Response:
        self._count(operation, "login")
        rule = self.faults.strike(operation, "login")
        if rule is not None and rule.kind == "rate_limit":
            return self._json(400, DENIED)
        if rule is not None and (refusal := self._refusal(rule, "")):
            return refusal
        if rule is not None and not await _waited(rule, request):
            await drop_connection(request)
        given = dict(request.query_params)
        given |= dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        try:
            if operation == "token":
                return self._json(200, self.oauth.token(given))
            return self._json(200, self.oauth.revoke(given.get("token", "")))
        except Refused as refused:
            return self._json(refused.status, refused.body)

    async def _answer(self, operation: Operation, call: Call, rule: Rule | None, request: Request) -> Reply:
        """Raises ApiError."""
        if rule is not None and not await _waited(rule, request):
            await drop_connection(request)
            return Reply()
        self.site.limits.users = len(self.site.users)
        self.site.limits.spend(operation.credits(call))
        with self.site.store.transaction():
            reply = operation.answer(call)
        if cost := self.call_seconds + self.row_seconds * reply.rows:
            await asyncio.sleep(cost)
        return reply

    def _refusal(self, rule: Rule, header: str) -> Response | None:
        """What the rule answers in the API's place, None if the call is answered after all."""
        if rule.kind == "expire_session":
            self.oauth.expire(header)
        if rule.kind in _PAGES:
            status, heading = _PAGES[rule.kind]
            return HTMLResponse(_PAGE.format(heading), status)
        if rule.kind in _CODES:
            refused = ApiError(_CODES[rule.kind])
            return self._json(refused.status, refused.body)
        return None

    def _response(self, reply: Reply) -> Response:
        headers = self.site.limits.headers | reply.headers
        if reply.raw is not None:
            return self._dated(Response(reply.raw, reply.status, headers))
        return self._json(reply.status, reply.body, headers)

    def _json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
        if body is None:
            return self._dated(Response(status_code=status, headers=headers))
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        typed = {**(headers or {}), "content-type": "application/json;charset=UTF-8"}
        return self._dated(Response(text, status, typed))

    def _dated(self, response: Response) -> Response:
        """The CRM's own clock, which need not be the machine's."""
        response.headers["Date"] = format_datetime(self.site.store.clock(), usegmt=True)
        return response

    def _count(self, operation: str, nature: Nature) -> None:
        self.calls[operation] += 1
        self.natures[nature] += 1


async def _waited(rule: Rule, request: Request) -> bool:
    """False if the client is to get no answer."""
    if rule.kind == "slow":
        await asyncio.sleep(rule.seconds)
    return rule.kind != "hang" or await released(rule.off, request, rule.seconds)


def _json_of(raw: bytes, content_type: str) -> Any:
    """Raises INVALID_DATA. Other types of body are the operation's own affair."""
    if not raw or "multipart" in content_type or "zip" in content_type:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError("INVALID_DATA", {"expected_data_type": "jsonobject"}) from None
