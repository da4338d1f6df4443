"""Records in modern REST: what is stored, what is answered, what is refused."""

from typing import Any

import pytest

from sandbox.sugar import Settings, SugarCRM, desk

OWN = "11111111-2222-4333-8444-555555555555"


def stored(site: SugarCRM, key: str, module: str = "Leads") -> dict[str, Any]:
    return next(row for row in desk.records(site.store, module) if row["id"] == key)


def address(text: str, **flags: Any) -> dict[str, Any]:
    return {"email_address": text, **flags}


async def test_a_put_changes_only_what_is_sent_and_gives_the_whole_record_back(
    site: SugarCRM, rest: Any
) -> None:
    lead = await rest.do(
        "POST", "/Leads", {"first_name": "Ewa", "last_name": "Kot", "nonsense": 1, "status": "?"}
    )
    assert (lead["status"], lead["converted"], lead["phone_fax"]) == ("?", False, "")
    assert "nonsense" not in lead
    changed = await rest.do("PUT", f"/Leads/{lead['id']}", {"phone_work": "<b>&amp; 'x'"})
    assert (changed["first_name"], changed["phone_work"]) == ("Ewa", "<b>&amp; 'x'")
    assert await rest.do("GET", f"/Leads/{lead['id']}") == changed
    short = await rest.do("GET", f"/Leads/{lead['id']}?fields=last_name,nonsense")
    assert set(short) == {"id", "_module", "date_modified", "last_name", "_acl"}


async def test_a_deleted_record_is_404_and_shows_in_filters_that_ask_for_it(
    site: SugarCRM, rest: Any
) -> None:
    lead = await rest.do("POST", "/Leads", {"last_name": "Gone"})
    assert await rest.do("DELETE", f"/Leads/{lead['id']}") == {"id": lead["id"]}
    for method, body in (("GET", None), ("PUT", {"last_name": "x"}), ("DELETE", None)):
        assert await rest.refused(method, f"/Leads/{lead['id']}", body) == (404, "not_found")
    one = {"id": lead["id"]}
    assert await rest.found("Leads", one) == []
    assert await rest.found("Leads", one, {"deleted": "0"}) == []
    assert await rest.found("Leads", one, {"deleted": "1"}) == [lead["id"]]
    assert await rest.found("Leads", one, deleted=True) == [lead["id"]]


async def test_a_create_may_bring_its_own_id_once(site: SugarCRM, rest: Any) -> None:
    assert (await rest.do("POST", "/Leads", {"id": OWN, "last_name": "One"}))["id"] == OWN
    assert await rest.refused("POST", "/Leads", {"id": OWN, "last_name": "Two"}) == (422, "invalid_parameter")
    assert stored(site, OWN)["last_name"] == "One"


async def test_where_own_ids_are_switched_off_the_site_makes_one(start_crm: Any, speak_rest: Any) -> None:
    settings = Settings(own_ids=False, missing_parameter=412, email_flags_as_text=True, count_as_text=True)
    async with start_crm(settings=settings) as crm:
        rest = speak_rest(crm)
        async with rest.http:
            await rest.login()
            lead = await rest.do(
                "POST", "/Leads", {"id": OWN, "last_name": "A", "email": [address("a@b.test")]}
            )
            assert lead["id"] != OWN
            # Other ways of an old site, all in one.
            assert await rest.refused("POST", "/Leads", {}) == (412, "missing_parameter")
            assert (lead["email"][0]["primary_address"], lead["email"][0]["opt_out"]) == ("1", "0")
            assert await rest.do("GET", "/Leads/count") == {"record_count": "1"}


@pytest.mark.parametrize(
    ("module", "fields"),
    [("Leads", {"first_name": "A"}), ("Contacts", {"last_name": ""}), ("Accounts", {}), ("Tasks", {})],
)
async def test_a_required_field_that_is_missing_refuses_the_create(
    site: SugarCRM, rest: Any, module: str, fields: Any
) -> None:
    assert await rest.refused("POST", f"/{module}", fields) == (422, "missing_parameter")


async def test_writing_the_email_list_replaces_it_and_an_opt_out_is_shared(site: SugarCRM, rest: Any) -> None:
    first = [address("a@list.test", primary_address=True), address("b@list.test", opt_out="1")]
    lead = await rest.do("POST", "/Leads", {"last_name": "A", "email": first})
    contact = await rest.do("POST", "/Contacts", {"last_name": "A", "email": [address("B@list.test")]})
    assert [(e["email_address"], e["opt_out"]) for e in contact["email"]] == [("B@list.test", True)]
    second = [address("c@list.test"), address("b@list.test", primary_address=True, opt_out=False)]
    lead = await rest.do("PUT", f"/Leads/{lead['id']}", {"email": second})
    assert [(e["email_address"], e["primary_address"], e["opt_out"]) for e in lead["email"]] == [
        ("b@list.test", True, False),
        ("c@list.test", False, False),
    ]
    assert lead["email1"] == "b@list.test"
    contact = await rest.do("GET", f"/Contacts/{contact['id']}?fields=email")
    assert contact["email"][0]["opt_out"] is False
    assert (await rest.do("PUT", f"/Leads/{lead['id']}", {"email": []}))["email"] == []
    assert (await rest.do("PUT", f"/Leads/{lead['id']}", {"email1": "d@list.test"}))[
        "email1"
    ] == "d@list.test"
    assert await rest.refused("PUT", f"/Leads/{lead['id']}", {"email": "x"}) == (422, "invalid_parameter")


async def test_moments_have_the_users_offset(site: SugarCRM, rest: Any) -> None:
    desk.set_timezone(site.store, desk.ADMIN, "Europe/Warsaw")
    task = {"name": "Call back", "date_due": "2026-01-20T10:00:00+00:00"}
    made = await rest.do("POST", "/Tasks", task)
    assert made["date_due"] == "2026-01-20T11:00:00+01:00"
    assert stored(site, made["id"], "Tasks")["date_due"] == "2026-01-20 10:00:00"
    # Without an offset the user's own is meant.
    made = await rest.do("PUT", f"/Tasks/{made['id']}", {"date_due": "2026-07-20T10:00:00"})
    assert made["date_due"] == "2026-07-20T10:00:00+02:00"
    assert await rest.found("Tasks", {"date_due": {"$gt": "2026-07-20T07:59:59Z"}}, order_by="id") == [
        made["id"]
    ]
    lead = await rest.do("POST", "/Leads", {"last_name": "A", "birthdate": "1985-04-17"})
    assert lead["birthdate"] == "1985-04-17"
    assert await rest.refused("PUT", f"/Leads/{lead['id']}", {"birthdate": "soon"}) == (
        422,
        "invalid_parameter",
    )
    desk.set_timezone(site.store, desk.ADMIN, "UTC")


async def test_an_edit_of_a_version_that_is_gone_is_a_conflict(site: SugarCRM, rest: Any) -> None:
    lead = await rest.do("POST", "/Leads", {"last_name": "A"})
    path, read_at = f"/Leads/{lead['id']}", {"X-Timestamp": lead["date_modified"]}
    assert (await rest.ask("PUT", path, {"status": "New"}, headers=read_at)).status_code == 200
    site.store.execute("UPDATE leads SET date_modified = '2030-01-01 00:00:00' WHERE id = ?", (lead["id"],))
    conflict = await rest.ask("PUT", path, {"status": "Dead"}, headers=read_at)
    assert (conflict.status_code, conflict.json()["error"]) == (409, "edit_conflict")
    assert conflict.json()["record"]["date_modified"] == "2030-01-01T00:00:00+00:00"
    assert stored(site, lead["id"])["status"] == "New"


async def test_a_validation_of_the_site_refuses_a_row(site: SugarCRM, rest: Any, legacy: Any) -> None:
    desk.refuse(site.store, "Leads", "phone_work", "000.*", "No such phone")
    refusal = await rest.ask("POST", "/Leads", {"last_name": "A", "phone_work": "0001"})
    assert (refusal.status_code, refusal.json()) == (
        422,
        {"error": "invalid_parameter", "error_message": "No such phone"},
    )
    assert (await legacy.ask("set_entry", legacy.session, "Leads", {"phone_work": "0001"})).text == ""
    desk.accept(site.store, "Leads", "phone_work")
    await rest.do("POST", "/Leads", {"last_name": "A", "phone_work": "0001"})


async def test_teams_are_a_list_with_one_primary(site: SugarCRM, rest: Any) -> None:
    west, east = (desk.add_team(site.store, name) for name in ("West", "east"))
    lead = await rest.do("POST", "/Leads", {"last_name": "A"})
    everybody = {"id": "1", "name": "Global", "name_2": "", "primary": True}
    assert lead["team_name"] == [everybody]
    teams = [{"id": west}, {"id": east, "primary": True}]
    changed = await rest.do("PUT", f"/Leads/{lead['id']}", {"team_name": teams})
    assert [(t["name"], t["primary"]) for t in changed["team_name"]] == [("east", True), ("West", False)]
    assert changed["team_id"] == east
    for name, expected in (("West", [west]), ("west", []), ("WEST", [])):
        assert await rest.found("Teams", {"name": name}, order_by="name") == expected
    desk.join_team(site.store, west, desk.ADMIN)
    assert (await rest.do("GET", "/me"))["current_user"]["my_teams"] == [{"id": west, "name": "West"}]
    assert await rest.refused("POST", "/Leads", {"last_name": "A", "team_name": "x"}) == (
        422,
        "invalid_parameter",
    )


async def test_without_teams_there_is_nothing_of_them(start_crm: Any, speak_rest: Any) -> None:
    async with start_crm() as crm:
        rest = speak_rest(crm)
        async with rest.http:
            await rest.login()
            lead = await rest.do("POST", "/Leads", {"last_name": "A"})
            assert not [name for name in lead if "team" in name]
            assert await rest.refused("GET", "/Teams") == (404, "no_method")


async def test_rights_that_were_taken_away_are_403_and_named_in_the_acl(
    site: SugarCRM, rest: Any, speak_rest: Any
) -> None:
    lead = await rest.do("POST", "/Leads", {"last_name": "A"})
    user = desk.add_user(site.store, "clerk", "clerk", last_name="Clerk")
    desk.deny(site.store, user, "Leads", "list", "edit")
    clerk = speak_rest(site)
    async with clerk.http:
        await clerk.login(username="clerk", password="clerk")
        assert await clerk.refused("GET", "/Leads") == (403, "not_authorized")
        assert await clerk.refused("POST", "/Leads", {"last_name": "A"}) == (403, "not_authorized")
        assert await clerk.refused("PUT", f"/Leads/{lead['id']}", {}) == (403, "not_authorized")
        assert (await clerk.do("GET", f"/Leads/{lead['id']}"))["id"] == lead["id"]
        assert await clerk.refused("POST", "/Users", {"user_name": "x"}) == (403, "not_authorized")
        acl = (await clerk.do("GET", "/me"))["current_user"]["acl"]
        assert (acl["Leads"]["edit"], acl["Leads"]["list"]) == ("no", "no")
        assert set(acl["Contacts"]) == {"fields", "_hash"}
        desk.allow(site.store, user, "Leads")
        assert (await clerk.do("GET", "/metadata?type_filter=acl"))["acl"]["Leads"].keys() == {
            "fields",
            "_hash",
        }


async def test_users_are_found_by_address_and_status(site: SugarCRM, rest: Any) -> None:
    ada = desk.add_user(site.store, "ada", "x", first_name="Ada", last_name="Nowak", email="ada@example.test")
    desk.change(
        site.store, "Users", desk.add_user(site.store, "old", "x", last_name="Old"), {"status": "Inactive"}
    )
    filter_ = [{"email_addresses.email_address": {"$in": ["ADA@example.test"]}}, {"status": "Active"}]
    [user] = (await rest.do("POST", "/Users/filter", {"filter": filter_}))["records"]
    assert (user["id"], user["full_name"], user["status"]) == (ada, "Ada Nowak", "Active")
    assert "user_hash" not in user
    lead = await rest.do("POST", "/Leads", {"last_name": "A", "assigned_user_id": ada})
    assert lead["assigned_user_name"] == "Ada Nowak"


async def test_metadata_describes_fields_and_option_sets(site: SugarCRM, rest: Any) -> None:
    found = await rest.do("GET", "/metadata?type_filter=modules&module_filter=Leads,Contacts")
    assert set(found["modules"]) == {"Leads", "Contacts"}
    fields = found["modules"]["Leads"]["fields"]
    assert (fields["last_name"]["required"], fields["last_name"]["len"]) == (True, 100)
    assert fields["status"]["options"]["In Process"] == "In Process"
    assert fields["prospect_lists"]["type"] == "link"
    digest = await rest.do("GET", "/metadata?only_hash=true")
    assert set(digest) == {"_hash"}
    desk.add_option(site.store, "Leads", "lead_source", "Leadbus")
    assert (await rest.do("GET", "/metadata?only_hash=true")) != digest
    assert (await rest.do("GET", "/Leads/enum/lead_source"))["Leadbus"] == "Leadbus"
    assert await rest.refused("GET", "/Leads/enum/last_name") == (404, "not_found")
