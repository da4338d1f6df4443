"""Signing in with a browser: whoever has the state ends it, once, in time, for one connection as it stood."""

import asyncio
import base64
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

import connector_sugar.service
from connector_sugar.connector import SugarAdapter
from connector_sugar.settings import ConnectorSugarSettings, SugarConnection
from leadbus.cli.main import app
from leadbus.connector.connection import Health, HealthState
from leadbus.connector.contract import Finding
from leadbus.connector.service import connector_service
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.tokens import Tokens
from leadbus.errors import AuthRefused, Transient
from leadbus.security.api_keys import MongoApiKeys, Scope, make_key
from leadbus.security.secrets import SecretBox
from leadbus.storage.mongo import connect

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
SCRIPT = "<script>alert(1)</script>"
CODE = "a code that nobody else may see"
NAME = "connector-sugar"


@dataclass
class OneCode:
    """A vendor who lets in whoever comes with the code. asked: every answer, and where it came back to."""

    asked: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def page(self, connection, state, redirect_uri):
        query = httpx.QueryParams(state=state, redirect_uri=redirect_uri)
        return f"https://accounts.example.com/auth?{query}"

    async def finish(self, connection, answer, redirect_uri, tokens, transport):
        self.asked.append((dict(answer), redirect_uri))
        code = answer.get("code")
        if code == "no answer":
            raise Transient("The CRM did not answer in time.")
        if code == "bad":
            raise AuthRefused("The CRM does not know this code.")
        if code != CODE:
            return [Finding(False, f"Bob {SCRIPT} is another user.", "Settings name ann.", "Sign in as ann.")]
        async with tokens.alone():
            await tokens.put(f"token of {connection.id}")
        return [Finding(True, f"Signed in as ann {SCRIPT} to the organisation Acme.")]


@dataclass
class Running:
    """The service, its vendor, what it stores, and API keys."""

    service: object
    vendor: OneCode
    database: object
    connections: Connections
    tokens: Tokens
    keys: dict[str, str]

    def client(self, key="acme"):
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        return httpx.AsyncClient(base_url=self.service.url, headers=headers, timeout=20)

    async def connection(self, tenant="acme"):
        """A connection that is off; its name."""
        name = f"own-{uuid4().hex[:6]}"
        access = {"url": "http://127.0.0.1:9/crm", "user": f"user-{name}", "password": "p"}
        async with self.client(tenant) as client:
            answer = await client.put(f"/v1/connections/{name}", json={"access": access})
        assert answer.status_code == 200
        return name

    async def begun(self, name, tenant="acme"):
        """The state of a sign-in that was begun."""
        async with self.client(tenant) as client:
            answer = await client.post(f"/v1/connections/{name}/sign-in")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        return state_of(answer.json()["url"])

    async def back(self, **query):
        """What a browser shows that the CRM sends back."""
        async with self.client(None) as browser:
            return await browser.get("/v1/sign-in", params=query)

    async def kept(self, name):
        return await self.tokens.of(await self.connections.get(name)).get()

    async def health(self, name):
        return (await self.connections.get(name)).health.state


@pytest.fixture(scope="module")
async def running(kafka, mongodb):
    name = f"connector-{uuid4().hex[:8]}"
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": name,
        "LEADBUS_TOPIC_PREFIX": f"{name}.",
        "LEADBUS_SECRET_KEY": KEY,
        "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
    }
    client = connect(mongodb.url, app_name="connector tests")
    keys = {}
    for who, tenant, scopes in (
        ("acme", "acme", {Scope.READ, Scope.ADMINISTER}),
        ("reader", "acme", {Scope.READ}),
        ("other", "other", {Scope.READ, Scope.ADMINISTER}),
    ):
        key, keys[who] = make_key(tenant, scopes)
        await MongoApiKeys(client[name]).add(key)

    async def never():
        raise Transient("No test calls the CRM.")

    vendor, box = OneCode(), SecretBox(KEY)
    service = connector_service(
        environ,
        crm="sugar",
        settings=ConnectorSugarSettings.of(environ),
        port=0,
        kind=SugarConnection,
        adapter=lambda connection, observer, transport, tokens: SugarAdapter(connection.settings, never),
        sign_in=vendor,
        public_url="https://leadbus.example.com/zoho/",
    )
    await service.start()
    connections = Connections(client, name, NAME, SugarConnection, box)
    yield Running(service, vendor, client[name], connections, Tokens(client, name, NAME, box), keys)
    await service.stop()
    await client.drop_database(name)
    await client.close()


def state_of(url):
    return parse_qs(urlsplit(url).query)["state"][0]


async def test_a_person_signs_in_and_reads_who_they_are_and_what_comes_next(running):
    name = await running.connection()
    page = await running.back(state=await running.begun(name), code=CODE, location="eu")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Leadbus is signed in to your CRM" in page.text
    assert "Signed in as ann" in page.text
    assert f"leadbus connections test {name}" in page.text
    assert f"leadbus connections on {name}" in page.text
    assert await running.kept(name) == f"token of {name}"
    answer, came_back_to = running.vendor.asked[-1]
    assert answer == {"code": CODE, "location": "eu"}
    assert came_back_to == "https://leadbus.example.com/zoho/v1/sign-in"


async def test_a_state_ends_its_own_connections_sign_in_alone(running):
    mine, theirs = await running.connection(), await running.connection("other")
    states = [await running.begun(mine), await running.begun(theirs, "other")]
    assert states[0] != states[1]
    assert (await running.back(state=states[1], code=CODE)).status_code == 200
    assert [await running.kept(mine), await running.kept(theirs)] == [None, f"token of {theirs}"]


async def test_a_state_serves_once_however_many_come_with_it_at_a_time(running):
    state = await running.begun(await running.connection())
    before = len(running.vendor.asked)
    pages = await asyncio.gather(*(running.back(state=state, code=CODE) for _ in range(5)))
    assert sorted(page.status_code for page in pages) == [200, 400, 400, 400, 400]
    assert len(running.vendor.asked) == before + 1


async def test_a_sign_in_that_failed_used_its_state_up(running):
    name = await running.connection()
    state = await running.begun(name)
    assert (await running.back(state=state, code="wrong")).status_code == 409
    assert (await running.back(state=state, code=CODE)).status_code == 400
    assert await running.kept(name) is None


async def test_a_state_is_good_for_ten_minutes_and_then_forgotten(running):
    name = await running.connection()
    state = await running.begun(name)
    rows = running.database[f"{NAME}.sign_ins"]
    (row,) = [row async for row in rows.find({"connection_id": name})]
    left = row["until"] - datetime.now(UTC)
    assert timedelta(minutes=9, seconds=30) < left <= timedelta(minutes=10, seconds=1)
    indexes = await rows.index_information()
    assert [i["key"] for i in indexes.values() if i.get("expireAfterSeconds") == 0] == [[("until", 1)]]
    just_over = datetime.now(UTC) - timedelta(milliseconds=1)
    await rows.update_one({"_id": row["_id"]}, {"$set": {"until": just_over}})
    assert (await running.back(state=state, code=CODE)).status_code == 400
    assert await running.kept(name) is None


async def test_nobody_who_reads_the_database_can_end_a_sign_in(running):
    name = await running.connection()
    state = await running.begun(name)
    (row,) = [row async for row in running.database[f"{NAME}.sign_ins"].find({"connection_id": name})]
    assert state not in repr(row)
    assert len(base64.urlsafe_b64decode(state + "=")) == 32
    assert (await running.back(state=row["_id"], code=CODE)).status_code == 400


@pytest.mark.parametrize("state", ["", "forged", "A" * 43, "ü$.\0", SCRIPT])
async def test_a_forged_state_is_refused_and_nothing_of_the_address_shown(running, state):
    before = len(running.vendor.asked)
    page = await running.back(state=state, code=SCRIPT, error=SCRIPT)
    assert page.status_code == 400
    assert "This sign-in is over" in page.text
    assert "leadbus connections sign-in" in page.text
    assert "script" not in page.text
    assert len(running.vendor.asked) == before


async def test_without_any_query_it_is_a_page_in_words_too(running):
    page = await running.back()
    assert (page.status_code, "This sign-in is over" in page.text) == (400, True)


@pytest.mark.parametrize("patch", [{"access": {"user": "another"}}, {"lead_source": "Campaign"}])
async def test_settings_that_changed_in_between_end_it_without_a_call_to_the_crm(running, patch):
    name = await running.connection()
    state = await running.begun(name)
    async with running.client() as client:
        assert (await client.patch(f"/v1/connections/{name}", json=patch)).status_code == 200
    before = len(running.vendor.asked)
    page = await running.back(state=state, code=CODE)
    assert (page.status_code, "was changed since" in page.text) == (409, True)
    assert len(running.vendor.asked) == before
    assert await running.kept(name) is None


async def test_who_may_begin_one_is_who_may_administer_the_connection(running):
    name = await running.connection()
    codes = {}
    for key in ("acme", "reader", "other", None):
        async with running.client(key) as client:
            codes[key] = (await client.post(f"/v1/connections/{name}/sign-in")).status_code
    assert codes == {"acme": 200, "reader": 403, "other": 404, None: 401}
    assert await running.database[f"{NAME}.sign_ins"].count_documents({"connection_id": name}) == 1


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("as bob", 409, "is another user. Settings name ann. Sign in as ann."),
        ("bad", 409, "The CRM does not know this code."),
        ("no answer", 502, "The CRM did not answer in time."),
    ],
)
async def test_a_refusal_says_why_and_how_to_try_again(running, code, status, said):
    name = await running.connection()
    page = await running.back(state=await running.begun(name), code=code)
    assert (page.status_code, said in page.text) == (status, True)
    assert "Leadbus is not signed in" in page.text
    assert f"leadbus connections sign-in {name}" in page.text
    assert await running.kept(name) is None


async def test_every_page_is_kept_nowhere_and_runs_nothing(running):
    name = await running.connection()
    pages = [
        await running.back(state=await running.begun(name), code=CODE),
        await running.back(state=await running.begun(name), code="as bob"),
        await running.back(state="forged"),
    ]
    assert [page.status_code for page in pages] == [200, 409, 400]
    assert "&lt;script&gt;" in pages[0].text
    assert "&lt;script&gt;" in pages[1].text
    for page in pages:
        assert SCRIPT not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


async def test_a_sign_in_ends_the_pause_after_refused_credentials(running):
    name = await running.connection()
    refused = Health(HealthState.REFUSED, "The CRM wants somebody to sign in.", datetime.now(UTC))
    await running.connections.report_health(await running.connections.get(name), refused)
    await running.back(state=await running.begun(name), code="as bob")
    assert await running.health(name) is HealthState.REFUSED
    await running.back(state=await running.begun(name), code=CODE)
    assert await running.health(name) is HealthState.WELL


async def test_neither_code_nor_state_is_in_logs_or_metrics(running, caplog):
    caplog.set_level(logging.DEBUG)
    name = await running.connection()
    states = [await running.begun(name) for _ in range(2)]
    await running.back(state=states[0], code=CODE)
    await running.back(state=states[1], code="no answer")
    of_the_browser = ("httpx", "httpcore")
    logged = [r.getMessage() for r in caplog.records if not r.name.startswith(of_the_browser)]
    measured = running.service.telemetry.exposition().decode()
    assert '"/v1/sign-in"' in measured
    for secret in (*states, "a code that", "a+code+that", "a%20code%20that"):
        assert not [line for line in (*logged, measured) if secret in line]


async def test_the_description_lists_it_only_where_the_crm_asks_for_it(running):
    paths = {"/v1/connections/{connection_id}/sign-in", "/v1/sign-in"}
    assert paths <= running.service.api.openapi()["paths"].keys()
    without = connector_sugar.service.build(
        {"LEADBUS_SECRET_KEY": KEY, "MONGODB_URL": "mongodb://127.0.0.1:1/?replicaSet=none"}
    )
    assert not paths & without.api.openapi()["paths"].keys()


async def test_the_command_prints_the_address_to_open(running):
    name = await running.connection()
    environ = {
        "LEADBUS_API_KEY": running.keys["acme"],
        "LEADBUS_OPERATOR_TOKEN": "",
        "LEADBUS_CONNECTOR_SUGAR_URL": running.service.url,
        "LEADBUS_CONNECTOR_ZOHO_URL": "http://127.0.0.1:1",
        "LEADBUS_CONNECTOR_DYNAMICS_URL": "http://127.0.0.1:1",
        "COLUMNS": "40",
    }
    command = ["connections", "sign-in", name]
    unknown = await asyncio.to_thread(CliRunner().invoke, app(), [*command[:2], "no-such"], env=environ)
    assert "There is no connection of this name" in str(unknown.exception)
    result = await asyncio.to_thread(CliRunner().invoke, app(), command, env=environ)
    assert result.exit_code == 0, result.output
    (url,) = [line for line in result.output.splitlines() if line.startswith("https://")]
    assert (await running.back(state=state_of(url), code=CODE)).status_code == 200
    assert await running.kept(name) == f"token of {name}"
