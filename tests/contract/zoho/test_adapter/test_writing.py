"""Rows into Zoho: few calls, an outcome for each row, nobody twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector_zoho import duplicates
from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.reading import Reading
from connector_zoho.settings import ZohoConnection
from connector_zoho.writing import Writing
from leadbus.connector.contract import NewAccount, NewActivity, PersonChange
from leadbus.connector.mapping import FieldMap
from leadbus.errors import Conflict, Gone, LeadbusError, OutcomeUnknown, Rejected, Transient
from leadbus.messages import Record
from sandbox.zoho import Zoho

DONE = type(None)


def kinds(outcomes: Sequence[object]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def contact(key: str) -> Record:
    return Record(module="Contacts", id=key)


async def test_new_people_are_upserted_by_email_each_in_its_module(
    crm: Zoho, writing: Writing, person: Any, stored: Any
) -> None:
    people = [person("ann@example.com", First_Name="Ann"), person("bob@example.com", kind="contact")]
    ann, bob = await writing.create(people)
    [lead] = stored().values()
    assert (lead["id"], lead["First_Name"], lead["Email"]) == (ann, "Ann", "ann@example.com")
    assert (lead["Lead_Source"], lead["Lead_Status"]) == ("Leadbus", "Not Contacted")
    assert lead["traceparent"] == people[0].traceparent.decode()
    [other] = stored("Contacts").values()
    assert (other["id"], other["Email"]) == (bob, "bob@example.com")
    assert not other.get("Lead_Status")


async def test_who_has_that_email_already_is_that_person(
    crm: Zoho, writing: Writing, person: Any, stored: Any
) -> None:
    [first] = await writing.create([person("ann@example.com", City="Rome")])
    assert await writing.create([person("ann@example.com", Phone="1")]) == [first]
    [lead] = stored().values()
    assert (lead["City"], lead["Phone"]) == ("Rome", "1")


async def test_one_person_asked_for_twice_at_once_becomes_one_record(
    writing: Writing, person: Any, stored: Any
) -> None:
    people = [person(f"p{at % 60}@example.com", City=f"{at}", Fax=f"{at}") for at in range(110)]
    people[60] = replace(people[60], email="P0@example.com", values={"City": "60"})
    outcomes = await writing.create(people)
    assert outcomes[:50] == outcomes[60:]
    assert stored().keys() == set(outcomes)
    zero = stored()[outcomes[0]]
    assert (zero["City"], zero["Fax"]) == ("60", "0")


async def test_many_rows_go_in_few_calls_side_by_side_with_all_their_traces(
    crm: Zoho, writing: Writing, person: Any, calls: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(230)]
    outcomes = await writing.create(people)
    by_email = {row["Email"]: row["id"] for row in crm.records("Leads")}
    assert outcomes == [by_email[new.email] for new in people]
    parts = calls.traces("POST Leads/upsert")
    assert [len(part) for part in sorted(parts, key=len)] == [30, 50, 50, 50, 50]
    assert sorted(t for part in parts for t in part) == sorted(new.traceparent for new in people)
    assert 1 < crm.most_at_once <= CAPABILITIES.concurrent_calls


async def test_an_update_of_a_hundred_rows_costs_ten_credits(
    crm: Zoho, writing: Writing, person: Any, lead: Any
) -> None:
    ids = await writing.create([person(f"p{at}@example.com") for at in range(100)])
    before = crm.credits_used
    outcomes = await writing.update([PersonChange(lead(key), {"City": "Rome"}) for key in ids])
    assert outcomes == [None] * 100
    assert crm.credits_used - before == CAPABILITIES.credits["update"](100) == 10


async def test_one_refused_row_among_many_names_its_field(
    crm: Zoho, writing: Writing, person: Any, stored: Any
) -> None:
    crm.desk.refuse("Leads", "City", "Atlantis")
    people = [person(f"p{at}@example.com", City="Atlantis" if at == 7 else "Rome") for at in range(30)]
    outcomes = await writing.create(people)
    refused = outcomes[7]
    assert isinstance(refused, Rejected)
    assert refused.field == "City"
    assert "Atlantis" not in str(refused)
    assert stored().keys() == set(outcomes) - {refused}


async def test_what_the_crm_requires_and_takes_no_other_type_for_is_named(
    writing: Writing, person: Any
) -> None:
    missing = replace(person("ann@example.com"), values={})
    no_number = person("bob@example.com", No_of_Employees="many")
    no_date = person("joe@example.com", kind="contact", Date_of_Birth="soon")
    too_long = person(f"{'x' * 120}@example.com")
    outcomes = await writing.create([missing, no_number, no_date, too_long])
    fields = [outcome.field for outcome in outcomes if isinstance(outcome, Rejected)]
    assert fields == ["Last_Name", "No_of_Employees", "Date_of_Birth", "Email"]


async def test_values_are_written_by_the_type_of_their_fields(
    crm: Zoho, writing: Writing, person: Any, stored: Any
) -> None:
    crm.desk.add_field("Leads", "Score", "integer")
    crm.desk.add_field("Leads", "Birthday", "date")
    new = person(
        "ann@example.com", Birthday="1990-02-03", Annual_Revenue="12.50", Phone="+48 " + "600 100 200 " * 3
    )
    [key] = await writing.create([replace(new, score=71, opted_out=True)])
    kept = stored()[key]
    assert (kept["Score"], kept["Birthday"]) == (71, "1990-02-03")
    assert float(kept["Annual_Revenue"]) == 12.5
    assert kept["Phone"] == "+48" + "600100200" * 3
    assert kept["Email_Opt_Out"] is True


async def test_an_opt_out_that_is_not_known_is_not_written(
    crm: Zoho, writing: Writing, person: Any, stored: Any, lead: Any
) -> None:
    key = crm.desk.create("Leads", {"Last_Name": "Kot", "Email": "ann@example.com", "Email_Opt_Out": True})
    assert await writing.create([person("ann@example.com")]) == [key]
    assert await writing.update([PersonChange(lead(key), {"City": "Rome"})]) == [None]
    assert stored()[key]["Email_Opt_Out"] is True
    assert await writing.update([PersonChange(lead(key), opted_out=False)]) == [None]
    assert stored()[key]["Email_Opt_Out"] is False


async def test_a_contact_is_linked_to_its_account_and_belongs_to_its_owner(
    crm: Zoho, writing: Writing, person: Any, stored: Any
) -> None:
    owner = crm.desk.add_user("grace@example.test")
    [account] = await writing.create_accounts([NewAccount("ours", "Engines Ltd")])
    assert isinstance(account, str)
    new = replace(person("ann@example.com", kind="contact"), account_id=account, owner_id=owner)
    [key] = await writing.create([new])
    kept = stored("Contacts")[key]
    assert kept["Account_Name"] == account
    assert kept["Owner"] == owner


async def test_an_account_is_created_once_and_found_by_its_name(
    crm: Zoho, writing: Writing, stored: Any
) -> None:
    there = crm.desk.create("Accounts", {"Account_Name": "Engines Ltd", "Phone": "1"})
    names = ["Engines Ltd", "Looms Ltd", "Looms Ltd "]
    first, second, third = await writing.create_accounts([NewAccount(name, name) for name in names])
    assert (first, second) == (there, third)
    assert stored("Accounts").keys() == {there, second}
    assert stored("Accounts")[there]["Phone"] == "1"


async def test_updates_write_what_is_named_and_nothing_else(
    crm: Zoho, writing: Writing, person: Any, stored: Any, lead: Any
) -> None:
    [key] = await writing.create([person("ann@example.com", City="Rome", Phone="1")])
    [other] = await writing.create([person("bob@example.com", kind="contact", Mailing_City="Rome")])
    change = PersonChange(lead(key), {"Phone": ""}, email="new@example.com")
    outcomes = await writing.update([change, PersonChange(contact(other), {"Mailing_City": "Oslo"})])
    assert outcomes == [None, None]
    kept = stored()[key]
    assert (kept["Email"], kept["City"], kept["Phone"] or None) == ("new@example.com", "Rome", None)
    assert stored("Contacts")[other]["Mailing_City"] == "Oslo"


async def test_updates_of_deleted_converted_or_unknown_records_are_gone(
    crm: Zoho, writing: Writing, person: Any, lead: Any
) -> None:
    ids = await writing.create([person(f"p{at}@example.com") for at in range(3)])
    crm.desk.delete("Leads", ids[0])
    crm.desk.convert(ids[1])
    keys = [*ids, "20000000999999999"]
    outcomes = await writing.update([PersonChange(lead(key), {"City": "Rome"}) for key in keys])
    assert kinds(outcomes) == [Gone, Gone, DONE, Gone]


async def test_a_value_that_only_one_record_may_have_links_to_nobody_else(
    crm: Zoho, writing: Writing, person: Any, stored: Any, lead: Any
) -> None:
    crm.desk.add_field("Leads", "Customer_Number", "text", unique=True)
    there = crm.desk.create(
        "Leads", {"Last_Name": "Kot", "Email": "kot@example.com", "Customer_Number": "17"}
    )
    new, other = person("ann@example.com", Customer_Number="17"), person("bob@example.com")
    refused, made = await writing.create([new, other])
    assert isinstance(refused, Rejected)
    assert refused.field == "Customer_Number"
    assert there in str(refused)
    assert stored()[there]["Email"] == "kot@example.com"
    mine = next(row for row in stored().values() if row["Email"] == "ann@example.com")
    assert stored().keys() == {there, made, mine["id"]}
    assert not mine["Customer_Number"]
    again = person("ann@example.com", Customer_Number="18")
    assert await writing.create([again]) == [mine["id"]]
    assert stored()[mine["id"]]["Customer_Number"] == "18"
    [outcome] = await writing.update([PersonChange(lead(str(made)), {"Customer_Number": "17"})])
    assert isinstance(outcome, Rejected)
    assert (outcome.field, there in str(outcome)) == ("Customer_Number", True)
    assert stored()[there]["Last_Name"] == "Kot"


async def test_notes_tasks_and_calls_hang_on_leads_and_contacts(
    crm: Zoho, writing: Writing, person: Any, stored: Any, lead: Any
) -> None:
    owner = crm.desk.add_user("grace@example.test")
    people = [person("ann@example.com"), person("bob@example.com", kind="contact")]
    ann, bob = map(str, await writing.create(people))
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    new = NewActivity("1", lead(ann), "note", "Clicked", "the offer")
    rows = [
        new,
        replace(new, record=contact(bob), type="task", due_at=due, owner_id=owner),
        replace(new, type="call", due_at=due, text=""),
        replace(new, record=contact(bob), type="call"),
    ]
    note, task, call, other = map(str, await writing.add_activities(rows))
    [kept] = stored("Notes").values()
    assert (kept["id"], kept["Note_Title"], kept["Note_Content"]) == (note, "Clicked", "the offer")
    assert kept["Parent_Id"] == ann
    [kept] = stored("Tasks").values()
    assert (kept["id"], kept["Subject"], kept["Description"]) == (task, "Clicked", "the offer")
    assert (kept["Who_Id"], kept["Owner"], kept["Status"]) == (bob, owner, "Not Started")
    assert datetime.fromisoformat(kept["Due_Date"]).date() - due.date() <= timedelta(days=1)
    calls = stored("Calls")
    assert calls.keys() == {call, other}
    assert (calls[call]["What_Id"], calls[call]["$se_module"]) == (ann, "Leads")
    assert datetime.fromisoformat(calls[call]["Call_Start_Time"]) == due
    assert calls[other]["Who_Id"] == bob


async def test_what_was_added_reads_as_it_was_asked_for(
    client: ZohoClient, connection: ZohoConnection, writing: Writing, person: Any, lead: Any
) -> None:
    """Or a note whose answer was lost would be added again."""
    [key] = await writing.create([person("ann@example.com")])
    new = NewActivity("1", lead(key), "note", "Clicked", "the offer\non Monday")
    rows = [
        new,
        replace(new, subject=f"{'Summary ' * 30}of May", text=""),
        replace(new, type="task", text=""),
        replace(new, type="call"),
    ]
    await writing.add_activities(rows)
    reading = Reading(client, connection, FieldMap.of(connection, CAPABILITIES))
    found = (await reading.activities_of([lead(key)]))[key]
    assert {(row.type, row.subject, row.text) for row in found} == {
        (row.type, row.subject[:120].rstrip(), row.text) for row in rows
    }


async def test_an_activity_on_what_is_deleted_is_gone_and_one_for_nobody_is_refused(
    crm: Zoho, writing: Writing, person: Any, stored: Any, lead: Any
) -> None:
    ann, bob = map(str, await writing.create([person("ann@example.com"), person("bob@example.com")]))
    crm.desk.delete("Leads", ann)
    nobody = crm.desk.add_user("grace@example.test")
    crm.desk.deactivate_user(nobody)
    new = NewActivity("1", lead(ann), "note", "Clicked")
    rows = [
        new,
        replace(new, type="task"),
        replace(new, type="call"),
        replace(new, record=lead(bob), owner_id=nobody),
        replace(new, record=lead(bob)),
    ]
    outcomes = await writing.add_activities(rows)
    assert kinds(outcomes) == [Gone, Gone, Gone, Rejected, str]
    assert isinstance(outcomes[3], Rejected)
    assert outcomes[3].field == "Owner"


async def test_a_lost_answer_hides_no_other_outcome_and_asking_again_doubles_nobody(
    crm: Zoho, writing: Writing, person: Any, stored: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(60)]
    crm.faults.add("lose_reply", of="writes", times=1)
    outcomes = await writing.create(people)
    assert kinds(outcomes).count(OutcomeUnknown) == 20
    assert kinds(outcomes).count(str) == 40
    again = await writing.create(people)
    assert stored().keys() == set(again)
    assert len(again) == 60


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("lose_reply", OutcomeUnknown),
        ("error", OutcomeUnknown),
        ("html", OutcomeUnknown),
        ("rate_limit", Transient),
    ],
)
async def test_trouble_with_all_rows_is_raised(
    crm: Zoho, writing: Writing, person: Any, fault: Any, error: type[LeadbusError]
) -> None:
    await writing.create([person("zero@example.com")])
    crm.faults.add(fault, of="writes")
    with pytest.raises(error):
        await writing.create([person(f"p{at}@example.com") for at in range(60)])


async def test_trouble_with_one_call_leaves_the_others_as_they_are(
    crm: Zoho, writing: Writing, person: Any, lead: Any
) -> None:
    ids = await writing.create([person(f"p{at}@example.com") for at in range(60)])
    crm.faults.add("rate_limit", of="writes", times=1)
    outcomes = await writing.update([PersonChange(lead(key), {"City": "Rome"}) for key in ids])
    assert (kinds(outcomes).count(Transient), outcomes.count(None)) == (20, 40)


async def test_denied_rights_park_the_rows_with_a_reason(crm: Zoho, writing: Writing, person: Any) -> None:
    crm.desk.forbid("Leads")
    refused, made = await writing.create([person("ann@example.com"), person("b@c.example", kind="contact")])
    assert isinstance(refused, Rejected)
    assert "profile" in str(refused)
    assert isinstance(made, str)


async def test_nothing_to_write_is_no_call(writing: Writing, calls: Any) -> None:
    assert await writing.create([]) == await writing.update([]) == await writing.add_activities([]) == []
    assert calls.seen == []


def test_a_record_of_another_kind_that_is_the_same_person_is_to_be_looked_for() -> None:
    row = {
        "code": "DUPLICATE_DATA",
        "details": {
            "api_name": "Email",
            "id": "62",
            "duplicate_record": {"id": "62", "module": {"api_name": "Contacts", "id": "1"}},
        },
    }
    other = duplicates.named(row, "Leads")
    assert other is not None
    assert other.record == contact("62")
    assert isinstance(duplicates.refusal(other, is_same=True), Conflict)
    assert duplicates.named({"code": "INVALID_DATA", "details": {"id": "1"}}, "Leads") is None
