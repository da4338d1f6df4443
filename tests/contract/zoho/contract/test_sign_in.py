"""Signing in with the browser, from the connection's first test to its second, through the whole service."""

from urllib.parse import urlsplit

import httpx

from leadbus.testing.house import House
from sandbox.zoho import Zoho


async def test_a_connection_without_a_sign_in_says_how_and_has_one_afterwards(
    house: House, crm: Zoho
) -> None:
    settings = {
        "tenant_id": "acme",
        "access": {
            "user": "api@example.test",
            "organisation": "20000000001",
            "data_centre": crm.url,
            "client_id": "1000.LEADBUS",
            "client_secret": "secret",
        },
    }
    await house.ask("PUT", "/v1/connections/by-browser", json=settings)
    (first,) = (await house.ask("POST", "/v1/connections/by-browser/test"))["findings"]
    assert not first["ok"]
    assert "leadbus connections sign-in" in first["advice"]
    begun = await house.ask("POST", "/v1/connections/by-browser/sign-in")
    assert house.service is not None
    crm.desk.register_redirect(f"{house.service.url}/v1/sign-in")
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        page = await browser.get(begun["url"])
    assert page.status_code == 200
    assert urlsplit(str(page.url)).path == "/v1/sign-in"
    assert "Leadbus is signed in to your CRM" in page.text
    assert "api@example.test has signed in to organisation 20000000001" in page.text
    found = (await house.ask("POST", "/v1/connections/by-browser/test"))["findings"]
    assert any("The user is api@example.test" in finding["what"] for finding in found)
