"""What somebody may take for an organisation's address: a federated one, and other products of the name.

They have front pages and refusals, no more. Source: Microsoft's documentation of their addresses and of their
signing in; the pages' own words are assumed.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.web import Server, TrackedProtocol, bound

from .soap import SERVICE, described
from .soap.envelope import CONTENT_TYPE, fault_of_wcf

Product = Literal["ifd", "ax_2012", "finance_operations", "business_central"]

TOKEN_SERVICE = "https://sts.contoso.example/adfs/services/trust"
_HOST = "127.0.0.1"
_HTML = "text/html; charset=utf-8"
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_AX_SERVICE = (
    "<html><head><title>LeadService Service</title></head><body><p>You have created a service.</p>"
    "<p>schemas.microsoft.com/dynamics/2008/01/services</p></body></html>"
)
_METADATA = (
    '<?xml version="1.0"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:DataServices><Schema Namespace="{}" xmlns="http://docs.oasis-open.org/odata/ns/edm"/>'
    "</edmx:DataServices></edmx:Edmx>"
)
_INSECURE = "An error occurred when verifying security for the message."


@dataclass(frozen=True, slots=True)
class _Answer:
    """path: a pattern of what is asked for, below the root."""

    path: str
    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = _HTML
    method: str = "GET"


def _bearer(authority: str) -> dict[str, str]:
    return {"WWW-Authenticate": f"Bearer authorization_uri={authority}"}


_ADFS = "https://sts.contoso.example/adfs"
_LOGIN = "https://login.microsoftonline.com/common/oauth2/authorize"
_ANSWERS: Mapping[Product, Sequence[_Answer]] = {
    "ifd": (
        _Answer(r"/api/.*", 401, headers=_bearer(f"{_ADFS}/oauth2/authorize")),
        _Answer(
            rf"{SERVICE}/web",
            500,
            fault_of_wcf("a:InvalidSecurity", _INSECURE),
            media_type=CONTENT_TYPE,
            method="POST",
        ),
        _Answer(r".*", 302, headers={"Location": f"{_ADFS}/ls/?wa=wsignin1.0&wtrealm=contoso"}),
    ),
    "ax_2012": (
        _Answer(r"/MicrosoftDynamicsAXAif60/.*\.svc", 200, _AX_SERVICE),
        _Answer(r"/", 200, _PAGE.format("Microsoft.Dynamics.AX.Framework.Portal")),
    ),
    "finance_operations": (
        _Answer(r"/data/\$metadata", 200, _METADATA.format("Microsoft.Dynamics.DataEntities")),
        _Answer(r"/data(/.*)?", 401, headers=_bearer(_LOGIN)),
        _Answer(r"/", 200, _PAGE.format("Finance and Operations")),
        _Answer(r".*", 302, headers={"Location": f"{_LOGIN}?client_id=00000015-0000-0000-c000-000000000000"}),
    ),
    "business_central": (
        _Answer(r"/BC/ODataV4/.*", 401, headers={"WWW-Authenticate": 'Basic realm=""'}),
        _Answer(r"/(BC/?)?", 200, _PAGE.format("Dynamics 365 Business Central")),
    ),
}
_ADDRESSES: Mapping[Product, str] = {
    "ifd": f"{SERVICE}/web",
    "ax_2012": "/MicrosoftDynamicsAXAif60/LeadService/xppservice.svc",
    "finance_operations": "/data",
    "business_central": "/BC/ODataV4/Company('CRONUS')",
}


class Neighbour:
    """The server. address: what a person would enter; url: its root. calls: received so far, by path."""

    def __init__(self, product: Product, *, port: int = 0) -> None:
        self.product = product
        self.url = ""
        self.calls: Counter[str] = Counter()
        self._port = port
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return self.url + _ADDRESSES[self.product]

    async def start(self) -> None:
        """Returns once it listens. Raises OSError if the port is taken."""
        listener = bound(_HOST, self._port)
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])
        config = uvicorn.Config(
            app, http=TrackedProtocol, lifespan="off", log_level="warning", access_log=False
        )
        self._server = Server(config, owns_process=False)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listens.wait()

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.end()
            await self._serving

    async def _answer(self, request: Request) -> Response:
        await request.body()
        path = request.url.path
        self.calls[path] += 1
        if self.product == "ifd" and request.method == "GET" and path.startswith(SERVICE):
            return described(request, TOKEN_SERVICE)
        for answer in _ANSWERS[self.product]:
            if answer.method == request.method and re.fullmatch(answer.path, path):
                return Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
        return Response(_PAGE.format("404 - File or directory not found."), 404, media_type=_HTML)
