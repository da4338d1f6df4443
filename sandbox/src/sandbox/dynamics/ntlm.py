"""Windows authentication as IIS does it: what is signed in is a connection, not a request.

Sources: MS-NTHT and MS-N2HT (the schemes NTLM and Negotiate); the handshakes themselves are
pyspnego's. That a domain must be named is assumed.
"""

import base64
import os
import struct
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import spnego
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.web import connection_of

_SCHEMES: Mapping[str, str] = {"negotiate": "Negotiate", "ntlm": "NTLM"}
_PAGE = (
    "<!DOCTYPE html><html><head><title>401 - Unauthorized: Access is denied.</title>"
    "</head><body><h1>Server Error</h1></body></html>"
)
_USERS_FILE = "NTLM_USER_FILE"
# First messages of a handshake: of NTLM itself, and wrapped as SPNEGO. One at any time begins anew.
_BEGINNINGS = (b"NTLMSSP\0\1\0\0\0", b"\x60")
_environment = threading.Lock()


@dataclass(slots=True)
class _Connection:
    """handshake: under way. user: who has signed in on it."""

    handshake: spnego.ContextProxy | None = None
    user: str | None = None


@dataclass(slots=True)
class Ntlm:
    r"""passwords: by `DOMAIN\user`, looked up at each handshake; neither may have a colon.

    trusted_header: a proxy in front has done it all, and says in this header who it is. logins: handshakes
    that ended well, so far; refused: those that did not.
    """

    passwords: Mapping[str, str]
    trusted_header: str = ""
    logins: int = 0
    refused: int = 0
    _connections: WeakKeyDictionary[object, _Connection] = field(default_factory=WeakKeyDictionary)

    def sign_in(self, request: Request) -> str | Response:
        r"""Who it is, as `passwords` spells it, or the 401 that goes back instead.

        Read the request's body first: a server that answers before that ends the connection, and with it
        the handshake.
        """
        if self.trusted_header:
            return self._spelled(request.headers.get(self.trusted_header, "")) or _unauthorized(
                *_SCHEMES.values()
            )
        transport = connection_of(request)
        if transport is None:
            return _unauthorized(*_SCHEMES.values())
        connection = self._connections.setdefault(transport, _Connection())
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in _SCHEMES:
            return connection.user or _unauthorized(*_SCHEMES.values())
        return self._step(connection, scheme.lower(), token)

    def forget(self) -> None:
        """Nobody has signed in any more."""
        self._connections.clear()

    def _step(self, connection: _Connection, scheme: str, token: str) -> str | Response:
        try:
            given = base64.b64decode(token, validate=True)
            with _known(self.passwords):
                if connection.handshake is None or given.startswith(_BEGINNINGS):
                    connection.user = None
                    connection.handshake = spnego.server(
                        protocol=scheme, options=spnego.NegotiateOptions.use_ntlm
                    )
                answer = connection.handshake.step(given)
        except (spnego.exceptions.SpnegoError, struct.error, ValueError):
            return self._refuse(connection)
        if not connection.handshake.complete:
            return _unauthorized(f"{_SCHEMES[scheme]} {base64.b64encode(answer or b'').decode()}")
        connection.user = self._spelled(connection.handshake.client_principal or "")
        connection.handshake = None
        if connection.user is None:
            return self._refuse(connection)
        self.logins += 1
        return connection.user

    def _refuse(self, connection: _Connection) -> Response:
        connection.handshake, connection.user = None, None
        self.refused += 1
        return _unauthorized(*_SCHEMES.values())

    def _spelled(self, principal: str) -> str | None:
        return next((user for user in self.passwords if user.lower() == principal.lower()), None)


def _unauthorized(*challenges: str) -> Response:
    response = HTMLResponse(_PAGE, 401)
    for challenge in challenges:
        response.headers.append("WWW-Authenticate", challenge)
    return response


@contextmanager
def _known(passwords: Mapping[str, str]) -> Iterator[None]:
    """pyspnego is told who there is by this variable alone, so that it is set for no longer than it asks."""
    lines = [f"{user.replace(chr(92), ':', 1)}:{password}" for user, password in passwords.items()]
    with _environment, tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".ntlm") as users:
        users.write("\n".join(lines) + "\n")
        users.flush()
        before = os.environ.get(_USERS_FILE)
        os.environ[_USERS_FILE] = users.name
        try:
            yield
        finally:
            if before is None:
                del os.environ[_USERS_FILE]
            else:
                os.environ[_USERS_FILE] = before
