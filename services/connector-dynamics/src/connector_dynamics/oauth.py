"""Access tokens of Dynamics 365: OAuth2 client credentials, one for all adapters of an access.

The grant can be repeated as often as needed (Microsoft's documentation: a token lives an hour or so, and no
refresh token comes with it), so that nothing is kept over restarts. A refusal stands until a person tests the
access or changes it.
"""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from connector_dynamics import faults, http
from connector_dynamics.http import OnCall, Reply, Request
from connector_dynamics.settings import DynamicsAccess
from leadbus.errors import AuthRefused, LeadbusError, Transient

_MARGIN = 120.0  # seconds before its end from which on a token is not used any more
_SHORTEST = 1.0  # seconds for which a token is used all the same, however short its life is said to be
_REQUEST_SECONDS = 20.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}

REFUSALS: Mapping[str, str] = {
    "7000215": "The client secret is wrong: enter the secret's value, not its id (Microsoft Entra admin"
    " center > App registrations > Certificates & secrets).",
    "7000222": "The client secret has expired: make a new one (Microsoft Entra admin center > App"
    " registrations > Certificates & secrets) and enter its value.",
    "700016": "There is no such app registration in the directory: enter client_id and tenant as the app"
    " registration's overview shows them (application id, directory id).",
    "90002": "There is no such directory: enter the directory (tenant) id that the app registration's"
    " overview shows.",
    "900023": "There is no such directory: enter the directory (tenant) id that the app registration's"
    " overview shows.",
    "7000229": "The app registration is not at home in this directory: an administrator of the directory must"
    " consent to it once.",
    "500011": "The directory does not know the organisation's address: enter the address of an organisation"
    " that belongs to the tenant.",
    "7000112": "The app registration is disabled: an administrator of the directory must enable it.",
    "53003": "The directory's conditional access keeps Leadbus out: an administrator of the directory must"
    " let the app registration in from the address that Leadbus calls from.",
}
"""By the number behind AADSTS, as Microsoft's list of Entra error codes has them."""
OTHER_REFUSAL = (
    "The directory refuses the app registration's sign-in: check tenant, client_id and client_secret."
)
_TROUBLE = ("temporarily_unavailable", "server_error")  # Microsoft's documentation; RFC 6749
_CODE = re.compile(r"AADSTS(\d{4,8})\b")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    until: float


class Bearer:
    """Implements `http.Channel`. transport: for the sign-in and for the organisation alike; is closed."""

    def __init__(
        self,
        access: DynamicsAccess,
        transport: httpx.AsyncBaseTransport | None,
        on_call: OnCall | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access = access
        self._http = http.client(transport)
        self._on_call = on_call
        self._clock = clock
        self._token: _Token | None = None
        self._renewing: asyncio.Task[_Token] | None = None
        self._refused: AuthRefused | None = None
        self._accepted = False

    def forget_refusal(self) -> None:
        """A person tests the access: it may have been put right in the directory."""
        self._refused, self._token = None, None

    async def send(self, request: Request) -> Reply:
        """See `Channel`. A token that has ended is renewed, and the call repeated, once."""
        for _ in range(2):
            token = await self._good_token()
            signed = {**request.headers, "Authorization": f"Bearer {token.text}"}
            reply = await http.exchange(self._http, replace(request, headers=signed))
            if reply.status != 401:
                self._accepted = True
                return reply
            if self._token is token:
                self._token = None
        # An organisation that took one before will do so again.
        raise (faults.TOKEN_LOST_AGAIN if self._accepted else faults.REFUSED_APP).error(writing=False)

    async def close(self) -> None:
        """Never raises."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        await asyncio.gather(self._http.aclose(), return_exceptions=True)

    async def _good_token(self) -> _Token:
        if self._refused is not None:
            raise self._refused
        if self._token is not None and self._clock() < self._token.until:
            return self._token
        if self._renewing is None or self._renewing.done():
            self._renewing = _started(self._renew())
        # A caller that gives up must not take a new token with it.
        return await asyncio.shield(self._renewing)

    async def _renew(self) -> _Token:
        access = self._access
        parts = urlsplit(access.address)
        form = {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.client_secret.get_secret_value(),
            "scope": f"{parts.scheme}://{parts.netloc}/.default",
        }
        url = f"{access.login_url}/{access.tenant}/oauth2/v2.0/token"
        began = self._clock()
        with http.measured(self._on_call, "POST token"):
            request = Request("POST", url, _FORM, urlencode(form).encode())
            reply = await http.exchange(self._http, request, seconds=_REQUEST_SECONDS)
            try:
                self._token = _granted(reply.status, await reply.value(), began)
            except AuthRefused as error:
                self._refused = error
                raise
            except (LookupError, TypeError, ValueError):
                raise _not_read(reply) from None
        return self._token


def _granted(status: int, body: Any, began: float) -> _Token:
    if status == 200:
        life = max(float(body["expires_in"]) - _MARGIN, _SHORTEST)
        return _Token(str(body["access_token"]), began + life)
    if status in {400, 401, 403} and isinstance(body, dict) and "error" in body:
        if body["error"] in _TROUBLE:
            raise Transient("The directory cannot sign anybody in at the moment.")
        code = _CODE.search(str(body.get("error_description") or ""))
        raise AuthRefused(REFUSALS.get(code[1] if code else "", OTHER_REFUSAL))
    raise ValueError(status)


def _not_read(reply: Reply) -> LeadbusError:
    wait = faults.seconds(reply.headers.get("Retry-After"))
    if reply.status in {429, 503}:
        longest = min(wait or 30.0, faults.LONGEST_WAIT)
        return faults.DirectoryBusy("The directory asks for fewer sign-ins.", longest)
    if reply.status == 403:
        return faults.NotReached("The directory, or a firewall on the way to it, turns Leadbus away.")
    if reply.status >= 500:
        return Transient("The directory cannot sign anybody in at the moment.")
    return faults.NoDirectory(
        "The sign-in's address does not answer as Microsoft's does: leave login_url empty, unless the"
        " directory is in a national cloud."
    )


def _started(renewal: Coroutine[Any, Any, _Token]) -> "asyncio.Task[_Token]":
    """Whoever waits for it has its error; if nobody does, it is not to be complained of."""
    task = asyncio.create_task(renewal)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
