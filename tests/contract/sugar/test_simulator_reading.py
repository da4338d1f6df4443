"""What reads answer, and what they refuse."""

from typing import Any

import pytest
from zeep.exceptions import Fault

from sandbox.sugar import SugarCRM, desk


async def test_next_offset_never_says_that_there_is_no_more(sugar: Any) -> None:
    await sugar.set_entries("Leads", *({"last_name": f"L{number}"} for number in range(5)))
    last = await sugar.find(order_by="last_name", offset=3, limit=3)
    assert (last["result_count"], last["total_count"], last["next_offset"]) == (2, 5, 5)
    past = await sugar.find(order_by="last_name", offset=5, limit=3)
    assert (past["result_count"], past["total_count"], past["next_offset"]) == (0, 5, 5)


async def test_no_page_size_means_twenty(sugar: Any) -> None:
    await sugar.set_entries("Leads", *({"last_name": f"L{number}"} for number in range(21)))
    assert (await sugar.find(limit=0))["result_count"] == 20


@pytest.mark.parametrize(
    "query",
    [
        "leads.id IN (SELECT bean_id FROM prospect_lists_prospects)",
        "leads.last_name = 'a' UNION SELECT 1",
        "leads.last_name = 'a'; DELETE FROM leads",
        "leads.last_name = 'a' -- b",
        "leads.id = (SELECT bean_id FROM email_addr_bean_rel)",
        "EXISTS (SELECT 1 FROM email_addresses)",
        "leads.id IN (SELECT r.bean_id FROM email_addr_bean_rel r, users u)",
        "leads.id IN (SELECT r.bean_id FROM email_addr_bean_rel r JOIN users u ON u.id = r.bean_id)",
    ],
)
async def test_a_query_that_reaches_further_is_denied(sugar: Any, query: str) -> None:
    with pytest.raises(Fault) as fault:
        await sugar.find(query)
    assert (fault.value.code, fault.value.message) == ("40", "Access Denied")


@pytest.mark.parametrize("query", ["leads.email1 = 'a@example.com'", "leads.nope = 1", "leads.id = 'a' AND"])
async def test_a_query_the_database_refuses_is_fault_minus_1(sugar: Any, query: str) -> None:
    with pytest.raises(Fault) as fault:
        await sugar.find(query)
    assert fault.value.detail.text == "Database failure. Please refer to suitecrm.log for details."


async def test_bare_column_names_fail_on_v4_and_work_on_v2(crm: SugarCRM, sugar: Any, connect: Any) -> None:
    key = await sugar.set_entry("Leads", last_name="Bare")
    with pytest.raises(Fault, match="service died"):
        await sugar.find("last_name = 'Bare'")
    async with connect(crm, "v2") as old:
        await old.login()
        answer = await old.service.get_entry_list(
            old.session, "Leads", "last_name = 'Bare'", "", 0, old.names("id"), [], 5, 0
        )
    assert sugar.ids(answer) == [key]


@pytest.mark.parametrize("query", [r"leads.last_name = 'o\'brien'", "leads.last_name = 'O''BRIEN'"])
async def test_both_quotings_work_and_letter_case_does_not_matter(sugar: Any, query: str) -> None:
    key = await sugar.set_entry("Leads", last_name="O'Brien")
    await sugar.set_entry("Leads", last_name="OBrien")
    assert sugar.ids(await sugar.find(query)) == [key]


async def test_order_by_takes_bare_names_only_and_ignores_the_rest(sugar: Any) -> None:
    keys = await sugar.set_entries("Leads", *({"last_name": name} for name in "BCA"))
    by_name = dict(zip("BCA", keys, strict=True))
    down = [by_name[name] for name in "CBA"]
    assert sugar.ids(await sugar.find(order_by="last_name desc")) == down
    for ignored in ("leads.last_name desc", "no_such_field desc"):
        assert sugar.ids(await sugar.find(order_by=ignored)) == sorted(keys)


async def test_an_order_by_that_reaches_further_is_denied(sugar: Any) -> None:
    with pytest.raises(Fault, match="Access Denied"):
        await sugar.find(order_by="last_name; DELETE FROM leads")


async def test_custom_fields_are_written_queried_and_read(sugar: Any) -> None:
    key = await sugar.set_entry("Leads", last_name="Scored", lead_score_c="51")
    await sugar.set_entry("Leads", last_name="Cold", lead_score_c="3")
    answer = await sugar.find("leads_cstm.lead_score_c > 50", "lead_score_c")
    assert sugar.ids(answer) == [key]
    assert sugar.values(answer["entry_list"][0]) == {"lead_score_c": "51"}


async def test_deleted_1_returns_live_and_deleted_rows(sugar: Any) -> None:
    live, gone = await sugar.set_entries("Leads", {"last_name": "Live"}, {"last_name": "Gone"})
    await sugar.set_entry("Leads", id=gone, deleted="1")
    assert sugar.ids(await sugar.find()) == [live]
    assert sorted(sugar.ids(await sugar.find(deleted=1))) == sorted([live, gone])
    assert (await sugar.get("Leads", gone))["deleted"] == "1"
    assert "warning" in await sugar.get("Leads", gone)


async def test_unknown_fields_and_the_account_of_an_unlinked_contact_are_left_out(sugar: Any) -> None:
    key = await sugar.set_entry("Contacts", last_name="Alone", account_name="Acme")
    assert await sugar.get("Contacts", key, "last_name", "nonsense", "account_name") == {"last_name": "Alone"}


async def test_v2_has_neither_totals_nor_opt_out(crm: SugarCRM, sugar: Any, connect: Any) -> None:
    key = await sugar.set_entry("Leads", last_name="Old", email1="old@example.com")
    async with connect(crm, "v2") as old:
        await old.login()
        wanted = old.names("last_name", "email_opt_out", "invalid_email")
        answer = await old.service.get_entry(old.session, "Leads", key, wanted, [])
        page = await old.service.get_entry_list(old.session, "Leads", "", "", 0, wanted, [], 5, 0)
        modules = await old.service.get_available_modules(old.session)
    assert sugar.values(answer["entry_list"][0]) == {"last_name": "Old"}
    assert not hasattr(page, "total_count")
    assert "Leads" in modules
    assert "Leads" in [
        module["module_key"] for module in await sugar.service.get_available_modules(sugar.session, "all")
    ]


async def test_module_names_are_case_sensitive(sugar: Any) -> None:
    with pytest.raises(Fault, match="Module Does Not Exist"):
        await sugar.set_entry("leads", last_name="A")


async def test_an_option_added_by_an_administrator_is_listed(crm: SugarCRM, sugar: Any) -> None:
    async def sources() -> list[str]:
        answer = await sugar.service.get_module_fields(sugar.session, "Leads", sugar.names("lead_source"))
        return [option["name"] for option in answer["module_fields"][0]["options"]]

    assert "Leadbus" not in await sources()
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    assert "Leadbus" in await sources()
