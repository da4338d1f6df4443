"""The HTTP side of service/<version>/rest.php."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response

from .. import contract, operations
from ..door import md5
from ..envelope import Request, pairs, text
from ..faults import Happening, Rule
from ..front import Answer, Front, not_found
from ..operations import Call
from ..sessions import Sessions
from ..site import Protocols, Settings
from ..soapfault import SoapFault, fault
from ..store import Store
from . import arguments, shapes

_CODES = {"session_lost": 11, "token_expired": 11, "access_denied": 40, "refused_login": 10}


@dataclass(slots=True)
class LegacyEndpoint:
    """Serves all versions. `dies` as in SOAP: the implementations are the same."""

    store: Store
    sessions: Sessions
    front: Front
    protocols: Protocols
    settings: Settings
    dies: Collection[str] = ()

    async def serve(self, request: HttpRequest) -> Response:
        version = request.path_params["version"]
        if version not in self.protocols.legacy:
            return not_found()
        # PHP's $_REQUEST: the query string, and the form over it.
        text_ = (await request.body()).decode(errors="replace")
        form = dict(parse_qsl(request.url.query)) | dict(parse_qsl(text_))
        method = form.get("method", "")
        try:
            if method not in contract.operations(version):
                raise fault(1000)
            given = arguments.read(form.get("rest_data", ""))
        except arguments.NotJson:
            return _refused(fault(1001))
        except SoapFault as refused:
            return _refused(refused)
        call = Call(
            self.store,
            self.sessions,
            self.front.faults,
            self.protocols,
            self.settings,
            version,
            Request(method, _with_md5(given) if method == "login" else given),
            prefix="legacy ",
            cookie=request.cookies.get("PHPSESSID"),
            traceparent=request.headers.get("traceparent"),
        )
        exchange = _Exchange(call, dies=f"{version}.{method}" in self.dies)
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
        if rule.kind == "http_500":
            return Response(status_code=500)
        if rule.kind in {"session_lost", "token_expired"}:
            self._call.sessions.forget(self._call.session_id)
        return _refused(fault(_CODES[rule.kind])) if rule.kind in _CODES else None

    def answer(self) -> Answer:
        call = self._call
        operation, sent = call.request.operation, call.request.parameters
        try:
            if self._dies:
                raise fault(-1)
            written = pairs(sent[2]) if operation == "set_entry" and len(sent) > 2 else {}
            # An empty session is not the silent null of SOAP here.
            if operation not in {"login", "get_server_info"} and not call.session_id:
                raise fault(11)
            response: Response = JSONResponse(
                shapes.reshape(call.version, operation, operations.run(call), written)
            )
        except SoapFault as refused:
            response = _refused(refused)
        if call.session is not None and call.session.id != call.cookie:
            response.set_cookie("PHPSESSID", call.session.id)
        return Answer(response, call.rows_written)


def _refused(refused: SoapFault) -> Response:
    """HTTP 200 whatever happened; where PHP died there is nothing, or the text it died with."""
    if refused.code == -1:
        return HTMLResponse(refused.detail)
    return JSONResponse({"name": refused.text, "number": refused.code, "description": refused.detail})


def _with_md5(given: arguments.Arguments) -> arguments.Arguments:
    """`"encryption": "PLAIN"` brings the password in clear."""
    auth = given[0] if given else None
    if isinstance(auth, dict) and text(auth.get("encryption")) == "PLAIN":
        return ({**auth, "password": md5(text(auth.get("password")))}, *given[1:])
    return given
