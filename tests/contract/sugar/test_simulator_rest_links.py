"""Links, bulk, conversion, duplicates and upserts of modern REST."""

import json
from typing import Any

from sandbox.sugar import Settings, SugarCRM, desk


def request(method: str, url: str, data: Any = None) -> dict[str, Any]:
    return {"url": url, "method": method} | ({} if data is None else {"data": data})


async def test_people_are_put_on_a_target_list_one_by_one_and_many_at_once(site: SugarCRM, rest: Any) -> None:
    target_list = desk.create(site.store, "ProspectLists", {"name": "Newsletter", "list_type": "default"})
    people = [desk.create(site.store, "Leads", {"last_name": name}) for name in "ABC"]
    path = f"/ProspectLists/{target_list}/link"
    many = await rest.do("POST", path, {"link_name": "leads", "ids": people[:2]})
    assert [record["id"] for record in many["related_records"]] == people[:2]
    one = await rest.do("POST", f"{path}/leads/{people[2]}")
    assert (one["record"]["id"], one["related_record"]["id"]) == (target_list, people[2])
    await rest.do("DELETE", f"{path}/leads/{people[0]}")
    page = await rest.do("GET", f"{path}/leads?fields=last_name&order_by=last_name&max_num=1")
    assert ([record["last_name"] for record in page["records"]], page["next_offset"]) == (["B"], 1)
    assert await rest.do("GET", f"{path}/leads/count") == {"record_count": 2}
    found = await rest.do("POST", f"{path}/leads/filter", {"filter": [{"last_name": "C"}]})
    assert [record["id"] for record in found["records"]] == people[2:]
    back = await rest.do("GET", f"/Leads/{people[1]}/link/prospect_lists")
    assert [record["name"] for record in back["records"]] == ["Newsletter"]


async def test_links_that_do_not_exist_are_not_found(site: SugarCRM, rest: Any) -> None:
    target_list = desk.create(site.store, "ProspectLists", {"name": "N"})
    path = f"/ProspectLists/{target_list}/link"
    for sent in ({"link_name": "leads", "ids": ["none"]}, {"link_name": "nonsense", "ids": []}):
        assert await rest.refused("POST", path, sent) == (404, "not_found")
    assert await rest.refused("POST", path, {"ids": []}) == (422, "missing_parameter")
    assert await rest.refused("GET", "/ProspectLists/none/link/leads") == (404, "not_found")


async def test_activities_hang_on_their_parent(site: SugarCRM, rest: Any) -> None:
    lead = desk.create(site.store, "Leads", {"first_name": "Ewa", "last_name": "Kot"})
    parent = {"parent_type": "Leads", "parent_id": lead}
    for module, more in (
        ("Notes", {"description": "Opened newsletter 12"}),
        ("Tasks", {"priority": "High"}),
        ("Calls", {"direction": "Outbound", "duration_minutes": 15}),
        ("Meetings", {"location": "Here"}),
    ):
        made = await rest.do("POST", f"/{module}", {"name": "N", **parent, **more})
        assert (made["parent_name"], *[made[name] for name in more]) == ("Ewa Kot", *more.values())
        linked = await rest.do("GET", f"/Leads/{lead}/link/{module.lower()}")
        assert [record["id"] for record in linked["records"]] == [made["id"]]
    over = await rest.do("POST", f"/Leads/{lead}/link/notes", {"name": "Over the link"})
    assert over["related_record"]["parent_id"] == lead


async def test_a_bulk_answers_each_request_for_itself(site: SugarCRM, rest: Any) -> None:
    lead = desk.create(site.store, "Leads", {"last_name": "B"})
    before = site.calls.copy()
    answers = await rest.do(
        "POST",
        "/bulk",
        {
            "requests": [
                request("POST", "/v11_12/Leads", json.dumps({"last_name": "Kot"})),
                request("PUT", f"/v11_12/Leads/{lead}", {"phone_work": "1"}),
                request("GET", f"/v11_12/Leads/{lead}?fields=phone_work"),
                request("GET", "/v11_12/Leads/none"),
                request("POST", "/v11_12/Leads", {}),
                request("POST", "/v11_99/Leads", {"last_name": "A"}),
                request("POST", "/v11_12/bulk", {"requests": []}),
                request("POST", "/v11_12/Leads", "{"),
            ]
        },
    )
    assert [answer["status"] for answer in answers] == [200, 200, 200, 404, 422, 301, 404, 422]
    assert all(set(answer) == {"contents", "headers", "status"} for answer in answers)
    assert answers[2]["contents"]["phone_work"] == "1"
    assert answers[3]["contents"]["error"] == "not_found"
    assert site.calls - before == {"rest POST bulk": 1}


async def test_a_bulk_has_a_maximum(start_crm: Any, speak_rest: Any) -> None:
    async with start_crm(settings=Settings(largest_bulk=2)) as crm:
        rest = speak_rest(crm)
        async with rest.http:
            await rest.login()
            requests = [request("GET", "/v11_12/ping")] * 3
            assert await rest.refused("POST", "/bulk", {"requests": requests}) == (413, "request_too_large")
            answers = await rest.do("POST", "/bulk", {"requests": requests[:2]})
            assert [answer["contents"] for answer in answers] == ["pong", "pong"]
            assert await rest.refused("POST", "/bulk", {}) == (422, "missing_parameter")


async def test_a_lead_is_converted_with_new_and_known_records(site: SugarCRM, rest: Any) -> None:
    account = desk.create(site.store, "Accounts", {"name": "Kot sp. z o.o."})
    lead = desk.create(site.store, "Leads", {"last_name": "Kot", "email1": "ewa@kot.test"})
    contact = {"last_name": "Kot", "email": [{"email_address": "ewa@kot.test", "primary_address": True}]}
    deal = {"name": "Deal", "amount": "1200.5", "date_closed": "2026-03-01", "sales_stage": "Prospecting"}
    modules = {"Contacts": contact, "Accounts": {"id": account}, "Opportunities": deal}
    made = (await rest.do("POST", f"/Leads/{lead}/convert", {"modules": modules}))["modules"]
    assert [record["_module"] for record in made] == ["Contacts", "Accounts", "Opportunities"]
    assert (made[0]["account_name"], made[2]["account_name"]) == ("Kot sp. z o.o.", "Kot sp. z o.o.")
    assert (made[1]["id"], made[2]["amount"]) == (account, "1200.500000")
    read = await rest.do("GET", f"/Leads/{lead}")
    assert (read["converted"], read["status"], read["contact_id"]) == (True, "Converted", made[0]["id"])
    assert (read["account_id"], read["opportunity_id"]) == (account, made[2]["id"])
    without = {"modules": {"Accounts": {"id": account}}}
    assert await rest.refused("POST", f"/Leads/{lead}/convert", without) == (422, "missing_parameter")
    assert await rest.refused("POST", f"/Contacts/{made[0]['id']}/convert", without) == (404, "no_method")


async def test_duplicates_are_ranked_and_never_refused(site: SugarCRM, rest: Any) -> None:
    person = {"first_name": "Dup", "last_name": "Licate", "email": [{"email_address": "dup@dup.test"}]}
    both = (await rest.do("POST", "/Leads", person))["id"]
    names = (await rest.do("POST", "/Leads", {"first_name": "Dup", "last_name": "Licate"}))["id"]
    found = (await rest.do("POST", "/Leads/duplicateCheck", person))["records"]
    assert [(record["id"], record["duplicate_check_rank"]) for record in found] == [(both, 2), (names, 1)]
    assert (await rest.do("POST", "/Leads/duplicateCheck", {}))["records"] == []


async def test_an_upsert_by_our_key_can_be_repeated(site: SugarCRM, rest: Any, speak_rest: Any) -> None:
    path = "/integrate/Contacts/sync_key/ours-1"
    first = await rest.ask("PATCH", path, {"last_name": "A"})
    assert first.status_code == 201
    key = first.json()["record"]
    assert await rest.do("PATCH", path, {"last_name": "B"}) == {"record": key}
    body = {"sync_key_field_value": "ours-1", "title": "T", "fields": "last_name,title,sync_key"}
    record = (await rest.do("PATCH", "/integrate/Contacts", body))["record"]
    assert (record["id"], record["last_name"], record["title"], record["sync_key"]) == (
        key,
        "B",
        "T",
        "ours-1",
    )
    assert (await rest.do("GET", path))["record"]["id"] == key
    assert await rest.found("Contacts", {"sync_key": "ours-1"}) == [key]
    assert await rest.refused("GET", "/integrate/Contacts/sync_key/none") == (404, "not_found")
    assert await rest.refused("PATCH", "/integrate/Contacts/nonsense/1", {}) == (422, "invalid_parameter")
    old = speak_rest(site, "v11_4")
    async with old.http:
        await old.login()
        assert await old.refused("PATCH", path, {"last_name": "A"}) == (404, "no_method")
