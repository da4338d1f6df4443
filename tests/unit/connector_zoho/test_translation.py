"""Rows of Zoho as rows of the kit: the published shapes, and odd values."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector_zoho.translation import (
    Around,
    deleted_row,
    moment,
    row_of,
    text,
)
from leadbus.connector.contract import Account, CrmActivity, CrmList, Opportunity, Person, User
from leadbus.messages import Record

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "zoho" / "samples"


def sample(name: str) -> Any:
    path = SAMPLES / name
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    return json.loads(path.read_text(), parse_float=Decimal)


def person(module: str, row: dict[str, Any], *mapped: str) -> Person:
    made = row_of(module, {"id": "1", **row}, Around(mapped))
    assert isinstance(made, Person)
    return made


def test_the_published_leads_become_people_with_owner_email_and_times() -> None:
    ewa, lis = (person("Leads", row, "Company", "Phone") for row in sample("leads-list-page1.json")["data"])
    assert ewa.record == Record(module="Leads", id="554023000000610001")
    assert (ewa.kind, ewa.email, ewa.emails) == ("lead", "ewa@kot.test", ("ewa@kot.test",))
    assert (ewa.owner_id, ewa.opted_out, ewa.open) == ("554023000000235011", False, True)
    assert ewa.created_at == datetime(2026, 1, 10, 9, tzinfo=UTC)
    assert ewa.changed_at == datetime(2026, 1, 12, 10, 30, tzinfo=UTC)
    assert ewa.values == {"Company": "Kot sp. z o.o.", "Phone": "+48 600 100 200"}
    assert (lis.email, lis.opted_out, lis.values) == ("lis@example.test", True, {"Company": "", "Phone": ""})


def test_the_published_contact_has_its_account_and_its_birthday() -> None:
    (row,) = sample("contacts-list.json")["data"]
    ola = person("Contacts", row, "Date_of_Birth", "Mailing_Zip", "Account_Name")
    assert (ola.kind, ola.account_id) == ("contact", "554023000000630001")
    assert ola.values == {
        "Date_of_Birth": "1985-04-17",
        "Mailing_Zip": "81-001",
        "Account_Name": "554023000000630001",
    }


def test_the_published_users_are_active_and_named() -> None:
    ada, jan = (row_of("Users", row, Around()) for row in sample("users-active.json")["users"])
    assert isinstance(ada, User)
    assert (ada.name, ada.email, ada.active, ada.deleted) == ("Ada Nowak", "ada@example.test", True, False)
    assert jan.record == Record(module="Users", id="554023000000235012")


def test_the_published_deletions_are_deleted_people_at_their_time() -> None:
    first, last = (deleted_row("Leads", row) for row in sample("leads-deleted.json")["data"])
    assert isinstance(first, Person)
    assert (first.kind, first.deleted, first.record.id) == ("lead", True, "554023000000610002")
    assert last.changed_at == datetime(2026, 1, 12, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "confirm", "active", "deleted"),
    [
        ("active", True, True, False),
        ("active", False, False, False),
        ("disabled", True, False, False),
        ("deleted", True, False, True),
    ],
)
def test_a_user_owns_leads_only_while_active_and_confirmed(
    status: str, confirm: bool, active: bool, deleted: bool
) -> None:
    row = {"id": "1", "email": " Ada@Example.TEST ", "first_name": "Ada", "last_name": "Nowak"}
    user = row_of("Users", {**row, "status": status, "confirm": confirm}, Around())
    assert isinstance(user, User)
    assert (user.active, user.deleted) == (active, deleted)
    assert (user.name, user.email) == ("Ada Nowak", "ada@example.test")


def test_a_converted_lead_names_its_contact_and_is_not_open() -> None:
    contact = {"name": "Ewa Kot", "id": "77"}
    lead = person("Leads", {"Converted__s": True, "Converted_Contact": contact, "Lead_Status": "Contacted"})
    assert lead.converted_to == Record(module="Contacts", id="77")
    assert (lead.open, lead.status) == (False, "Contacted")
    assert person("Leads", {"Converted__s": False, "Converted_Contact": contact}).converted_to is None


def test_a_lead_with_a_final_status_is_closed_and_any_other_open() -> None:
    statuses = ("Junk Lead", "Lost Lead", "Contacted", "Nurtured <&>", None)
    assert [person("Leads", {"Lead_Status": s}).open for s in statuses] == [False, False, True, True, True]


def test_a_person_of_whom_the_crm_does_not_tell_is_not_opted_in() -> None:
    assert person("Contacts", {}).opted_out is None
    assert person("Contacts", {"Email_Opt_Out": None}).opted_out is None


def test_a_row_of_a_file_reads_like_the_same_row_in_json() -> None:
    answered = {
        "id": "1",
        "Owner": {"id": "5", "name": "Ada"},
        "Email": "A@x.test",
        "Email_Opt_Out": True,
        "Account_Name": {"id": "9", "name": "Engines"},
        "Created_Time": "2026-01-10T10:00:00+01:00",
        "Modified_Time": "2026-01-12T11:30:00+01:00",
        "Phone": None,
        "Interests": ["Pumps", "Valves"],
    }
    filed = {
        **answered,
        "Owner": "5",
        "Email_Opt_Out": "true",
        "Account_Name": "9",
        "Phone": "",
        "Interests": "Pumps;Valves",
    }
    around = Around(("Phone", "Interests", "Created_Time"))
    assert row_of("Contacts", answered, around) == row_of("Contacts", filed, around)


def test_a_deal_has_its_figures_its_contact_and_the_organisations_currency() -> None:
    row = {
        "id": "3",
        "Deal_Name": "200 engines",
        "Contact_Name": {"id": "7", "name": "Ada"},
        "Account_Name": {"id": "9", "name": "Engines"},
        "Stage": "Qualification",
        "Amount": Decimal("12500.50"),
        "Closing_Date": "2027-01-31",
        "Probability": 40,
        "Lead_Source": "Leadbus",
    }
    deal = row_of("Deals", row, Around(emails={"7": "ada@x.test"}, currency="PLN"))
    assert isinstance(deal, Opportunity)
    assert (deal.name, deal.stage, deal.amount, deal.currency) == (
        "200 engines",
        "Qualification",
        "12500.5",
        "PLN",
    )
    assert (deal.contact_ids, deal.contact_emails, deal.account_id) == (("7",), ("ada@x.test",), "9")
    assert (deal.close_date, deal.probability, deal.lead_source) == (date(2027, 1, 31), 40, "Leadbus")
    other = row_of("Deals", {**row, "Currency": "EUR", "Amount": None}, Around(currency="PLN"))
    assert isinstance(other, Opportunity)
    assert (other.currency, other.amount) == ("EUR", None)


@pytest.mark.parametrize(
    ("module", "row", "kind", "about", "due"),
    [
        ("Tasks", {"Who_Id": {"id": "7"}, "Due_Date": "2026-01-20"}, "task", ("7",), "2026-01-19T23:00"),
        ("Tasks", {"What_Id": {"id": "4"}, "$se_module": "Leads"}, "task", ("4",), None),
        ("Calls", {"Call_Start_Time": "2026-01-12T14:30:00+01:00"}, "call", (), "2026-01-12T13:30"),
        (
            "Events",
            {"Who_Id": {"id": "7"}, "What_Id": {"id": "3"}, "Start_DateTime": "2026-01-20T10:00:00+00:00"},
            "meeting",
            ("7", "3"),
            "2026-01-20T10:00",
        ),
        ("Notes", {"Parent_Id": {"id": "4", "name": "Ada"}}, "note", ("4",), None),
    ],
)
def test_activities_hang_on_their_people_and_are_due_at_their_times(
    module: str, row: dict[str, Any], kind: str, about: tuple[str, ...], due: str | None
) -> None:
    activity = row_of(module, {"id": "1", **row}, Around(zone=ZoneInfo("Europe/Warsaw")))
    assert isinstance(activity, CrmActivity)
    assert (activity.type, activity.about) == (kind, about)
    assert activity.due_at == (datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None)


def test_what_an_activity_says_stands_in_subject_and_text() -> None:
    note = row_of("Notes", {"id": "1", "Note_Title": "Clicked", "Note_Content": "Twice"}, Around())
    event = row_of("Events", {"id": "2", "Event_Title": "Demo"}, Around())
    call = row_of("Calls", {"id": "3", "Subject": "Intro", "Outbound_Call_Status": "Completed"}, Around())
    assert isinstance(note, CrmActivity)
    assert isinstance(event, CrmActivity)
    assert isinstance(call, CrmActivity)
    assert (note.subject, note.text, event.subject) == ("Clicked", "Twice", "Demo")
    assert (call.subject, call.status) == ("Intro", "Completed")


def test_campaigns_and_tags_are_lists_and_accounts_have_names() -> None:
    campaign = row_of("Campaigns", {"id": "1", "Campaign_Name": "Fair", "Type": "Trade Show"}, Around())
    tag = row_of("Tags", {"id": "2", "name": "newsletter", "Type": "Leads"}, Around())
    account = row_of("Accounts", {"id": "3", "Account_Name": "Engines Ltd", "Owner": {"id": "5"}}, Around())
    assert isinstance(campaign, CrmList)
    assert isinstance(tag, CrmList)
    assert isinstance(account, Account)
    assert (campaign.name, campaign.list_type, tag.name, tag.list_type) == (
        "Fair",
        "Trade Show",
        "newsletter",
        "Leads",
    )
    assert (account.name, account.owner_id) == ("Engines Ltd", "5")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (Decimal("1E+2"), "100"),
        (Decimal("1.50"), "1.5"),
        (0.1, "0.1"),
        ("", ""),
        ("2026-01-12", "2026-01-12"),
        ("2026-01-12T11:30:00+01:00", "2026-01-12T10:30:00+00:00"),
        ("2026-01-12T10:30:00Z", "2026-01-12T10:30:00+00:00"),
        ("on 2026-01-12T10:30:00Z", "on 2026-01-12T10:30:00Z"),
        (["a", None, "b"], "a;b"),
        ({"name": "Ada", "id": 554023000000235011}, "554023000000235011"),
        ([{"name": "x", "id": "1"}, {"name": "y", "id": "2"}], "1;2"),
        ("ö <&>", "ö <&>"),
    ],
)
def test_each_value_has_one_form(value: Any, shown: str) -> None:
    assert text(value) == shown


def test_what_is_no_time_is_none() -> None:
    assert moment("soon") is None
    assert moment("") is None
    assert moment(None) is None
