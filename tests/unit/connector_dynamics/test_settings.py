"""What a person enters to connect a Dynamics."""

import pytest
from pydantic import ValidationError

from connector_dynamics.settings import DynamicsConnection, DynamicsSettings

PERSON = {"user": "leadbus", "password": "secret"}
APP = {"tenant": "contoso.onmicrosoft.com", "client_id": "app", "client_secret": "secret"}


def connection(url="https://crm.example.com/contoso", *, signed_in_as=None, **access):
    known = {"url": url, **(signed_in_as or PERSON), **access}
    return DynamicsConnection.model_validate({"connection_id": "one", "tenant_id": "acme", "access": known})


@pytest.mark.parametrize(
    "written",
    [
        "https://crm.example.com/contoso",
        " https://CRM.example.com:443/contoso/ ",
        "https://crm.example.com/contoso/XRMServices/2011/Organization.svc",
        "https://crm.example.com/contoso/XRMServices/2011/Organization.svc/web",
        "https://crm.example.com/contoso/xrmservices/2011/organization.svc?wsdl",
        "https://crm.example.com/contoso/XRMServices/2011/OrganizationData.svc/",
        "https://crm.example.com/contoso/web",
        "https://crm.example.com/contoso/main.aspx?etn=lead#123",
        "https://crm.example.com/contoso/api/data/v8.2/",
        "https://crm.example.com/contoso/api/data/v9.1/leads?$top=1",
    ],
)
def test_an_address_is_accepted_however_it_was_copied(written):
    known = connection(written)
    assert known.address == "https://crm.example.com/contoso"
    assert known.organisation_id == connection("HTTPS://crm.example.com/CONTOSO").organisation_id


@pytest.mark.parametrize(
    "written",
    [
        "",
        "crm.example.com",
        "ftp://crm.example.com",
        "https://ada:pw@crm.example.com",
        "https://[::1",
        "https://",
    ],
)
def test_what_is_no_web_address_is_refused(written):
    with pytest.raises(ValidationError):
        connection(written)


def test_online_addresses_are_the_organisation_s_whatever_page_they_show():
    shown = "https://contoso.crm4.dynamics.com/apps/sales/main.aspx?appid=1"
    api = "https://contoso.api.crm4.dynamics.com/api/data/v9.2/"
    known = connection(shown, signed_in_as=APP)
    assert known.address == "https://contoso.crm4.dynamics.com"
    assert known.organisation_id == connection(api, signed_in_as=APP).organisation_id
    assert known.access.online
    assert known.access.as_app
    assert not connection().access.online


@pytest.mark.parametrize(
    ("url", "organisation", "address"),
    [
        ("http://crm:5555", "Contoso", "http://crm:5555/Contoso"),
        ("http://crm:5555/contoso", "contoso", "http://crm:5555/contoso"),
        ("http://crm:5555/other", "contoso", "http://crm:5555/other"),
        ("https://contoso.crm.example.com", "contoso", "https://contoso.crm.example.com"),
        ("https://x.crm.dynamics.com", "contoso", "https://x.crm.dynamics.com"),
    ],
)
def test_the_organisation_s_name_is_added_where_the_address_lacks_it(url, organisation, address):
    assert connection(url, organisation=organisation).address == address


@pytest.mark.parametrize(
    ("typed", "windows_user"),
    [
        ({"user": "ada"}, "ada"),
        ({"user": "ada", "domain": "CONTOSO"}, "CONTOSO\\ada"),
        ({"user": "CONTOSO\\ada", "domain": "OTHER"}, "CONTOSO\\ada"),
        ({"user": "ada@contoso.example", "domain": "CONTOSO"}, "ada@contoso.example"),
    ],
)
def test_the_domain_may_stand_with_the_user_or_beside(typed, windows_user):
    assert connection(**typed).access.windows_user == windows_user


@pytest.mark.parametrize(
    "entered",
    [
        {"user": "ada"},
        {"password": "secret"},
        {"tenant": "t", "client_id": "c"},
        {"client_id": "c", "client_secret": "s"},
        {**PERSON, "client_id": "app"},
        {**PERSON, **APP},
        {},
    ],
)
def test_there_is_one_whole_way_to_sign_in(entered):
    access = {"url": "https://crm.example.com/contoso", **entered}
    with pytest.raises(ValidationError, match="tenant, client_id and client_secret"):
        DynamicsConnection.model_validate({"connection_id": "one", "tenant_id": "acme", "access": access})


def test_secrets_are_not_shown():
    shown = repr(connection(password="hush-hush")) + repr(
        connection(signed_in_as={**APP, "client_secret": "hush-hush"})
    )
    assert "hush-hush" not in shown


def test_the_guide_s_second_address_is_accepted_and_changes_nothing():
    odata = "https://crm.example.com/contoso/XRMServices/2011/OrganizationData.svc"
    assert connection(odata_url=odata).organisation_id == connection().organisation_id


def test_the_service_listens_where_it_is_told():
    needed = {"LEADBUS_SECRET_KEY": "a" * 43 + "="}
    assert DynamicsSettings.of({**needed, "CONNECTOR_DYNAMICS_PORT": "9000"}).port == 9000
