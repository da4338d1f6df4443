"""Converting leads: what is made, what is attached to, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.zoho import Zoho

ADA = {"First_Name": "Ada", "Last_Name": "Nowak", "Email": "ada@kot.test", "Company": "Kot SA"}
MORE = {"Designation": "CEO", "City": "Gdynia", "Phone": "123", "Email_Opt_Out": True, "Website": "kot.test"}


@pytest.fixture
def lead(crm: Zoho) -> str:
    return crm.desk.create("Leads", ADA | MORE)


async def convert(api: Any, lead: str, version: str = "v8", **how: Any) -> Any:
    """The outcome's row."""
    answer = await api.ask(
        "POST", f"/crm/{version}/Leads/{lead}/actions/convert", {"data": [how or {"overwrite": False}]}
    )
    [row] = answer.json()["data"]
    assert answer.status_code == (202 if row.get("status") == "error" else 200)
    return row


def row_of(crm: Zoho, module: str, key: str) -> dict[str, Any]:
    return next(row for row in crm.records(module) if row["id"] == key)


async def test_a_lead_becomes_a_contact_of_its_company(crm: Zoho, api: Any, lead: str) -> None:
    made = (await convert(api, lead))["details"]
    contact, account = (row_of(crm, module, made[module]["id"]) for module in ("Contacts", "Accounts"))
    assert made["Deals"] is None
    assert (made["Contacts"]["name"], made["Accounts"]["name"]) == ("Ada Nowak", "Kot SA")
    assert {name: contact[name] for name in ("Email", "Title", "Mailing_City", "Phone", "Email_Opt_Out")} == {
        "Email": "ada@kot.test",
        "Title": "CEO",
        "Mailing_City": "Gdynia",
        "Phone": "123",
        "Email_Opt_Out": True,
    }
    assert contact["Account_Name"] == account["id"]
    assert (account["Billing_City"], account["Website"]) == ("Gdynia", "kot.test")
    assert contact["Owner"] == account["Owner"] == row_of(crm, "Leads", lead)["Owner"]


async def test_a_converted_lead_is_out_of_lists_and_names_what_it_became(
    crm: Zoho, api: Any, lead: str
) -> None:
    made = (await convert(api, lead))["details"]
    names = "Converted__s,Converted_Date_Time,Converted_Contact,Converted_Account"
    assert (await api.ask("GET", f"/Leads?fields={names}")).status_code == 204
    [row] = (await api.do("GET", f"/Leads?fields={names}&converted=true"))["data"]
    assert row["Converted__s"] is True
    assert row["Converted_Contact"] == made["Contacts"]
    assert row["Converted_Account"] == made["Accounts"]
    assert row["Converted_Date_Time"]
    [both] = (await api.do("GET", "/Leads?fields=Converted__s&converted=both"))["data"]
    assert both["id"] == lead


async def test_a_lead_is_converted_once(crm: Zoho, api: Any, lead: str) -> None:
    await convert(api, lead)
    path = f"/Leads/{lead}/actions/convert"
    assert await api.refused("POST", path, {"data": [{"overwrite": False}]}) == (400, "ID_ALREADY_CONVERTED")
    assert await api.refused("POST", "/Leads/1/actions/convert", {"data": [{"overwrite": False}]}) == (
        400,
        "INVALID_DATA",
    )
    assert len(crm.records("Contacts")) == 1


async def test_a_locked_lead_is_not_converted(crm: Zoho, api: Any, lead: str) -> None:
    crm.desk.lock("Leads", lead)
    path = f"/Leads/{lead}/actions/convert"
    assert await api.refused("POST", path, {"data": [{"overwrite": False}]}) == (400, "RECORD_LOCKED")


async def test_a_lead_is_attached_to_the_records_named(crm: Zoho, api: Any, lead: str) -> None:
    account = crm.desk.create("Accounts", {"Account_Name": "Other"})
    contact = crm.desk.create("Contacts", {"Last_Name": "Kept", "Phone": "999", "Account_Name": account})
    made = (await convert(api, lead, Contacts={"id": contact}))["details"]
    assert (made["Contacts"]["id"], made["Accounts"]["id"]) == (contact, account)
    row = row_of(crm, "Contacts", contact)
    assert (row["Last_Name"], row["Phone"], row["Title"]) == ("Kept", "999", "CEO")
    assert len(crm.records("Accounts")) == 1


async def test_overwriting_gives_the_contact_the_account_of_the_lead(crm: Zoho, api: Any, lead: str) -> None:
    account = crm.desk.create("Accounts", {"Account_Name": "Other"})
    contact = crm.desk.create("Contacts", {"Last_Name": "Kept", "Account_Name": account})
    made = (await convert(api, lead, Contacts={"id": contact}, overwrite=True))["details"]
    assert made["Accounts"]["name"] == "Kot SA"
    assert row_of(crm, "Contacts", contact)["Account_Name"] == made["Accounts"]["id"] != account


async def test_without_ids_the_contact_with_the_email_and_the_account_of_the_name_are_taken(
    crm: Zoho, api: Any, lead: str
) -> None:
    account = crm.desk.create("Accounts", {"Account_Name": "KOT SA"})
    contact = crm.desk.create("Contacts", {"Last_Name": "N", "Email": "ADA@kot.test"})
    made = (await convert(api, lead))["details"]
    assert (made["Contacts"]["id"], made["Accounts"]["id"]) == (contact, account)
    assert row_of(crm, "Contacts", contact)["Account_Name"] == account


async def test_the_same_name_with_another_email_is_another_contact(crm: Zoho, api: Any, lead: str) -> None:
    crm.desk.create("Contacts", {"First_Name": "Ada", "Last_Name": "Nowak", "Email": "other@kot.test"})
    nameless = crm.desk.create("Contacts", {"First_Name": "Eve", "Last_Name": "Kot"})
    await convert(api, lead)
    assert len(crm.records("Contacts")) == 3
    eve = crm.desk.create("Leads", {"First_Name": "Eve", "Last_Name": "Kot", "Email": "eve@kot.test"})
    assert (await convert(api, eve))["details"]["Contacts"]["id"] == nameless


async def test_a_unique_field_has_to_be_answered_with_the_contacts_id(crm: Zoho, api: Any, lead: str) -> None:
    crm.desk.make_unique("Contacts", "Email")
    contact = crm.desk.create("Contacts", {"Last_Name": "N", "Email": "Ada@kot.test"})
    row = await convert(api, lead)
    assert (row["code"], row["details"]) == (
        "DUPLICATE_DATA",
        {"api_name": "Email", "json_path": "$.data[0].Contacts"},
    )
    assert crm.records("Accounts") == []
    assert not row_of(crm, "Leads", lead)["converted"]
    assert (await convert(api, lead, Contacts={"id": contact}))["details"]["Contacts"]["id"] == contact


async def test_a_deal_is_made_and_checked_before_anything_else(crm: Zoho, api: Any, lead: str) -> None:
    row = await convert(api, lead, Deals={"Deal_Name": "First"})
    assert (row["code"], row["details"]["json_path"]) == ("MANDATORY_NOT_FOUND", "$.data[0].Deals.Stage")
    assert crm.records("Contacts") == []
    made = (await convert(api, lead, Deals={"Deal_Name": "First", "Stage": "Qualification", "Amount": 10}))[
        "details"
    ]
    deal = row_of(crm, "Deals", made["Deals"]["id"])
    assert (deal["Contact_Name"], deal["Account_Name"]) == (made["Contacts"]["id"], made["Accounts"]["id"])
    assert (deal["Amount"], deal["Stage"]) == (10, "Qualification")


@pytest.mark.parametrize("name", ["Contacts", "Accounts", "assign_to"])
async def test_an_id_that_is_none_refuses_the_conversion(crm: Zoho, api: Any, lead: str, name: str) -> None:
    row = await convert(api, lead, **{name: {"id": "12"}})
    assert (row["code"], row["details"]["json_path"]) == ("INVALID_DATA", f"$.data[0].{name}.id")
    assert not row_of(crm, "Leads", lead)["converted"]


async def test_owner_and_tags_are_carried_over_as_asked(crm: Zoho, api: Any, lead: str) -> None:
    user = crm.desk.add_user("jan@example.test")
    for name in ("one", "two"):
        crm.desk.tag("Leads", lead, name)
    made = (
        await convert(
            api, lead, assign_to={"id": user}, carry_over_tags={"Contacts": ["two", "none"], "Accounts": []}
        )
    )["details"]
    contact = row_of(crm, "Contacts", made["Contacts"]["id"])
    assert (contact["Owner"], contact["Tag"]) == (user, ["two"])
    assert row_of(crm, "Accounts", made["Accounts"]["id"])["Tag"] is None


async def test_notes_activities_and_campaigns_go_to_the_contact(crm: Zoho, api: Any, lead: str) -> None:
    campaign = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    crm.desk.join(campaign, "Leads", lead)
    crm.desk.create("Notes", {"Note_Title": "N", "Parent_Id": lead, "$se_module": "Leads"})
    crm.desk.create("Tasks", {"Subject": "T", "What_Id": lead, "$se_module": "Leads"})
    contact = (await convert(api, lead))["details"]["Contacts"]["id"]
    for name, fields in (("Notes", "Note_Title"), ("Tasks", "Subject"), ("Campaigns", "Campaign_Name")):
        page = await api.do("GET", f"/Contacts/{contact}/{name}?fields={fields}")
        assert page["info"]["count"] == 1
    [task] = (await api.do("GET", f"/Contacts/{contact}/Tasks?fields=Who_Id,What_Id"))["data"]
    assert (task["Who_Id"]["id"], task["What_Id"]["name"]) == (contact, "Kot SA")


async def test_older_versions_take_and_answer_plain_ids(crm: Zoho, api: Any, lead: str) -> None:
    contact = crm.desk.create("Contacts", {"Last_Name": "Kept"})
    row = await convert(api, lead, "v2", Contacts=contact)
    [account] = crm.records("Accounts")
    assert row == {"Contacts": contact, "Deals": None, "Accounts": account["id"]}
    other = crm.desk.create("Leads", {"Last_Name": "Lis"})
    refused = await convert(api, other, Contacts=contact)
    assert (refused["code"], refused["details"]["expected_data_type"]) == ("INVALID_DATA", "jsonobject")


async def test_the_options_name_what_a_lead_can_be_attached_to(crm: Zoho, api: Any, lead: str) -> None:
    path = f"/Leads/{lead}/__conversion_options"
    assert (await api.ask("GET", path)).status_code == 204
    contact = crm.desk.create("Contacts", {"Last_Name": "N", "Email": "ada@kot.test"})
    found = (await api.do("GET", path))["__conversion_options"]
    assert found["module_preference"]["api_name"] == "Contacts"
    assert [row["id"] for row in found["Contacts"]] == [contact]
    assert found["Accounts"] is None
    [match] = found["preference_field_matched_value"]["Contacts"]
    assert (match["field"]["api_name"], match["matched_lead_value"]) == ("Email", "ada@kot.test")


async def test_many_are_converted_by_a_job(start_zoho: Any, connect_zoho: Any) -> None:
    now = [datetime.now(UTC)]
    async with start_zoho(bulk_seconds=3, clock=lambda: now[0]) as crm, connect_zoho(crm) as api:
        leads = [crm.desk.create("Leads", {"Last_Name": f"Kot {at}"}) for at in range(3)]
        crm.desk.convert(leads[0])
        await api.sign_in(scope="ZohoCRM.mass_convert.ALL")
        scheduled = await api.ask("POST", "/Leads/actions/mass_convert", {"ids": [*leads, "1"]})
        assert (scheduled.status_code, scheduled.json()["code"]) == (202, "SCHEDULED")
        job = f"/Leads/actions/mass_convert?job_id={scheduled.json()['details']['job_id']}"
        [running] = (await api.do("GET", job))["data"]
        assert running["Status"] == "in progress"
        now[0] += timedelta(seconds=3)
        [running] = (await api.do("GET", job))["data"]
        assert running["Status"] == "completed"
        counts = [running[f"{name}_Count"] for name in ("Total", "Converted", "Not_Converted", "Failed")]
        assert counts == [4, 2, 1, 1]
        ids = {"ids": ["1"] * 51}
        assert await api.refused("POST", "/Leads/actions/mass_convert", ids) == (400, "LIMIT_EXCEEDED")


async def test_a_validation_rule_holds_for_what_a_lead_becomes(crm: Zoho, api: Any, lead: str) -> None:
    crm.desk.refuse("Contacts", "Mailing_City", "Gdynia")
    row = await convert(api, lead)
    assert (row["code"], row["details"]) == (
        "INVALID_DATA",
        {"api_name": "Mailing_City", "json_path": "$.data[0].Contacts"},
    )
    assert (crm.refused_rows, crm.records("Contacts"), crm.records("Accounts")) == (1, [], [])
    crm.desk.accept()
    assert (await convert(api, lead))["code"] == "SUCCESS"


async def test_a_conversion_may_only_be_scheduled(crm: Zoho, api: Any, lead: str) -> None:
    crm.desk.schedule_conversions()
    answer = await api.ask("POST", f"/Leads/{lead}/actions/convert", {"data": [{"overwrite": False}]})
    [row] = answer.json()["data"]
    assert (answer.status_code, row["code"], row["status"]) == (202, "SCHEDULED", "success")
    assert row_of(crm, "Leads", lead)["converted"]


async def test_a_conversion_costs_five_credits(crm: Zoho, api: Any, lead: str) -> None:
    before = crm.credits_used
    await convert(api, lead)
    assert crm.credits_used - before == 5
    assert crm.most_heavy_at_once == 1


async def test_people_convert_by_hand(crm: Zoho, api: Any, lead: str) -> None:
    contact = crm.desk.convert(lead)
    assert row_of(crm, "Contacts", contact)["Email"] == "ada@kot.test"
    with pytest.raises(ValueError, match="is converted"):
        crm.desk.convert(lead)
