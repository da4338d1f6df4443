"""An address that cannot be reached, or whose certificate serves nobody: what a person is told to open."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector_dynamics.connector import DynamicsAdapter
from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from leadbus.connector.checking.checks import Checking
from leadbus.connector.contract import Finding
from leadbus.security.addresses import AddressGuard
from leadbus.security.guarded_transport import GuardedTransport
from sandbox.certificates import self_signed

OURS = "198.51.100.7"
PROXY_PAGE = b"<html><title>Access denied</title><body>Blocked by policy</body></html>"


async def refusal(url: str, *, guarded: bool = True) -> Finding:
    """What `test` says of it; the kit names the address that we call from.

    guarded: as in a service; without, authorities of SSL_CERT_FILE are looked up anew.
    """
    access = {"url": url, "user": r"CONTOSO\leadbus", "password": "secret"}
    known = DynamicsConnection.model_validate({"connection_id": "one", "tenant_id": "acme", "access": access})
    transport = GuardedTransport(AddressGuard("127.0.0.0/8")) if guarded else None
    adapter = DynamicsAdapter(known, Probing(known, Organisations(), None, transport))
    try:
        (finding,) = await Checking(known, adapter, OURS).run()
    finally:
        await adapter.close()
    assert not finding.ok
    return finding


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port where nobody answers, as behind a firewall that drops: nobody accepts, and the queue is full."""
    with contextlib.ExitStack() as open_:
        server = open_.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            waiting = open_.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        yield server.getsockname()[1]


@contextlib.asynccontextmanager
async def answering(answer: bytes, certificate: tuple[str, str] | None = None) -> AsyncIterator[int]:
    """A port where everybody gets the same."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(answer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def page(status: str, body: bytes = PROXY_PAGE) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


async def test_a_name_that_is_not_known_outside_is_to_be_made_known() -> None:
    told = await refusal("https://crm.invalid:8443/contoso")
    assert "host name crm.invalid cannot be resolved" in told.what
    assert "public DNS" in told.advice
    assert OURS in told.advice


async def test_a_port_where_nothing_listens_is_named_with_who_must_be_let_in() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = await refusal(f"http://127.0.0.1:{port}/contoso")
    assert f"connections to port {port} of 127.0.0.1 are refused" in told.what
    assert "open that port" in told.advice
    assert f"Leadbus calls from {OURS}" in told.advice


async def test_a_firewall_that_drops_is_told_apart_from_one_that_refuses() -> None:
    with silent() as port:
        told = await refusal(f"https://127.0.0.1:{port}/contoso")
    assert f"Nothing answers at port {port} of 127.0.0.1" in told.what
    assert "open that port" in told.advice
    assert OURS in told.advice


async def test_https_to_a_port_that_does_not_speak_it_is_told() -> None:
    async with answering(page("400 Bad Request")) as port:
        told = await refusal(f"https://127.0.0.1:{port}/contoso")
    assert f"port {port} of 127.0.0.1 does not speak https" in told.what
    assert OURS in told.advice


async def test_http_to_a_port_that_speaks_https_is_told(tmp_path: Path) -> None:
    async with answering(b"", self_signed(tmp_path)) as port:
        told = await refusal(f"http://127.0.0.1:{port}/contoso")
    assert f"port {port} of 127.0.0.1" in told.what
    assert "enter the address with https" in told.what


async def test_a_certificate_that_nobody_has_signed_is_told(tmp_path: Path) -> None:
    async with answering(b"", self_signed(tmp_path)) as port:
        told = await refusal(f"https://127.0.0.1:{port}/contoso")
    assert f"port {port} of 127.0.0.1 cannot be relied on: it is self-signed" in told.what
    assert "authority that browsers know" in told.advice


@pytest.mark.parametrize(
    ("hosts", "hours", "why"),
    [(["127.0.0.1"], -1, "it has expired"), (["crm.example.com"], 1, "made out to another host name")],
)
async def test_a_certificate_of_a_known_authority_may_still_be_the_wrong_one(
    hosts: list[str], hours: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path, hosts, until=datetime.now(UTC) + timedelta(hours=hours))
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    async with answering(b"", certificate) as port:
        told = await refusal(f"https://127.0.0.1:{port}/contoso", guarded=False)
    assert f"port {port} of 127.0.0.1" in told.what
    assert why in told.what


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("200 OK", "firewall or proxy may answer in the CRM's place"),
        ("403 Forbidden", "turns Leadbus away"),
        ("407 Proxy Authentication Required", "proxy on the way"),
    ],
)
async def test_a_page_of_a_firewall_or_proxy_is_told_with_whom_to_let_through(status: str, why: str) -> None:
    async with answering(page(status)) as port:
        told = await refusal(f"http://127.0.0.1:{port}/contoso")
    assert why in told.what
    assert f"port {port} of 127.0.0.1" in told.what
    assert "Leadbus calls from" in told.advice
    assert OURS in told.advice
    assert "Blocked by policy" not in told.what


async def test_a_load_balancer_without_its_crm_says_so() -> None:
    async with answering(page("502 Bad Gateway")) as port:
        told = await refusal(f"http://127.0.0.1:{port}/contoso")
    assert "load balancer in front of the CRM" in told.what
