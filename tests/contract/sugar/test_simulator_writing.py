"""What writes store, and what they silently do not."""

import hashlib
from typing import Any

import pytest
from zeep.exceptions import Fault

from sandbox.sugar import SugarCRM, desk

UNKNOWN = "11111111-2222-3333-4444-555555555555"
LEAD = "aaaaaaaa-0000-4000-8000-000000000001"


async def test_text_is_cleaned_and_encoded(sugar: Any) -> None:
    table = {
        "AT&amp;T": "AT&T",
        "a\r\nb": "a\nb",
        "<b>x</b> 5 < 6": "<b>x</b> 5 < 6",
        "a<script>alert(1)</script>b": "ab",
        "&lt;x&gt;": "",
        "a <b unclosed": "a ",
        "\U0001f600!": "?!",
    }
    for written, stored in table.items():
        key = await sugar.set_entry("Leads", last_name="Text", description=written)
        assert sugar.leads()[key]["description"] == stored, written
    key = await sugar.set_entry("Leads", last_name='O\'Brien & "Sons" <b>x</b>' + "x" * 100)
    assert len(sugar.leads()[key]["last_name"]) == 100
    read = (await sugar.get("Leads", key, "last_name"))["last_name"]
    assert read.startswith("O&#039;Brien & &quot;Sons&quot; &lt;b&gt;x&lt;/b&gt;xxx")
    await sugar.set_entry("Leads", id=key, last_name=read)
    assert sugar.leads()[key]["last_name"].startswith('O\'Brien & "Sons" <b>x</b>')


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-24 17:30:00", "2026-11-24 17:30:00"),
        ("2026-11-24", "2026-11-24 00:00:00"),
        ("2026-11-24T17:30:00Z", ""),
        ("2026-11-24 17:30", ""),
    ],
)
async def test_only_one_date_format_is_stored(sugar: Any, written: str, read: str) -> None:
    key = await sugar.set_entry("Tasks", name="Call", date_due=written)
    assert await sugar.get("Tasks", key, "date_due") == {"date_due": read}


async def test_date_modified_can_only_be_set_when_its_update_is_switched_off(sugar: Any) -> None:
    old = "2020-01-02 03:04:05"
    key = await sugar.set_entry("Leads", last_name="A", date_entered=old, date_modified=old)
    read = await sugar.get("Leads", key, "date_entered", "date_modified")
    assert read["date_entered"] == old
    assert read["date_modified"] > old
    await sugar.set_entry("Leads", id=key, date_modified=old, update_date_modified="0")
    assert (await sugar.get("Leads", key, "date_modified"))["date_modified"] == old


async def test_updating_an_unknown_id_answers_it_and_stores_nothing(sugar: Any) -> None:
    assert await sugar.set_entry("Leads", id=UNKNOWN, last_name="Ghost") == UNKNOWN
    assert await sugar.set_entries("Leads", {"id": UNKNOWN, "last_name": "Ghost"}) == [UNKNOWN]
    assert sugar.leads() == {}


async def test_a_deleted_record_is_neither_updated_nor_undeleted(sugar: Any) -> None:
    key = await sugar.set_entry("Leads", last_name="Before")
    await sugar.set_entry("Leads", id=key, deleted="1")
    assert await sugar.set_entry("Leads", id=key, last_name="After", deleted="0") == key
    assert (sugar.leads()[key]["last_name"], sugar.leads()[key]["deleted"]) == ("Before", True)


async def test_a_second_create_with_the_same_id_faults_and_leaves_the_record_intact(sugar: Any) -> None:
    assert await sugar.set_entry("Leads", id=LEAD, new_with_id="1", last_name="First") == LEAD
    before = sugar.leads()
    with pytest.raises(Fault) as fault:
        await sugar.set_entry("Leads", id=LEAD, new_with_id="1", last_name="Second", email1="b@example.com")
    assert (fault.value.code, fault.value.detail.text) == ("-1", None)
    with pytest.raises(Fault):
        await sugar.set_entries("Leads", {"id": LEAD, "new_with_id": "1", "last_name": "Third"})
    assert sugar.leads() == before


async def test_ids_of_our_own_work_per_item_of_set_entries(sugar: Any) -> None:
    rows = [{"id": f"{LEAD[:-1]}{n}", "new_with_id": "1", "last_name": f"N{n}"} for n in range(3)]
    assert await sugar.set_entries("Leads", *rows) == [row["id"] for row in rows]
    assert {key: row["last_name"] for key, row in sugar.leads().items()} == {
        r["id"]: r["last_name"] for r in rows
    }


async def test_an_id_that_is_too_long_is_cut_and_echoed_whole(sugar: Any) -> None:
    assert await sugar.set_entry("Leads", id=LEAD + "-x", new_with_id="1", last_name="Long") == LEAD + "-x"
    assert list(sugar.leads()) == [LEAD]


async def test_set_entries_keeps_what_came_before_the_failing_item(sugar: Any) -> None:
    row = {"id": LEAD, "new_with_id": "1", "last_name": "Once"}
    with pytest.raises(Fault, match="service died"):
        await sugar.set_entries("Leads", {"last_name": "Kept"}, row, row, {"last_name": "Never"})
    assert sorted(lead["last_name"] for lead in sugar.leads().values()) == ["Kept", "Once"]


async def test_deleting_a_lead_that_has_tasks_faults_and_is_applied(sugar: Any) -> None:
    key = await sugar.set_entry("Leads", last_name="Busy")
    await sugar.set_entry("Tasks", name="Call", parent_type="Leads", parent_id=key)
    with pytest.raises(Fault, match="service died"):
        await sugar.set_entry("Leads", id=key, deleted="1")
    assert sugar.leads()[key]["deleted"]


async def test_deletion_by_set_entries_keeps_a_leads_address(sugar: Any) -> None:
    rows = [{"last_name": name, "email1": f"{name}@example.com"} for name in ("a", "b")]
    first, second = await sugar.set_entries("Leads", *rows)
    await sugar.set_entry("Leads", id=first, deleted="1")
    await sugar.set_entries("Leads", {"id": second, "deleted": "1"})
    assert (sugar.leads()[first]["email"], sugar.leads()[second]["email"]) == (None, "b@example.com")


async def test_an_address_is_shared_ignored_on_update_and_dropped_when_invalid(
    crm: SugarCRM, sugar: Any
) -> None:
    lead = await sugar.set_entry("Leads", last_name="A", email1="Ann@Example.com")
    contact = await sugar.set_entry("Contacts", last_name="A", email1="ann@example.COM")
    assert (await sugar.get("Leads", lead, "email1"))["email1"] == "ann@example.COM"
    assert len(desk.records(crm.store, "EmailAddresses")) == 1
    await sugar.set_entry("Contacts", id=contact, email1="other@example.com")
    assert (await sugar.get("Contacts", contact, "email1"))["email1"] == "ann@example.COM"
    invalid = await sugar.set_entry("Leads", last_name="B", email1="not an address")
    assert (await sugar.get("Leads", invalid, "email1"))["email1"] == ""


async def test_an_address_is_changed_through_its_own_module_and_link(sugar: Any) -> None:
    lead = await sugar.set_entry("Leads", last_name="A", email1="old@example.com")
    new = await sugar.set_entry(
        "EmailAddresses", email_address="new@example.com", email_address_caps="NEW@EXAMPLE.COM"
    )
    related = await sugar.service.get_relationships(
        sugar.session, "Leads", lead, "email_addresses", "", sugar.names("id"), [], 0, "", 0, 0
    )
    for key, delete in ((new, 0), (sugar.ids(related)[0], 1)):
        await sugar.service.set_relationship(
            sugar.session, "Leads", lead, "email_addresses", sugar.names(key), [], delete
        )
    await sugar.set_entry("EmailAddresses", id=new, opt_out="1")
    read = await sugar.get("Leads", lead, "email1", "email_opt_out")
    assert read == {"email1": "new@example.com", "email_opt_out": "1"}


async def test_set_entries_takes_a_contact_for_its_double_and_clears_its_address(sugar: Any) -> None:
    person = {"first_name": "Ann", "last_name": "One", "email1": "ann@example.com"}
    key = await sugar.set_entry("Contacts", **person, title="First")
    assert await sugar.set_entries("Contacts", {**person, "title": "Second"}) == [key]
    assert await sugar.get("Contacts", key, "title", "email1") == {"title": "First", "email1": ""}


async def test_set_entries_of_contacts_with_an_id_looks_for_no_double(sugar: Any) -> None:
    person = {"first_name": "Ann", "last_name": "One", "email1": "ann@example.com"}
    key = await sugar.set_entry("Contacts", **person)
    assert await sugar.set_entries("Contacts", {**person, "id": LEAD, "new_with_id": "1"}) == [LEAD]
    assert (await sugar.get("Contacts", key, "email1"))["email1"] == "ann@example.com"


async def test_a_contact_is_linked_to_its_account_by_id(sugar: Any) -> None:
    account = await sugar.set_entry("Accounts", name="Acme")
    key = await sugar.set_entry("Contacts", last_name="A", account_id=account)
    assert await sugar.get("Contacts", key, "account_id", "account_name") == {
        "account_id": account,
        "account_name": "Acme",
    }


async def test_relationships_are_idempotent_trusting_and_fail_without_a_fault(sugar: Any) -> None:
    target_list = await sugar.set_entry("ProspectLists", name="Webinar")
    lead = await sugar.set_entry("Leads", last_name="A")

    async def relate(link: str, key: str, delete: int = 0, module: str = "ProspectLists") -> tuple[int, ...]:
        answer = await sugar.service.set_relationship(
            sugar.session, module, target_list, link, sugar.names(key), [], delete
        )
        return answer["created"], answer["failed"], answer["deleted"]

    async def members(link: str = "leads") -> list[str]:
        answer = await sugar.service.get_relationships(
            sugar.session, "ProspectLists", target_list, link, "", sugar.names("id"), [], 0, "", 0, 0
        )
        return sugar.ids(answer)

    assert [await relate("leads", lead) for _ in range(2)] == [(1, 0, 0)] * 2
    assert await relate("leads", UNKNOWN) == (1, 0, 0)
    assert await members() == [lead]
    assert await relate("nonsense", lead) == (0, 1, 0)
    assert await relate("leads", lead, module="Nonsense") == (0, 1, 0)
    assert await members(link="nonsense") == []
    assert [await relate("leads", lead, delete=1) for _ in range(2)] == [(0, 0, 1)] * 2
    assert await members() == []


async def test_only_administrators_write_users(crm: SugarCRM, sugar: Any) -> None:
    desk.add_user(crm.store, "jane", "secret", last_name="Doe")
    await sugar.login("jane", hashlib.md5(b"secret", usedforsecurity=False).hexdigest())
    with pytest.raises(Fault, match="Access Denied"):
        await sugar.set_entry("Users", last_name="X", user_name="x")
    assert (await sugar.get("Users", "1", "user_name", "user_hash")) == {
        "user_name": "admin",
        "user_hash": "",
    }


@pytest.mark.parametrize("operation", ["login", "set_entry"])
async def test_newer_servers_die_on_v4_1_and_serve_v2(operation: str, start_crm: Any, connect: Any) -> None:
    async with start_crm(dies={f"v4_1.{operation}"}) as crm, connect(crm) as new, connect(crm, "v2") as old:
        await old.login()
        new.session = old.session
        call = new.login() if operation == "login" else new.set_entry("Leads", last_name="A")
        with pytest.raises(Fault, match="service died"):
            await call
        assert old.leads() == {}
        assert await old.set_entry("Leads", last_name="A") in old.leads()
