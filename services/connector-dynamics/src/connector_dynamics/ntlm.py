"""Windows authentication (NTLM), which signs in a connection and not a request.

So every connection is a lane of its own: one client that holds one connection, taken by one request at a
time. A handshake whose steps came over different connections is begun again; pools that spread requests over
connections answer 401 to most of 30 parallel ones (the contract notes, tried). A refused password ends it for
all lanes: each further try could lock the user. Sources: MS-NTHT, RFC 4559, RFC 5929 (channel binding).
"""

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from connector_dynamics import faults, http, reaching
from connector_dynamics.http import Reply, Request
from leadbus.errors import AuthRefused, LeadbusError

_TRUSTED_SECONDS = 5.0
"""After a sign-in so many seconds long others may be made side by side."""
_WARM_SECONDS = 2.5  # less than the transport keeps an idle connection
_TRIES = 3
_SCHEMES: Mapping[str, str] = {"NTLM": "ntlm", "Negotiate": "negotiate"}
"""Protocols of pyspnego by scheme, the better first: NTLM tells a refusal from a missing ticket."""
_CHALLENGE = r"(?:^|,)\s*{}(?:\s+([A-Za-z0-9+/=]+))?\s*(?=,|$)"


@dataclass(slots=True)
class _Lane:
    """signed_in_at: when it was last used signed in; it may be closed by now."""

    http: httpx.AsyncClient
    signed_in_at: float = float("-inf")


class Lanes:
    """Implements `http.Channel`. user: as `DynamicsAccess.windows_user`. connection: makes a transport.

    Raises, beside what a channel raises:
        faults.NotOurs: the server offers another way of signing in only.
    """

    def __init__(
        self, user: str, password: str, connections: int, transport: Callable[[], httpx.AsyncBaseTransport]
    ) -> None:
        self._user = user
        self._password = password
        self._lanes = [_Lane(http.client(transport())) for _ in range(connections)]
        self._free = list(self._lanes)
        self._slots = asyncio.Semaphore(connections)
        self._first = asyncio.Lock()
        self._accepted_at = float("-inf")
        self._refused: AuthRefused | None = None

    def forget_refusal(self) -> None:
        """A person tests the access: it may have been put right in the directory, or changed."""
        self._refused, self._accepted_at = None, float("-inf")
        for lane in self._lanes:
            lane.signed_in_at = float("-inf")

    async def send(self, request: Request) -> Reply:
        """See `Channel`."""
        async with self._slots:
            lane = self._free.pop()  # the one used last: its connection is open, most likely
            try:
                return await self._over(lane, request)
            finally:
                self._free.append(lane)

    async def close(self) -> None:
        """Never raises."""
        await asyncio.gather(*(lane.http.aclose() for lane in self._lanes), return_exceptions=True)

    async def _over(self, lane: _Lane, request: Request) -> Reply:
        if time.monotonic() - lane.signed_in_at < _WARM_SECONDS:
            reply = await http.exchange(lane.http, request)
            if reply.status != 401:
                lane.signed_in_at = time.monotonic()
                return reply
            # The server has ended it: perhaps the password is another one by now, so one lane tries first.
            self._accepted_at = float("-inf")
        if time.monotonic() - self._accepted_at < _TRUSTED_SECONDS:
            return await self._signed_in(lane, request)
        async with self._first:
            return await self._signed_in(lane, request)

    async def _signed_in(self, lane: _Lane, request: Request) -> Reply:
        if self._refused is not None:
            raise self._refused
        scheme = next(iter(_SCHEMES))
        for _ in range(_TRIES):
            handshake = spnego.client(
                self._user,
                self._password,
                protocol=_SCHEMES[scheme],
                options=spnego.NegotiateOptions.use_ntlm,
            )
            # Without its body: nobody reads that before the connection is signed in.
            empty = b"" if request.content is not None else None
            asked = await http.exchange(
                lane.http, _with(replace(request, content=empty), scheme, handshake.step())
            )
            if asked.status != 401:
                return asked if request.content is None else await http.exchange(lane.http, request)
            offered = _offered(asked)
            if scheme not in offered:
                scheme = _next_scheme(scheme, offered)
                continue
            if (challenge := offered[scheme]) is None:
                continue  # it wanted to see the scheme first
            token = _answer(handshake, challenge, asked)
            reply = await http.exchange(lane.http, _with(request, scheme, token))
            if reply.status != 401:
                lane.signed_in_at = self._accepted_at = time.monotonic()
                return reply
            if reply.connection is asked.connection:
                self._refused = AuthRefused(faults.REFUSED_USER.sentence)
                raise self._refused
        raise reaching.CUT_OFF.error(writing=False)


def _with(request: Request, scheme: str, token: bytes | None) -> Request:
    given = base64.b64encode(token or b"").decode("ascii")
    return replace(request, headers={**request.headers, "Authorization": f"{scheme} {given}"})


def _offered(reply: Reply) -> dict[str, str | None]:
    """Schemes that we speak, each with its challenge if there is one."""
    header = reply.headers.get("WWW-Authenticate", "")
    found = {name: re.search(_CHALLENGE.format(name), header, re.IGNORECASE) for name in _SCHEMES}
    return {name: match[1] for name, match in found.items() if match}


def _next_scheme(scheme: str, offered: Mapping[str, Any]) -> str:
    others = [name for name in _SCHEMES if name in offered and name != scheme]
    if not others:
        raise faults.OTHER_SIGN_IN.error(writing=False)
    return others[0]


def _answer(handshake: spnego.ContextProxy, challenge: str, reply: Reply) -> bytes | None:
    try:
        return handshake.step(base64.b64decode(challenge), channel_bindings=_binding(reply.connection))
    except (spnego.exceptions.SpnegoError, ValueError):
        raise _unreadable() from None


def _unreadable() -> LeadbusError:
    return faults.UNREADABLE.error(writing=False)


def _binding(connection: Any) -> GssChannelBindings | None:
    """Of the TLS connection, for servers with Extended Protection: tls-server-end-point of RFC 5929."""
    tls = connection.get_extra_info("ssl_object") if connection is not None else None
    shown = tls.getpeercert(binary_form=True) if tls is not None else None
    if not shown:
        return None
    signed_with = x509.load_der_x509_certificate(shown).signature_hash_algorithm
    weak = signed_with is None or isinstance(signed_with, hashes.MD5 | hashes.SHA1)
    digest = hashes.Hash(hashes.SHA256() if weak else signed_with)  # type: ignore[arg-type]
    digest.update(shown)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())
