"""Legacy REST: the operations of SOAP on the same records, with JSON around them."""

import hashlib
from typing import Any

import pytest

from sandbox.sugar import Settings, SugarCRM, desk

FIELDS = ["id", "last_name", "email1", "email_opt_out", "deleted"]


def values(entry: Any) -> dict[str, str]:
    return {name: pair["value"] for name, pair in entry["name_value_list"].items()}


async def test_a_login_takes_md5_or_with_encryption_plain_the_clear_text(site: SugarCRM, legacy: Any) -> None:
    md5 = hashlib.md5(b"admin", usedforsecurity=False).hexdigest()
    for auth in (
        {"user_name": "admin", "password": md5, "version": "1"},
        {"user_name": "admin", "password": "admin", "encryption": "PLAIN"},
    ):
        answer = await legacy.call("login", auth, "test", [{"name": "notifyonsave", "value": "false"}])
        assert answer["name_value_list"]["user_id"] == {"name": "user_id", "value": "1"}
        assert answer["name_value_list"]["user_is_admin"]["value"] is True
        assert await legacy.call("get_user_id", answer["id"]) == "1"
    plain = {"user_name": "admin", "password": "admin"}
    assert (await legacy.call("login", plain, "test", []))["number"] == 10


async def test_a_record_is_written_and_read_with_pairs_keyed_by_name(site: SugarCRM, legacy: Any) -> None:
    pairs = [{"name": "last_name", "value": "O'Neil"}, {"name": "email1", "value": "o@legacy.test"}]
    made = await legacy.do("set_entry", "Leads", pairs)
    assert made["entry_list"]["last_name"] == {"name": "last_name", "value": "O'Neil"}
    links = [{"name": "email_addresses", "value": ["email_address", "opt_out"]}]
    query = f"leads.id = '{made['id']}'"
    page = await legacy.do("get_entry_list", "Leads", query, "", 0, FIELDS, links, 10, 0, False)
    assert (page["result_count"], page["total_count"], page["next_offset"]) == (1, "1", 1)
    assert values(page["entry_list"][0]) == {
        "id": made["id"],
        "last_name": "O&#039;Neil",
        "email1": "o@legacy.test",
        "email_opt_out": "0",
        "deleted": "0",
    }
    [linked] = page["relationship_list"][0]["link_list"]
    address = linked["records"][0]["link_value"]
    assert address["email_address"] == {"name": "email_address", "value": "o@legacy.test"}
    one = await legacy.do("get_entry", "Leads", made["id"], ["last_name"], [], False)
    assert values(one["entry_list"][0]) == {"last_name": "O&#039;Neil"}


async def test_names_and_values_may_also_come_as_a_plain_map(site: SugarCRM, legacy: Any) -> None:
    ids = (await legacy.do("set_entries", "Accounts", [{"name": "One"}, [{"name": "name", "value": "Two"}]]))[
        "ids"
    ]
    names = {row["id"]: row["name"] for row in desk.records(site.store, "Accounts")}
    assert [names[key] for key in ids] == ["One", "Two"]


async def test_counts_are_texts_and_fields_are_keyed(site: SugarCRM, legacy: Any) -> None:
    desk.create(site.store, "Campaigns", {"name": "Spring"})
    assert await legacy.do("get_entries_count", "Campaigns", "", 0) == {"result_count": "1"}
    described = await legacy.do("get_module_fields", "Leads", ["status"])
    assert described["module_fields"]["status"]["options"]["New"] == {"name": "New", "value": "New"}
    assert described["link_fields"] == []


async def test_people_go_on_target_lists_and_are_read_back(site: SugarCRM, legacy: Any) -> None:
    target_list = desk.create(site.store, "ProspectLists", {"name": "Newsletter"})
    target = desk.create(site.store, "Prospects", {"last_name": "Target"})
    told = ("ProspectLists", target_list, "prospects", [target], [], 0)
    assert await legacy.do("set_relationship", *told) == {"created": 1, "failed": 0, "deleted": 0}
    read = ("ProspectLists", target_list, "prospects", "", ["last_name"], [], 0, "", 0, 0)
    [member] = (await legacy.do("get_relationships", *read))["entry_list"]
    assert (member["id"], values(member)) == (target, {"last_name": "Target"})


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (("get_entries_count", "no such session", "Leads", "", 0), 11),
        (("get_user_id", ""), 11),
        (("get_entries_count", None, "leads", "", 0), 20),
        (("get_entries_count", None, "Leads", "1=1; DROP TABLE leads", 0), 40),
        (("no_such_method",), 1000),
    ],
)
async def test_errors_come_with_http_200(site: SugarCRM, legacy: Any, call: Any, number: int) -> None:
    method, *arguments = [legacy.session if part is None else part for part in call]
    answer = await legacy.ask(method, *arguments)
    assert answer.status_code == 200
    assert set(answer.json()) == {"name", "number", "description"}
    assert answer.json()["number"] == number


async def test_where_php_dies_the_answer_is_an_empty_200_or_the_text_it_died_with(
    site: SugarCRM, legacy: Any
) -> None:
    missing = await legacy.ask("get_entry_list", legacy.session, "Leads")
    assert (missing.status_code, missing.text) == (200, "")
    bad = await legacy.ask("get_entries_count", legacy.session, "Leads", "last_name = 'x'", 0)
    assert (bad.status_code, bad.text[:16]) == (200, "Database failure")


async def test_a_soap_session_is_a_legacy_session(site: SugarCRM, legacy: Any, connect: Any) -> None:
    async with connect(site) as sugar:
        legacy.session = await sugar.login()
    assert await legacy.do("get_user_id") == "1"
    await legacy.do("logout")
    assert (await legacy.do("get_user_id"))["number"] == 11


async def test_the_older_versions_have_bare_lists_in_their_links(
    site: SugarCRM, legacy: Any, speak_legacy: Any
) -> None:
    lead = desk.create(site.store, "Leads", {"last_name": "A", "email1": "old@legacy.test"})
    old = speak_legacy(site, "v2")
    async with old.http:
        old.session = legacy.session
        links = [{"name": "email_addresses", "value": ["email_address"]}]
        query = f"leads.id = '{lead}'"
        page = await old.do("get_entry_list", "Leads", query, "", 0, ["last_name"], links, 10, 0)
    [[linked]] = page["relationship_list"]
    assert linked["records"] == [{"email_address": {"name": "email_address", "value": "old@legacy.test"}}]
    assert "total_count" not in page


async def test_on_older_sites_an_update_changes_the_address_on_newer_ones_it_does_not(
    start_crm: Any, speak_legacy: Any
) -> None:
    for settings, expected in ((Settings(), "a@b.test"), (Settings(changes_emails=True), "new@b.test")):
        async with start_crm(settings=settings) as crm:
            lead = desk.create(crm.store, "Leads", {"last_name": "A", "email1": "a@b.test"})
            legacy = speak_legacy(crm)
            async with legacy.http:
                await legacy.login()
                await legacy.do("set_entry", "Leads", {"id": lead, "email1": "new@b.test"})
            assert desk.records(crm.store, "Leads")[0]["email"] == expected


async def test_rights_that_were_taken_away_show_as_code_40_and_in_the_list_of_modules(
    site: SugarCRM, legacy: Any
) -> None:
    user = desk.add_user(site.store, "clerk", "clerk", last_name="Clerk")
    desk.deny(site.store, user, "Leads", "edit", "list")
    await legacy.login("clerk", hashlib.md5(b"clerk", usedforsecurity=False).hexdigest())
    assert (await legacy.do("set_entry", "Leads", {"last_name": "A"}))["number"] == 40
    assert (await legacy.do("get_entries_count", "Leads", "", 0))["number"] == 40
    assert "id" in await legacy.do("set_entry", "Contacts", {"last_name": "A"})
    modules = {row["module_key"]: row for row in (await legacy.do("get_available_modules", "all"))["modules"]}
    access = {acl["action"]: acl["access"] for acl in modules["Leads"]["acls"]}
    assert (access["edit"], access["list"], access["view"]) == (False, False, True)


async def test_records_have_a_team_where_the_site_has_teams(site: SugarCRM, legacy: Any) -> None:
    key = (await legacy.do("set_entry", "Leads", {"last_name": "A"}))["id"]
    read = await legacy.do("get_entry", "Leads", key, ["team_id", "team_name"], [], False)
    assert values(read["entry_list"][0]) == {"team_id": "1", "team_name": "Global"}
