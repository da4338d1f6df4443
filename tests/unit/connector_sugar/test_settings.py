"""What people enter as the CRM's address, and what becomes of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from connector_sugar.settings import SugarConnection

ENTERED = [
    ("https://crm.example.com", "https://crm.example.com"),
    ("  https://crm.example.com/  ", "https://crm.example.com"),
    ("HTTPS://CRM.Example.com:443/", "https://crm.example.com"),
    ("http://crm.example.com:8080/suite/", "http://crm.example.com:8080/suite"),
    ("https://crm.example.com/web", "https://crm.example.com"),
    ("https://crm.example.com/Suite/web/", "https://crm.example.com/Suite"),
    ("https://crm.example.com/service/v2/soap.php?wsdl", "https://crm.example.com"),
    ("https://crm.example.com/service/v4_1/soap.php", "https://crm.example.com"),
    ("https://crm.example.com/custom/service/v4_1/rest.php", "https://crm.example.com"),
    ("https://crm.example.com/crm/service/v4/", "https://crm.example.com/crm"),
    ("https://crm.example.com/soap.php?wsdl", "https://crm.example.com"),
    ("https://crm.example.com/index.php?module=Home&action=index#top", "https://crm.example.com"),
    ("https://crm.example.com/rest/v11_5/oauth2/token", "https://crm.example.com"),
    ("https://web.example.com/webshop", "https://web.example.com/webshop"),
    ("http://[::1]:8080/web", "http://[::1]:8080"),
    ("https://crm.example.com/service/v4_1/rest.php?method=login", "https://crm.example.com"),
    ("https://crm.example.com/Suite/rest/v11", "https://crm.example.com/Suite"),
    ("https://crm.example.com/rest/v11_24/", "https://crm.example.com"),
    ("https://crm.example.com/#Leads", "https://crm.example.com"),
    ("https://crm.example.com/index.php#Home", "https://crm.example.com"),
]


def connection(url: str, **settings: Any) -> SugarConnection:
    access = {"url": url, "user": "admin", "password": "correct horse"}
    return SugarConnection.model_validate(
        {"connection_id": "one", "tenant_id": "acme", "access": access, **settings}
    )


@pytest.mark.parametrize(("entered", "site"), ENTERED)
def test_whatever_address_is_copied_from_the_crm_leads_to_its_site(entered: str, site: str) -> None:
    assert connection(entered).access.url == site
    assert connection(site).address == site, "what was derived is derived again unchanged"


@pytest.mark.parametrize(
    "entered", ["", "crm.example.com", "ftp://crm.example.com", "https://", "https://u:p@crm.example.com"]
)
def test_what_is_no_web_address_is_refused_without_being_quoted(entered: str) -> None:
    with pytest.raises(ValidationError) as refused:
        connection(entered)
    assert all("u:p" not in error["msg"] for error in refused.value.errors())


def test_one_crm_is_one_organisation_however_its_address_was_written() -> None:
    same = {connection(url).organisation_id for url in ("http://a.example/web", "https://A.example:443")}
    other = connection("https://a.example/second").organisation_id
    assert len(same) == 1
    assert other not in same


def test_the_password_shows_nowhere() -> None:
    made = connection("https://crm.example.com")
    assert "correct horse" not in repr(made) + made.model_dump_json()


def test_teams_set_a_connections_records_apart_in_whatever_order_they_are_named() -> None:
    url = "https://crm.example.com"
    one, other = connection(url, teams=["A", "B"]), connection(url, teams=["B", "A"])
    assert (one.team_names, one.team_scope) == (("A", "B"), other.team_scope)
    assert (
        len({one.team_scope, connection(url).team_scope, connection(url, teams=["a", "B"]).team_scope}) == 3
    )
    assert connection(url).team_scope == ""
    assert one.organisation_id == connection(url).organisation_id


@pytest.mark.parametrize("platform", ["", "with space", "ü", "x" * 128])
def test_a_platform_that_sugar_cannot_have_is_refused(platform: str) -> None:
    access = {"url": "https://a.example", "user": "u", "password": "p", "platform": platform}
    with pytest.raises(ValidationError, match="platform"):
        SugarConnection.model_validate({"connection_id": "one", "tenant_id": "acme", "access": access})


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="scorefield"):
        connection("https://crm.example.com", scorefield="x")
