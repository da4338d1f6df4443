"""Bulk read: jobs and their states, the CSV in its zip, page tokens, and ten downloads a minute."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.zoho import Zoho

READ = "/crm/bulk/v8/read"


def query(module: str = "Leads", *fields: str, **how: Any) -> dict[str, Any]:
    return {
        "query": {"module": {"api_name": module}, "fields": list(fields or ("Last_Name", "Email")), **how}
    }


async def begin(api: Any, body: dict[str, Any]) -> str:
    [row] = (await api.do("POST", READ, body))["data"]
    assert (row["code"], row["details"]["state"]) == ("ADDED_SUCCESSFULLY", "ADDED")
    return str(row["details"]["id"])


async def state(api: Any, job: str) -> dict[str, Any]:
    [row] = (await api.do("GET", f"{READ}/{job}"))["data"]
    return dict(row)


async def rows(api: Any, job: str) -> list[dict[str, str]]:
    answer = await api.ask("GET", f"{READ}/{job}/result")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"{job}.csv"]
        return list(csv.DictReader(io.StringIO(archive.read(f"{job}.csv").decode(), newline="")))


@pytest.fixture
def people(crm: Zoho) -> list[str]:
    given = [
        {"Last_Name": f"Kot {at}", "Email": f"kot{at}@example.test" if at % 2 else None} for at in range(6)
    ]
    return crm.desk.load("Leads", given)


async def test_a_file_has_every_live_record_with_its_id_first(crm: Zoho, api: Any, people: list[str]) -> None:
    crm.desk.delete("Leads", people[0])
    crm.desk.convert(people[1])
    job = await begin(api, query())
    done = await state(api, job)
    assert (done["state"], done["result"]["count"], done["result"]["more_records"]) == ("COMPLETED", 4, False)
    found = await rows(api, job)
    assert list(found[0]) == ["id", "Last_Name", "Email"]
    assert [row["id"] for row in found] == people[2:]
    assert found[0] == {"id": people[2], "Last_Name": "Kot 2", "Email": ""}


async def test_values_are_texts_as_zoho_writes_them(crm: Zoho, api: Any) -> None:
    account = crm.desk.create("Accounts", {"Account_Name": "Kot SA"})
    made = {"Last_Name": 'K "O", T\nLis', "Account_Name": account, "Email_Opt_Out": True}
    contact = crm.desk.create("Contacts", made | {"Date_of_Birth": "1985-04-17"})
    crm.desk.tag("Contacts", contact, "one")
    crm.desk.tag("Contacts", contact, "two")
    asked = (
        "Last_Name",
        "Account_Name",
        "Owner",
        "Email_Opt_Out",
        "Date_of_Birth",
        "Tag",
        "Modified_Time",
        "Fax",
        "Full_Name",
        "Full_Name",
    )
    [row] = await rows(api, await begin(api, query("Contacts", *asked)))
    modified = datetime.fromisoformat(row.pop("Modified_Time"))
    assert abs(modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert row == {
        "id": contact,
        "Last_Name": 'K "O", T\nLis',
        "Account_Name": account,
        "Owner": crm.site.primary.id,
        "Email_Opt_Out": "true",
        "Date_of_Birth": "1985-04-17",
        "Tag": "one,two",
        "Fax": "",
        "Full_Name": 'K "O", T\nLis',
    }


async def test_a_job_takes_its_time(start_zoho: Any, connect_zoho: Any) -> None:
    now = [datetime.now(UTC)]
    async with start_zoho(bulk_seconds=3, clock=lambda: now[0]) as crm, connect_zoho(crm) as api:
        crm.desk.create("Leads", {"Last_Name": "Kot"})
        job = await begin(api, query())
        assert (await state(api, job)).keys() & {"result"} == set()
        assert await api.refused("GET", f"{READ}/{job}/result") == (404, "RESOURCE_NOT_FOUND")
        seen = []
        for _ in range(4):
            seen.append((await state(api, job))["state"])
            now[0] += timedelta(seconds=1)
        assert seen == ["ADDED", "QUEUED", "IN PROGRESS", "COMPLETED"]
        assert len(await rows(api, job)) == 1


async def test_a_file_stays_as_it_was(crm: Zoho, api: Any, people: list[str]) -> None:
    job = await begin(api, query())
    before = await rows(api, job)
    crm.desk.change("Leads", people[0], {"Last_Name": "Other"})
    crm.desk.delete("Leads", people[1])
    assert await rows(api, job) == before


async def test_a_token_goes_on_where_the_job_ended(start_zoho: Any, connect_zoho: Any) -> None:
    async with start_zoho(bulk_rows=2) as crm, connect_zoho(crm) as api:
        made = crm.desk.load("Leads", [{"Last_Name": f"Kot {at}"} for at in range(5)])
        found, how, pages = [], {}, []
        while True:
            job = await begin(api, query(**how))
            found += [row["id"] for row in await rows(api, job)]
            result = (await state(api, job))["result"]
            pages.append((result["page"], result["count"], result["per_page"]))
            assert result["more_records"] is (result["next_page_token"] is not None)
            if not result["more_records"]:
                break
            how = {"page_token": result["next_page_token"]}
        assert (found, pages) == (made, [(1, 2, 2), (2, 2, 2), (3, 1, 2)])
        [last] = await rows(api, await begin(api, query(page=3)))
        assert last["id"] == made[4]


async def test_a_token_is_bound_to_its_query_and_runs_out(start_zoho: Any, connect_zoho: Any) -> None:
    now = [datetime.now(UTC)]
    async with start_zoho(bulk_rows=1, clock=lambda: now[0]) as crm, connect_zoho(crm) as api:
        crm.desk.load("Leads", [{"Last_Name": "One"}, {"Last_Name": "Two"}])
        token = (await state(api, await begin(api, query())))["result"]["next_page_token"]
        alone = {"query": {"module": {"api_name": "Leads"}, "page_token": token}}
        [row] = await rows(api, await begin(api, alone))
        assert row["Last_Name"] == "Two"
        other = query("Leads", "Phone", page_token=token)
        assert await api.refused("POST", READ, other) == (400, "TOKEN_BOUND_DATA_MISMATCH")
        assert await api.refused("POST", READ, query(page_token="x")) == (400, "TOKEN_BOUND_DATA_MISMATCH")
        now[0] += timedelta(hours=24)
        await api.sign_in()
        assert await api.refused("POST", READ, query(page_token=token)) == (400, "EXPIRED_VALUE")


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"comparator": "equal", "field": "Email", "value": "KOT1@example.test"}, [1]),
        ({"comparator": "not_equal", "field": "Email", "value": "${EMPTY}"}, [1, 3, 5]),
        ({"comparator": "equal", "field": "Email", "value": "${EMPTY}"}, [0, 2, 4]),
        ({"comparator": "in", "field": "Last_Name", "value": ["Kot 2", "Kot 4"]}, [2, 4]),
        ({"comparator": "between", "field": "Last_Name", "value": ["Kot 2", "Kot 4"]}, [2, 3, 4]),
        ({"comparator": "starts_with", "field": "Email", "value": "kot3"}, [3]),
        ({"comparator": "contains", "field": "Last_Name", "value": "_"}, []),
        (
            {"comparator": "greater_equal", "field": "Modified_Time", "value": "2020-01-01T00:00:00+00:00"},
            [*range(6)],
        ),
        ({"comparator": "less_than", "field": "Modified_Time", "value": "2020-01-01T00:00:00+00:00"}, []),
    ],
)
async def test_criteria_choose_the_records(
    api: Any, people: list[str], criteria: dict[str, Any], expected: list[int]
) -> None:
    given = criteria | {"field": {"api_name": criteria["field"]}}
    found = await rows(api, await begin(api, query(criteria=given)))
    assert [row["id"] for row in found] == [people[at] for at in expected]


async def test_criteria_come_in_groups(api: Any, people: list[str]) -> None:
    def one(name: str, comparator: str, value: str) -> dict[str, Any]:
        return {"field": {"api_name": name}, "comparator": comparator, "value": value}

    either = {"group_operator": "or", "group": [one("Last_Name", "equal", f"Kot {at}") for at in (1, 2)]}
    both = {"group_operator": "and", "group": [either, one("Email", "not_equal", "${EMPTY}")]}
    [row] = await rows(api, await begin(api, query(criteria=both)))
    assert row["id"] == people[1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID_REQUEST"),
        ({"query": {"module": "Leads"}}, "INVALID_REQUEST"),
        (query(page="first"), "INVALID_REQUEST"),
        (query("Nothing"), "MODULE_NOT_AVAILABLE"),
        (query("Leads", "Nothing"), "FIELD_NOT_AVAILABLE"),
        (
            query(criteria={"field": {"api_name": "Nothing"}, "comparator": "equal", "value": "1"}),
            "FIELD_IN_CRITERIA_NOT_AVAILABLE",
        ),
        (
            query(criteria={"field": {"api_name": "Email"}, "comparator": "like", "value": "1"}),
            "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED",
        ),
        (
            query(criteria={"field": {"api_name": "Modified_Time"}, "comparator": "equal", "value": "now"}),
            "VALUE_TYPE_NOT_SUPPORTED",
        ),
    ],
)
async def test_what_cannot_be_read_is_refused(api: Any, body: dict[str, Any], code: str) -> None:
    assert await api.refused("POST", READ, body) == (400, code)


async def test_a_job_can_fail_and_an_unknown_one_is_none(crm: Zoho, api: Any) -> None:
    crm.desk.fail_bulk()
    job = await begin(api, query())
    failed = await state(api, job)
    assert (failed["state"], failed.get("result")) == ("FAILURE", None)
    assert await api.refused("GET", f"{READ}/{job}/result") == (404, "RESOURCE_NOT_FOUND")
    crm.desk.fail_bulk(fails=False)
    assert (await state(api, await begin(api, query())))["state"] == "COMPLETED"
    assert await api.refused("GET", f"{READ}/12") == (404, "RESOURCE_NOT_FOUND")


async def test_ten_downloads_a_minute_are_enough(start_zoho: Any, connect_zoho: Any) -> None:
    now = [datetime.now(UTC)]
    async with start_zoho(clock=lambda: now[0]) as crm, connect_zoho(crm) as api:
        job = await begin(api, query())
        for _ in range(10):
            assert await rows(api, job) == []
        assert await api.refused("GET", f"{READ}/{job}/result") == (429, "TOO_MANY_REQUESTS")
        now[0] += timedelta(seconds=61)
        assert await rows(api, job) == []


async def test_a_user_without_the_right_reads_nothing(crm: Zoho, api: Any) -> None:
    crm.desk.forbid("Leads", ["view"])
    assert await api.refused("POST", READ, query()) == (403, "NO_PERMISSION")
    assert (await api.ask("POST", READ, query("Contacts"))).status_code == 201
