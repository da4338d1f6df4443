"""HTTP to one server: bounded in time and size, no cookies, and what it says in plain values."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol

import httpx

from connector_dynamics import faults, reaching
from leadbus import foreign_json
from leadbus.errors import Rejected

MOST_BYTES = 50_000_000
LARGE = 100_000
"""Bytes from which on reading an answer would hold up everybody else: to be done in a thread."""
CONNECT_SECONDS, READ_SECONDS = 5.0, 120.0


class OnCall(Protocol):
    """Told of each call: operation, seconds, `ok` or the error's class, the traces it served."""

    def __call__(
        self, operation: str, seconds: float, outcome: str, traceparents: Sequence[bytes | None] = (), /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. writing: whether it matters if it is carried out twice."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    writing: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as it came. connection: what it came over, to be told from others by `is`."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    connection: Any = None

    @property
    def at(self) -> datetime:
        """The server's clock; ours where it does not tell."""
        try:
            return parsedate_to_datetime(self.headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            return datetime.now(UTC)

    @property
    def text(self) -> str:
        """The beginning of the answer, for telling what it is."""
        return self.content[:500_000].decode("utf-8", "replace")

    async def value(self) -> Any:
        """The JSON value, decimals as `Decimal`; None for an empty body. Raises ValueError."""
        if len(self.content) > LARGE:
            return await asyncio.to_thread(decode, self.content)
        return decode(self.content)


class Channel(Protocol):
    """A way to send requests signed in; `oauth.Bearer` and `ntlm.Lanes`."""

    async def send(self, request: Request) -> Reply:
        """Any answer but 401. Raises AuthRefused, and LeadbusError where no answer came."""
        ...


def client(transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """Over a transport of the kit's; None = a plain one."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(keepalive_expiry=3.0),
        headers={"User-Agent": "Leadbus"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        transport=transport,
        trust_env=False,
    )


async def exchange(http: httpx.AsyncClient, request: Request, *, seconds: float = READ_SECONDS) -> Reply:
    """Any HTTP answer; raises LeadbusError where none came in time, or one that is too long."""
    body = bytearray()
    try:
        async with (
            asyncio.timeout(CONNECT_SECONDS + seconds),
            http.stream(
                request.method, request.url, content=request.content, headers=request.headers
            ) as answer,
        ):
            connection = answer.extensions.get("network_stream")
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise faults.TOO_LONG.error(writing=request.writing)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise reaching.of_transport(error, request.url, writing=request.writing) from None
    except Rejected as refused:  # the guard's word is about the address, not about a row
        raise faults.Inside(str(refused)) from None
    return Reply(answer.status_code, bytes(body), answer.headers, connection)


@contextlib.contextmanager
def measured(on_call: OnCall | None, operation: str, traces: Sequence[bytes | None] = ()) -> Iterator[None]:
    """Tells the observer of the call made within."""
    began, outcome = time.perf_counter(), "ok"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        if on_call is not None:
            on_call(operation, time.perf_counter() - began, outcome, traces)


def encode(body: Any) -> bytes:
    """The JSON of a request; decimals as numbers."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_number).encode()


def decode(content: bytes) -> Any:
    """The JSON value; None for an empty body. Raises ValueError if it is something else."""
    return foreign_json.loads(content) if content.strip() else None


def _number(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)
