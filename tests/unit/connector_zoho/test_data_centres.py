"""Zoho's data centres, by the official SDK's table."""

import pytest

from connector_zoho.data_centres import (
    DATA_CENTRES,
    accounts_server,
    api_of,
    crm_of,
    data_centre,
    of_accounts_server,
)

TABLE = [
    ("com", "accounts.zoho.com", "zohoapis.com", "crm.zoho.com"),
    ("eu", "accounts.zoho.eu", "zohoapis.eu", "crm.zoho.eu"),
    ("in", "accounts.zoho.in", "zohoapis.in", "crm.zoho.in"),
    ("com.au", "accounts.zoho.com.au", "zohoapis.com.au", "crm.zoho.com.au"),
    ("jp", "accounts.zoho.jp", "zohoapis.jp", "crm.zoho.jp"),
    ("com.cn", "accounts.zoho.com.cn", "zohoapis.com.cn", "crm.zoho.com.cn"),
    ("ca", "accounts.zohocloud.ca", "zohoapis.ca", "crm.zohocloud.ca"),
    ("sa", "accounts.zoho.sa", "zohoapis.sa", "crm.zoho.sa"),
]


@pytest.mark.parametrize(("name", "accounts", "api", "crm"), TABLE)
def test_each_has_its_accounts_server_api_sandbox_developer_organisations_and_pages(name, accounts, api, crm):
    assert accounts_server(name) == f"https://{accounts}"
    assert of_accounts_server(f"https://{accounts}").name == name
    answered = f"https://www.{api}"
    assert api_of(answered, "production") == answered
    assert api_of(answered, "sandbox") == f"https://sandbox.{api}"
    assert api_of(answered, "developer") == f"https://developer.{api}"
    assert api_of(f"https://sandbox.{api}", "sandbox") == f"https://sandbox.{api}"
    assert crm_of(name, "production") == f"https://{crm}"


@pytest.mark.parametrize(("name", "accounts", "api", "crm"), TABLE)
def test_each_is_known_however_a_person_writes_it(name, accounts, api, crm):
    location = next(centre.location for centre in DATA_CENTRES if centre.name == name)
    for written in (
        name,
        f" .{name.upper()} ",
        location,
        accounts,
        f"https://{accounts}/",
        f"https://{crm}/crm/org1/tab/Leads",
        f"https://www.{api}",
    ):
        assert data_centre(written) == name


def test_another_accounts_server_is_taken_as_it_is():
    assert data_centre("HTTP://127.0.0.1:9000/oauth/") == "http://127.0.0.1:9000"
    assert accounts_server("http://127.0.0.1:9000") == "http://127.0.0.1:9000"
    assert api_of("http://127.0.0.1:9000/", "sandbox") == "http://127.0.0.1:9000"
    assert of_accounts_server("http://127.0.0.1:9000") is None


@pytest.mark.parametrize(
    "written", ["", "moon", "ftp://crm.zoho.eu", "https://user:word@crm.zoho.eu", "https://["]
)
def test_what_is_neither_a_data_centre_nor_an_address_is_refused(written):
    with pytest.raises(ValueError, match="com, eu, in"):
        data_centre(written)


@pytest.mark.parametrize(
    "url",
    [
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu.example.test",
        "https://accounts.zoho.eu@example.test",
        "https://accounts.zoho.eu:444",
        "https://example.test/accounts.zoho.eu",
    ],
)
def test_what_only_looks_like_an_accounts_server_of_zoho_is_none(url):
    assert of_accounts_server(url) is None
