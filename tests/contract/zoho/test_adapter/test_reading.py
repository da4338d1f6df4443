"""find_by_email, find_accounts, read and activities_of against the simulator."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connector_zoho.reading import Reading
from connector_zoho.writing import Writing
from leadbus.connector.contract import NewAccount, Person, Row, User
from leadbus.messages import Record
from sandbox.zoho import Zoho

Read = Callable[..., Reading]
Everything = Callable[..., Awaitable[list[Row]]]


def lead(crm: Zoho, email: str = "ann@x.test", **values: Any) -> str:
    return crm.desk.create("Leads", {"Last_Name": "A", "Email": email, **values})


# By email and by name


async def test_people_of_every_kind_are_found_by_email_whatever_its_case(crm: Zoho, reading: Reading) -> None:
    one = lead(crm, "Ann@Example.Test")
    contact = crm.desk.create("Contacts", {"Last_Name": "A", "Email": "ANN@example.test"})
    lead(crm, "bob@example.test")
    found = await reading.find_by_email(["ann@example.test", "nobody@example.test"])
    assert found.keys() == {"ann@example.test"}
    assert {(p.kind, p.record.id) for p in found["ann@example.test"]} == {("lead", one), ("contact", contact)}
    assert {p.email for p in found["ann@example.test"]} == {"ann@example.test"}


async def test_fifty_emails_cost_one_query_per_module(crm: Zoho, reading: Reading) -> None:
    assert await reading.find_by_email([f"p{number}@x.test" for number in range(50)]) == {}
    assert crm.calls["coql"] == 2
    assert await reading.find_by_email([f"p{number}@x.test" for number in range(51)]) == {}
    assert crm.calls["coql"] == 6


@pytest.mark.parametrize("email", ["o'neil@x.test", "a+b@x.test", "100%_sure@x.test", "a\\b@x.test"])
async def test_odd_addresses_are_found_and_their_neighbours_are_not(
    crm: Zoho, reading: Reading, email: str
) -> None:
    key = lead(crm, email)
    lead(crm, email.translate(str.maketrans("'+%\\", "xxxx")))
    found = await reading.find_by_email([email])
    assert [person.record.id for person in found[email]] == [key]


async def test_deleted_people_are_not_found_and_closed_ones_are_marked(crm: Zoho, reading: Reading) -> None:
    gone, closed = lead(crm), lead(crm, Lead_Status="Junk Lead")
    crm.desk.delete("Leads", gone)
    (person,) = (await reading.find_by_email(["ann@x.test"]))["ann@x.test"]
    assert (person.record.id, person.open, person.status) == (closed, False, "Junk Lead")


async def test_more_people_with_one_email_than_a_query_answers_are_all_found(
    crm: Zoho, reading: Reading
) -> None:
    crm.desk.load("Leads", [{"Last_Name": str(number), "Email": "info@x.test"} for number in range(430)])
    found = await reading.find_by_email(["info@x.test"])
    assert len({person.record.id for person in found["info@x.test"]}) == 430


async def test_accounts_are_found_by_name_whatever_its_case(crm: Zoho, reading: Reading) -> None:
    key = crm.desk.create("Accounts", {"Account_Name": "O'Neil, Sons (UK) Ltd"})
    crm.desk.create("Accounts", {"Account_Name": "O'Neil"})
    asked = ["o'neil, sons (uk) LTD", "O'Neil, Sons (UK) Ltd ", "Nobody"]
    found = await reading.find_accounts(asked)
    assert {name: [account.record.id for account in some] for name, some in found.items()} == {
        asked[0]: [key],
        asked[1]: [key],
    }


# By id


async def test_records_are_read_by_id_in_calls_of_a_hundred_and_deleted_ones_are_absent(
    crm: Zoho, reading: Reading
) -> None:
    keys = crm.desk.load("Leads", [{"Last_Name": str(n), "Email": f"p{n}@x.test"} for n in range(250)])
    crm.desk.delete("Leads", keys[0])
    before = crm.calls["list"]
    found = await reading.read([Record(module="Leads", id=key) for key in [*keys, "1"]])
    assert crm.calls["list"] - before == 3
    assert found.keys() == set(keys[1:])


async def test_records_of_several_modules_are_read_together(crm: Zoho, reading: Reading) -> None:
    user = crm.desk.add_user("grace@x.test", first_name="Grace", last_name="Hopper")
    one = lead(crm, Owner=user)
    account = crm.desk.create("Accounts", {"Account_Name": "Engines", "Owner": user})
    records = [
        Record(module="Leads", id=one),
        Record(module="Accounts", id=account),
        Record(module="Users", id=user),
        Record(module="Unheard_Of", id="1"),
    ]
    found = await reading.read(records)
    assert found.keys() == {one, account, user}
    assert (found[one].owner_id, found[account].owner_id) == (user, user)
    assert isinstance(found[user], User)
    assert (found[user].email, found[user].name) == ("grace@x.test", "Grace Hopper")
    assert await reading.read([]) == {}


async def test_mapped_fields_are_read_in_the_one_form_of_texts(crm: Zoho, read_with: Read) -> None:
    crm.desk.add_field("Leads", "Interests", "multiselectpicklist", options="Pumps|Valves|Bolts")
    crm.desk.add_field("Leads", "Visit", "datetime")
    crm.desk.add_field("Leads", "Regular", "boolean")
    fields = [
        {"of": "lead", "field": f"custom.{name}", "crm_field": name}
        for name in ("Interests", "Visit", "Regular", "Annual_Revenue", "Owner")
    ]
    key = lead(
        crm,
        Interests=["Pumps", "Bolts"],
        Visit="2026-01-12T10:30:00+01:00",
        Regular=True,
        Annual_Revenue=1200.50,
        Phone="1",
    )
    row = (await read_with(fields=fields).read([Record(module="Leads", id=key)]))[key]
    assert {name: row.values[name] for name in ("Interests", "Visit", "Regular", "Annual_Revenue")} == {
        "Interests": "Pumps;Bolts",
        "Visit": "2026-01-12T09:30:00+00:00",
        "Regular": "true",
        "Annual_Revenue": "1200.5",
    }
    assert (row.values["Owner"], row.values["Phone"], row.values["Fax"]) == (row.owner_id, "1", "")


async def test_more_fields_than_one_call_takes_are_read_in_two_and_laid_together(
    crm: Zoho, read_with: Read, everything: Everything
) -> None:
    names = [f"Extra_{number:02}" for number in range(60)]
    for name in names:
        crm.desk.add_field("Leads", name)
    reading = read_with(
        fields=[{"of": "lead", "field": f"custom.{n}", "crm_field": n} for n in names],
    )
    keys = [lead(crm, f"p{n}@x.test", **{name: f"{name} {n}" for name in names}) for n in range(3)]
    found = await reading.read([Record(module="Leads", id=key) for key in keys])
    walked = {row.record.id: row for row in await everything(reading, "lead")}
    for number, key in enumerate(keys):
        assert {name: found[key].values[name] for name in names} == {n: f"{n} {number}" for n in names}
    assert walked == found


async def test_a_converted_lead_is_read_with_its_contact(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    key = lead(crm, Company="Engines")
    contact = crm.desk.convert(key)
    row = (await reading.read([Record(module="Leads", id=key)]))[key]
    assert isinstance(row, Person)
    assert (row.open, row.converted_to) == (False, Record(module="Contacts", id=contact))
    (walked,) = await everything(reading, "lead")
    assert walked == row


# What hangs on a person


async def test_notes_tasks_and_calls_of_people_are_answered_with_their_texts(
    crm: Zoho, reading: Reading
) -> None:
    one, other = lead(crm), lead(crm, "bob@x.test")
    on_lead = {"What_Id": one, "$se_module": "Leads"}
    note = {"Note_Title": "Clicked", "Note_Content": "Twice", "Parent_Id": one, "$se_module": "Leads"}
    crm.desk.create("Notes", note)
    crm.desk.create("Notes", {**note, "Note_Title": "Opened"})
    crm.desk.create("Tasks", {"Subject": "Call back", "Description": "Asked for a quote", **on_lead})
    gone = crm.desk.create("Tasks", {"Subject": "Gone", **on_lead})
    crm.desk.delete("Tasks", gone)
    records = [Record(module="Leads", id=key) for key in (one, other, "1")]
    found = await reading.activities_of(records)
    assert found.keys() == {one}
    assert {(a.type, a.subject, a.text) for a in found[one]} == {
        ("note", "Clicked", "Twice"),
        ("note", "Opened", "Twice"),
        ("task", "Call back", "Asked for a quote"),
    }
    contact = crm.desk.create("Contacts", {"Last_Name": "A"})
    crm.desk.create("Tasks", {"Subject": "Ring", "Who_Id": contact})
    (task,) = (await reading.activities_of([Record(module="Contacts", id=contact)]))[contact]
    assert task.subject == "Ring"


AWKWARD = [
    *("o'brien@x.test", "a''b@x.test", "a\\b@x.test", "a\\'b@x.test", "100%@x.test", "a_b@x.test"),
    *("żółć@x.test", 'q"x@x.test', "') or (email like '%@x.test", "\\"),
]


async def test_an_email_is_looked_for_as_it_stands_whatever_it_is_made_of(
    crm: Zoho, reading: Reading
) -> None:
    keys = {email: crm.desk.create("Leads", {"Last_Name": "A", "Email": email}) for email in AWKWARD}
    crm.desk.create("Leads", {"Last_Name": "B", "Email": "axb@x.test"})
    for emails in (AWKWARD, *([email] for email in AWKWARD)):
        found = await reading.find_by_email(emails)
        assert {email: [row.record.id for row in rows] for email, rows in found.items()} == {
            email: [keys[email]] for email in emails
        }


@pytest.mark.parametrize("name", ["x" * 250, "Two\nlines", "O'Neil \\ Sons", "  Spaces "])
async def test_an_account_is_found_by_the_name_that_it_was_created_under(
    name: str, reading: Reading, writing: Writing
) -> None:
    (created,) = await writing.create_accounts([NewAccount("1", name)])
    found = await reading.find_accounts([name])
    assert {known: [row.record.id for row in rows] for known, rows in found.items()} == {name: [created]}
