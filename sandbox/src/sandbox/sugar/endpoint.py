"""The HTTP side of service/<version>/soap.php."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from . import encode, envelope, operations
from .faults import Happening, Rule
from .front import Answer, Front, not_found, page
from .operations import Call
from .sessions import Sessions
from .site import Protocols, Settings
from .soapfault import SoapFault, client_fault, fault
from .store import Store
from .wsdl import wsdl

_XML = "text/xml; charset=UTF-8"
_FORM = "application/x-www-form-urlencoded"
# What a kind answers when it is nothing but one of Sugar's own faults.
_CODES = {"http_500": -1, "session_lost": 11, "token_expired": 11, "access_denied": 40, "refused_login": 10}


@dataclass(slots=True)
class Endpoint:
    """Serves all versions. `dies` names calls that end in fault -1 always, as `v4_1.login`."""

    store: Store
    sessions: Sessions
    front: Front
    protocols: Protocols
    settings: Settings
    site_url: str
    dies: Collection[str] = ()

    async def get(self, request: HttpRequest) -> Response:
        version = request.path_params["version"]
        if version not in self.protocols.soap:
            return not_found()
        if "wsdl" not in request.query_params:
            return page(f"sugarsoap {version}")
        text = wsdl(version, self.site_url)
        return Response(text.encode("latin-1"), headers={"content-type": "text/xml; charset=ISO-8859-1"})

    async def post(self, request: HttpRequest) -> Response:
        version = request.path_params["version"]
        if version not in self.protocols.soap:
            return not_found()
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
            self.front.faults,
            self.protocols,
            self.settings,
            version,
            read,
            cookie=request.cookies.get("PHPSESSID"),
            traceparent=request.headers.get("traceparent"),
        )
        exchange = _Exchange(call, dies=f"{version}.{read.operation}" in self.dies)
        self.front.calls[exchange.happening.operation] += 1
        async with self.sessions.turn(call.session_id):
            return await self.front.serve(exchange, request)


class _Exchange:
    def __init__(self, call: Call, *, dies: bool) -> None:
        self._call, self._dies = call, dies

    @property
    def happening(self) -> Happening:
        return self._call.happening

    def strike(self, rule: Rule) -> Response | None:
        if rule.kind in {"session_lost", "token_expired"}:
            self._call.sessions.forget(self._call.session_id)
        return _refused(fault(_CODES[rule.kind])) if rule.kind in _CODES else None

    def answer(self) -> Answer:
        call = self._call
        try:
            if self._dies:
                raise fault(-1)
            result = operations.run(call)
            response = _soap(encode.reply(call.version, call.request.operation, result), 200)
        except SoapFault as refused:
            response = _refused(refused)
        if call.session is not None and call.session.id != call.cookie:
            response.set_cookie("PHPSESSID", call.session.id)
        return Answer(response, call.rows_written)


def _refused(refused: SoapFault) -> Response:
    return _soap(encode.fault_reply(refused), 500)


def _soap(body: bytes, status: int) -> Response:
    return Response(body, status, headers={"content-type": _XML})
