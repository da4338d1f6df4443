"""What the adapter says without a call."""

import pytest

from connector_zoho.client import ZohoClient
from connector_zoho.connector import ZohoAdapter
from connector_zoho.organisations import Organisations
from connector_zoho.settings import ZohoConnection
from leadbus.errors import Unsupported
from leadbus.messages import Record


class Nothing:
    anew = False


def adapter(**access):
    known = {"user": "a@example.test", "organisation": "7", "client_id": "x", "client_secret": "y"} | access
    settings = ZohoConnection.model_validate({"connection_id": "one", "tenant_id": "acme", "access": known})
    return ZohoAdapter(settings, ZohoClient(settings, Nothing(), Organisations()))


@pytest.mark.parametrize(
    ("access", "module", "url"),
    [
        ({}, "Leads", "https://crm.zoho.com/crm/org7/tab/Leads/1"),
        ({"data_centre": "eu"}, "Contacts", "https://crm.zoho.eu/crm/org7/tab/Contacts/1"),
        ({"data_centre": "ca"}, "Deals", "https://crm.zohocloud.ca/crm/org7/tab/Potentials/1"),
        (
            {"data_centre": "eu", "environment": "sandbox"},
            "Leads",
            "https://crmsandbox.zoho.eu/crm/org7/tab/Leads/1",
        ),
        ({"data_centre": "http://127.0.0.1:1"}, "Leads", "http://127.0.0.1:1/crm/org7/tab/Leads/1"),
    ],
)
async def test_where_a_person_sees_a_record(access, module, url):
    opened = adapter(**access)
    assert opened.url_of(Record(module=module, id="1")) == url
    await opened.close()


async def test_there_are_no_teams():
    opened = adapter()
    with pytest.raises(Unsupported, match="no teams"):
        await opened.teams()
    await opened.close()
    await opened.close()
