"""create, update and add_activities against the simulator: what is stored, and each row's outcome."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from connector_sugar.connector import SugarAdapter
from leadbus.connector.contract import NewActivity, PersonChange
from leadbus.errors import Conflict, Gone
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk


async def test_a_lead_is_stored_with_all_its_fields_and_its_score(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    new = person(
        "ann@example.com",
        score=73,
        first_name="Ann",
        last_name="One",
        company="Acme & Co",
        phone="+49 30 1",
        mobile="+49 170 1",
        fax="+49 30 2",
        street="Main St 1",
        city="Berlin",
        state="BE",
        postal_code="10115",
        country="Germany",
        website="https://acme.example",
        birthday="1980-02-29",
        title="CEO",
        comments="line 1\r\nline 2",
    )
    assert await adapter.create([new]) == [None]
    row = stored()[new.id]
    expected = {
        "first_name": "Ann",
        "last_name": "One",
        "account_name": "Acme & Co",
        "phone_work": "+49 30 1",
        "phone_mobile": "+49 170 1",
        "phone_fax": "+49 30 2",
        "primary_address_street": "Main St 1",
        "primary_address_city": "Berlin",
        "primary_address_state": "BE",
        "primary_address_postalcode": "10115",
        "primary_address_country": "Germany",
        "website": "https://acme.example",
        "birthdate": "1980-02-29",
        "title": "CEO",
        "description": "line 1\nline 2",
        "status": "New",
        "lead_source": "Leadbus",
        "lead_score_c": 73,
        "email": "ann@example.com",
    }
    assert {name: row[name] for name in expected} == expected


async def test_a_contact_is_stored_without_making_up_an_account(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    new = person("ann@example.com", kind="contact", first_name="Ann", last_name="One", company="Acme")
    assert await adapter.create([new]) == [None]
    row = stored("Contacts")[new.id]
    assert (row["first_name"], row["email"], row["lead_source"]) == ("Ann", "ann@example.com", "Leadbus")
    assert stored("Accounts") == {}


async def test_contacts_alike_in_name_and_email_are_two_records_and_keep_their_address(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    twins = [person("ann@example.com", kind="contact", first_name="Ann", last_name="One") for _ in range(2)]
    assert await adapter.create(twins[:1]) == [None]
    assert await adapter.create(twins[1:]) == [None]
    assert {stored("Contacts")[twin.id]["email"] for twin in twins} == {"ann@example.com"}


async def test_any_text_reaches_the_crm_and_costs_no_other_row(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    names = ['O\'Brien "Sons" & Co', "Ærøskøbing Ωμέγα 東京", "x\x00\x0b\ud800y", "5 < 6 > 4", "50% _\\'; --"]
    people = [person(f"p{at}@example.com", last_name=name) for at, name in enumerate(names)]
    astral = person("p9@example.com", last_name="a😀b")
    assert await adapter.create([*people, astral]) == [None] * 6
    rows = stored()
    assert [rows[p.id]["last_name"] for p in people] == [names[0], names[1], "xy", names[3], names[4]]
    assert rows[astral.id]["last_name"] == "a?b"  # 3-byte tables


async def test_many_rows_go_in_few_calls_over_all_sessions(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(130)]
    assert await adapter.create(people) == [None] * 130
    assert stored().keys() == {p.id for p in people}
    assert crm.calls["set_entries"] == 6  # 25 at most in each
    assert crm.calls["set_entry"] == 0
    assert crm.calls["login"] == 4


async def test_few_rows_are_spread_so_that_none_waits_for_the_others(
    crm: SugarCRM, adapter: SugarAdapter, person: Any
) -> None:
    await adapter.create([person(f"p{at}@example.com") for at in range(8)])
    assert crm.calls["set_entries"] == 4


async def test_a_row_whose_id_exists_is_a_conflict_and_stays_as_it_was(
    adapter: SugarAdapter, person: Any, stored: Any, crm: SugarCRM
) -> None:
    first, second, third = (person(f"p{at}@example.com", first_name=str(at)) for at in range(3))
    assert await adapter.create([second]) == [None]
    desk.change(crm.store, "Leads", second.id, {"first_name": "theirs", "deleted": "1"})
    outcomes = await adapter.create([first, second, third])
    assert [type(o) for o in outcomes] == [type(None), Conflict, type(None)]
    assert stored()[second.id]["first_name"] == "theirs"
    assert stored().keys() == {first.id, second.id, third.id}


async def test_an_update_writes_what_it_names_and_nothing_else(
    adapter: SugarAdapter, person: Any, stored: Any, lead: Any
) -> None:
    new = person("ann@example.com", first_name="Ann", phone="1")
    await adapter.create([new])
    change = PersonChange(lead(new.id), {"phone": "2", "custom.size": "9"}, score=51)
    assert await adapter.update([change]) == [None]
    row = stored()[new.id]
    assert (row["first_name"], row["phone_work"], row["lead_score_c"]) == ("Ann", "2", 51)
    assert row["status"] == "New"


async def test_updating_what_was_deleted_or_never_was_is_gone(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any, lead: Any
) -> None:
    kept, dropped = person("a@example.com"), person("b@example.com")
    await adapter.create([kept, dropped])
    desk.change(crm.store, "Leads", dropped.id, {"deleted": "1"})
    changes = [PersonChange(lead(key), {"city": "Rome"}) for key in (dropped.id, kept.id, str(uuid4()))]
    outcomes = await adapter.update(changes)
    assert [type(o) for o in outcomes] == [Gone, type(None), Gone]
    assert stored()[kept.id]["primary_address_city"] == "Rome"
    assert len(stored()) == 2


async def test_an_update_of_nothing_that_the_crm_keeps_touches_nothing(
    crm: SugarCRM, adapter: SugarAdapter, person: Any
) -> None:
    new = person("ann@example.com", kind="contact")
    await adapter.create([new])
    change = PersonChange(Record(module="Contacts", id=new.id), {"company": "Acme"})
    assert await adapter.update([change]) == [None]
    assert crm.calls["set_entries"] == 1


async def test_activities_are_notes_on_their_lead_or_contact(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    lead, contact = person("l@example.com"), person("c@example.com", kind="contact")
    await adapter.create([lead, contact])
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    notes = [
        NewActivity(
            str(uuid4()), Record(module="Leads", id=lead.id), "Opened", at, "Offer", "https://a.example"
        ),
        NewActivity(str(uuid4()), Record(module="Contacts", id=contact.id), "Clicked", at),
    ]
    assert await adapter.add_activities(notes) == [None, None]
    rows = stored("Notes")
    first, second = (rows[note.id] for note in notes)
    assert (first["name"], first["parent_type"], first["parent_id"]) == ("Opened: Offer", "Leads", lead.id)
    assert first["description"] == "2026-01-02 03:04:05 UTC\nhttps://a.example"
    assert (second["parent_type"], second["parent_id"], second["contact_id"]) == (
        "Contacts",
        contact.id,
        contact.id,
    )
    assert [type(o) for o in await adapter.add_activities(notes)] == [Conflict, Conflict]
    assert len(stored("Notes")) == 2


async def test_the_first_leads_trace_goes_with_the_call_and_all_of_them_are_told(
    adapter: SugarAdapter, person: Any, stored: Any, calls: Any
) -> None:
    new = person("ann@example.com")
    await adapter.create([new])
    assert stored()[new.id]["traceparent"] == new.traceparent.decode()
    assert [traces for name, _, traces in calls.seen if name == "set_entries"] == [[new.traceparent]]


async def test_nothing_to_write_asks_nothing(crm: SugarCRM, adapter: SugarAdapter) -> None:
    assert (await adapter.create([]), await adapter.update([]), await adapter.add_activities([])) == (
        [],
        [],
        [],
    )
    assert await adapter.find_by_email([]) == {}
    assert await adapter.read([]) == {}
    assert not crm.calls
