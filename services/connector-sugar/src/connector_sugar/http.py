"""HTTP to one SugarCRM, whatever is spoken over it: no cookies, bounded answers, every call measured."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from connector_sugar import faults
from leadbus.connector.observing import OnCall, measured

APPLICATION = "Leadbus"
MOST_BYTES = 50_000_000
LARGE = 100_000
"""Bytes from which on reading an answer would hold up everybody else: to be done in a thread."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Http:
    """Connections to one server. read_timeout: seconds a call may take once it is sent."""

    def __init__(
        self,
        *,
        connections: int,
        connect_timeout: float,
        read_timeout: float,
        on_call: OnCall | None,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._longest = connect_timeout + read_timeout
        self._on_call = on_call
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout),
            # Web servers drop idle connections after 5 s, as a rule; a write must not run into that.
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=3.0),
            headers={"User-Agent": APPLICATION},
            # A login that carries an earlier one's PHPSESSID would get the same session again.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=transport,
        )

    async def exchange(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], *, writing: bool
    ) -> Reply:
        """Any HTTP answer; raises LeadbusError where none came, or one that is too long."""
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._longest),
                self._http.stream(method, url, content=content, headers=headers) as response,
            ):
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise faults.TOO_LONG.error(writing=writing)
        except (httpx.HTTPError, TimeoutError) as error:
            raise faults.of_transport(error, writing=writing) from None
        return Reply(response.status_code, bytes(body), response.headers)

    def measured(self, operation: str, traces: Sequence[bytes | None] = ()) -> AbstractContextManager[None]:
        """Tells the observer of the call made within."""
        return measured(self._on_call, operation, traces)

    async def close(self) -> None:
        """Never raises."""
        with contextlib.suppress(httpx.HTTPError):
            await self._http.aclose()
