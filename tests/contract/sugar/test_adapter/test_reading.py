"""find_by_email, read and the pulls against the simulator."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.connector import SugarAdapter
from leadbus.connector.contract import CrmActivity, Opportunity, Person, Row, User
from leadbus.errors import Unsupported
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def test_people_of_every_kind_are_found_by_email_whatever_its_case(
    crm: SugarCRM, adapter: SugarAdapter, counted: Any
) -> None:
    lead = desk.create(crm.store, "Leads", {"last_name": "A", "email1": "Ann@Example.com"})
    contact = desk.create(crm.store, "Contacts", {"last_name": "A", "email1": "ann@example.com"})
    target = desk.create(crm.store, "Prospects", {"last_name": "A", "email1": "ANN@example.com"})
    desk.create(crm.store, "Leads", {"last_name": "B", "email1": "bob@example.com"})
    found = await adapter.find_by_email(["ann@example.com", "nobody@example.com"])
    assert found.keys() == {"ann@example.com"}
    assert {p.record for p in found["ann@example.com"]} == {
        Record(module="Leads", id=lead),
        Record(module="Contacts", id=contact),
        Record(module="Prospects", id=target),
    }
    assert {p.kind for p in found["ann@example.com"]} == {"lead", "contact", "target"}
    assert {p.email for p in found["ann@example.com"]} == {"ann@example.com"}
    assert counted("get_entry_list") == 3


async def test_a_record_found_by_a_secondary_address_counts_for_that_address(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    emails = {"email1": "main@example.com", "email2": "Second@Example.com"}
    key = desk.create(crm.store, "Leads", {"last_name": "A", **emails})
    found = await adapter.find_by_email(["second@example.com"])
    assert found.keys() == {"second@example.com"}
    assert [(p.record.id, p.email) for p in found["second@example.com"]] == [(key, "main@example.com")]
    assert set(found["second@example.com"][0].emails) == {"main@example.com", "second@example.com"}
    both = await adapter.find_by_email(["second@example.com", "main@example.com"])
    assert both.keys() == {"second@example.com", "main@example.com"}


@pytest.mark.parametrize(
    "email",
    ["o'neil@example.com", "a--b@example.com", "me@credit-union.example.com", "100%_sure@example.com"],
)
async def test_odd_addresses_are_found_and_their_neighbours_are_not(
    crm: SugarCRM, adapter: SugarAdapter, email: str
) -> None:
    key = desk.create(crm.store, "Leads", {"last_name": "A"})
    neighbour = email.translate(str.maketrans("'-%u", "xxxx"))
    desk.create(crm.store, "Leads", {"last_name": "B", "email1": neighbour})
    # The simulator's check of addresses is not the matter here.
    add_address(crm, key, email)
    found = await adapter.find_by_email([email])
    assert [p.record.id for p in found[email]] == [key]


def add_address(crm: SugarCRM, lead: str, email: str) -> None:
    address = {"email_address": email, "email_address_caps": email.upper(), "deleted": "0"}
    key = desk.create(crm.store, "EmailAddresses", address)
    relation = {"id": str(uuid4()), "bean_id": lead, "bean_module": "Leads", "email_address_id": key}
    crm.store.insert("email_addr_bean_rel", {**relation, "primary_address": 1, "deleted": 0})


async def test_deleted_people_are_not_found_and_closed_ones_are_marked(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    for status, deleted in (("New", "1"), ("Dead", "0"), ("In Process", "0")):
        fields = {"last_name": status, "status": status, "email1": "ann@example.com"}
        key = desk.create(crm.store, "Leads", fields)
        if deleted == "1":
            desk.change(crm.store, "Leads", key, {"deleted": "1"})
    found = await adapter.find_by_email(["ann@example.com"])
    assert {(p.status, p.open) for p in found["ann@example.com"]} == {("Dead", False), ("In Process", True)}


async def test_many_emails_are_asked_in_chunks_and_many_records_in_pages(
    crm: SugarCRM, adapter: SugarAdapter, counted: Any, speaking: Any
) -> None:
    size = CAPABILITIES.rows_per_read
    for at in range(size + 30):
        desk.create(crm.store, "Leads", {"last_name": "A", "email1": f"p{at}@example.com"})
    for _ in range(size + 5):
        desk.create(crm.store, "Contacts", {"last_name": "A", "email1": "same@example.com"})
    emails = ["same@example.com", *(f"p{at}@example.com" for at in range(size + 30))]
    found = await adapter.find_by_email(emails)
    assert found.keys() == set(emails)
    assert len({p.record.id for p in found["same@example.com"]}) == size + 5
    # Two chunks for three modules, one with a second page; v2 counts no total, so that a full page is no end.
    assert counted("get_entry_list") == (8 if speaking.version == "v2" else 7)


async def test_records_are_read_by_id_with_deleted_ones_marked(crm: SugarCRM, adapter: SugarAdapter) -> None:
    lead = desk.create(crm.store, "Leads", {"last_name": "A", "status": "Assigned"})
    dropped = desk.create(crm.store, "Leads", {"last_name": "B"})
    desk.change(crm.store, "Leads", dropped, {"deleted": "1"})
    contact = desk.create(crm.store, "Contacts", {"last_name": "C"})
    asked = [Record(module="Leads", id=key) for key in (lead, dropped, str(uuid4()), "o'hara")]
    found = await adapter.read([*asked, Record(module="Contacts", id=contact)])
    assert found.keys() == {lead, dropped, contact}
    known = found[lead]
    assert isinstance(known, Person)
    assert (known.status, known.deleted) == ("Assigned", False)
    assert found[dropped].deleted
    assert found[contact].record.module == "Contacts"


async def test_a_pull_of_leads_reads_each_changed_one_once_in_order_of_change(
    start_crm: Any, open_adapter: Any, options: Any
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with start_crm(**options, clock=lambda: now) as crm:
        size = CAPABILITIES.rows_per_read
        before = desk.create(crm.store, "Leads", {"last_name": "before"})
        keys = []
        since = now + timedelta(seconds=1)
        for at in range(2 * size + 1):  # many within one second, so that the id decides
            now = since + timedelta(seconds=at // 150)
            keys.append(desk.create(crm.store, "Leads", {"last_name": str(at)}))
        desk.change(crm.store, "Leads", keys[0], {"deleted": "1"})
        last_change = now
        adapter = open_adapter(crm.url)
        pages = [await adapter.changed("lead", since, None)]
        now += timedelta(minutes=1)  # the first page's time counts
        while (place := pages[-1].next) is not None:
            pages.append(await adapter.changed("lead", since, place))
        rows = [row for page in pages for row in page.rows]
        assert [len(page.rows) for page in pages] == [size, size, 1]
        assert sorted(row.record.id for row in rows) == sorted(keys)
        assert before not in keys
        changed = [row.changed_at for row in rows if row.changed_at]
        assert changed == sorted(changed)
        assert {page.server_time for page in pages} == {last_change}
        assert [row.record.id for row in rows if row.deleted] == [keys[0]]


async def test_a_lead_that_changes_during_a_pull_pushes_no_other_one_out(
    start_crm: Any, open_adapter: Any, options: Any
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with start_crm(**options, clock=lambda: now) as crm:
        size = CAPABILITIES.rows_per_read
        keys = [desk.create(crm.store, "Leads", {"last_name": str(at)}) for at in range(size + 10)]
        adapter = open_adapter(crm.url)
        first = await adapter.changed("lead", LONG_AGO, None)
        now += timedelta(seconds=5)
        desk.change(crm.store, "Leads", first.rows[0].record.id, {"status": "Dead"})
        second = await adapter.changed("lead", LONG_AGO, first.next)
        seen = [row.record.id for row in (*first.rows, *second.rows)]
        assert set(seen) == set(keys)
        assert second.rows[-1].status == "Dead"
        assert second.next is None


async def test_opportunities_come_with_all_addresses_of_their_contacts(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    ids = desk.opportunity(
        crm.store,
        "Ann@Example.com",
        "Deal & Co > 5",
        "Proposal/Price Quote",
        "1234.5",
        date_closed="2026-06-30",
    )
    desk.change(crm.store, "Contacts", ids["contact"], {"email2": "Second@example.com"})
    change = {"probability": "65", "lead_source": "Partner"}
    desk.change(crm.store, "Opportunities", ids["opportunity"], change)
    lonely = desk.create(crm.store, "Opportunities", {"name": "No contact", "currency_id": "-99"})
    desk.change(crm.store, "Opportunities", lonely, {"deleted": "1"})
    page = await adapter.changed("opportunity", LONG_AGO, None)
    by_id = {row.record.id: row for row in page.rows}
    deal = by_id[ids["opportunity"]]
    assert isinstance(deal, Opportunity)
    assert deal.contact_emails == ("ann@example.com", "second@example.com")
    assert (deal.contact_ids, deal.account_id) == ((ids["contact"],), ids["account"])
    assert (deal.stage, deal.amount, deal.currency) == ("Proposal/Price Quote", "1234.5", None)
    assert (deal.close_date, deal.probability, deal.lead_source) == (date(2026, 6, 30), 65, "Partner")
    assert deal.name == "Deal & Co > 5"
    assert by_id[lonely].deleted
    assert page.next is None
    read = await adapter.read([deal.record])
    assert read[deal.record.id] == deal, "read by id it is the same"


async def test_an_unknown_currency_is_none_where_the_crm_does_not_tell(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    desk.create(crm.store, "Opportunities", {"name": "Deal", "currency_id": str(uuid4()), "amount": "1"})
    (deal,) = (await adapter.changed("opportunity", LONG_AGO, None)).rows
    assert isinstance(deal, Opportunity)
    assert (deal.amount, deal.currency) == ("1", None)


async def test_without_a_beginning_only_live_rows_come_and_are_counted(
    crm: SugarCRM, adapter: SugarAdapter, speaking: Any
) -> None:
    keys = [desk.create(crm.store, "Contacts", {"last_name": str(at)}) for at in range(3)]
    desk.change(crm.store, "Contacts", keys[0], {"deleted": "1"})
    page = await adapter.changed("contact", None, None)
    assert {row.record.id for row in page.rows} == set(keys[1:])
    assert page.total == (None if speaking.version == "v2" else 2)


async def test_the_total_is_that_of_all_pages_on_each_of_them(crm: SugarCRM, adapter: SugarAdapter) -> None:
    count = CAPABILITIES.rows_per_read + 7
    desk.load(crm.store, "Contacts", [{"last_name": str(at)} for at in range(count)])
    first = await adapter.changed("contact", None, None)
    second = await adapter.changed("contact", None, first.next)
    assert first.total == second.total
    assert first.total in {None, count}
    assert len({row.record.id for row in (*first.rows, *second.rows)}) == count


async def test_a_converted_lead_says_which_contact_it_became(crm: SugarCRM, adapter: SugarAdapter) -> None:
    lead = desk.create(crm.store, "Leads", {"last_name": "A", "email1": "ann@example.com"})
    ids = desk.opportunity(crm.store, "ann@example.com", "Deal", "Prospecting", "1")
    (person,) = (await adapter.changed("lead", LONG_AGO, None)).rows
    assert isinstance(person, Person)
    assert (person.record.id, person.open, person.status) == (lead, False, "Converted")
    assert person.converted_to == Record(module="Contacts", id=ids["contact"])
    (contact,) = (await adapter.changed("contact", LONG_AGO, None)).rows
    assert isinstance(contact, Person)
    assert contact.account_id == ids["account"]


async def test_whether_a_person_opted_out_is_read_on_every_version(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    out = {"email1": "out@example.com", "email_opt_out": "1"}
    for emails in (out, {"email1": "in@example.com"}, {}):
        desk.create(crm.store, "Leads", {"last_name": "A", **emails})
    rows = (await adapter.changed("lead", None, None)).rows
    told = {row.email: row.opted_out for row in rows if isinstance(row, Person)}
    assert told == {"out@example.com": True, "in@example.com": False, None: None}


async def test_mapped_fields_are_read_in_one_form_whatever_their_type(
    crm: SugarCRM, open_adapter: Any
) -> None:
    values = {"last_name": "A", "do_not_call": "1", "birthdate": "1980-02-29", "lead_score_c": "7"}
    desk.create(crm.store, "Leads", values)
    wanted = ("do_not_call", "lead_score_c", "date_entered", "no_such_field_c")
    fields = [{"field": f"custom.f{at}", "crm_field": name} for at, name in enumerate(wanted)]
    (row,) = (await open_adapter(crm.url, fields=fields).changed("lead", None, None)).rows
    assert (row.values["do_not_call"], row.values["lead_score_c"]) == ("true", "7")
    assert row.values["birthdate"] == "1980-02-29"
    assert datetime.fromisoformat(row.values["date_entered"]).tzinfo is not None
    assert "no_such_field_c" not in row.values


async def test_users_are_active_until_they_are_not(crm: SugarCRM, adapter: SugarAdapter) -> None:
    owner = desk.add_user(
        crm.store, "jane", "x", first_name="Jane", last_name="Doe", email="Jane@Crm.Example"
    )
    left = desk.add_user(crm.store, "old", "x", last_name="Gone")
    desk.change(crm.store, "Users", left, {"status": "Inactive"})
    lead = desk.create(crm.store, "Leads", {"last_name": "A", "assigned_user_id": owner})
    users = {row.record.id: row for row in (await adapter.changed("user", None, None)).rows}
    jane = users[owner]
    assert isinstance(jane, User)
    assert (jane.name, jane.email, jane.active) == ("Jane Doe", "jane@crm.example", True)
    assert [user.active for user in users.values() if isinstance(user, User) and user.record.id == left] == [
        False
    ]
    read = await adapter.read([Record(module="Leads", id=lead)])
    assert read[lead].owner_id == owner


async def test_activities_of_all_modules_come_page_by_page_with_whom_they_are_about(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    lead = desk.create(crm.store, "Leads", {"last_name": "A"})
    contact = desk.create(crm.store, "Contacts", {"last_name": "B"})
    parent = {"parent_type": "Leads", "parent_id": lead}
    times = {"date_due": "2026-01-02 03:04:05", "status": "Deferred", "priority": "High"}
    desk.create(crm.store, "Tasks", {"name": "Do", **parent, **times, "contact_id": contact})
    desk.create(crm.store, "Meetings", {"name": "Meet", "date_start": "2026-01-03 00:00:00", **parent})
    desk.create(crm.store, "Notes", {"name": "Note", **parent})
    rows: list[Row] = []
    page, pages = await adapter.changed("activity", LONG_AGO, None), 1
    while page.next is not None:
        rows += page.rows
        page, pages = await adapter.changed("activity", LONG_AGO, page.next), pages + 1
    found = {row.type: row for row in (*rows, *page.rows) if isinstance(row, CrmActivity)}
    assert found.keys() == {"task", "meeting", "note"}
    assert pages == 4
    task = found["task"]
    assert (task.subject, task.status, task.priority) == ("Do", "Deferred", "High")
    assert task.due_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert task.about == (lead, contact)
    assert found["meeting"].due_at == datetime(2026, 1, 3, tzinfo=UTC)
    assert found["note"].about == (lead,)


async def test_accounts_are_found_by_name_whatever_its_case_and_signs(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    names = ["O'Neil & Söhne; GmbH", "Union -- Berlin", "Plain Ltd"]
    keys = [desk.create(crm.store, "Accounts", {"name": name}) for name in names]
    gone = desk.create(crm.store, "Accounts", {"name": "Plain Ltd"})
    desk.change(crm.store, "Accounts", gone, {"deleted": "1"})
    desk.create(crm.store, "Accounts", {"name": "Onion -- Berlin"})
    asked = [names[0], "union -- berlin", " PLAIN ltd", "Nobody"]
    found = await adapter.find_accounts(asked)
    assert {name: [row.record.id for row in rows] for name, rows in found.items()} == {
        asked[0]: [keys[0]],
        asked[1]: [keys[1]],
        asked[2]: [keys[2]],
    }


async def test_a_connection_with_teams_sees_and_writes_only_theirs(
    start_crm: Any, speaking: Any, open_adapter: Any, person: Any
) -> None:
    async with start_crm(protocols=speaking.protocols, teams=True) as crm:
        ours, theirs = desk.add_team(crm.store, "Ours"), desk.add_team(crm.store, "Theirs")
        email = {"last_name": "A", "email1": "ann@example.com"}
        mine = desk.create(crm.store, "Leads", {**email, "team_id": ours})
        foreign = desk.create(crm.store, "Leads", {**email, "team_id": theirs})
        adapter: SugarAdapter = open_adapter(crm.url, teams=["Ours"])
        both = [Record(module="Leads", id=key) for key in (mine, foreign)]
        assert set(await adapter.read(both)) == {mine}, "whoever pushes may name any record"
        found = await adapter.find_by_email(["ann@example.com"])
        assert [p.record.id for p in found["ann@example.com"]] == [mine]
        new = person("bob@example.com")
        assert await adapter.create([new]) == [new.id]
        rows = {row["id"]: row for row in desk.records(crm.store, "Leads")}
        assert rows[new.id]["team_id"] == ours
        pulled = await adapter.changed("lead", LONG_AGO, None)
        assert {row.record.id for row in pulled.rows} == {mine, new.id}
        assert len((await adapter.changed("user", None, None)).rows) == 1, "users belong to no team"
        wrong: SugarAdapter = open_adapter(crm.url, teams=["ours"])
        with pytest.raises(Unsupported, match="team named ours"):
            await wrong.find_by_email(["ann@example.com"])


def test_a_person_sees_the_record_at_its_url(adapter: SugarAdapter, crm: SugarCRM) -> None:
    shown = adapter.url_of(Record(module="Leads", id="l1"))
    assert shown == f"{crm.url}/index.php?module=Leads&action=DetailView&record=l1"
