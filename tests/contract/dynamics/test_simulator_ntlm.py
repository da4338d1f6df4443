"""The simulator's Windows authentication: it signs in connections, as IIS does, and refuses as IIS does."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest
import spnego

from sandbox.dynamics import Dynamics

_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""
USER, PASSWORD = "CONTOSO\\leadbus", "zażółć s3cret"
ENVELOPE = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Execute'
    b' xmlns="http://schemas.microsoft.com/xrm/2011/Contracts/Services"><request'
    b' xmlns:b="http://schemas.microsoft.com/xrm/2011/Contracts"><b:RequestName>WhoAmI</b:RequestName></request>'
    b"</Execute></s:Body></s:Envelope>"
)
HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '"http://schemas.microsoft.com/xrm/2011/Contracts/Services/IOrganizationService/Execute"',
}


@pytest.fixture
async def crm() -> AsyncIterator[Dynamics]:
    crm = Dynamics(version="2011", password=PASSWORD)
    await crm.start()
    yield crm
    await crm.stop()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Of one connection."""
    async with httpx.AsyncClient(
        verify=_TLS, headers=HEADERS, limits=httpx.Limits(max_connections=1)
    ) as client:
        yield client


def initiator(user: str, password: str, scheme: str = "NTLM") -> spnego.ContextProxy:
    options = spnego.NegotiateOptions.use_ntlm
    return spnego.client(user, password, protocol=scheme.lower(), options=options, service="http")


async def step(
    client: httpx.AsyncClient, crm: Dynamics, token: bytes | None, scheme: str = "NTLM"
) -> httpx.Response:
    header = f"{scheme} {base64.b64encode(token or b'').decode()}".strip()
    return await client.post(crm.soap_url, content=ENVELOPE, headers={"Authorization": header})


def challenge(answer: httpx.Response) -> bytes:
    """What the server sends to the handshake."""
    assert answer.status_code == 401
    return base64.b64decode(answer.headers["www-authenticate"].split()[1])


async def signed_in(
    client: httpx.AsyncClient, crm: Dynamics, user: str = USER, password: str = PASSWORD, scheme: str = "NTLM"
) -> httpx.Response:
    context = initiator(user, password, scheme)
    first = await step(client, crm, context.step(), scheme)
    return await step(client, crm, context.step(challenge(first)), scheme)


async def ask(client: httpx.AsyncClient, crm: Dynamics) -> int:
    return (await client.post(crm.soap_url, content=ENVELOPE)).status_code


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
async def test_a_handshake_signs_in_the_connection_for_all_that_follows(
    crm: Dynamics, client: httpx.AsyncClient, scheme: str
) -> None:
    answer = await signed_in(client, crm, scheme=scheme)
    assert (answer.status_code, crm.user_id in answer.text) == (200, True)
    assert [await ask(client, crm) for _ in range(3)] == [200, 200, 200]
    assert (crm.logins, crm.refused_logins) == (1, 0)


async def test_another_connection_is_still_nobodys(crm: Dynamics, client: httpx.AsyncClient) -> None:
    await signed_in(client, crm)
    async with httpx.AsyncClient(verify=_TLS, headers=HEADERS) as other:
        answer = await other.post(crm.soap_url, content=ENVELOPE)
    assert answer.status_code == 401
    assert answer.headers.get_list("www-authenticate") == ["Negotiate", "NTLM"]
    assert await ask(client, crm) == 200


async def test_a_handshake_cannot_go_on_on_another_connection(
    crm: Dynamics, client: httpx.AsyncClient
) -> None:
    context = initiator(USER, PASSWORD)
    first = await step(client, crm, context.step())
    async with httpx.AsyncClient(verify=_TLS, headers=HEADERS) as other:
        assert (await step(other, crm, context.step(challenge(first)))).status_code == 401
    assert crm.logins == 0


async def test_a_new_connection_from_the_same_client_signs_in_anew(crm: Dynamics) -> None:
    for _ in range(2):
        async with httpx.AsyncClient(verify=_TLS, headers=HEADERS) as client:
            assert await ask(client, crm) == 401
            assert (await signed_in(client, crm)).status_code == 200
    assert crm.logins == 2


@pytest.mark.parametrize(
    ("user", "password"),
    [(USER, "wrong"), ("CONTOSO\\nobody", PASSWORD), ("FABRIKAM\\leadbus", PASSWORD), ("leadbus", PASSWORD)],
)
async def test_a_wrong_password_user_or_domain_is_answered_401(
    crm: Dynamics, client: httpx.AsyncClient, user: str, password: str
) -> None:
    answer = await signed_in(client, crm, user, password)
    assert answer.status_code == 401
    assert answer.headers.get_list("www-authenticate") == ["Negotiate", "NTLM"]
    assert (crm.logins, crm.refused_logins) == (0, 1)
    assert await ask(client, crm) == 401


async def test_names_are_taken_in_any_case(crm: Dynamics, client: httpx.AsyncClient) -> None:
    assert (await signed_in(client, crm, "contoso\\LeadBus")).status_code == 200


async def test_a_handshake_begun_again_ends_the_old_one(crm: Dynamics, client: httpx.AsyncClient) -> None:
    await signed_in(client, crm)
    assert (await step(client, crm, initiator(USER, PASSWORD).step())).status_code == 401
    assert await ask(client, crm) == 401
    assert (await signed_in(client, crm)).status_code == 200


@pytest.mark.parametrize("token", [b"", b"NTLMSSP\x00\x01", b"nonsense"])
async def test_what_is_no_token_is_answered_401(
    crm: Dynamics, client: httpx.AsyncClient, token: bytes
) -> None:
    assert (await step(client, crm, token)).status_code == 401
    assert (await client.post(crm.soap_url, headers={"Authorization": "NTLM %%%"})).status_code == 401
    assert (await signed_in(client, crm)).status_code == 200


async def test_connections_sign_in_side_by_side(crm: Dynamics) -> None:
    async def one() -> list[int]:
        async with httpx.AsyncClient(
            verify=_TLS, headers=HEADERS, limits=httpx.Limits(max_connections=1)
        ) as client:
            answer = await signed_in(client, crm)
            return [answer.status_code, await ask(client, crm)]

    assert await asyncio.gather(*(one() for _ in range(30))) == [[200, 200]] * 30
    assert crm.logins == 30


async def test_a_session_that_ends_asks_for_a_new_handshake(crm: Dynamics, client: httpx.AsyncClient) -> None:
    await signed_in(client, crm)
    crm.faults.add("expire_session", times=1)
    assert [await ask(client, crm), await ask(client, crm)] == [401, 401]
    assert (await signed_in(client, crm)).status_code == 200


async def test_one_simulators_users_are_not_the_others(crm: Dynamics, client: httpx.AsyncClient) -> None:
    other = Dynamics(version="2011", user="other", password="other")
    await other.start()
    try:
        assert (await signed_in(client, other)).status_code == 401
        assert (await signed_in(client, other, "CONTOSO\\other", "other")).status_code == 200
    finally:
        await other.stop()


async def test_the_description_needs_no_signing_in(crm: Dynamics, client: httpx.AsyncClient) -> None:
    address = crm.soap_url.removesuffix("/web")
    answer = await client.get(f"{address}?wsdl=wsdl0")
    assert answer.status_code == 200
    assert "<ms-xrm:Authentication>ActiveDirectory</ms-xrm:Authentication>" in answer.text
