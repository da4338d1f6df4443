"""Calls to one SugarCRM's older services: a few sessions side by side, each with one call at a time.

The server works a session's calls off one after another, so that speed comes from several logins.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from connector_sugar import faults
from connector_sugar.http import APPLICATION, LARGE, Http, Reply
from connector_sugar.legacy.operations import Encoding
from connector_sugar.settings import SugarAccess
from leadbus.connector.observing import OnCall
from leadbus.errors import AuthExpired, AuthRefused, LeadbusError

Result = TypeVar("Result")

LONGEST_FAREWELL = 5.0  # seconds; a session that is not ended expires by itself


@dataclass(slots=True)
class _Session:
    """One login; without an id it signs in before its next call."""

    id: str | None = None


class LegacyClient:
    """One CRM's service in one encoding. read_timeout: seconds a call may take once it is sent."""

    def __init__(
        self,
        access: SugarAccess,
        encoding: Encoding,
        *,
        sessions: int,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        on_call: OnCall | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._access = access
        self._encoding = encoding
        self._http = Http(
            connections=sessions + 1,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            on_call=on_call,
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
        """The version in use, None before the first sign-in."""
        return self._version

    @property
    def choice(self) -> str:
        """A sentence: which version of the service was chosen, and why."""
        service, best = self._encoding.service, self._encoding.versions[0]
        if self._version is None:
            return f"No version of the CRM's {service} is chosen yet."
        if self._version == best:
            return f"The CRM's {service} {self._version} is used."
        return f"The CRM's {service} {self._version} is used, because {best} is missing or broken there."

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
            with self._http.measured("get_server_info"):
                return await self._read("get_server_info", await self._post(version, "get_server_info"))

        return await (ask(self._version) if self._version else self._first_that_serves(ask))

    async def sign_in(self) -> None:
        """Signs in unless a session is there already."""
        session = await self._idle.get()
        try:
            if session.id is None:
                await self._sign_in(session)
        finally:
            self._idle.put_nowait(session)

    async def close(self) -> None:
        """Ends the sessions; never raises."""
        version = self._version or self._encoding.versions[0]
        open_ones = [session.id for session in self._sessions if session.id]
        logouts = [self._post(version, "logout", key) for key in open_ones]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_FAREWELL):
                await asyncio.gather(*logouts, return_exceptions=True)
        await self._http.close()

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

        return await (attempt(version) if version else self._first_that_serves(attempt))

    async def _log_in(self, session: _Session, version: str) -> None:
        # The protocol's own scheme: the server compares the MD5 of the password.
        secret = self._access.password.get_secret_value().encode()
        auth = {
            "user_name": self._access.user,
            "password": hashlib.md5(secret, usedforsecurity=False).hexdigest(),
        }
        with self._http.measured("login"):
            reply = await self._post(version, "login", auth, APPLICATION, {})
            try:
                session.id = await self._read("login", reply)
            except AuthExpired:  # an answer of nothing
                raise faults.UNREADABLE.error(writing=False) from None

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
        version = self._version or self._encoding.versions[0]
        with self._http.measured(operation, traces):
            reply = await self._post(version, operation, key, *arguments, writing=writing, traces=traces)
            session.id = key
            return await self._read(operation, reply, writing=writing)

    async def _post(
        self,
        version: str,
        operation: str,
        *arguments: Any,
        writing: bool = False,
        traces: Sequence[bytes] = (),
    ) -> Reply:
        """Any HTTP answer; raises where none came."""
        url = f"{self._access.url}/service/{version}/{self._encoding.script}"
        headers = self._encoding.headers(operation)
        if traces:
            headers["traceparent"] = traces[0].decode("ascii")
        body = self._encoding.encode(version, operation, arguments)
        return await self._http.exchange("POST", url, body, headers, writing=writing)

    async def _read(self, operation: str, reply: Reply, *, writing: bool = False) -> Any:
        """The result; raises the error that the answer stands for."""
        if len(reply.content) > LARGE:
            return await asyncio.to_thread(self._encoding.decode, operation, reply, writing=writing)
        return self._encoding.decode(operation, reply, writing=writing)

    async def _first_that_serves(self, attempt: Callable[[str], Awaitable[Result]]) -> Result:
        """What the first version answers that is there and does not break off; else as the first one raised
        that is there at all."""
        failures: list[LeadbusError] = []
        for version in self._encoding.versions:
            try:
                return await attempt(version)
            except (faults.NotServed, faults.Died) as error:
                failures.append(error)
        raise next((error for error in failures if not isinstance(error, faults.Missing)), failures[0])
