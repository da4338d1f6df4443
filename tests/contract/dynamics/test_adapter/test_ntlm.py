"""Windows authentication over asynchronous HTTP, under concurrency."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from connector_dynamics import ntlm
from connector_dynamics.http import Request
from connector_dynamics.ntlm import Lanes
from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from leadbus.errors import AuthRefused, Transient
from leadbus.security.addresses import AddressGuard
from leadbus.security.guarded_transport import GuardedTransport
from sandbox.dynamics import Dynamics
from sandbox.dynamics import ntlm as server_side

CALLS = 8
SECRET = "secret"


class Wandering(httpx.AsyncBaseTransport):
    """Every request goes over another connection, as pools are free to do."""

    def __init__(self) -> None:
        self._ways = [httpx.AsyncHTTPTransport() for _ in range(2)]
        self.sent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return await self._ways[self.sent % 2].handle_async_request(request)

    async def aclose(self) -> None:
        for way in self._ways:
            await way.aclose()


def one_connection() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1, keepalive_expiry=3.0))


@pytest.fixture
async def crm() -> AsyncIterator[Dynamics]:
    server = Dynamics(version="2016", call_seconds=0.01)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def who(crm: Dynamics) -> Request:
    return Request("GET", f"{crm.web_api_url}/WhoAmI")


def lanes(*, user=r"CONTOSO\leadbus", secret=SECRET, transport=one_connection, calls=CALLS) -> Lanes:
    return Lanes(user, secret, calls, transport)


async def test_sixty_requests_side_by_side_are_all_let_in(crm, who):
    pool = lanes()
    replies = await asyncio.gather(*(pool.send(who) for _ in range(60)))
    assert [reply.status for reply in replies] == [200] * 60
    assert 1 <= crm.logins <= CALLS
    assert crm.refused_logins == 0
    await pool.close()


async def test_requests_with_a_body_arrive_whole(crm):
    pool = lanes()
    body = b'{"lastname": "%s", "subject": "s"}' % (b"x" * 40)
    post = Request(
        "POST", f"{crm.web_api_url}/leads", {"Content-Type": "application/json"}, body, writing=True
    )
    replies = await asyncio.gather(*(pool.send(post) for _ in range(30)))
    assert [reply.status for reply in replies] == [204] * 30
    assert len(crm.records("lead")) == 30
    await pool.close()


async def test_through_the_kit_s_transport_each_lane_has_a_connection_of_its_own(crm, who):
    guarded = GuardedTransport(AddressGuard("127.0.0.1"))
    pool = lanes(transport=lambda: guarded.another(1))
    replies = await asyncio.gather(*(pool.send(who) for _ in range(60)))
    assert [reply.status for reply in replies] == [200] * 60
    assert crm.logins <= CALLS
    await pool.close()
    await guarded.aclose()


async def test_a_connection_that_stays_open_signs_in_once(crm, who):
    pool = lanes()
    for _ in range(20):
        assert (await pool.send(who)).status == 200
    assert crm.logins == 1
    await pool.close()


async def test_a_connection_that_is_signed_out_signs_in_again(crm, who):
    pool = lanes()
    await pool.send(who)
    crm.ntlm.forget()
    replies = await asyncio.gather(*(pool.send(who) for _ in range(30)))
    assert [reply.status for reply in replies] == [200] * 30
    assert crm.refused_logins == 0
    await pool.close()


async def test_a_wrong_password_is_tried_once_however_many_requests_wait(crm, who):
    pool = lanes(secret="wrong")
    results = await asyncio.gather(*(pool.send(who) for _ in range(30)), return_exceptions=True)
    assert {type(result) for result in results} == {AuthRefused}
    assert crm.refused_logins == 1
    pool.forget_refusal()
    with pytest.raises(AuthRefused):
        await pool.send(who)
    assert crm.refused_logins == 2
    await pool.close()


async def test_a_test_signs_in_again_on_a_connection_that_is_signed_in(crm, who):
    pool = lanes()
    await pool.send(who)
    pool.forget_refusal()
    assert (await pool.send(who)).status == 200
    assert crm.logins == 2
    await pool.close()


async def test_a_handshake_that_wanders_over_connections_is_no_refused_password(crm, who):
    pool = lanes(transport=Wandering, calls=1)
    with pytest.raises(Transient):
        await pool.send(who)
    assert pool._refused is None
    await pool.close()


@pytest.mark.parametrize("user", ["leadbus@contoso", r"contoso\LEADBUS"])
async def test_the_user_is_known_however_it_is_written(crm, who, user):
    pool = lanes(user=user)
    if "@" in user:
        # pyspnego's server side knows no user principal names: it is refused, and nothing breaks.
        with pytest.raises(AuthRefused):
            await pool.send(who)
    else:
        assert (await pool.send(who)).status == 200
    await pool.close()


async def test_a_server_that_offers_negotiate_alone_is_spoken_to(crm, who, monkeypatch):
    monkeypatch.setattr(server_side, "_SCHEMES", {"negotiate": "Negotiate"})
    pool = lanes()
    replies = await asyncio.gather(*(pool.send(who) for _ in range(20)))
    assert [reply.status for reply in replies] == [200] * 20
    await pool.close()


async def test_over_https_the_sign_in_is_bound_to_the_certificate(certificate, monkeypatch):
    trusted, bindings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), []
    trusted.load_verify_locations(certificate[0])
    trusted.check_hostname = False

    def over_tls() -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(verify=trusted, limits=httpx.Limits(max_connections=1))

    def seen(connection):
        bindings.append(bind(connection))
        return bindings[-1]

    bind = ntlm._binding
    monkeypatch.setattr(ntlm, "_binding", seen)
    crm = Dynamics(version="2016", certificate=certificate)
    await crm.start()
    pool = lanes(transport=over_tls)
    who = Request("GET", f"{crm.web_api_url}/WhoAmI")
    replies = await asyncio.gather(*(pool.send(who) for _ in range(20)))
    assert [reply.status for reply in replies] == [200] * 20
    (shown,) = trusted.get_ca_certs(binary_form=True)
    digest = hashlib.sha256(shown).digest()
    assert {binding.application_data for binding in bindings} == {b"tls-server-end-point:" + digest}
    await pool.close()
    await crm.stop()


async def test_adapters_of_one_organisation_share_their_connections(crm, connect):
    organisations, connection = Organisations(), connect()
    many = [Probing(connection, organisations) for _ in range(4)]
    opened = await asyncio.gather(*(probing.open() for probing in many))
    found = await asyncio.gather(*(one.retrieve("lead", [str(uuid4())], ["lastname"]) for one in opened * 10))
    assert found == [[]] * 40
    assert crm.logins <= CALLS
    for probing in many:
        await probing.close()
    assert not organisations._known
