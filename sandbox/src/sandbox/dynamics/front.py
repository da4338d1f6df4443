"""The HTTP side of every protocol: who it is, counting, faults, limits, and taking as long as was said."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.web import drop_connection, released

from ..web.faults import Faults, Nature, Rule
from .errors import CrmError
from .family import Call, Family, Reply
from .faults import KINDS
from .ntlm import Ntlm
from .oauth import OAuth, Refused
from .records import Caller, Records
from .site import Site

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_PAGES = {
    "html": (200, "Dynamics is being updated"),
    "forbid": (403, "403 - Forbidden: Access is denied."),
    "unavailable": (503, "Service Unavailable"),
}


@dataclass(slots=True)
class Front:
    """calls: received so far, by operation; natures: by what they are. operations: done inside them.

    Costs are seconds a call takes at least: per call, and per row it writes.
    """

    site: Site
    oauth: OAuth
    ntlm: Ntlm
    faults: Faults = field(default_factory=lambda: Faults(KINDS))
    call_seconds: float = 0.0
    row_seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    natures: Counter[Nature] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)

    def route(self, family: Family) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a protocol."""

        async def endpoint(request: Request) -> Response:
            return await self._serve(request, family)

        return endpoint

    async def token(self, request: Request) -> Response:
        """The sign-in service."""
        body = await request.body()
        self._count("token", "login")
        rule = self.faults.strike("token", "login")
        if rule is not None:
            if rule.kind in _PAGES:
                return self._page(rule)
            if not await _waited(rule, request):
                await drop_connection(request)
        given = dict(parse_qsl(body.decode("utf-8", "replace")))
        try:
            return JSONResponse(self.oauth.token(request.path_params["tenant"], given))
        except Refused as refused:
            return JSONResponse(refused.body(self.site.store.now()), refused.status)

    async def configuration(self, request: Request) -> Response:
        return JSONResponse(self.oauth.configuration(request.path_params["tenant"]))

    async def _serve(self, request: Request, family: Family) -> Response:
        # All of it, before anything is answered: a server that does not read on ends the connection.
        body = await request.body()
        user = self._who(request)
        if isinstance(user, Response):
            self._count("unauthorized", "other")
            return user
        operation, nature = family.operation(request, body)
        self._count(operation, nature)
        rule = self.faults.strike(operation, nature)
        if rule is not None and rule.kind in _PAGES:
            return self._page(rule)
        if rule is not None and rule.kind == "expire_session":
            self.oauth.expire()
            self.ntlm.forget()
            return self._challenged()
        try:
            reply = await self._answer(request, body, user, family, rule)
        except CrmError as error:
            reply = family.failed(error)
            if error.retry_after is not None:
                reply.headers["Retry-After"] = str(error.retry_after)
        if rule is not None and rule.kind == "lose_reply":
            await drop_connection(request)
        return self._response(reply, user)

    async def _answer(
        self, request: Request, body: bytes, user: str, family: Family, rule: Rule | None
    ) -> Reply:
        """Raises CrmError."""
        self._admit(user)
        with self.site.limits.call(user):
            if rule is not None:
                if rule.kind == "error":
                    raise CrmError("UnExpected")
                if rule.kind == "rate_limit":
                    name = "ThrottlingBurstRequestLimitExceededError"
                    raise CrmError(name, 6000, 300, retry_after=rule.retry_after)
                if not await _waited(rule, request):
                    await drop_connection(request)
                    return Reply()
            call = self._call(request, body, user)
            reply = family.answer(call)
            self.operations += call.operations
            if cost := self.call_seconds + self.row_seconds * reply.rows:
                await asyncio.sleep(cost)
                self.site.limits.took(user, cost)
        return reply

    def _call(self, request: Request, body: bytes, user: str) -> Call:
        headers = {name.lower(): value for name, value in request.headers.items()}
        suppressed = headers.get("mscrm.suppressduplicatedetection", "true").lower() != "false"
        caller = Caller(user, not suppressed, headers.get("traceparent"))
        path = request.url.path.removeprefix(self.site.root)
        records = Records(self.site, caller)
        return Call(self.site, records, request.method, path, request.url.query, headers, body)

    def _who(self, request: Request) -> str | Response:
        """The id of a systemuser, or what is answered instead."""
        if self.site.settings.online:
            if self.oauth.good(request.headers.get("authorization", "")):
                return self.site.application.id
            return self._challenged()
        name = self.ntlm.sign_in(request)
        if isinstance(name, Response):
            return name
        user = self.site.user(name)
        return user.id if user else ""

    def _challenged(self) -> Response:
        """Nobody has signed in."""
        response = Response(status_code=401)
        for challenge in [self.oauth.challenge] if self.site.settings.online else ["Negotiate", "NTLM"]:
            response.headers.append("WWW-Authenticate", challenge)
        return response

    def _admit(self, user: str) -> None:
        """Raises CrmError."""
        if self.site.disabled:
            raise CrmError("OrganizationDisabled")
        record = self.site.store.get("systemuser", user)
        if record is None or not self.site.member:
            raise CrmError("UserNotMemberOfOrg")
        if record.values.get("isdisabled"):
            raise CrmError("SystemUserDisabled")
        if not self.site.roles:
            raise CrmError("UserNotAssignedRoles")

    def _page(self, rule: Rule) -> Response:
        status, heading = _PAGES[rule.kind]
        headers = {"Retry-After": str(rule.retry_after)} if rule.kind == "unavailable" else None
        return HTMLResponse(_PAGE.format(heading), status, headers)

    def _response(self, reply: Reply, user: str) -> Response:
        response = Response(reply.body, reply.status, reply.headers)
        if self.site.settings.online:
            response.headers.update(self.site.limits.remaining(user))
        # The CRM's own clock, which need not be the machine's.
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
