"""What an address speaks is found out, and said."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from connector_dynamics import checking, faults, products
from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from leadbus.errors import AuthRefused
from sandbox.dynamics import Dynamics
from sandbox.dynamics.neighbours import Neighbour
from sandbox.dynamics.soap.wsdl import described
from sandbox.web import Server, bound

WINDOWS = {"user": r"CONTOSO\leadbus", "password": "secret"}
APP = {"tenant": "t", "client_id": "c", "client_secret": "s"}


def connection(url, access=None):
    known = {"url": url, **(access or WINDOWS)}
    return DynamicsConnection.model_validate({"connection_id": "one", "tenant_id": "acme", "access": known})


@contextlib.asynccontextmanager
async def probed(url, access=None, **more) -> AsyncIterator[tuple[Probing, DynamicsConnection]]:
    known = connection(url, access)
    probing = Probing(known, Organisations(), **more)
    try:
        yield probing, known
    finally:
        await probing.close()


async def findings(url, access=None):
    async with probed(url, access) as (probing, known):
        return await checking.findings(probing, known)


@contextlib.asynccontextmanager
async def serving(*routes: Route) -> AsyncIterator[str]:
    """A server of other things."""
    listener = bound("127.0.0.1", 0)
    config = uvicorn.Config(Starlette(routes=list(routes)), lifespan="off", log_level="warning")
    server = Server(config, owns_process=False)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.listens.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()
        await task


@contextlib.asynccontextmanager
async def running(**options) -> AsyncIterator[Dynamics]:
    crm = Dynamics(**options)
    await crm.start()
    try:
        yield crm
    finally:
        await crm.stop()


@pytest.mark.parametrize(
    ("version", "product", "protocol"),
    [
        ("2011", "CRM 2011", "SOAP"),
        ("2015", "CRM 2015", "SOAP"),
        ("2016", "8.2", "Web API v8.2"),
        ("9.1", "Customer Engagement (on-premises)", "Web API v9.1"),
    ],
)
async def test_on_premises_the_best_protocol_of_the_version_is_taken(version, product, protocol):
    async with running(version=version) as crm:
        found = await findings(crm.organisation_url)
        assert all(finding.ok for finding in found)
        said = " ".join(finding.what for finding in found)
        assert product in said
        assert protocol in said
        assert "The user is Leadbus." in said
        assert "The organisation is contoso." in said
        assert crm.refused_logins == 0


async def test_online_the_web_api_is_taken_in_the_name_of_the_app(crm, connect):
    probing = Probing(connect(), Organisations())
    info = await (await probing.open()).info()
    assert info.online == crm.site.settings.online
    assert info.user_id == crm.user_id
    await probing.close()


async def test_the_name_of_the_organisation_may_stand_beside_the_address():
    async with running(version="2011") as crm:
        access = {**WINDOWS, "organisation": "contoso"}
        assert all(finding.ok for finding in await findings(crm.url, access))


async def test_an_odata_address_of_another_organisation_is_pointed_out():
    async with running(version="2011") as crm:
        odata = f"{crm.organisation_url}/XRMServices/2011/OrganizationData.svc"
        alike = await findings(crm.organisation_url, {**WINDOWS, "odata_url": odata})
        other = await findings(crm.organisation_url, {**WINDOWS, "odata_url": f"{crm.url}/other/main.aspx"})
        assert len(other) == len(alike) + 1
        assert all(finding.ok for finding in other)
        assert "OData" in other[-2].what


async def test_what_was_found_is_not_asked_again():
    async with running(version="2011") as crm:
        known, organisations = connection(crm.organisation_url), Organisations()
        first = Probing(known, organisations)
        await first.open()
        asked = crm.calls.total()
        second = Probing(known, organisations)
        await second.open()
        assert crm.calls.total() == asked
        await first.close()
        await second.close()


@pytest.mark.parametrize("version", ["2011", "9.1"])
async def test_a_refused_password_is_tried_once_and_ends_it(version):
    async with running(version=version) as crm:
        found = await findings(crm.organisation_url, {**WINDOWS, "password": "wrong"})
        assert [(finding.ok, finding.refused) for finding in found] == [(False, True)]
        assert "user name or password" in found[0].what
        assert crm.refused_logins == 1


async def test_a_sign_in_page_instead_of_a_challenge_is_looked_behind_too():
    async def forwards(request):
        if request.url.path.endswith(".svc"):
            return described(request, "http://adfs.example/adfs/services/trust")
        return Response(status_code=302, headers={"Location": "https://adfs.example/adfs/ls"})

    async with serving(Route("/{path:path}", forwards, methods=["GET", "POST"])) as url:
        found = await findings(url)
    assert "IFD" in found[0].what


async def test_a_server_without_windows_sign_in_and_without_a_policy_says_so():
    async def basic(request):
        return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="crm"'})

    async with serving(Route("/{path:path}", basic, methods=["GET", "POST"])) as url:
        found = await findings(url)
    assert "does not let Windows users in" in found[0].what


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:1/MicrosoftDynamicsAXAif60/Leads/xppservice.svc", "Microsoft Dynamics AX 2012"),
        ("http://127.0.0.1:1/BC190/ODataV4", "Business Central"),
        ("https://contoso.operations.dynamics.com", "Finance & Operations"),
    ],
)
async def test_a_neighbour_s_address_is_refused_by_name_without_a_call(url, name):
    found = await findings(url)
    assert [finding.ok for finding in found] == [False]
    assert name in found[0].what
    assert products.SUPPORTED in found[0].what
    assert not found[0].blocked


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("ax_2012", "Microsoft Dynamics AX 2012"),
        ("finance_operations", "Finance & Operations"),
        ("business_central", "Business Central"),
    ],
)
async def test_a_neighbour_is_known_by_its_pages_where_its_address_tells_nothing(product, name):
    neighbour = Neighbour(product)
    await neighbour.start()
    for url in (neighbour.url, neighbour.address):
        found = await findings(url)
        assert name in found[0].what
        assert not found[0].refused
    await neighbour.stop()


async def test_a_federated_organisation_is_told_by_its_policy():
    neighbour = Neighbour("ifd")
    await neighbour.start()
    for url in (neighbour.url, neighbour.address):
        found = await findings(url)
        assert "IFD" in found[0].what
        assert "NTLM" in found[0].what
        assert not found[0].refused
    await neighbour.stop()


async def test_some_other_web_server_is_none_of_dynamics():
    async with serving(Route("/", lambda request: HTMLResponse("<title>IIS</title>"))) as url:
        found = await findings(url)
    assert [finding.ok for finding in found] == [False]
    assert products.SUPPORTED in found[0].advice


async def test_dynamics_365_with_a_user_name_is_told_what_it_needs():
    found = await findings("https://contoso.crm4.dynamics.com")
    assert "app registration" in found[0].what
    assert "client_secret" in found[0].what


async def test_an_address_where_nothing_listens_is_told_with_its_port():
    listener = bound("127.0.0.1", 0)
    port = listener.getsockname()[1]
    listener.close()
    found = await findings(f"http://127.0.0.1:{port}/contoso")
    assert found[0].blocked
    assert str(port) in found[0].what


async def test_a_certificate_of_nobody_s_is_told(certificate):
    async with running(version="2011", certificate=certificate) as crm:
        found = await findings(crm.organisation_url)
    assert [finding.ok for finding in found] == [False]
    assert "certificate" in found[0].what
    assert "self-signed" in found[0].what


async def test_a_firewall_s_page_asks_to_let_leadbus_in():
    async with running(version="2011") as crm:
        crm.faults.add("forbid")
        found = await findings(crm.organisation_url)
    assert found[0].blocked


async def test_a_user_that_is_disabled_is_no_wrong_password():
    async with running(version="9.1") as crm:
        crm.desk.disable_user(crm.user_id)
        async with probed(crm.organisation_url) as (probing, _):
            with pytest.raises(AuthRefused, match="disabled"):
                await probing.open()


async def test_an_app_that_is_no_user_of_the_organisation_is_told_to_become_one(connect, crm):
    crm.site.member = False
    probing = Probing(connect(), Organisations())
    with pytest.raises(faults.NotAMember):
        await probing.open()
    await probing.close()
