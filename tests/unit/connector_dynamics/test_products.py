"""Products of the name Dynamics are told apart."""

import pytest

from connector_dynamics import products
from connector_dynamics.settings import DynamicsConnection


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://ax.example.com/MicrosoftDynamicsAXAif60/Leads/xppservice.svc", "AX 2012"),
        ("http://ax.example.com:8101/DynamicsAx/Services/Leads", "AX 2012"),
        ("https://contoso.operations.dynamics.com", "Finance & Operations"),
        ("https://contoso.sandbox.operations.dynamics.com/data", "Finance & Operations"),
        ("https://contoso-test.cloudax.dynamics.com", "Finance & Operations"),
        ("https://contoso.operations.eu.dynamics.com", "Finance & Operations"),
        ("https://businesscentral.dynamics.com/tenant/production", "Business Central"),
        ("https://api.businesscentral.dynamics.com/v2.0/t/production/api/v2.0", "Business Central"),
        ("http://nav.example.com:7048/BC190/ODataV4", "Business Central"),
        ("http://nav.example.com:7047/DynamicsNAV/WS/Codeunit", "Business Central"),
    ],
)
def test_a_neighbour_is_known_by_its_address_and_refused_by_name(url, name):
    found = products.by_address(url)
    assert found is not None
    assert name in found.sentence
    assert products.SUPPORTED in found.sentence


@pytest.mark.parametrize(
    "url",
    [
        "https://contoso.crm.dynamics.com",
        "https://contoso.crm4.dynamics.com",
        "https://crm.example.com/contoso",
        "http://crm.example.com:5555/axon",
        "https://operations.example.com/data",
    ],
)
def test_a_crm_is_not_taken_for_a_neighbour(url):
    assert products.by_address(url) is None


def test_a_neighbour_is_known_by_the_page_it_shows():
    found = products.by_page("<html><title>Dynamics 365 Business Central</title></html>")
    assert found is not None
    assert "Business Central" in found.name
    assert products.by_page("<html><title>IIS Windows Server</title></html>") is None


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("5.0.9690.4376", "Microsoft Dynamics CRM 2011"),
        ("6.1.2.112", "Microsoft Dynamics CRM 2013 SP1"),
        ("7.0.1.129", "Microsoft Dynamics CRM 2015"),
        ("8.2.2.112", "Microsoft Dynamics 365 (on-premises) 8.2"),
        ("9.1.10.17", "Microsoft Dynamics 365 Customer Engagement (on-premises)"),
    ],
)
def test_a_version_is_called_as_microsoft_calls_it(version, name):
    assert products.name(version, online=False) == name


def test_online_there_is_one_product():
    assert products.name("9.2.24053.165", online=True) == "Microsoft Dynamics 365 (Dataverse)"


def test_versions_are_compared_by_their_numbers():
    assert products.parts("5.0.9690.4376") >= products.FIRST_IN_BULK
    assert products.parts("5.0.9688.53") < products.FIRST_IN_BULK
    assert products.parts("10.0.1") > products.parts("9.2.3")
    assert products.parts("none") == ()


def test_what_is_refused_by_name_is_named_before_a_connection_is_set_up():
    shown = " ".join(DynamicsConnection.unsupported)
    assert [known.name for known in products.NEIGHBOURS if known.name not in shown] == []
    assert "IFD" in shown
    assert [line for line in DynamicsConnection.supported if line not in products.SUPPORTED] == []
