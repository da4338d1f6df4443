"""The HTTP side of service/<version>/soap.php."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from . import contract, encode, envelope, operations
from .faults import SOAP_CODES, Faults, Rule
from .operations import Call
from .sessions import Sessions
from .soapfault import SoapFault, client_fault, fault
from .store import Store
from .transport import drop_connection, wait_for_disconnect
from .wsdl import wsdl

_XML = "text/xml; charset=UTF-8"
_FORM = "application/x-www-form-urlencoded"
_HANG_SECONDS = 60.0
_PAGE = "<!DOCTYPE html><html><head><meta charset='utf-8'></head><body><h1>{}</h1><hr></body></html>"
_PAGES = {
    "server_error_html": (500, "Internal Server Error"),
    "html_instead_of_xml": (200, "Down for maintenance"),
}


@dataclass(slots=True)
class Endpoint:
    """Serves all versions. `dies` names calls that end in fault -1 always, as `v4_1.login`.

    Costs are milliseconds a call takes at least: per call, and per row it writes.
    """

    store: Store
    sessions: Sessions
    faults: Faults
    site_url: str
    dies: Collection[str] = ()
    cost_per_call_ms: float = 0.0
    cost_per_row_ms: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    async def get(self, request: HttpRequest) -> Response:
        version = request.path_params["version"]
        if version not in contract.VERSIONS:
            return Response(status_code=404)
        if "wsdl" not in request.query_params:
            return HTMLResponse(_PAGE.format(f"sugarsoap {version}"))
        text = wsdl(version, self.site_url)
        return Response(text.encode("latin-1"), headers={"content-type": "text/xml; charset=ISO-8859-1"})

    async def post(self, request: HttpRequest) -> Response:
        version = request.path_params["version"]
        if version not in contract.VERSIONS:
            return Response(status_code=404)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == _FORM:
            return HTMLResponse("Bad data passed in")
        try:
            if content_type != "text/xml":
                raise client_fault("error in msg parsing:\nRequest not of type text/xml")
            read = envelope.read(await request.body())
        except SoapFault as refused:
            return _soap(encode.fault_reply(refused), 500)
        call = Call(
            self.store,
            self.sessions,
            self.faults,
            version,
            read,
            request.cookies.get("PHPSESSID"),
            request.headers.get("traceparent"),
        )
        self.calls[read.operation] += 1
        session = self.sessions.get(_session_id(call))
        if session is None:
            return await self._serve(call, request)
        async with session.lock:
            return await self._serve(call, request)

    async def _serve(self, call: Call, request: HttpRequest) -> Response:
        rule = self.faults.strike(call.request.operation, call.module_name())
        if rule is None:
            return await self._answer(call)
        if rule.kind == "session_lost":
            self.sessions.forget(_session_id(call))
        if rule.kind in SOAP_CODES:
            return _soap(encode.fault_reply(fault(SOAP_CODES[rule.kind])), 500)
        if rule.kind in _PAGES:
            status, heading = _PAGES[rule.kind]
            return HTMLResponse(_PAGE.format(heading), status)
        if rule.kind == "slow":
            await asyncio.sleep(rule.seconds)
        served = rule.kind != "hang" or await self._released(rule, request)
        response = await self._answer(call) if served else Response()
        if not served or rule.kind == "lost_reply_after_write":
            await drop_connection(request)
        return response

    async def _released(self, rule: Rule, request: HttpRequest) -> bool:
        """Waits until the rule is switched off (True), the client has gone or a minute is over (False)."""
        waits = [asyncio.create_task(rule.off.wait()), asyncio.create_task(wait_for_disconnect(request))]
        done, pending = await asyncio.wait(waits, timeout=_HANG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waits[0] in done

    async def _answer(self, call: Call) -> Response:
        operation = call.request.operation
        try:
            if f"{call.version}.{operation}" in self.dies:
                raise fault(-1)
            result = operations.run(call)
            response = _soap(encode.reply(call.version, operation, result), 200)
        except SoapFault as refused:
            response = _soap(encode.fault_reply(refused), 500)
        cost = self.cost_per_call_ms + self.cost_per_row_ms * call.rows_written
        if cost:
            await asyncio.sleep(cost / 1000)
        if call.session is not None and call.session.id != call.cookie:
            response.set_cookie("PHPSESSID", call.session.id)
        return response


def _soap(body: bytes, status: int) -> Response:
    return Response(body, status, headers={"content-type": _XML})


def _session_id(call: Call) -> str:
    """The session a call waits for: its first parameter, or for a login the one its cookie names."""
    if call.request.operation == "login":
        return call.cookie or ""
    return envelope.text(call.request.parameters[0]) if call.request.parameters else ""
