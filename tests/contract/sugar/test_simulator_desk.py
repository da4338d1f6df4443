"""What people do by hand in the simulator, and what a judge may see, in process and over HTTP."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.store import Store

UNKNOWN = "11111111-2222-3333-4444-555555555555"


async def test_a_judge_sees_when_and_in_which_trace_a_record_was_created(crm: SugarCRM, sugar: Any) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sugar.http.headers["traceparent"] = trace
    key = await sugar.set_entry("Leads", last_name="A", email1="a@example.com")
    async with httpx.AsyncClient(base_url=crm.url) as http:
        [lead] = (await http.get("/_sandbox/records", params={"module": "Leads"})).json()
        calls = (await http.get("/_sandbox/calls")).json()
    assert (lead["id"], lead["email"], lead["deleted"]) == (key, "a@example.com", False)
    assert lead["traceparent"] == trace
    assert datetime.fromisoformat(lead["created"]).tzinfo is not None
    assert len(lead["created"].partition(".")[2]) == len("123+00:00")
    assert calls == {"login": 1, "set_entry": 1}
    assert not {"created", "created_ms", "traceparent"} & set(await sugar.get("Leads", key))


async def test_a_salesperson_changes_a_record(crm: SugarCRM, sugar: Any) -> None:
    lead = await sugar.set_entry("Leads", last_name="One", email1="ann@example.com")
    async with httpx.AsyncClient(base_url=crm.url) as http:
        fields = {"status": "Assigned", "email_opt_out": True, "email1": "new@example.com"}
        change = {"module": "Leads", "id": lead, "fields": fields}
        assert (await http.post("/_sandbox/change", json=change)).status_code == 200
        unknown = await http.post("/_sandbox/change", json={**change, "id": UNKNOWN})
    assert unknown.status_code == 400
    assert await sugar.get("Leads", lead, "status", "email_opt_out", "email1") == {
        "status": "Assigned",
        "email_opt_out": "1",
        "email1": "new@example.com",
    }


async def test_an_opportunity_converts_the_lead_and_uses_its_contact_the_next_time(
    crm: SugarCRM, sugar: Any
) -> None:
    lead = await sugar.set_entry("Leads", first_name="Ann", last_name="One", email1="ann@example.com")
    async with httpx.AsyncClient(base_url=crm.url) as http:
        deal = {"email": "ANN@example.com", "name": "Deal", "stage": "Closed Won", "amount": 1234.5}
        made = (await http.post("/_sandbox/opportunity", json=deal)).json()
        again = (await http.post("/_sandbox/opportunity", json={**deal, "name": "Second"})).json()
    assert (again["contact"], again["account"]) == (made["contact"], made["account"])
    read = await sugar.get("Leads", lead, "status", "converted", "contact_id")
    assert read == {"status": "Converted", "converted": "1", "contact_id": made["contact"]}
    names = await sugar.get("Contacts", made["contact"], "first_name", "last_name", "email1")
    assert names == {"first_name": "Ann", "last_name": "One", "email1": "ANN@example.com"}
    fields = ("name", "sales_stage", "amount", "account_id")
    related = await sugar.service.get_relationships(
        sugar.session,
        "Contacts",
        made["contact"],
        "opportunities",
        "",
        sugar.names(*fields),
        [],
        0,
        "name",
        0,
        0,
    )
    assert [sugar.values(entry) for entry in related["entry_list"]] == [
        {"name": name, "sales_stage": "Closed Won", "amount": "1234.5", "account_id": made["account"]}
        for name in ("Deal", "Second")
    ]


async def test_people_go_on_and_off_target_lists(crm: SugarCRM) -> None:
    target_list = desk.create(crm.store, "ProspectLists", {"name": "Webinar"})
    lead = desk.create(crm.store, "Leads", {"last_name": "A"})

    def members() -> int:
        sql = "SELECT count(*) FROM prospect_lists_prospects WHERE prospect_list_id = ? AND deleted = 0"
        return int(crm.store.value(sql, (target_list,)))

    async with httpx.AsyncClient(base_url=crm.url) as http:
        membership = {"list": target_list, "module": "Leads", "id": lead}
        await http.post("/_sandbox/membership", json=membership)
        assert members() == 1
        await http.post("/_sandbox/membership", json={**membership, "off": True})
    assert members() == 0


async def test_an_administrator_works_over_http_too(crm: SugarCRM) -> None:
    async with httpx.AsyncClient(base_url=f"{crm.url}/_sandbox/desk") as http:
        assert (await http.post("/register_platform", json={"name": "acme"})).json() == {"result": None}
        rows = {"module": "Leads", "rows": [{"last_name": "A"}, {"last_name": "B"}]}
        assert (await http.post("/load", json=rows)).json() == {"result": 2}
        no_edits = {"user": desk.ADMIN, "module": "Leads", "actions": ["edit"]}
        assert (await http.post("/deny", json=no_edits)).status_code == 200
        assert (await http.post("/no_such_call", json={})).status_code == 400
    assert crm.store.value("SELECT name FROM platforms") == "acme"
    assert crm.store.value("SELECT action FROM denials") == "edit"
    assert sorted(row["last_name"] for row in desk.records(crm.store, "Leads")) == ["A", "B"]


def test_a_file_of_an_older_version_gets_what_came_later(tmp_path: Path) -> None:
    path = str(tmp_path / "crm.sqlite")
    store = Store(path)
    lead = desk.create(store, "Leads", {"last_name": "Kept"})
    for statement in (
        "DROP INDEX leads_by_sync_key",
        "ALTER TABLE leads DROP COLUMN sync_key",
        "DROP TABLE meetings",
        "PRAGMA user_version = 1",
    ):
        store.execute(statement)
    store.close()
    store = Store(path)
    desk.create(store, "Meetings", {"name": "New"})
    assert [(row["id"], row["sync_key"]) for row in desk.records(store, "Leads")] == [(lead, None)]
    store.close()


async def test_as_a_process_it_keeps_its_records_and_takes_faults_over_http(tmp_path: Path) -> None:
    database = str(tmp_path / "crm.sqlite")
    async with process(database) as url, httpx.AsyncClient(base_url=url) as http:
        lead = {"module": "Leads", "fields": {"last_name": "Kept"}}
        made = (await http.post("/_sandbox/create", json=lead)).json()
        assert (await http.post("/_sandbox/faults", json={"kind": "nonsense"})).status_code == 400
        fault = {"kind": "html_instead_of_xml", "operation": "login"}
        assert (await http.post("/_sandbox/faults", json=fault)).json() == {"rules": 1}
        assert (await login(http)).headers["content-type"].startswith("text/html")
        assert (await http.delete("/_sandbox/faults")).json() == {"rules": 0}
        assert (await login(http)).headers["content-type"].startswith("text/xml")
    async with process(database) as url, httpx.AsyncClient(base_url=url) as http:
        [kept] = (await http.get("/_sandbox/records")).json()
    assert (kept["id"], kept["last_name"]) == (made["id"], "Kept")


async def login(http: httpx.AsyncClient) -> httpx.Response:
    space = "http://schemas.xmlsoap.org/soap/envelope/"
    body = f'<e:Envelope xmlns:e="{space}"><e:Body><login><user_auth/></login></e:Body></e:Envelope>'
    return await http.post("/service/v4_1/soap.php", content=body, headers={"content-type": "text/xml"})


@contextlib.asynccontextmanager
async def process(database: str) -> AsyncIterator[str]:
    crm = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.sugar",
        "--database",
        database,
        "--speaks",
        "sugar-7",
        stdout=asyncio.subprocess.PIPE,
    )
    assert crm.stdout is not None
    try:
        yield (await crm.stdout.readline()).decode().strip()
    finally:
        crm.terminate()
        await crm.wait()
