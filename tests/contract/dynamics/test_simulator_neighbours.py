"""What somebody may take for an organisation's address answers as itself, and never as an organisation."""

import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.dynamics.neighbours import TOKEN_SERVICE, Neighbour, Product

_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""


@pytest.fixture
async def neighbour(request: pytest.FixtureRequest) -> AsyncIterator[Neighbour]:
    product: Product = request.param
    neighbour = Neighbour(product)
    await neighbour.start()
    yield neighbour
    await neighbour.stop()


@pytest.mark.parametrize("neighbour", ["ifd"], indirect=True)
async def test_a_federated_organisation_names_its_token_service(neighbour: Neighbour) -> None:
    service = f"{neighbour.url}/XRMServices/2011/Organization.svc"
    async with httpx.AsyncClient(verify=_TLS) as http:
        policy = (await http.get(f"{service}?wsdl=wsdl0")).text
        assert "<ms-xrm:Authentication>Federation</ms-xrm:Authentication>" in policy
        assert f"<ms-xrm:Identifier>{TOKEN_SERVICE}</ms-xrm:Identifier>" in policy
        posted = await http.post(neighbour.address, content=b"<a/>", headers={"Content-Type": "text/xml"})
        assert (posted.status_code, "verifying security" in posted.text) == (500, True)
        assert (
            (await http.get(f"{neighbour.url}/api/data/v9.1/WhoAmI"))
            .headers["www-authenticate"]
            .startswith("Bearer authorization_uri=https://sts.")
        )
        front = await http.get(f"{neighbour.url}/main.aspx")
        assert (front.status_code, "/adfs/ls/" in front.headers["location"]) == (302, True)


@pytest.mark.parametrize(
    ("neighbour", "path", "status", "word"),
    [
        ("ax_2012", "", 200, "schemas.microsoft.com/dynamics/2008/01"),
        ("ax_2012", "/", 200, "Microsoft.Dynamics.AX"),
        ("finance_operations", "/data/$metadata", 200, "Microsoft.Dynamics.DataEntities"),
        ("finance_operations", "", 401, ""),
        ("finance_operations", "/anything", 302, ""),
        ("business_central", "/BC/", 200, "Business Central"),
        ("business_central", "", 401, ""),
    ],
    indirect=["neighbour"],
)
async def test_other_products_have_pages_of_their_own(
    neighbour: Neighbour, path: str, status: int, word: str
) -> None:
    async with httpx.AsyncClient(verify=_TLS) as http:
        answer = await http.get(neighbour.url + path if path else neighbour.address)
    assert (answer.status_code, word in answer.text) == (status, True)
    assert sum(neighbour.calls.values()) == 1


@pytest.mark.parametrize("neighbour", ["ax_2012", "finance_operations", "business_central"], indirect=True)
async def test_other_products_have_no_organisation_service(neighbour: Neighbour) -> None:
    async with httpx.AsyncClient(verify=_TLS) as http:
        for path in ("/contoso/XRMServices/2011/Organization.svc?wsdl", "/api/data/v9.1/WhoAmI"):
            answer = await http.get(neighbour.url + path)
            assert answer.status_code in (302, 404)
            assert "wsdl:definitions" not in answer.text
