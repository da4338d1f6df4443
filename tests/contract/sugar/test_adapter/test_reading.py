"""find_by_email, read and the pulls against the simulator."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.connector import SugarAdapter
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def test_leads_and_contacts_are_found_by_email_whatever_its_case(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    lead = desk.create(crm.store, "Leads", {"last_name": "A", "email1": "Ann@Example.com"})
    contact = desk.create(crm.store, "Contacts", {"last_name": "A", "email1": "ann@example.com"})
    desk.create(crm.store, "Leads", {"last_name": "B", "email1": "bob@example.com"})
    found = await adapter.find_by_email(["ann@example.com", "nobody@example.com"])
    assert found.keys() == {"ann@example.com"}
    assert {p.record for p in found["ann@example.com"]} == {
        Record(module="Leads", id=lead),
        Record(module="Contacts", id=contact),
    }
    assert {p.email for p in found["ann@example.com"]} == {"ann@example.com"}
    assert crm.calls["get_entry_list"] == 2


async def test_a_record_found_by_a_secondary_address_counts_for_that_address(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    emails = {"email1": "main@example.com", "email2": "Second@Example.com"}
    key = desk.create(crm.store, "Leads", {"last_name": "A", **emails})
    found = await adapter.find_by_email(["second@example.com"])
    assert found.keys() == {"second@example.com"}
    assert [(p.record.id, p.email) for p in found["second@example.com"]] == [(key, "main@example.com")]
    both = await adapter.find_by_email(["second@example.com", "main@example.com"])
    assert both.keys() == {"second@example.com", "main@example.com"}


@pytest.mark.parametrize(
    "email",
    ["o'neil@example.com", "a--b@example.com", "me@credit-union.example.com", "100%_sure@example.com"],
)
@pytest.mark.parametrize("version", ["v4_1", "v2"])
async def test_odd_addresses_are_found_and_their_neighbours_are_not(
    start_crm: Any, open_adapter: Any, email: str, version: str
) -> None:
    async with start_crm(dies=["v4_1.login"] if version == "v2" else []) as crm:
        key = desk.create(crm.store, "Leads", {"last_name": "A"})
        neighbour = email.translate(str.maketrans("'-%u", "xxxx"))
        desk.create(crm.store, "Leads", {"last_name": "B", "email1": neighbour})
        # The simulator's check of addresses is not the matter here.
        add_address(crm, key, email)
        adapter = open_adapter(crm.url)
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
    crm: SugarCRM, adapter: SugarAdapter
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
    assert crm.calls["get_entry_list"] == 5  # two chunks for two modules, one with a second page


async def test_records_are_read_by_id_with_deleted_ones_marked(crm: SugarCRM, adapter: SugarAdapter) -> None:
    lead = desk.create(crm.store, "Leads", {"last_name": "A", "status": "Assigned"})
    dropped = desk.create(crm.store, "Leads", {"last_name": "B"})
    desk.change(crm.store, "Leads", dropped, {"deleted": "1"})
    contact = desk.create(crm.store, "Contacts", {"last_name": "C"})
    asked = [Record(module="Leads", id=key) for key in (lead, dropped, str(uuid4()), "o'hara")]
    found = await adapter.read([*asked, Record(module="Contacts", id=contact)])
    assert found.keys() == {lead, dropped, contact}
    assert (found[lead].status, found[lead].deleted) == ("Assigned", False)
    assert found[dropped].deleted
    assert found[contact].record.module == "Contacts"


async def test_a_pull_of_leads_reads_each_changed_one_once_in_order_of_change(
    start_crm: Any, open_adapter: Any
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with start_crm(clock=lambda: now) as crm:
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
        pages = [await adapter.changed_people(since, None)]
        now += timedelta(minutes=1)  # the first page's time counts
        while (place := pages[-1].next) is not None:
            pages.append(await adapter.changed_people(since, place))
        rows = [row for page in pages for row in page.rows]
        assert [len(page.rows) for page in pages] == [size, size, 1]
        assert sorted(row.record.id for row in rows) == sorted(keys)
        assert before not in keys
        changed = [row.changed_at for row in rows if row.changed_at]
        assert changed == sorted(changed)
        assert {page.server_time for page in pages} == {last_change}
        assert [row.record.id for row in rows if row.deleted] == [keys[0]]


async def test_a_lead_that_changes_during_a_pull_pushes_no_other_one_out(
    start_crm: Any, open_adapter: Any
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    async with start_crm(clock=lambda: now) as crm:
        size = CAPABILITIES.rows_per_read
        keys = [desk.create(crm.store, "Leads", {"last_name": str(at)}) for at in range(size + 10)]
        adapter = open_adapter(crm.url)
        first = await adapter.changed_people(LONG_AGO, None)
        now += timedelta(seconds=5)
        desk.change(crm.store, "Leads", first.rows[0].record.id, {"status": "Dead"})
        second = await adapter.changed_people(LONG_AGO, first.next)
        seen = [row.record.id for row in (*first.rows, *second.rows)]
        assert set(seen) == set(keys)
        assert second.rows[-1].status == "Dead"
        assert second.next is None


@pytest.mark.parametrize("version", ["v4_1", "v2", "v4"])
async def test_opportunities_come_with_all_addresses_of_their_contacts(
    start_crm: Any, open_adapter: Any, version: str
) -> None:
    older = [f"{other}.login" for other in ("v4_1", "v2", "v4") if other != version]
    async with start_crm(dies=older) as crm:
        ids = desk.opportunity(
            crm.store,
            "Ann@Example.com",
            "Deal & Co > 5",
            "Proposal/Price Quote",
            "1234.5",
            date_closed="2026-06-30",
        )
        desk.change(crm.store, "Contacts", ids["contact"], {"email2": "Second@example.com"})
        desk.change(
            crm.store, "Opportunities", ids["opportunity"], {"probability": "65", "lead_source": "Partner"}
        )
        lonely = desk.create(crm.store, "Opportunities", {"name": "No contact", "currency_id": "-99"})
        desk.change(crm.store, "Opportunities", lonely, {"deleted": "1"})
        adapter = open_adapter(crm.url)
        page = await adapter.changed_opportunities(LONG_AGO, None)
        by_id = {row.record.id: row for row in page.rows}
        deal = by_id[ids["opportunity"]]
        assert deal.contact_emails == ("ann@example.com", "second@example.com")
        assert (deal.stage, deal.amount, deal.currency) == ("Proposal/Price Quote", "1234.5", None)
        assert (deal.close_date, deal.probability, deal.lead_source) == (date(2026, 6, 30), 65, "Partner")
        assert deal.name == "Deal & Co > 5"
        assert by_id[lonely].deleted
        assert by_id[lonely].contact_emails == ()
        assert page.next is None


async def test_an_unknown_currency_is_none_where_the_crm_does_not_tell(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    desk.create(crm.store, "Opportunities", {"name": "Deal", "currency_id": str(uuid4()), "amount": "1"})
    page = await adapter.changed_opportunities(LONG_AGO, None)
    assert [(row.amount, row.currency) for row in page.rows] == [("1", None)]
