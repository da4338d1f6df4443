"""The API of the reading side, and the commands that ask it; every answer is the tenant's own."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import Refused, ServiceAway
from leadbus.cli.main import app as cli
from leadbus.connector.api.ownership import Ownership
from leadbus.connector.api.reading_routes import reading_routes
from leadbus.connector.campaigning.campaign import Campaign
from leadbus.connector.contract import CampaignThere
from leadbus.connector.delivering.parts import Parked
from leadbus.connector.pulling.hinting import HintingHandler
from leadbus.consuming.records import Effects, Received
from leadbus.messages import CampaignFacts, CrmNotification, Record
from leadbus.problems import install
from leadbus.security.api_keys import Scope, Verified
from leadbus.security.callers import Authenticator
from leadbus.server import HttpServer

ANN = "ann@example.com"


@dataclass
class Connections:
    """One connection."""

    connection: object

    async def get(self, name):
        return self.connection if name == self.connection.id else None

    async def of_tenants(self, tenants):
        return [self.connection] if self.connection.settings.tenant_id in tenants else []


class Keys:
    """`<tenant>.<scope>` is a key of the tenant."""

    async def verify(self, key, *, anew=False):
        tenant, _, scope = key.partition(".")
        return Verified(key, tenant, frozenset({Scope(scope)})) if scope else None


@asynccontextmanager
async def served(reading):
    async def adapter_for(connection):
        return reading.crm

    api = FastAPI()
    install(api)
    ownership = Ownership(Authenticator(Keys(), "operator"), Connections(reading.connection))
    api.include_router(reading_routes(ownership=ownership, shop=reading.shop, adapter_for=adapter_for))
    server = HttpServer(api, "127.0.0.1", 0)
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


@pytest.fixture
async def ask(reading):
    async with served(reading) as url, httpx.AsyncClient(base_url=url) as client:

        async def ask(method, path, expect=200, caller="operator", **request):
            headers = {"authorization": f"Bearer {caller}"}
            answer = await client.request(method, path, headers=headers, **request)
            assert answer.status_code == expect, answer.text
            return answer.json()

        yield ask


@pytest.fixture
async def run(reading, monkeypatch):
    async with served(reading) as url:
        monkeypatch.setenv("LEADBUS_CONNECTOR_SCRIPTED_URL", url)
        monkeypatch.setenv("LEADBUS_OPERATOR_TOKEN", "operator")
        monkeypatch.setattr("leadbus.cli.asking.services", lambda prefix: ["connector-scripted"])

        async def run(*arguments, code=0):
            result = await asyncio.to_thread(CliRunner().invoke, cli(), arguments)
            assert result.exit_code == code, result.output + str(result.exception)
            return result.output

        yield run


async def test_sync_now_reads_what_is_asked_for_and_progress_tells_how_far(reading, ask):
    reading.crm.person("lead", "l1", ANN)
    reading.crm.person("lead", "l2", None)
    body = {"kinds": ["lead"], "full": True}
    answer = await ask("POST", "/v1/connections/one/sync", 202, json=body)
    assert answer == {"connection_id": "one", "kinds": ["lead"], "full": True, "fields": "all"}
    before = {p["kind"]: p for p in (await ask("GET", "/v1/connections/one/pulls"))["pulls"]}
    assert (before["lead"]["asked"], before["contact"]["asked"]) == (True, False)
    await reading.turns()
    after = {p["kind"]: p for p in (await ask("GET", "/v1/connections/one/pulls"))["pulls"]}["lead"]
    assert (after["asked"], after["read"], after["skipped"]) == (False, 2, 1)


async def test_the_error_report_is_shown_by_object_and_a_row_is_sent_again(reading, ask):
    reading.crm.put("account", "a1", name="Acme")
    reading.crm.person("lead", "l1", None)
    await reading.sync()
    shown = (await ask("GET", "/v1/connections/one/errors"))["errors"]
    assert {row["object"] for row in shown} == {"account", "lead"}
    (row,) = (await ask("GET", "/v1/connections/one/errors", params={"object": "account"}))["errors"]
    assert row["url"] == "http://127.0.0.1/Accounts/a1"
    assert row["record"] == {"module": "Accounts", "id": "a1"}
    path = "/v1/connections/one/errors/send-again"
    await ask("POST", path, 404, json={"ids": ["record:Accounts/other"]})
    assert (await ask("POST", path, 202, json={"ids": [row["id"]]}))["sent_again"] == 1
    assert (await ask("POST", path, 202, json={"ids": "all"}))["sent_again"] == 2
    await reading.turns()
    assert sorted(reading.crm.reads) == ["a1", "l1"]


async def test_a_prospects_crm_side_is_one_model(reading, ask):
    reading.crm.put("user", "u1", name="Sally", email="sally@example.com")
    reading.crm.put("account", "a1", name="Acme", owner_id="u1")
    reading.crm.person(
        "contact", "c1", ANN, phone="1", owner_id="u1", account_id="a1", opted_out=True, status="Warm"
    )
    reading.crm.put("opportunity", "o1", name="Big", contact_ids=("c1",), stage="New", amount="5")
    reading.crm.put("activity", "t1", type="meeting", subject="Visit", about=("c1",))
    reading.crm.put("list", "x", name="Newsletter")
    reading.crm.on_list["x"] = ["c1"]
    await reading.sync()
    path = f"/v1/prospects/{reading.prospect(ANN)}/crm"
    (side,) = (await ask("GET", path, params={"tenant_id": "acme"}))["connections"]
    (record,) = side["records"]
    assert record["owner"] == {"name": "Sally", "email": "sally@example.com", "active": True}
    assert (record["fields"], record["status"], record["opted_out"]) == ({"phone": "1"}, "Warm", True)
    assert record["account"]["name"] == "Acme"
    assert [(o["name"], o["stage"], o["amount"]) for o in side["opportunities"]] == [("Big", "New", "5")]
    assert [(a["name"], a["type"]) for a in side["activities"]] == [("Visit", "meeting")]
    assert [one["name"] for one in side["lists"]] == ["Newsletter"]
    reading.crm.put("contact", "c1", deleted=True)
    await reading.sync("contact")
    assert (await ask("GET", path, params={"tenant_id": "acme"}))["connections"] == []


async def test_another_tenants_connection_does_not_exist_and_reading_is_not_administering(reading, ask):
    for method, path in (("GET", "errors"), ("GET", "pulls"), ("GET", "campaigns")):
        await ask(method, f"/v1/connections/one/{path}", 404, "other.read")
        await ask(method, f"/v1/connections/one/{path}", 200, "acme.read")
    await ask("POST", "/v1/connections/one/sync", 403, "acme.read", json={})
    await ask("POST", "/v1/connections/one/sync", 404, "other.administer", json={})
    await ask("POST", "/v1/connections/one/sync", 422, json={"kinds": ["house"]})
    path = f"/v1/prospects/{reading.prospect(ANN)}/crm"
    assert (await ask("GET", path, caller="other.read"))["connections"] == []


async def test_the_commands_show_the_same_to_a_person(reading, run):
    reading.crm.put("account", "a1", name="Acme")
    reading.crm.person("contact", "c1", ANN, account_id="a1")
    assert "Reading everything of one: account, contact" in await run(
        "connections", "sync", "one", "--full", "--kind", "account", "--kind", "contact"
    )
    await reading.turns()
    assert "account" in await run("connections", "progress", "one")
    root, dependent, summary = (await run("errors", "one")).splitlines()
    assert root.startswith("account (in)  http://127.0.0.1/Accounts/a1  owner  The account has no user")
    assert dependent.startswith("  contact (in, notice)  http://127.0.0.1/Contacts/c1  account  Its account")
    assert summary == "2 rows, 1 to be corrected."
    assert "Nothing is wrong" in await run("errors", "one", "--object", "lead")
    assert "1 row of one is tried again." in await run("errors", "one", "--send-again", root.split()[-1])
    assert "2 rows of one are tried again." in await run("errors", "one", "--send-again", "all")
    reading.crm.put("contact", "c1", deleted=True)
    await reading.sync("contact")
    assert (await run("errors", "one")).splitlines()[-1] == "1 row, 1 to be corrected."


async def test_campaigns_are_shown_with_where_they_stand_and_what_is_wrong(reading, run):
    campaigns, connection = reading.shop.campaigns, reading.connection
    there = CampaignThere(Record(module="Campaigns", id="k1"))
    async with reading.client.start_session() as session:
        for name in ("Fair", "Show", "Untold"):
            facts = CampaignFacts(campaign_id=name.lower(), name=name, sync=name != "Untold")
            told = Campaign("acme", name.lower(), facts, datetime.now(UTC), name)
            await campaigns.keep([told], session)
    await campaigns.mark_due([(connection, "fair"), (connection, "show")])
    links = await campaigns.links("one")
    known = await campaigns.of_tenant("acme")
    links["fair"].there = there
    links["fair"].is_told(known["fair"], "name")
    refused = Parked("The name is not allowed.", datetime.now(UTC), field="name", object="campaign")
    links["show"].is_refused(known["show"], "name", refused)
    await campaigns.settle(list(links.values()))
    shown = await run("connections", "campaigns", "one")
    assert "http://127.0.0.1/Campaigns/k1" in shown
    assert "The name is not allowed." in shown
    assert "Untold" not in shown
    assert "leadbus connections set one campaigns=name" in shown
    row, _ = (await run("errors", "one", "--object", "campaign")).splitlines()
    assert row.startswith("campaign (out)  no record yet  name  Campaign Show: The name is not allowed.")
    assert "1 row of one is tried again." in await run("errors", "one", "--send-again", row.split()[-1])


async def test_a_connector_that_is_away_hides_nothing_of_the_others(run, monkeypatch):
    there = ["connector-gone", "connector-scripted"]
    monkeypatch.setattr("leadbus.cli.asking.services", lambda prefix: there)
    monkeypatch.setenv("LEADBUS_CONNECTOR_GONE_URL", "http://127.0.0.1:1")
    assert "Nothing is wrong" in await run("errors", "one")
    with pytest.raises(Refused, match=r"no connection of this name.*connector-gone does not answer"):
        await asyncio.to_thread(ask_connector, "GET", "two/errors")
    there.pop()
    with pytest.raises(ServiceAway, match="connector-gone does not answer"):
        await asyncio.to_thread(ask_connector, "GET", "one/errors")


async def test_a_push_asks_for_the_records_it_names_and_for_those_of_its_own_tenant_alone(reading):
    class Inner:
        async def handle(self, batch):
            assert batch == []
            return Effects()

    async def adapter_for(connection):
        return reading.crm

    reading.crm.person("lead", "l1", ANN)
    handler = HintingHandler(
        Inner(),
        connections=Connections(reading.connection),
        asked=reading.shop.asked,
        watches=reading.shop.watches,
        adapter_for=adapter_for,
    )

    def push(tenant):
        at = reading.crm.clock
        message = CrmNotification(
            event_id="e",
            tenant_id=tenant,
            occurred_at=at,
            connection_id="one",
            body=b"l1 unknown",
            received_at=at,
        )
        return Received("crm.notifications", 0, 1, 0, message)

    foreign = await handler.handle([push("other")])
    assert await reading.shop.watches.last_heard("one") is None
    own = await handler.handle([push("acme"), push("acme")])
    async with reading.client.start_session() as session:
        for effects in (foreign, own):
            await session.with_transaction(effects.write)
    (told,) = await reading.turns()
    assert told.email == ANN
    assert reading.crm.reads == ["l1"]
    assert await reading.shop.watches.last_heard("one") is not None


async def test_a_push_that_an_adapter_breaks_on_holds_nothing_up(reading):
    class Inner:
        async def handle(self, batch):
            return Effects()

    class Breaking:
        def interpret(self, body, content_type):
            raise KeyError(body)

        async def close(self):
            """Nothing is open."""

    async def adapter_for(connection):
        return Breaking()

    asked = reading.shop.asked
    handler = HintingHandler(
        Inner(),
        connections=Connections(reading.connection),
        asked=asked,
        watches=reading.shop.watches,
        adapter_for=adapter_for,
    )
    at = reading.crm.clock
    envelope = {"event_id": "e", "tenant_id": "acme", "occurred_at": at, "received_at": at}
    push = CrmNotification(connection_id="one", body=b"odd", **envelope)
    await handler.handle([Received("crm.notifications", 0, 1, 0, push)])
    assert await asked.of_connection("one") == []
