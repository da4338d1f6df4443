"""Calls to one SugarCRM: a few sessions side by side, each with one call at a time.

The server works a session's calls off one after another, so that speed comes from several logins. Cookies
are refused: a login that carries an earlier one's PHPSESSID would get the same session again.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
import zeep.exceptions

from connector_sugar import faults, wire
from connector_sugar.settings import SugarAccess
from leadbus.errors import AuthExpired, AuthRefused, LeadbusError

Result = TypeVar("Result")
OnCall = Callable[[str, float, str, Sequence[bytes]], None]
"""Told of each call: operation, seconds, `ok` or the error's class, the traces it served."""

APPLICATION = "Leadbus"
VERSIONS = ("v4_1", "v2", "v4")
"""In the order they are tried: v4_1 tells most; where it fails (SuiteCRM from 7.12.6 on), v2 mostly works."""
MOST_BYTES = 50_000_000
LONGEST_FAREWELL = 5.0  # seconds; a session that is not ended expires by itself
_LARGE = 100_000  # bytes from which on reading an answer would hold up everybody else


@dataclass(slots=True)
class _Session:
    """One login; without an id it signs in before its next call."""

    id: str | None = None


class SugarClient:
    """The SOAP service of one CRM. read_timeout: seconds a call may take once it is sent."""

    def __init__(
        self,
        access: SugarAccess,
        *,
        sessions: int,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        on_call: OnCall | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._access = access
        self._longest = connect_timeout + read_timeout
        self._on_call = on_call
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            # Web servers drop idle connections after 5 s, as a rule; a write must not run into that.
            limits=httpx.Limits(max_connections=sessions + 1, keepalive_expiry=3.0),
            headers={"User-Agent": APPLICATION},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=transport,
        )
        # Last in, first out: with little to do one session serves, the others need no login.
        self._idle: asyncio.LifoQueue[_Session] = asyncio.LifoQueue()
        self._sessions = [_Session() for _ in range(sessions)]
        for session in self._sessions:
            self._idle.put_nowait(session)
        self._version: str | None = None
        self._signing_in = asyncio.Lock()
        self._refused: AuthRefused | None = None

    @property
    def version(self) -> str | None:
        """The SOAP version in use, None before the first sign-in."""
        return self._version

    @property
    def choice(self) -> str:
        """A sentence: which version of the SOAP service was chosen, and why."""
        if self._version is None:
            return "No version of the CRM's SOAP service is chosen yet."
        if self._version == VERSIONS[0]:
            return f"The CRM's SOAP service {self._version} is used."
        why = f"because {VERSIONS[0]} is missing or broken there"
        return f"The CRM's SOAP service {self._version} is used, {why}."

    async def call(
        self, operation: str, *arguments: Any, writing: bool = False, traces: Sequence[bytes] = ()
    ) -> Any:
        """The result of an operation; its first argument, the session, is added here.

        A lost session is renewed, and the call repeated, once.

        Raises:
            LeadbusError: by `faults`; never AuthExpired.
        """
        session = await self._idle.get()
        try:
            for _ in range(2):
                try:
                    if session.id is None:
                        await self._sign_in(session)
                    return await self._in_session(session, operation, arguments, writing, traces)
                except AuthExpired:
                    session.id = None
            raise faults.SESSION_LOST_AGAIN.error(writing=writing)
        finally:
            self._idle.put_nowait(session)

    async def server_info(self) -> Any:
        """flavor, version and gmt_time; needs no session."""

        async def ask(version: str) -> Any:
            with self._measured("get_server_info", ()):
                reply = await self._post(version, "get_server_info")
                return await self._read("get_server_info", reply)

        return await (ask(self._version) if self._version else _first_that_serves(ask))

    async def close(self) -> None:
        """Ends the sessions; never raises."""
        version = self._version or VERSIONS[0]
        open_ones = [session.id for session in self._sessions if session.id]
        logouts = [self._post(version, "logout", key) for key in open_ones]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_FAREWELL):
                await asyncio.gather(*logouts, return_exceptions=True)
        with contextlib.suppress(httpx.HTTPError):
            await self._http.aclose()

    async def _sign_in(self, session: _Session) -> None:
        """One at a time, and never again once refused: more tries could lock the user out."""
        async with self._signing_in:
            if self._refused is not None:
                raise self._refused
            try:
                self._version = await self._log_in_first(session, self._version)
            except AuthRefused as error:
                self._refused = error
                raise

    async def _log_in_first(self, session: _Session, version: str | None) -> str:
        """Logs in by the version given, else by the first that serves; says which."""

        async def attempt(version: str) -> str:
            await self._log_in(session, version)
            return version

        return await (attempt(version) if version else _first_that_serves(attempt))

    async def _log_in(self, session: _Session, version: str) -> None:
        # The protocol's own scheme: the server compares the MD5 of the password.
        secret = self._access.password.get_secret_value().encode()
        auth = {
            "user_name": wire.clean(self._access.user),
            "password": hashlib.md5(secret, usedforsecurity=False).hexdigest(),
        }
        with self._measured("login", ()):
            result = await self._read("login", await self._post(version, "login", auth, APPLICATION, []))
            if wire.is_nothing(result):
                raise faults.UNREADABLE.error(writing=False)
            session.id = result["id"]

    async def _in_session(
        self,
        session: _Session,
        operation: str,
        arguments: Sequence[Any],
        writing: bool,
        traces: Sequence[bytes],
    ) -> Any:
        # A call that ends without an answer leaves the server busy with this session: no more use.
        key, session.id = session.id, None
        version = self._version or VERSIONS[0]
        with self._measured(operation, traces):
            reply = await self._post(version, operation, key, *arguments, writing=writing, traces=traces)
            session.id = key
            result = await self._read(operation, reply, writing=writing)
            if wire.is_nothing(result):
                raise faults.FAULTS["11"].error(writing=writing)
            return result

    async def _post(
        self,
        version: str,
        operation: str,
        *arguments: Any,
        writing: bool = False,
        traces: Sequence[bytes] = (),
    ) -> wire.Reply:
        """Any HTTP answer; raises where none came."""
        url = f"{self._access.url}/service/{version}/soap.php"
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'}
        if traces:
            headers["traceparent"] = traces[0].decode("ascii")
        body = wire.encode(operation, *arguments, version=version)
        content = bytearray()
        try:
            async with (
                asyncio.timeout(self._longest),
                self._http.stream("POST", url, content=body, headers=headers) as response,
            ):
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > MOST_BYTES:
                        raise faults.TOO_LONG.error(writing=writing)
        except (httpx.HTTPError, TimeoutError) as error:
            raise faults.of_transport(error, writing=writing) from None
        return wire.Reply(response.status_code, bytes(content), response.headers)

    async def _read(self, operation: str, reply: wire.Reply, *, writing: bool = False) -> Any:
        """The result, or the error that the answer stands for."""
        if reply.status_code == 200 and not reply.content.strip():
            raise faults.UNREADABLE.error(writing=writing)
        is_xml = "xml" in reply.headers.get("Content-Type", "")
        if not is_xml or reply.status_code not in {200, 500}:
            retry_after = reply.headers.get("Retry-After")
            raise faults.of_status(reply.status_code, retry_after, writing=writing)
        try:
            if len(reply.content) > _LARGE:
                return await asyncio.to_thread(wire.decode, operation, reply)
            return wire.decode(operation, reply)
        except zeep.exceptions.Fault as fault:
            raise faults.of_fault(fault.code, writing=writing) from None
        except (zeep.exceptions.Error, LookupError, TypeError, ValueError, AttributeError):
            # zeep quotes the answer, and with it people's data.
            raise faults.UNREADABLE.error(writing=writing) from None

    @contextlib.contextmanager
    def _measured(self, operation: str, traces: Sequence[bytes]) -> Iterator[None]:
        began, outcome = time.perf_counter(), "ok"
        try:
            yield
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            if self._on_call is not None:
                self._on_call(operation, time.perf_counter() - began, outcome, traces)


async def _first_that_serves(attempt: Callable[[str], Awaitable[Result]]) -> Result:
    """What the first version answers that is there and does not break off; raises as the last one did."""
    failure: LeadbusError = faults.PAGE.error(writing=False)
    for version in VERSIONS:
        try:
            return await attempt(version)
        except (faults.NotServed, faults.Died) as error:
            failure = error
    raise failure
