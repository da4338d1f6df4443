"""create, update, accounts and activities against the simulator: what is stored, and each row's outcome."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.connector import SugarAdapter
from leadbus.connector.contract import NewAccount, NewActivity, Person, PersonChange
from leadbus.errors import Conflict, Gone, Rejected
from leadbus.messages import Record
from sandbox.sugar import Settings, SugarCRM, desk


async def test_a_lead_is_stored_with_all_its_fields_and_its_score(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    values = {
        "first_name": "Ann",
        "last_name": "One",
        "account_name": "Acme & Co",
        "phone_work": "+49 30 1",
        "primary_address_street": "Main St 1",
        "website": "https://acme.example",
        "birthdate": "1980-02-29",
        "description": "line 1\r\nline 2",
        "do_not_call": "true",
    }
    new = replace(person("ann@example.com", **values), score=73, owner_id="1")
    assert await adapter.create([new]) == [new.id]
    row = stored()[new.id]
    expected = values | {
        "description": "line 1\nline 2",
        "do_not_call": 1,
        "status": "New",
        "lead_source": "Leadbus",
        "lead_score_c": 73,
        "assigned_user_id": "1",
        "email": "ann@example.com",
    }
    assert {name: row[name] for name in expected} == expected


async def test_a_contact_is_stored_with_its_account(adapter: SugarAdapter, person: Any, stored: Any) -> None:
    account = NewAccount(str(uuid4()), "Acme")
    assert await adapter.create_accounts([account]) == [account.id]
    new = replace(person("ann@example.com", kind="contact", first_name="Ann"), account_id=account.id)
    lone = person("bob@example.com", kind="contact")
    target = person("eve@example.com", kind="target", account_name="Acme")
    assert await adapter.create([new, target, lone]) == [new.id, target.id, lone.id]
    row = stored("Contacts")[new.id]
    assert (row["first_name"], row["email"], row["lead_source"]) == ("Ann", "ann@example.com", "Leadbus")
    read = (await adapter.read([Record(module="Contacts", id=new.id)]))[new.id]
    assert isinstance(read, Person)
    assert read.account_id == account.id
    assert stored("Accounts").keys() == {account.id}
    assert stored("Accounts")[account.id]["assigned_user_id"] == "1", "our own user, unless one is named"
    assert stored("Prospects")[target.id]["account_name"] == "Acme"
    assert [type(o) for o in await adapter.create_accounts([account])] == [Conflict]


async def test_contacts_alike_in_name_and_email_are_separate_records_and_keep_their_address(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    twins = [person("ann@example.com", kind="contact", first_name="Ann", last_name="One") for _ in range(20)]
    assert await adapter.create(twins[:1]) == [twins[0].id]
    assert await adapter.create(twins[1:]) == [twin.id for twin in twins[1:]]
    assert {stored("Contacts")[twin.id]["email"] for twin in twins} == {"ann@example.com"}


async def test_any_text_reaches_the_crm_and_costs_no_other_row(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    names = ['O\'Brien "Sons" & Co', "Ærøskøbing Ωμέγα 東京", "x\x00\x0b\ud800y", "5 < 6 > 4", "50% _\\'; --"]
    people = [person(f"p{at}@example.com", last_name=name) for at, name in enumerate(names)]
    astral = person("p9@example.com", last_name="a😀b")
    assert await adapter.create([*people, astral]) == [p.id for p in (*people, astral)]
    rows = stored()
    assert [rows[p.id]["last_name"] for p in people] == [names[0], names[1], "xy", names[3], names[4]]
    assert rows[astral.id]["last_name"] == "a?b"  # 3-byte tables


async def test_many_rows_go_in_few_calls_over_all_sessions_and_nothing_is_looked_up(
    adapter: SugarAdapter, person: Any, stored: Any, counted: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(430)]
    assert await adapter.create(people) == [p.id for p in people]
    assert stored().keys() == {p.id for p in people}
    assert counted("set_entries") == 9  # 50 at most in each
    assert counted("set_entry") == counted("get_entry_list") == 0
    assert counted("login") == 8


@pytest.mark.parametrize(("rows", "made"), [(1, 1), (8, 1), (30, 3), (48, 4)])
async def test_rows_are_spread_over_calls_of_which_none_has_few(
    adapter: SugarAdapter, person: Any, counted: Any, rows: int, made: int
) -> None:
    await adapter.create([person(f"p{at}@example.com") for at in range(rows)])
    assert counted("set_entries") == made


async def test_a_row_whose_id_exists_is_a_conflict_and_stays_as_it_was(
    adapter: SugarAdapter, person: Any, stored: Any, crm: SugarCRM
) -> None:
    first, second, third = (person(f"p{at}@example.com", first_name=str(at)) for at in range(3))
    assert await adapter.create([second]) == [second.id]
    desk.change(crm.store, "Leads", second.id, {"first_name": "theirs", "deleted": "1"})
    outcomes = await adapter.create([first, second, third])
    # What a call stored before it broke off cannot be told from what was there before.
    assert [type(outcomes[0]), type(outcomes[1]), outcomes[2]] == [Conflict, Conflict, third.id]
    assert stored()[second.id]["first_name"] == "theirs"
    assert stored().keys() == {first.id, second.id, third.id}


async def test_rows_that_exist_among_many_are_conflicts_and_cost_no_other_row(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(48)]  # twelve in each call
    there = [2, 5, 11, *range(14, 18), *range(24, 36)]
    await adapter.create([people[at] for at in there])
    outcomes = await adapter.create(people)
    assert stored().keys() == {p.id for p in people}
    conflicts = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, Conflict)]
    # Rows that a call stored before it broke off cannot be told from those of before.
    assert conflicts == sorted({*there, 0, 1, 12, 13})
    assert all(outcome == people[at].id for at, outcome in enumerate(outcomes) if at not in conflicts)


async def test_an_update_writes_what_it_names_and_nothing_else(
    adapter: SugarAdapter, person: Any, stored: Any, lead: Any
) -> None:
    new = person("ann@example.com", first_name="Ann", phone_work="1")
    await adapter.create([new])
    change = PersonChange(lead(new.id), {"phone_work": "2"}, score=51)
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
    changes = [
        PersonChange(lead(key), {"primary_address_city": "Rome"})
        for key in (dropped.id, kept.id, str(uuid4()))
    ]
    outcomes = await adapter.update(changes)
    assert [type(o) for o in outcomes] == [Gone, type(None), Gone]
    assert stored()[kept.id]["primary_address_city"] == "Rome"
    assert len(stored()) == 2


async def test_an_update_of_nothing_touches_nothing(
    adapter: SugarAdapter, person: Any, counted: Any, lead: Any
) -> None:
    new = person("ann@example.com")
    await adapter.create([new])
    assert await adapter.update([PersonChange(lead(new.id))]) == [None]
    assert counted("set_entries") == 1


async def test_activities_are_notes_tasks_and_calls_on_their_person(
    adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    lead, contact = person("l@example.com"), person("c@example.com", kind="contact")
    await adapter.create([lead, contact])
    on_lead, on_contact = Record(module="Leads", id=lead.id), Record(module="Contacts", id=contact.id)
    due = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    note = NewActivity(str(uuid4()), on_lead, "note", "Opened: Offer", "https://a.example")
    task = NewActivity(str(uuid4()), on_contact, "task", "Ring up", due_at=due, owner_id="1")
    call = NewActivity(str(uuid4()), on_contact, "call", "Ring up", due_at=due)
    assert await adapter.add_activities([note, task, call]) == [note.id, task.id, call.id]
    row = stored("Notes")[note.id]
    assert (row["name"], row["description"]) == ("Opened: Offer", "https://a.example")
    assert (row["parent_type"], row["parent_id"]) == ("Leads", lead.id)
    row = stored("Tasks")[task.id]
    assert (row["contact_id"], row["status"], row["date_due"], row["assigned_user_id"]) == (
        contact.id,
        "Not Started",
        "2026-01-02 03:04:05",
        "1",
    )
    row = stored("Calls")[call.id]
    assert (row["parent_id"], row["status"], row["date_start"]) == (
        contact.id,
        "Planned",
        "2026-01-02 03:04:05",
    )
    again = await adapter.add_activities([note, task, call])
    assert [type(outcome) for outcome in again] == [Conflict] * 3
    assert len(stored("Notes")) == len(stored("Tasks")) == len(stored("Calls")) == 1


async def test_the_first_leads_trace_goes_with_the_call_and_all_of_them_are_told(
    adapter: SugarAdapter, person: Any, stored: Any, calls: Any
) -> None:
    new = person("ann@example.com")
    await adapter.create([new])
    assert stored()[new.id]["traceparent"] == new.traceparent.decode()
    assert [traces for name, _, traces in calls.seen if name == "set_entries"] == [[new.traceparent]]


async def test_nothing_to_write_asks_nothing(crm: SugarCRM, adapter: SugarAdapter) -> None:
    written = (await adapter.create([]), await adapter.update([]), await adapter.add_activities([]))
    assert (*written, await adapter.create_accounts([])) == ([], [], [], [])
    assert await adapter.find_by_email([]) == {}
    assert await adapter.find_accounts([]) == {}
    assert await adapter.read([]) == {}
    assert not crm.calls


# Email addresses of records that exist ----------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["7.12.5", "7.8.31"])
async def site(request: pytest.FixtureRequest, start_crm: Any, options: dict[str, Any]) -> Any:
    """A site whose plain updates ignore the address, and one on which they take."""
    async with start_crm(**options, settings=Settings(changes_emails=request.param)) as server:
        yield server


async def people_of(adapter: SugarAdapter, *keys: str) -> list[tuple[str | None, bool | None]]:
    rows = await adapter.read([Record(module="Leads", id=key) for key in keys])
    found = [rows[key] for key in keys]
    return [(row.email, row.opted_out) for row in found if isinstance(row, Person)]


async def test_an_address_and_an_opt_out_are_changed_whichever_way_the_site_takes_them(
    site: SugarCRM, open_adapter: Any, lead: Any
) -> None:
    adapter: SugarAdapter = open_adapter(site.url)
    keys = [
        desk.create(site.store, "Leads", {"last_name": "A", "email1": f"old{at}@example.com"})
        for at in range(3)
    ]
    desk.create(site.store, "Leads", {"last_name": "B", "email1": "new2@example.com"})
    first = [
        PersonChange(lead(keys[0]), {"first_name": "Ann"}, email="new0@example.com"),
        PersonChange(lead(keys[1]), opted_out=True),
        PersonChange(lead(keys[2]), email="New2@example.com", opted_out=True),
    ]
    assert await adapter.update(first) == [None] * 3
    assert await people_of(adapter, *keys) == [
        ("new0@example.com", False),
        ("old1@example.com", True),
        ("new2@example.com", True),
    ]
    second = [PersonChange(lead(keys[1]), email="newer1@example.com", opted_out=False)]
    assert await adapter.update(second) == [None], "the way that works is known by now"
    assert await people_of(adapter, keys[1]) == [("newer1@example.com", False)]
    rows = desk.records(site.store, "EmailAddresses")
    assert len([row for row in rows if row["email_address_caps"] == "NEW2@EXAMPLE.COM"]) == 1


async def test_an_opt_out_is_written_only_when_told(
    site: SugarCRM, open_adapter: Any, person: Any, lead: Any
) -> None:
    adapter: SugarAdapter = open_adapter(site.url)
    known = desk.create(
        site.store, "Leads", {"last_name": "A", "email1": "ann@example.com", "email_opt_out": "1"}
    )
    twin = person("ann@example.com")  # shares the address, and with it the opt-out
    await adapter.create([twin])
    await adapter.update([PersonChange(lead(known), {"first_name": "Ann"}, email="ann@example.com")])
    assert await people_of(adapter, known, twin.id) == [("ann@example.com", True)] * 2
    out = replace(person("bob@example.com"), opted_out=True)
    await adapter.create([out])
    assert await people_of(adapter, out.id) == [("bob@example.com", True)]


async def test_an_address_that_the_site_does_not_store_is_the_rows_fault_alone(
    crm: SugarCRM, adapter: SugarAdapter, lead: Any
) -> None:
    desk.deny(crm.store, desk.ADMIN, "EmailAddresses", "edit")
    keys = [
        desk.create(crm.store, "Leads", {"last_name": "A", "email1": f"old{at}@example.com"})
        for at in range(2)
    ]
    changes = [
        PersonChange(lead(keys[0]), {"first_name": "Ann"}, email="new@example.com"),
        PersonChange(lead(keys[1]), {"first_name": "Bob"}),
    ]
    outcomes = await adapter.update(changes)
    assert [type(outcome) for outcome in outcomes] == [Rejected, type(None)]
