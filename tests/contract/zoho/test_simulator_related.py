"""What belongs to a record: notes and activities, members of campaigns, tags."""

from typing import Any

import pytest

from sandbox.zoho import Zoho

CALL = {"Subject": "C", "Call_Type": "Outbound", "Call_Start_Time": "2026-01-12T13:30:00+00:00"}


@pytest.fixture
def lead(crm: Zoho) -> str:
    return crm.desk.create("Leads", {"Last_Name": "Kot"})


@pytest.fixture
def contact(crm: Zoho) -> str:
    return crm.desk.create("Contacts", {"Last_Name": "Wilk"})


@pytest.fixture
def campaign(crm: Zoho) -> str:
    return crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})


async def add(api: Any, module: str, **row: Any) -> dict[str, Any]:
    [outcome] = (await api.ask("POST", f"/{module}", {"data": [row]})).json()["data"]
    return dict(outcome)


async def related(api: Any, path: str, fields: str = "Created_Time") -> list[dict[str, Any]]:
    answer = await api.ask("GET", f"{path}?fields={fields}")
    return [] if answer.status_code == 204 else answer.json()["data"]


async def test_notes_and_activities_are_listed_with_their_record(api: Any, lead: str, contact: str) -> None:
    about = {"What_Id": {"id": lead}, "$se_module": "Leads"}
    note = await add(api, "Notes", Note_Title="N", Parent_Id={"id": lead, "module": {"api_name": "Leads"}})
    task = await add(api, "Tasks", Subject="T", **about)
    call = await add(api, "Calls", **CALL, Call_Duration="10:00", **about)
    event = await add(
        api,
        "Events",
        Event_Title="E",
        Start_DateTime="2026-01-20T10:00:00+00:00",
        End_DateTime="2026-01-20T11:00:00+00:00",
        **about,
    )
    await add(api, "Tasks", Subject="Other", Who_Id={"id": contact})
    made = {"Notes": note, "Tasks": task, "Calls": call, "Events": event}
    for name, outcome in made.items():
        assert outcome["code"] == "SUCCESS", outcome
        assert [row["id"] for row in await related(api, f"/Leads/{lead}/{name}")] == [
            outcome["details"]["id"]
        ]
    [shown] = await related(api, f"/Leads/{lead}/Tasks", "Subject,What_Id")
    assert (shown["Subject"], shown["What_Id"]) == ("T", {"name": "Kot", "id": lead})
    [shown] = await related(api, f"/Contacts/{contact}/Tasks", "Subject,Who_Id")
    assert (shown["Subject"], shown["Who_Id"]["name"]) == ("Other", "Wilk")
    assert await related(api, f"/Contacts/{contact}/Notes") == []


@pytest.mark.parametrize(
    ("module", "row", "code"),
    [
        ("Tasks", {"Subject": "T", "Who_Id": {"id": "LEAD"}}, "INVALID_DATA"),
        ("Tasks", {"Subject": "T", "What_Id": {"id": "LEAD"}}, "DEPENDENT_FIELD_MISSING"),
        ("Tasks", {"Subject": "T", "What_Id": {"id": "LEAD"}, "$se_module": "Deals"}, "INVALID_DATA"),
        ("Tasks", {"What_Id": {"id": "LEAD"}, "$se_module": "Leads"}, "MANDATORY_NOT_FOUND"),
        ("Calls", {**CALL, "Call_Duration": "00:00"}, "INVALID_DATA"),
        ("Calls", CALL, "MANDATORY_NOT_FOUND"),
        ("Notes", {"Note_Title": "N"}, "MANDATORY_NOT_FOUND"),
        ("Notes", {"Parent_Id": {"id": "12", "module": {"api_name": "Leads"}}}, "INVALID_DATA"),
        (
            "Notes",
            {"Note_Title": "x" * 121, "Parent_Id": {"id": "LEAD", "module": {"api_name": "Leads"}}},
            "INVALID_DATA",
        ),
    ],
)
async def test_activities_keep_their_rules(
    crm: Zoho, api: Any, lead: str, module: str, row: dict[str, Any], code: str
) -> None:
    def named(value: Any) -> Any:
        return value | {"id": lead} if isinstance(value, dict) and value.get("id") == "LEAD" else value

    outcome = await add(api, module, **{name: named(value) for name, value in row.items()})
    assert outcome["code"] == code
    assert crm.records(module) == []


async def test_related_lists_have_pages_and_need_fields(crm: Zoho, api: Any, lead: str) -> None:
    notes = [
        crm.desk.create("Notes", {"Note_Title": str(at), "Parent_Id": lead, "$se_module": "Leads"})
        for at in range(3)
    ]
    path = f"/Leads/{lead}/Notes"
    first = await api.do("GET", f"{path}?fields=Note_Title&per_page=2")
    second = await api.do("GET", f"{path}?fields=Note_Title&per_page=2&page=2")
    assert [page["info"]["more_records"] for page in (first, second)] == [True, False]
    assert [row["id"] for row in first["data"] + second["data"]] == notes[::-1]
    assert await api.refused("GET", path) == (400, "REQUIRED_PARAM_MISSING")
    assert await api.refused("GET", "/Leads/12/Notes?fields=id") == (400, "INVALID_DATA")
    assert await api.refused("GET", f"/Leads/{lead}/Deals?fields=id") == (404, "INVALID_URL_PATTERN")
    later = {"If-Modified-Since": "2100-01-01T00:00:00+00:00"}
    assert (await api.ask("GET", f"{path}?fields=id", headers=later)).status_code == 304
    crm.desk.delete("Notes", notes[0])
    assert len(await related(api, path)) == 2


async def test_people_join_campaigns_from_either_side(
    crm: Zoho, api: Any, lead: str, contact: str, campaign: str
) -> None:
    body = {"data": [{"id": campaign, "Member_Status": "Active"}, {"id": "12"}]}
    answer = await api.ask("PUT", f"/Leads/{lead}/Campaigns", body)
    joined, refused = answer.json()["data"]
    assert (answer.status_code, joined["message"], joined["details"]) == (
        207,
        "relation added",
        {"id": campaign},
    )
    assert refused["code"] == "INVALID_DATA"
    await api.do("PUT", f"/Campaigns/{campaign}/Contacts", {"data": [{"id": contact}]})
    [member] = await related(api, f"/Campaigns/{campaign}/Leads", "Last_Name")
    assert (member["id"], member["Last_Name"], member["Member_Status"]) == (lead, "Kot", "Active")
    assert [row["id"] for row in await related(api, f"/Campaigns/{campaign}/Contacts")] == [contact]
    assert [row["id"] for row in await related(api, f"/Contacts/{contact}/Campaigns")] == [campaign]
    [left] = (await api.do("DELETE", f"/Leads/{lead}/Campaigns/{campaign}"))["data"]
    assert left["message"] == "relation removed"
    assert await related(api, f"/Campaigns/{campaign}/Leads") == []
    again = await api.ask("DELETE", f"/Leads/{lead}/Campaigns?ids={campaign}")
    assert again.status_code == 400
    crm.desk.leave(campaign, contact)
    assert await related(api, f"/Contacts/{contact}/Campaigns") == []


async def test_converted_leads_are_no_members_any_more(crm: Zoho, api: Any, lead: str, campaign: str) -> None:
    crm.desk.join(campaign, "Leads", lead)
    contact = crm.desk.convert(lead)
    assert await related(api, f"/Campaigns/{campaign}/Leads") == []
    assert [row["id"] for row in await related(api, f"/Campaigns/{campaign}/Contacts")] == [contact]


async def test_tags_are_added_kept_overwritten_and_removed(crm: Zoho, api: Any, lead: str) -> None:
    async def tags(action: str, *names: str, **how: Any) -> list[str]:
        body = {"tags": [{"name": name} for name in names], "ids": [lead], **how}
        [row] = (await api.do("POST", f"/Leads/actions/{action}", body))["data"]
        return [tag["name"] for tag in row["details"]["tags"]]

    assert await tags("add_tags", "one", "two") == ["one", "two"]
    assert await tags("add_tags", "two", "three") == ["one", "two", "three"]
    assert await tags("remove_tags", "one") == ["two", "three"]
    assert await tags("add_tags", "four", over_write=True) == ["four"]
    known = (await api.do("GET", "/settings/tags?module=Leads"))["tags"]
    assert {tag["name"] for tag in known} == {"one", "two", "three", "four"}
    [record] = (await api.do("GET", "/Leads?fields=Tag"))["data"]
    assert [tag["name"] for tag in record["Tag"]] == ["four"]


async def test_tags_have_limits_and_an_outcome_for_each_record(crm: Zoho, api: Any, lead: str) -> None:
    path = "/Leads/actions/add_tags"
    locked = crm.desk.create("Leads", {"Last_Name": "Locked"})
    crm.desk.lock("Leads", locked)
    body = {"tags": [{"name": "x"}], "ids": [lead, "12", locked]}
    answer = await api.ask("POST", path, body)
    page = answer.json()
    assert (answer.status_code, page["success_count"], page["locked_count"]) == (207, "1", "1")
    assert [row["code"] for row in page["data"]] == ["SUCCESS", "INVALID_DATA", "RECORD_LOCKED"]
    long = {"tags": [{"name": "x" * 26}], "ids": [lead]}
    assert await api.refused("POST", path, long) == (400, "INVALID_DATA")
    many = {"tags": [{"name": f"tag {at}"} for at in range(10)], "ids": [lead]}
    [refused] = (await api.ask("POST", path, many)).json()["data"]
    assert refused["code"] == "LIMIT_EXCEEDED"
    assert await api.refused("POST", path, body | {"ids": ["1"] * 501}) == (400, "LIMIT_EXCEEDED")
    [one] = (await api.do("POST", f"/Leads/{lead}/actions/remove_tags", {"tags": [{"name": "x"}]}))["data"]
    assert one["details"] == {"id": lead, "tags": []}
