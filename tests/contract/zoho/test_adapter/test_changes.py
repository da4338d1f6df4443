"""The pulls against the simulator: everything, and what has changed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from connector_zoho.reading import Reading
from leadbus.connector.contract import CrmActivity, Opportunity, Person, Row, User
from leadbus.errors import Unsupported
from sandbox.zoho import Zoho

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Read = Callable[..., Reading]
Everything = Callable[..., Awaitable[list[Row]]]


def lead(crm: Zoho) -> str:
    return crm.desk.create("Leads", {"Last_Name": "A", "Email": "ann@x.test"})


async def test_changes_come_in_order_with_deletions_after_them(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    rows = [
        {"Last_Name": str(n), "Email": f"p{n}@x.test", "Modified_Time": at + timedelta(seconds=n)}
        for n in range(430)
    ]
    keys = crm.desk.load("Contacts", rows)
    since = at + timedelta(seconds=10)
    found = await everything(reading, "contact", since)
    assert [row.record.id for row in found] == keys[10:]
    crm.desk.delete("Contacts", keys[20])
    crm.desk.delete("Contacts", keys[30], permanent=True)
    later = await everything(reading, "contact", datetime.now(UTC) - timedelta(minutes=1))
    assert {(row.record.id, row.deleted) for row in later} == {(keys[20], True), (keys[30], True)}
    assert all(isinstance(row, Person) and row.changed_at for row in later)


async def test_where_nothing_has_changed_nothing_comes(crm: Zoho, reading: Reading) -> None:
    lead(crm)
    page = await reading.changed("lead", datetime.now(UTC) + timedelta(hours=1), None)
    assert (page.rows, page.next is not None) == ([], True)
    last = await reading.changed("lead", datetime.now(UTC) + timedelta(hours=1), page.next)
    assert (last.rows, last.next) == ([], None)
    assert abs(page.server_time - datetime.now(UTC)) < timedelta(seconds=5)
    assert last.server_time == page.server_time


async def test_everything_is_read_with_its_number_and_without_the_deleted(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    keys = crm.desk.load("Contacts", [{"Last_Name": str(n), "Email": f"p{n}@x.test"} for n in range(450)])
    crm.desk.delete("Contacts", keys[0])
    page = await reading.changed("contact", None, None)
    assert (len(page.rows), page.total) == (200, 449)
    rows = await everything(reading, "contact")
    assert sorted(row.record.id for row in rows) == sorted(keys[1:])


async def test_a_page_token_that_has_expired_costs_no_row_and_no_repetition_of_all(
    crm: Zoho, reading: Reading
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    rows = [
        {"Last_Name": str(n), "Email": f"p{n}@x.test", "Modified_Time": at + timedelta(seconds=n)}
        for n in range(500)
    ]
    keys = crm.desk.load("Contacts", rows)
    page = await reading.changed("contact", None, None)
    crm.desk.expire_page_tokens()
    seen = [row.record.id for row in page.rows]
    token = page.next
    while token is not None:
        page = await reading.changed("contact", None, token)
        seen += [row.record.id for row in page.rows]
        token = page.next
    assert set(seen) == set(keys)
    assert len(seen) <= len(keys) + 3  # only the last row of a page comes once more


async def test_a_walk_that_is_too_long_for_tokens_goes_on_from_its_last_row(
    crm: Zoho, reading: Reading, monkeypatch: pytest.MonkeyPatch, everything: Everything
) -> None:
    monkeypatch.setattr("sandbox.zoho.listing._TOKEN_RECORDS", 400)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    rows = [
        {"Last_Name": str(n), "Email": f"p{n}@x.test", "Modified_Time": at + timedelta(seconds=n)}
        for n in range(1_100)
    ]
    keys = crm.desk.load("Leads", rows)
    seen = [row.record.id for row in await everything(reading, "lead")]
    assert list(dict.fromkeys(seen)) == keys
    assert len(seen) == len(keys) + 2  # the row at which a walk begins anew comes once more


async def test_a_walk_that_cannot_get_on_is_refused_instead_of_going_in_circles(
    crm: Zoho, reading: Reading, monkeypatch: pytest.MonkeyPatch, everything: Everything
) -> None:
    monkeypatch.setattr("sandbox.zoho.listing._TOKEN_RECORDS", 400)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    crm.desk.load("Leads", [{"Last_Name": str(n), "Modified_Time": at} for n in range(1_100)])
    with pytest.raises(Unsupported):
        await everything(reading, "lead")


async def test_tokens_serve_another_process(crm: Zoho, read_with: Read) -> None:
    keys = crm.desk.load("Contacts", [{"Last_Name": str(n), "Email": f"p{n}@x.test"} for n in range(300)])
    first = await read_with().changed("contact", None, None)
    second = await read_with().changed("contact", None, first.next)
    assert {row.record.id for row in (*first.rows, *second.rows)} == set(keys)
    assert second.server_time == first.server_time


async def test_users_come_with_whether_they_are_active(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    grace = crm.desk.add_user("Grace@x.test", first_name="Grace", last_name="Hopper")
    crm.desk.deactivate_user(grace)
    users = {row.record.id: row for row in await everything(reading, "user", LONG_AGO)}
    assert len(users) == 2
    assert isinstance(users[grace], User)
    assert (users[grace].email, users[grace].active) == ("grace@x.test", False)


async def test_a_deal_comes_with_its_contacts_email_and_the_organisations_currency(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    account = crm.desk.create("Accounts", {"Account_Name": "Engines"})
    contact = crm.desk.create("Contacts", {"Last_Name": "A", "Email": "Ann@x.test"})
    deal = {
        "Deal_Name": "200 engines",
        "Stage": "Qualification",
        "Account_Name": account,
        "Contact_Name": contact,
        "Amount": 12500.50,
        "Closing_Date": "2027-01-31",
        "Probability": 40,
        "Lead_Source": "Leadbus",
    }
    crm.desk.create("Deals", deal)
    (row,) = await everything(reading, "opportunity")
    assert isinstance(row, Opportunity)
    assert (row.contact_ids, row.contact_emails, row.account_id) == ((contact,), ("ann@x.test",), account)
    assert (row.amount, row.currency, row.close_date) == ("12500.5", "PLN", date(2027, 1, 31))
    assert (row.name, row.stage, row.probability) == ("200 engines", "Qualification", 40)


async def test_activities_of_all_modules_come_one_after_the_other(
    crm: Zoho, read_with: Read, everything: Everything
) -> None:
    one = lead(crm)
    on_lead = {"What_Id": one, "$se_module": "Leads"}
    crm.desk.create("Tasks", {"Subject": "Task", "Due_Date": "2027-01-31", "Priority": "High", **on_lead})
    crm.desk.create(
        "Calls",
        {
            "Subject": "Call",
            "Call_Type": "Outbound",
            "Call_Duration": "10:00",
            "Call_Start_Time": "2027-01-31T16:00:00+01:00",
            **on_lead,
        },
    )
    crm.desk.create(
        "Events",
        {
            "Event_Title": "Event",
            "Start_DateTime": "2027-01-31T15:00:00+00:00",
            "End_DateTime": "2027-01-31T16:00:00+00:00",
            **on_lead,
        },
    )
    crm.desk.create("Notes", {"Note_Title": "Note", "Parent_Id": one, "$se_module": "Leads"})
    rows = await everything(read_with(time_zone="Europe/Warsaw"), "activity")
    activities = [row for row in rows if isinstance(row, CrmActivity)]
    assert [(a.type, a.subject) for a in activities] == [
        ("task", "Task"),
        ("call", "Call"),
        ("meeting", "Event"),
        ("note", "Note"),
    ]
    assert all(activity.about == (one,) for activity in activities)
    at = datetime(2027, 1, 31, 15, tzinfo=UTC)
    midnight = datetime(2027, 1, 30, 23, tzinfo=UTC)
    assert [activity.due_at for activity in activities] == [midnight, at, at, None]


async def test_a_module_that_is_not_for_our_user_keeps_no_other_from_being_read(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    crm.desk.create("Tasks", {"Subject": "Task"})
    crm.desk.create("Notes", {"Note_Title": "Note", "Parent_Id": lead(crm), "$se_module": "Leads"})
    crm.desk.forbid("Notes", ["view"])
    assert [row.record.module for row in await everything(reading, "activity")] == ["Tasks"]
    crm.desk.permit("Notes")
    crm.desk.forbid("Tasks", ["view"])
    assert [row.record.module for row in await everything(reading, "activity", LONG_AGO)] == ["Notes"]
    crm.desk.forbid("Leads", ["view"])
    with pytest.raises(Unsupported):
        await reading.changed("lead", None, None)


async def test_where_no_module_of_a_kind_is_for_our_user_the_reading_is_refused(
    crm: Zoho, reading: Reading
) -> None:
    for module in ("Tasks", "Calls", "Events", "Notes"):
        crm.desk.forbid(module, ["view"])
    with pytest.raises(Unsupported):
        await reading.changed("activity", None, None)
