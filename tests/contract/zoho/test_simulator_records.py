"""The simulator's records: written row by row, read in pages, deleted; by the contract notes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

LIST = {"fields": "Last_Name,Email,Modified_Time", "sort_by": "Modified_Time", "sort_order": "asc"}


def lead(number: int, **more: Any) -> dict[str, Any]:
    return {"Last_Name": f"Kot {number}", "Email": f"kot{number}@example.test", **more}


async def insert(api: Any, *rows: dict[str, Any], module: str = "Leads") -> list[str]:
    answer = await api.do("POST", f"/{module}", {"data": list(rows)})
    return [row["details"]["id"] for row in answer["data"]]


async def test_an_insert_answers_a_row_for_each_in_their_order_and_207_when_mixed(api: Any) -> None:
    rows = [
        lead(1),
        {"Email": "nobody@example.test"},
        lead(2, Email="no address"),
        lead(3, Phone="1" * 31),
        lead(4, Email_Opt_Out="yes"),
        {"Email": "no address"},
    ]
    answer = await api.ask("POST", "/Leads", {"data": rows})

    assert answer.status_code == 207
    outcomes = answer.json()["data"]
    assert [row["code"] for row in outcomes] == [
        "SUCCESS",
        "MANDATORY_NOT_FOUND",
        "INVALID_DATA",
        "INVALID_DATA",
        "INVALID_DATA",
        "MULTIPLE_OR_MULTI_ERRORS",
    ]
    assert [row["details"] for row in outcomes[1:5]] == [
        {"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"},
        {"api_name": "Email", "json_path": "$.data[2].Email", "expected_data_type": "email"},
        {"api_name": "Phone", "json_path": "$.data[3].Phone", "maximum_length": 30},
        {
            "api_name": "Email_Opt_Out",
            "json_path": "$.data[4].Email_Opt_Out",
            "expected_data_type": "boolean",
        },
    ]
    assert {error["code"] for error in outcomes[5]["details"]["errors"]} == {
        "MANDATORY_NOT_FOUND",
        "INVALID_DATA",
    }
    assert len(outcomes[0]["details"]["id"]) == 19
    assert outcomes[0]["details"]["$approval_state"] == "approved"


async def test_the_status_is_201_when_all_are_taken_and_400_when_none_is(api: Any) -> None:
    assert (await api.ask("POST", "/Leads", {"data": [lead(1), lead(2)]})).status_code == 201
    assert (await api.ask("POST", "/Leads", {"data": [{"Company": "x"}]})).status_code == 400
    assert await api.refused("POST", "/Leads", {"data": [lead(n) for n in range(101)]}) == (
        400,
        "INVALID_DATA",
    )
    assert await api.refused("POST", "/Leads", {}) == (400, "MANDATORY_NOT_FOUND")


async def test_a_unique_field_names_the_record_that_has_the_value(api: Any, crm: Any) -> None:
    [first] = await insert(api, lead(1))
    crm.desk.make_unique("Leads", "Email")

    answer = await api.ask("POST", "/Leads", {"data": [lead(1, Email="KOT1@example.test")]})

    [row] = answer.json()["data"]
    assert row["code"] == "DUPLICATE_DATA"
    assert row["details"]["id"] == first
    assert row["details"]["duplicate_record"]["id"] == first
    assert row["details"]["duplicate_record"]["module"]["api_name"] == "Leads"
    assert row["details"]["duplicate_record"]["Owner"]["id"] == crm.site.primary.id


async def test_upsert_finds_by_email_whatever_its_case_and_keeps_what_is_not_said(api: Any, crm: Any) -> None:
    [known] = await insert(api, lead(1, Phone="123"))
    body = {"data": [lead(1, Email="KOT1@Example.test", City="Krakow"), lead(2)], "trigger": []}

    answer = await api.do("POST", "/Leads/upsert", body | {"duplicate_check_fields": ["Email"]})

    first, second = answer["data"]
    assert (first["action"], first["duplicate_field"], first["details"]["id"]) == ("update", "Email", known)
    assert (second["action"], second["duplicate_field"]) == ("insert", None)
    stored = crm.records("Leads")
    assert [row["City"] for row in stored] == ["Krakow", None]
    assert stored[0]["Phone"] == "123"


async def test_upsert_without_email_among_the_check_fields_does_not_look_at_it(api: Any, crm: Any) -> None:
    crm.desk.add_field("Leads", "Our_Id", unique=True)
    await insert(api, lead(1, Our_Id="a"))
    body = {"data": [lead(1, Our_Id="b"), lead(9, Our_Id="a")], "duplicate_check_fields": ["Our_Id"]}

    answer = await api.do("POST", "/Leads/upsert", body)

    assert [row["action"] for row in answer["data"]] == ["insert", "update"]
    assert await api.refused(
        "POST", "/Leads/upsert", {"data": [lead(1)], "duplicate_check_fields": ["Phone"]}
    ) == (400, "INVALID_DATA")


async def test_an_update_names_rows_that_are_gone_or_locked(api: Any, crm: Any) -> None:
    good, gone, locked = await insert(api, lead(1), lead(2), lead(3))
    crm.desk.delete("Leads", gone)
    crm.desk.lock("Leads", locked)

    answer = await api.ask(
        "PUT", "/Leads", {"data": [{"id": int(good), "City": "Gdynia"}, {"id": gone}, {"id": locked}]}
    )

    assert answer.status_code == 207
    assert [row["code"] for row in answer.json()["data"]] == ["SUCCESS", "INVALID_DATA", "RECORD_LOCKED"]
    assert answer.json()["data"][1]["details"] == {"api_name": "id", "json_path": "$.data[1].id"}
    assert crm.records("Leads")[0]["City"] == "Gdynia"


async def test_an_update_that_would_take_away_what_is_required_is_refused(api: Any) -> None:
    [key] = await insert(api, lead(1))
    answer = await api.ask("PUT", f"/Leads/{key}", {"data": [{"Last_Name": None}]})
    assert answer.json()["data"][0]["code"] == "MANDATORY_NOT_FOUND"


async def test_a_record_changed_since_is_not_written(api: Any, crm: Any) -> None:
    [key] = await insert(api, lead(1))
    header = {"If-Unmodified-Since": "2020-01-01T00:00:00+00:00"}
    answer = await api.ask("PUT", "/Leads", {"data": [{"id": key, "City": "x"}]}, headers=header)
    assert (answer.status_code, answer.json()["data"][0]["code"]) == (412, "ALREADY_MODIFIED")
    assert crm.records("Leads")[0]["City"] is None


async def test_owners_are_active_users_and_lookups_are_records(api: Any, crm: Any) -> None:
    jan = crm.desk.add_user("jan@example.test", first_name="Jan", last_name="Lis")
    account = crm.desk.create("Accounts", {"Account_Name": "Wilk SA"})
    rows = [
        {"Last_Name": "a", "Owner": {"id": jan}, "Account_Name": {"id": int(account)}},
        {"Last_Name": "b", "Account_Name": {"id": jan}},
        {"Last_Name": "c", "Owner": {"id": account}},
    ]
    answer = await api.ask("POST", "/Contacts", {"data": rows})

    assert [row["code"] for row in answer.json()["data"]] == ["SUCCESS", "INVALID_DATA", "INVALID_DATA"]
    key = answer.json()["data"][0]["details"]["id"]
    [row] = (await api.do("GET", f"/Contacts/{key}"))["data"]
    assert row["Owner"] == {"name": "Jan Lis", "id": jan, "email": "jan@example.test"}
    assert row["Account_Name"] == {"name": "Wilk SA", "id": account}
    crm.desk.deactivate_user(jan)
    refused = await api.ask("POST", "/Contacts", {"data": [rows[0]]})
    assert refused.json()["data"][0]["details"]["json_path"] == "$.data[0].Owner.id"


async def test_activities_say_whom_they_are_about(api: Any, crm: Any) -> None:
    lead_id = crm.desk.create("Leads", lead(1))
    contact = crm.desk.create("Contacts", {"Last_Name": "Wilk"})
    task = {"Subject": "Call back"}
    about_lead = task | {"What_Id": {"id": lead_id}}
    rows = [
        about_lead | {"$se_module": "Leads"},
        about_lead,
        task | {"Who_Id": {"id": contact}},
        task | {"Who_Id": {"id": lead_id}},
    ]
    answer = await api.ask("POST", "/Tasks", {"data": rows})
    assert [row["code"] for row in answer.json()["data"]] == [
        "SUCCESS",
        "DEPENDENT_FIELD_MISSING",
        "SUCCESS",
        "INVALID_DATA",
    ]
    call = {
        "Subject": "Intro",
        "Call_Type": "Outbound",
        "Call_Start_Time": "2026-01-12T13:30:00+00:00",
        "Call_Duration": "00:00",
    }
    zero = await api.ask("POST", "/Calls", {"data": [call, call | {"Call_Duration": "10:00"}]})
    assert [row["code"] for row in zero.json()["data"]] == ["INVALID_DATA", "SUCCESS"]
    note = {"Note_Content": "text", "Parent_Id": {"id": lead_id, "module": {"api_name": "Leads"}}}
    [key] = await insert(api, note, module="Notes")
    [row] = (await api.do("GET", f"/Notes/{key}"))["data"]
    assert row["Parent_Id"]["module"]["api_name"] == "Leads"


async def test_times_are_those_of_the_users_zone(api: Any, crm: Any) -> None:
    key = crm.desk.create("Leads", lead(1, Unsubscribed_Time="2026-07-01T10:00:00+00:00"))
    [row] = (await api.do("GET", f"/Leads/{key}"))["data"]
    assert row["Unsubscribed_Time"] == "2026-07-01T12:00:00+02:00"
    assert datetime.fromisoformat(row["Modified_Time"]).utcoffset() in (
        timedelta(hours=1),
        timedelta(hours=2),
    )


async def test_a_validation_rule_refuses_rows_and_counts_them(api: Any, crm: Any) -> None:
    crm.desk.refuse("Leads", "City", "Nowhere")
    answer = await api.ask("POST", "/Leads", {"data": [lead(1, City="Nowhere"), lead(2)]})
    assert [row["code"] for row in answer.json()["data"]] == ["INVALID_DATA", "SUCCESS"]
    assert crm.refused_rows == 1
    crm.desk.accept()
    assert (await api.ask("POST", "/Leads", {"data": [lead(1, City="Nowhere")]})).status_code == 201


async def test_a_user_without_the_right_is_refused_and_sees_it_in_the_modules(api: Any, crm: Any) -> None:
    crm.desk.forbid("Leads")
    assert await api.refused("POST", "/Leads", {"data": [lead(1)]}) == (403, "NO_PERMISSION")
    shown = await api.do("GET", "/settings/modules/Leads")
    assert [shown["modules"][0][flag] for flag in ("creatable", "viewable")] == [False, True]
    crm.desk.permit("Leads")
    assert (await api.ask("POST", "/Leads", {"data": [lead(1)]})).status_code == 201


async def test_pages_go_on_by_token_until_all_is_read(api: Any, crm: Any) -> None:
    crm.desk.load("Leads", (lead(number) for number in range(450)))
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = await api.do("GET", "/Leads", params={**LIST, "per_page": "200", **token})
        seen += [row["Email"] for row in page["data"]]
        if not page["info"]["more_records"]:
            break
        token = {"page_token": page["info"]["next_page_token"]}
    assert seen == [f"kot{number}@example.test" for number in range(450)]
    assert page["info"]["page"] == 3
    assert page["info"]["next_page_token"] is None


async def test_a_page_token_is_bound_to_its_parameters_and_runs_out(api: Any, crm: Any) -> None:
    crm.desk.load("Leads", (lead(number) for number in range(3)))
    first = await api.do("GET", "/Leads", params={**LIST, "per_page": "2"})
    token = {"page_token": first["info"]["next_page_token"]}
    since = {"If-Modified-Since": "2020-01-01T00:00:00+00:00"}

    async def refused(headers: dict[str, str] | None = None, **params: str) -> Any:
        given = {**LIST, "per_page": "2", **token, **params}
        return await api.refused("GET", "/Leads", params=given, headers=headers)

    assert await refused(per_page="1") == (400, "TOKEN_BOUND_DATA_MISMATCH")
    assert await refused(since) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    assert await refused(page_token="AAAA") == (400, "TOKEN_BOUND_DATA_MISMATCH")
    assert await refused(page="2") == (400, "AMBIGUITY_DURING_PROCESSING")
    crm.desk.expire_page_tokens()
    assert await refused() == (400, "EXPIRED_VALUE")


async def test_pages_by_number_end_at_two_thousand_records(api: Any, crm: Any) -> None:
    crm.desk.load("Leads", (lead(number) for number in range(2_001)))
    params = {"fields": "Email", "per_page": "200"}
    last = await api.do("GET", "/Leads", params={**params, "page": "10"})
    assert last["info"]["more_records"]
    refused = await api.refused("GET", "/Leads", params={**params, "page": "11"})
    assert refused == (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")


async def test_a_list_needs_fields_at_most_fifty_and_only_since_version_three(api: Any, crm: Any) -> None:
    crm.desk.create("Leads", lead(1))
    assert await api.refused("GET", "/Leads") == (400, "REQUIRED_PARAM_MISSING")
    many = ",".join(f"f{number}" for number in range(51))
    assert await api.refused("GET", "/Leads", params={"fields": many}) == (400, "LIMIT_EXCEEDED")
    assert "Company" in (await api.do("GET", "/crm/v2/Leads"))["data"][0]
    assert await api.refused("GET", "/crm/v9/Leads") == (404, "INVALID_URL_PATTERN")
    assert await api.refused("PATCH", "/Leads") == (400, "INVALID_REQUEST_METHOD")
    assert await api.refused("GET", "/Sheep?fields=id") == (400, "INVALID_MODULE")


async def test_nothing_is_204_and_nothing_new_is_304(api: Any, crm: Any) -> None:
    def since(moment: datetime) -> dict[str, str]:
        return {"If-Modified-Since": moment.isoformat(timespec="seconds")}

    empty = await api.ask("GET", "/Leads", params=LIST)
    assert (empty.status_code, empty.content) == (204, b"")
    moment = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    crm.desk.load("Leads", [lead(1, Modified_Time=moment)])
    later = await api.ask("GET", "/Leads", params=LIST, headers=since(moment + timedelta(seconds=1)))
    assert (later.status_code, later.content) == (304, b"")
    same = await api.ask("GET", "/Leads", params=LIST, headers=since(moment))
    assert same.status_code == 200


async def test_what_is_deleted_is_told_and_what_is_gone_for_ever_has_no_name(api: Any, crm: Any) -> None:
    assert (await api.ask("GET", "/Leads/deleted?type=all")).status_code == 204
    binned, gone = await insert(api, lead(1), lead(2))
    answer = await api.do("DELETE", f"/Leads?ids={binned}")
    assert answer["data"][0]["message"] == "record deleted"
    crm.desk.delete("Leads", gone, permanent=True)

    rows = {row["id"]: row for row in (await api.do("GET", "/Leads/deleted?type=all"))["data"]}

    assert rows[binned]["display_name"] == "Kot 1"
    assert rows[binned]["deleted_by"]["id"] == crm.site.primary.id
    assert (rows[gone]["type"], rows[gone]["display_name"], rows[gone]["deleted_by"]) == (
        "permanent",
        None,
        None,
    )
    assert len((await api.do("GET", "/Leads/deleted?type=recycle"))["data"]) == 1
    later = {"If-Modified-Since": "2099-01-01T00:00:00+00:00"}
    assert (await api.ask("GET", "/Leads/deleted", headers=later)).status_code == 204
    assert await api.refused("GET", f"/Leads/{binned}") == (400, "INVALID_DATA")


async def test_tags_come_and_go_with_records(api: Any, crm: Any) -> None:
    [key] = await insert(api, lead(1, Tag=[{"name": "newsletter"}]))
    crm.desk.tag("Leads", key, "vip")
    [row] = (await api.do("GET", f"/Leads/{key}"))["data"]
    assert [tag["name"] for tag in row["Tag"]] == ["newsletter", "vip"]
    known = (await api.do("GET", "/settings/tags?module=Leads"))["tags"]
    assert {tag["name"]: tag["id"] for tag in known} == {tag["name"]: tag["id"] for tag in row["Tag"]}
    crm.desk.untag("Leads", key, "newsletter")
    assert crm.records("Leads")[0]["Tag"] == ["vip"]


async def test_the_organisation_its_users_and_fields_are_described(api: Any, crm: Any) -> None:
    [org] = (await api.do("GET", "/org"))["org"]
    assert (org["zgid"], org["license_details"]["paid_type"]) == ("20000000001", "enterprise")
    assert (org["time_zone"], org["iso_code"]) == ("Europe/Warsaw", "PLN")
    jan = crm.desk.add_user("jan@example.test", last_name="Lis", confirmed=False)
    [me] = (await api.do("GET", "/users?type=CurrentUser"))["users"]
    assert (me["email"], me["profile"]["name"]) == ("api@example.test", "Administrator")
    assert len((await api.do("GET", "/users?type=ActiveUsers"))["users"]) == 2
    assert [row["id"] for row in (await api.do("GET", "/users?type=ActiveConfirmedUsers"))["users"]] == [
        me["id"]
    ]
    assert (await api.do("GET", f"/users/{jan}"))["users"][0]["confirm"] is False
    fields = {
        row["api_name"]: row for row in (await api.do("GET", "/settings/fields?module=Leads"))["fields"]
    }
    options = [option["actual_value"] for option in fields["Lead_Source"]["pick_list_values"]]
    assert "Leadbus" in options
    assert fields["Last_Name"]["system_mandatory"]
    assert fields["Email"]["convert_mapping"]["Contacts"]["name"] == "Email"
    crm.desk.drop_option("Leads", "Lead_Source", "Leadbus")
    crm.desk.add_field("Leads", "Birthday", "date")
    fields = {
        row["api_name"]: row for row in (await api.do("GET", "/settings/fields?module=Leads"))["fields"]
    }
    assert "Leadbus" not in [option["actual_value"] for option in fields["Lead_Source"]["pick_list_values"]]
    assert (fields["Birthday"]["data_type"], fields["Birthday"]["custom_field"]) == ("date", True)


async def test_a_file_keeps_everything(start_zoho: Any, connect_zoho: Any, tmp_path: Any) -> None:
    database = str(tmp_path / "zoho.sqlite")
    async with start_zoho(database=database) as crm:
        crm.desk.add_field("Leads", "Birthday", "date")
        key = crm.desk.create("Leads", lead(1, Birthday="2000-02-03"))
        user = crm.site.primary.id
    async with start_zoho(database=database) as crm, connect_zoho(crm) as api:
        [row] = (await api.do("GET", f"/Leads/{key}"))["data"]
        assert (row["Birthday"], row["Owner"]["id"]) == ("2000-02-03", user)


async def test_five_calls_may_be_one(api: Any, crm: Any) -> None:
    scope = "ZohoCRM.modules.ALL,ZohoCRM.composite_requests.CUSTOM"
    form = {"grant_type": "authorization_code", "code": crm.grant(scope=scope), "client_id": crm.client_id}
    token = (await api.http.post("/oauth/v2/token", data=form | {"client_secret": "secret"})).json()
    api.http.headers["Authorization"] = f"Zoho-oauthtoken {token['access_token']}"
    parts = [
        {"sub_request_id": "1", "method": "POST", "uri": "/crm/v8/Leads", "body": {"data": [lead(1)]}},
        {"sub_request_id": "2", "method": "GET", "uri": "/crm/v8/Leads"},
    ]
    answer = await api.ask("POST", "/__composite_requests", {"__composite_requests": parts})
    assert answer.status_code == 207
    statuses = [row["details"]["status_code"] for row in answer.json()["__composite_requests"]]
    assert statuses == [201, 400]
    assert len(crm.records("Leads")) == 1


@pytest.mark.parametrize("given", ["2026-02-30", "yesterday", 5])
async def test_dates_are_days_that_exist(api: Any, given: Any) -> None:
    answer = await api.ask("POST", "/Contacts", {"data": [{"Last_Name": "x", "Date_of_Birth": given}]})
    assert answer.json()["data"][0]["details"]["expected_data_type"] == "date"
