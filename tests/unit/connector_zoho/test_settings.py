"""What a person enters to connect a Zoho CRM."""

import pytest
from pydantic import ValidationError

from connector_zoho.settings import ZohoConnection, ZohoSettings
from leadbus.connector.settings.secret import MASKED, keep_masked

ACCESS = {
    "user": "ada@example.test",
    "organisation": "20000000001",
    "client_id": "1000.X",
    "client_secret": "secret",
}


def connection(*, more=None, **access):
    known = {"connection_id": "one", "tenant_id": "acme", "access": ACCESS | access}
    return ZohoConnection.model_validate(known | (more or {}))


@pytest.mark.parametrize(
    "written",
    [
        "20000000001",
        20000000001,
        " org20000000001 ",
        "ORG20000000001",
        "https://crm.zoho.eu/crm/org20000000001/tab/Home/begin",
        "https://crm.zoho.eu/crm/org20000000001",
    ],
)
def test_the_organisation_is_known_however_it_was_copied(written):
    assert connection(organisation=written).access.organisation == "20000000001"


@pytest.mark.parametrize("written", ["", "acme", "https://crm.zoho.eu/crm/acme/tab/Home", True, "12 34"])
def test_what_is_no_number_of_an_organisation_is_refused(written):
    with pytest.raises(ValidationError):
        connection(organisation=written)


def test_one_organisation_is_one_whoever_signs_in_and_however_it_is_written():
    one = connection(data_centre="eu")
    same = connection(
        data_centre="https://accounts.zoho.eu", organisation="org20000000001", user="Jan@Example.Test"
    )
    assert same.organisation_id == one.organisation_id
    assert same.access.user == "jan@example.test"
    others = (
        connection(),
        connection(data_centre="eu", organisation="2"),
        connection(data_centre="eu", environment="sandbox"),
    )
    assert len({one.organisation_id, *(other.organisation_id for other in others)}) == 4


def test_changes_are_read_four_times_a_day_and_everything_weekly_unless_told_otherwise():
    schedules = connection().schedules
    for kind in ("lead", "contact", "account", "user", "opportunity", "activity", "list"):
        assert schedules.of(kind).cron == "0 0,6,12,18 * * *"
    assert schedules.comparison.cron == "0 3 * * 0"
    assert schedules.of("target") is None
    changed = connection(more={"schedules": {"lead": {"every_seconds": 30}}}).schedules
    assert changed.lead.every_seconds == 30
    assert changed.contact.cron == "0 0,6,12,18 * * *"


def test_changes_are_pushed_to_the_hook_that_was_given():
    hook = "https://in.example.test/leadbus/hooks/one/key.hidden"
    assert connection(more={"hook_url": f" {hook} "}).push_to == hook
    assert connection().push_to is None
    assert "hidden" not in repr(connection(more={"hook_url": hook}))
    shown = connection(more={"hook_url": MASKED})
    assert keep_masked(shown, connection(more={"hook_url": hook})).push_to == hook
    with pytest.raises(ValidationError):
        connection(more={"hook_url": "https://in.example.test/"})


def test_no_secret_is_shown():
    shown = repr(connection(client_secret="hidden one", grant_token="hidden two"))
    assert "hidden" not in shown


def test_the_address_where_browsers_come_back_to_is_a_plain_one():
    assert ZohoSettings.of({}).public_url == ""
    told = ZohoSettings.of({"CONNECTOR_ZOHO_PUBLIC_URL": "https://leadbus.example.test/zoho"})
    assert told.public_url == "https://leadbus.example.test/zoho"
