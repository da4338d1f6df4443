"""Rows of the Web API, and what is written in its JSON."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connector_dynamics import http
from connector_dynamics.web_api import values
from connector_dynamics.wire import Money, Option, Reference
from leadbus.errors import Rejected

ID, OTHER = "c4567bb6-47a3-e711-811b-e0071b6ac1b1", "1bfa3886-df7e-468c-8435-b5adfb0441ed"
NAVIGATION = {
    ("ownerid", "owner"): "ownerid",
    ("new_accountid", "account"): "new_AccountId",
    ("regardingobjectid", "lead"): "regardingobjectid_lead_task",
    ("regardingobjectid", "contact"): "regardingobjectid_contact_task",
}


def test_a_row_is_read_with_lookups_labels_and_version():
    row = {
        "@odata.etag": 'W/"12"',
        "leadid": ID.upper(),
        "lastname": "Doe",
        "leadsourcecode": 8,
        "leadsourcecode@OData.Community.Display.V1.FormattedValue": "Web",
        "_ownerid_value": OTHER,
        "_ownerid_value@OData.Community.Display.V1.FormattedValue": "Ada Nowak",
        "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
        "_campaignid_value": None,
        "c_x002e_name": "linked",
        "collection": [],
    }
    entry = values.entry("lead", row)
    assert (entry.id, entry.version, entry.deleted) == (ID, 'W/"12"', False)
    assert entry.labels == {"leadsourcecode": "Web", "ownerid": "Ada Nowak"}
    assert entry.values == {
        "leadid": ID.upper(),
        "lastname": "Doe",
        "leadsourcecode": 8,
        "ownerid": Reference("systemuser", OTHER, "Ada Nowak"),
        "campaignid": None,
        "c.name": "linked",
    }


def test_a_deleted_row_is_read_by_its_id_alone():
    entry = values.entry("lead", {"@odata.context": "x", "id": ID.upper(), "reason": "deleted"})
    assert (entry.id, entry.deleted, entry.values) == (ID, True, {})


def test_values_are_written_as_json_has_them():
    written = values.body(
        "task",
        {
            "subject": "s",
            "prioritycode": Option(1),
            "amount": Money("10.50"),
            "actualdurationminutes": 5,
            "done": True,
            "scheduledend": datetime(2026, 2, 1, 10, tzinfo=timezone(timedelta(hours=1))),
            "birthdate": date(2000, 1, 2),
            "description": None,
        },
        NAVIGATION,
    )
    assert http.decode(http.encode(written)) == {
        "subject": "s",
        "prioritycode": 1,
        "amount": Decimal("10.5"),
        "actualdurationminutes": 5,
        "done": True,
        "scheduledend": "2026-02-01T09:00:00Z",
        "birthdate": "2000-01-02",
        "description": None,
    }


def test_lookups_are_written_by_their_navigation_property():
    written = values.body(
        "task",
        {
            "ownerid": Reference("systemuser", OTHER),
            "new_accountid": Reference("account", ID),
            "regardingobjectid": Reference("lead", ID),
        },
        NAVIGATION,
    )
    assert written == {
        "ownerid@odata.bind": f"/systemusers({OTHER})",
        "new_AccountId@odata.bind": f"/accounts({ID})",
        "regardingobjectid_lead_task@odata.bind": f"/leads({ID})",
    }


def test_an_emptied_lookup_is_emptied_whatever_it_named():
    (written,) = values.body("task", {"regardingobjectid": None}, NAVIGATION).items()
    assert written in {(f"{name}@odata.bind", None) for name in NAVIGATION.values() if "regarding" in name}


def test_a_lookup_that_cannot_name_it_is_refused():
    with pytest.raises(Rejected) as refused:
        values.body("task", {"new_accountid": Reference("lead", ID)}, NAVIGATION)
    assert refused.value.field == "new_accountid"


def test_parties_of_a_call_are_written_with_their_part():
    people = {"from": (Reference("systemuser", OTHER),), "to": (Reference("lead", ID),)}
    assert values.body("phonecall", people, {}) == {
        "phonecall_activity_parties": [
            {"partyid_systemuser@odata.bind": f"/systemusers({OTHER})", "participationtypemask": 1},
            {"partyid_lead@odata.bind": f"/leads({ID})", "participationtypemask": 2},
        ]
    }


def test_times_are_told_in_utc():
    written = values.body("task", {"scheduledend": datetime(2026, 1, 1, tzinfo=UTC)}, {})
    assert written["scheduledend"] == "2026-01-01T00:00:00Z"


def test_a_reference_to_an_entity_of_the_customer_refuses_its_row():
    navigation = {("new_regionid", "new_region"): "new_RegionId"}
    with pytest.raises(Rejected, match="new_regionid") as refused:
        values.body("lead", {"new_regionid": Reference("new_region", ID)}, navigation)
    assert refused.value.field == "new_regionid"
