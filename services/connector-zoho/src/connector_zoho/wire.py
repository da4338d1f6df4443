"""What goes over the wire to Zoho and comes back: bounded in time and size, measured, no meaning yet."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from connector_zoho import faults
from leadbus import foreign_json
from leadbus.connector.observing import OnCall, measured

MOST_BYTES = 50_000_000
LARGE = 100_000
"""Bytes from which on reading an answer would hold up everybody else: to be done in a thread."""
_CONNECT_SECONDS, _READ_SECONDS, _DOWNLOAD_SECONDS = 5.0, 60.0, 1_800.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call answered. body: None where there is none (204, 304); decimals are `Decimal`.

    at: Zoho's clock when it answered, in UTC.
    """

    status: int
    body: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as it came."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The server's clock; ours where it does not tell."""
        try:
            return parsedate_to_datetime(self.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            return datetime.now(UTC)

    async def value(self) -> Any:
        """The JSON value; None for an empty body. Raises ValueError if it is something else."""
        if len(self.content) > LARGE:
            return await asyncio.to_thread(decode, self.content)
        return decode(self.content)


class Wire:
    """HTTP for one connection, through the transport that the kit hands in."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None, on_call: OnCall | None = None) -> None:
        self._on_call = on_call
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            headers={"User-Agent": "Leadbus"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=transport,
            trust_env=False,
        )

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        writing: bool = False,
        seconds: float = _CONNECT_SECONDS + _READ_SECONDS,
    ) -> Reply:
        """Any HTTP answer; raises LeadbusError where none came in time, or one that is too long."""
        body = bytearray()
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream(
                    method, url, params=params or None, content=content, headers=headers
                ) as answer,
            ):
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise faults.TOO_LONG.error(writing=writing)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise faults.of_transport(error, writing=writing) from None
        return Reply(answer.status_code, bytes(body), answer.headers)

    @contextlib.asynccontextmanager
    async def stream(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncIterator[tuple[Reply, AsyncIterator[bytes]]]:
        """A file, part by part; the reply's content is that of an error, and empty for a file."""
        try:
            async with (
                asyncio.timeout(_DOWNLOAD_SECONDS),
                self._http.stream("GET", url, headers=headers) as answer,
            ):
                content = b"" if answer.is_success else await answer.aread()
                yield Reply(answer.status_code, content, answer.headers), answer.aiter_bytes()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise faults.of_transport(error, writing=False) from None

    def measured(self, operation: str, traces: Sequence[bytes | None] = ()) -> AbstractContextManager[None]:
        """Tells the observer of the call made within."""
        return measured(self._on_call, operation, traces)

    async def close(self) -> None:
        """Never raises."""
        with contextlib.suppress(httpx.HTTPError):
            await self._http.aclose()


def encode(body: Any) -> bytes:
    """The request's bytes."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def decode(content: bytes) -> Any:
    """The JSON value; None for an empty body. Raises ValueError if it is something else."""
    return foreign_json.loads(content) if content.strip() else None


def outcomes(answer: Answer, key: str = "data") -> list[dict[str, Any]]:
    """The rows of an answer, in the request's order; none where it has no body.

    Their `status` decides, never the HTTP status (Zoho's documentation: 200, 201, 202, 207 or 400).
    """
    found = answer.body.get(key) if isinstance(answer.body, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
