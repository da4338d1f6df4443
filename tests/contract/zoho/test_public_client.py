"""The official SDK reads the simulator's answers: it parses them by Zoho's own description of every type."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store.file_store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import (
    HeaderMap,
    ParameterMap,
    bulk_read,
    coql,
    record,
    related_records,
    tags,
)
from zohocrmsdk.src.com.zoho.crm.api.conversion_option import ConversionOptionOperations
from zohocrmsdk.src.com.zoho.crm.api.convert_lead import BodyWrapper as Conversion
from zohocrmsdk.src.com.zoho.crm.api.convert_lead import ConvertLeadOperations, LeadConverter
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
from zohocrmsdk.src.com.zoho.crm.api.notifications import BodyWrapper as Watch
from zohocrmsdk.src.com.zoho.crm.api.notifications import (
    DeleteNotificationParam,
    Notification,
    NotificationsOperations,
)
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.record import Field, Record, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.users import GetUsersParam, UsersOperations
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

from sandbox.zoho import Zoho

Run = Callable[..., Awaitable[Any]]


@pytest.fixture
async def run(crm: Zoho, tmp_path: Path) -> Run:
    """Runs a call of the SDK, which blocks, in a thread; the SDK has signed in."""

    def sign_in() -> None:
        token = OAuthToken("1000.LEADBUS", "secret", grant_token=crm.grant(), find_user=False)
        Initializer.initialize(
            DataCenter.Environment(crm.url, f"{crm.url}/oauth/v2/token", crm.url),
            token,
            FileStore(str(tmp_path / "tokens")),
            SDKConfig(pick_list_validation=False),
            str(tmp_path),
        )

    await asyncio.to_thread(sign_in)
    return asyncio.to_thread


def parameters(**values: tuple[Any, Any]) -> ParameterMap:
    """Each: the SDK's description of the parameter, and its value."""
    made = ParameterMap()
    for description, value in values.values():
        made.add(description, value)
    return made


def listing(**more: Any) -> ParameterMap:
    known = record.GetRecordsParam
    chosen = {"fields": "id,Last_Name,Email,Owner,Modified_Time", "per_page": 2, **more}
    return parameters(**{name: (getattr(known, name), value) for name, value in chosen.items()})


def person(**fields: Any) -> Record:
    made = Record()
    for name, value in fields.items():
        made.add_key_value(name, value)
    return made


def people(*records: Record) -> record.BodyWrapper:
    body = record.BodyWrapper()
    body.set_data(list(records))
    body.set_trigger([])
    return body


def codes(answer: Any) -> list[str]:
    return [row.get_code().get_value() for row in answer.get_object().get_data()]


def add_leads(crm: Zoho, count: int) -> list[str]:
    return [
        crm.desk.create("Leads", {"Last_Name": f"Kot {at}", "Email": f"kot{at}@example.test"})
        for at in range(count)
    ]


async def test_a_list_goes_on_by_page_token_and_304_and_204_have_no_body(crm: Zoho, run: Run) -> None:
    leads = RecordOperations("Leads")
    assert (await run(leads.get_records, listing())).get_status_code() == 204
    made = add_leads(crm, 3)
    first = await run(leads.get_records, listing(sort_by="id", sort_order="asc"))
    info = first.get_object().get_info()
    assert (info.get_more_records(), info.get_count(), info.get_call()) == (True, 2, False)
    assert isinstance(info.get_page_token_expiry(), datetime)
    token = info.get_next_page_token()
    second = await run(leads.get_records, listing(sort_by="id", sort_order="asc", page_token=token))
    rows = [*first.get_object().get_data(), *second.get_object().get_data()]
    assert [str(row.get_id()) for row in rows] == made
    assert rows[0].get_key_value("Email") == "kot0@example.test"
    assert rows[0].get_key_value("Owner").get_email() == "api@example.test"
    assert rows[0].get_modified_time().tzinfo is not None
    assert second.get_object().get_info().get_next_page_token() is None
    later = HeaderMap()
    later.add(record.GetRecordsHeader.if_modified_since, datetime.now(UTC) + timedelta(minutes=1))
    unchanged = await run(leads.get_records, listing(), later)
    assert (unchanged.get_status_code(), unchanged.get_object()) == (304, None)


async def test_an_invented_page_token_is_an_error_of_the_sdks(crm: Zoho, run: Run) -> None:
    add_leads(crm, 1)
    answer = await run(RecordOperations("Leads").get_records, listing(page_token="made up"))
    assert (answer.get_status_code(), answer.get_object().get_code().get_value()) == (
        400,
        "TOKEN_BOUND_DATA_MISMATCH",
    )


async def test_an_upsert_says_what_became_of_each_row(crm: Zoho, run: Run) -> None:
    [known] = add_leads(crm, 1)
    body = people(
        person(Last_Name="Kot", Email="KOT0@example.test"),
        person(Last_Name="Nowy", Email="nowy@example.test"),
    )
    body.set_duplicate_check_fields(["Email"])
    answer = await run(RecordOperations("Leads").upsert_records, body)
    rows = answer.get_object().get_data()
    assert answer.get_status_code() == 200
    assert [row.get_action().get_value() for row in rows] == ["update", "insert"]
    assert [row.get_duplicate_field() for row in rows] == ["Email", None]
    assert rows[0].get_details()["id"] == known
    assert {row["Last_Name"] for row in crm.records("Leads")} == {"Kot", "Nowy"}


async def test_an_insert_has_outcomes_of_several_kinds_at_once(crm: Zoho, run: Run) -> None:
    crm.desk.make_unique("Leads", "Email")
    add_leads(crm, 1)
    body = people(
        person(Last_Name="One"),
        person(Last_Name="Twin", Email="kot0@example.test"),
        person(Email="nameless@example.test"),
        person(Last_Name="Two", Email="no address"),
        person(Last_Name="Three", Phone="0" * 31),
    )
    answer = await run(RecordOperations("Leads").create_records, body)
    assert answer.get_status_code() == 207
    assert codes(answer) == [
        "SUCCESS",
        "DUPLICATE_DATA",
        "MANDATORY_NOT_FOUND",
        "INVALID_DATA",
        "INVALID_DATA",
    ]
    assert answer.get_object().get_data()[4].get_details()["maximum_length"] == "30"


async def test_too_many_requests_are_an_error_of_the_sdks(crm: Zoho, run: Run) -> None:
    crm.faults.add("rate_limit", times=1)
    answer = await run(OrgOperations().get_organization)
    assert (answer.get_status_code(), answer.get_object().get_code().get_value()) == (
        429,
        "TOO_MANY_REQUESTS",
    )
    assert (await run(OrgOperations().get_organization)).get_status_code() == 200


async def test_deleted_records_have_their_kind(crm: Zoho, run: Run) -> None:
    one, two = add_leads(crm, 2)
    crm.desk.delete("Leads", one)
    crm.desk.delete("Leads", two, permanent=True)
    known = record.GetDeletedRecordsParam
    answer = await run(RecordOperations("Leads").get_deleted_records, parameters(type=(known.type, "all")))
    rows = {str(row.get_id()): row for row in answer.get_object().get_data()}
    assert (rows[one].get_type(), rows[one].get_display_name()) == ("recycle", "Kot 0")
    assert (rows[two].get_type(), rows[two].get_display_name()) == ("permanent", None)


async def test_a_lead_is_converted_once(crm: Zoho, run: Run) -> None:
    lead = crm.desk.create("Leads", {"First_Name": "Ewa", "Last_Name": "Kot", "Company": "Kot SA"})
    how = LeadConverter()
    how.set_overwrite(False)
    how.set_notify_lead_owner(False)
    deal = Record()
    deal.add_field_value(Field.Deals.deal_name(), "First order")
    deal.add_field_value(Field.Deals.closing_date(), datetime(2026, 3, 31, tzinfo=UTC).date())
    deal.add_key_value("Stage", Choice("Qualification"))
    deal.add_key_value("Pipeline", Choice("Standard (Standard)"))
    how.set_deals(deal)
    body = Conversion()
    body.set_data([how])
    done = await run(ConvertLeadOperations(int(lead)).convert_lead, body)
    [row] = done.get_object().get_data()
    made = row.get_details()
    assert row.get_message().get_value() == "The record has been converted successfully"
    assert made["Contacts"].get_name() == "Ewa Kot"
    assert made["Accounts"].get_name() == "Kot SA"
    assert made["Deals"].get_name() == "First order"
    again = await run(ConvertLeadOperations(int(lead)).convert_lead, body)
    assert (again.get_status_code(), again.get_object().get_code().get_value()) == (
        400,
        "ID_ALREADY_CONVERTED",
    )
    assert [row["id"] for row in crm.records("Contacts")] == [str(made["Contacts"].get_id())]


async def test_what_a_lead_can_be_attached_to_has_its_fields(crm: Zoho, run: Run) -> None:
    lead = crm.desk.create("Leads", {"Last_Name": "Kot", "Email": "kot@example.test", "Company": "Kot SA"})
    contact = crm.desk.create("Contacts", {"Last_Name": "Kot", "Email": "kot@example.test"})
    account = crm.desk.create("Accounts", {"Account_Name": "Kot SA"})
    answer = await run(ConversionOptionOperations(int(lead)).lead_conversion_options)
    found = answer.get_object().get_conversion_options()
    assert found.get_module_preference().get_api_name() == "Contacts"
    assert [str(row.get_id()) for row in found.get_contacts()] == [contact]
    assert [str(row.get_id()) for row in found.get_accounts()] == [account]
    [match] = found.get_preference_field_matched_value().get_contacts()
    assert (match.get_field().get_api_name(), match.get_matched_lead_value()) == ("Email", "kot@example.test")


async def test_members_and_tags_have_outcomes_of_their_own(crm: Zoho, run: Run) -> None:
    [lead] = add_leads(crm, 1)
    campaign = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    body = related_records.BodyWrapper()
    body.set_data([person(id=int(campaign), Member_Status="Active")])
    joined = await run(
        related_records.RelatedRecordsOperations("Campaigns", "Leads").update_related_records, int(lead), body
    )
    assert joined.get_object().get_data()[0].get_message().get_value() == "relation added"
    named = tags.Tag()
    named.set_name("newsletter")
    wish = tags.NewTagRequestWrapper()
    wish.set_tags([named])
    wish.set_ids([int(lead)])
    answer = await run(tags.TagsOperations().add_tags_to_multiple_records, "Leads", wish)
    [row] = answer.get_object().get_data()
    assert [tag.get_name() for tag in row.get_details()["tags"]] == ["newsletter"]
    assert answer.get_object().get_success_count() == "1"


async def test_a_channel_is_opened_listed_and_closed(crm: Zoho, run: Run) -> None:
    expiry = datetime.now(UTC) + timedelta(days=6)
    channel = Notification()
    channel.set_channel_id("1000000068001")
    channel.set_events(["Leads.all", "Contacts.create"])
    channel.set_channel_expiry(expiry)
    channel.set_token("verify")
    channel.set_notify_url("https://hooks.example.test/zoho?tenant=7")
    body = Watch()
    body.set_watch([channel])
    channels = NotificationsOperations()
    opened = await run(channels.enable_notifications, body)
    [row] = opened.get_object().get_watch()
    assert opened.get_status_code() == 201
    assert [event.get_resource_name() for event in row.get_details()["events"]] == ["Leads", "Contacts"]
    assert abs(row.get_details()["events"][0].get_channel_expiry() - expiry) < timedelta(seconds=2)
    found = (await run(channels.get_notifications)).get_object().get_watch()
    assert [one.get_notify_url() for one in found] == ["https://hooks.example.test/zoho?tenant=7"] * 2
    ids = parameters(channels=(DeleteNotificationParam.channel_ids, "1000000068001"))
    closed = (await run(channels.delete_notification, ids)).get_object().get_watch()
    told = "Successfully un-subscribed from actions-watch"
    assert [one.get_message().get_value() for one in closed] == [told] * 2
    [gone] = (await run(channels.update_notification, body)).get_object().get_watch()
    assert gone.get_code().get_value() == "NOT_SUBSCRIBED"


async def test_coql_answers_records(crm: Zoho, run: Run) -> None:
    add_leads(crm, 2)
    body = coql.BodyWrapper()
    body.set_select_query(
        "select id, Last_Name, Email from Leads where Email = 'kot1@example.test' limit 0, 10"
    )
    answer = await run(coql.CoqlOperations().get_records, body)
    [row] = answer.get_object().get_data()
    assert (row.get_key_value("Last_Name"), row.get_key_value("Email")) == ("Kot 1", "kot1@example.test")
    assert answer.get_object().get_info().get_more_records() is False


async def test_users_and_the_organisation_say_who_they_are(crm: Zoho, run: Run) -> None:
    answer = await run(UsersOperations().get_users, parameters(type=(GetUsersParam.type, "CurrentUser")))
    [me] = answer.get_object().get_users()
    assert me.get_email() == "api@example.test"
    [org] = (await run(OrgOperations().get_organization)).get_object().get_org()
    assert org.get_zgid() == "20000000001"
    assert org.get_license_details().get_paid_type() == "enterprise"


async def test_a_bulk_job_ends_in_a_zip_with_one_csv(crm: Zoho, run: Run) -> None:
    made = add_leads(crm, 3)
    module = MinifiedModule()
    module.set_api_name("Leads")
    query = bulk_read.Query()
    query.set_module(module)
    query.set_fields(["Last_Name", "Email"])
    body = bulk_read.BodyWrapper()
    body.set_query(query)
    jobs = bulk_read.BulkReadOperations()
    [added] = (await run(jobs.create_bulk_read_job, body)).get_object().get_data()
    job = int(added.get_details()["id"])
    assert added.get_details()["state"].get_value() == "ADDED"
    async with asyncio.timeout(30):
        while True:
            [detail] = (await run(jobs.get_bulk_read_job_details, job)).get_object().get_data()
            if detail.get_state().get_value() == "COMPLETED":
                break
    assert (detail.get_result().get_count(), detail.get_result().get_more_records()) == (3, False)
    stream = (await run(jobs.download_result, job)).get_object().get_file().get_stream()
    with zipfile.ZipFile(io.BytesIO(b"".join(stream))) as archive:
        [name] = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    assert sorted(row["id"] for row in rows) == sorted(made)
    assert {row["Email"] for row in rows} == {f"kot{at}@example.test" for at in range(3)}
