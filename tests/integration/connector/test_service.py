"""The whole service: facts come by Kafka, people by its API and the `leadbus` command."""

import asyncio
import json
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

import connector_sugar.service
import scoring.service
from leadbus.cli.main import app
from leadbus.ids import prospect_id
from leadbus.messages import Fields, LeadDistributed
from leadbus.publishing import KafkaPublisher, Outgoing
from leadbus.security.api_keys import MongoApiKeys, Scope, make_key
from leadbus.storage.mongo import connect
from leadbus.topics import LEADS_DISTRIBUTED
from sandbox.sugar import SugarCRM, desk

OPERATOR = "an operator's token"
PASSWORD = "s3cret of the crm"
MASK = "**********"


@dataclass
class Running:
    """Connector and scoring, a CRM, and keys of two tenants."""

    connector: object
    scoring: object
    crm: SugarCRM
    publisher: KafkaPublisher
    database: object
    keys: dict[str, str]

    def client(self, tenant="acme"):
        headers = {"Authorization": f"Bearer {self.keys[tenant]}"}
        return httpx.AsyncClient(base_url=self.connector.url, headers=headers, timeout=20)

    def settings(self, **others):
        access = {"url": self.crm.url, "user": "leadbus", "password": PASSWORD}
        return {"crm": "sugar", "access": access, "pull_every_seconds": 3600} | others

    async def command(self, *arguments, **environ):
        """Exit code and what was said."""
        known = {
            "LEADBUS_OPERATOR_TOKEN": OPERATOR,
            "LEADBUS_CONNECTOR_SUGAR_URL": self.connector.url,
            "LEADBUS_SCORING_URL": self.scoring.url,
            "COLUMNS": "400",
        }
        result = await asyncio.to_thread(CliRunner().invoke, app(), list(arguments), env=known | environ)
        return result.exit_code, result.output + str(result.exception or "")


@pytest.fixture(scope="module")
async def running(kafka, mongodb):
    name = f"connector-{uuid4().hex[:8]}"
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": name,
        "LEADBUS_TOPIC_PREFIX": f"{name}.",
        "LEADBUS_SECRET_KEY": "A" * 43 + "=",
        "LEADBUS_OPERATOR_TOKEN": OPERATOR,
        "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
        "CONNECTOR_SUGAR_PORT": "0",
        "SCORING_PORT": "0",
    }
    crm, client = SugarCRM(), connect(mongodb.url, app_name="connector tests")
    keys = {}
    for tenant in ("acme", "other"):
        key, keys[tenant] = make_key(tenant, {Scope.READ, Scope.ADMINISTER})
        await MongoApiKeys(client[name]).add(key)
    publisher = KafkaPublisher(kafka.bootstrap_servers, "tests", topic_prefix=f"{name}.")
    services = [connector_sugar.service.build(environ), scoring.service.build(environ)]
    await asyncio.gather(crm.start(), publisher.start(), *(service.start() for service in services))
    desk.add_user(crm.store, "leadbus", PASSWORD, last_name="Leadbus", is_admin=True)
    yield Running(*services, crm, publisher, client[name], keys)
    await asyncio.gather(*(service.stop() for service in services))
    await asyncio.gather(publisher.stop(), crm.stop())
    await client.drop_database(name)
    await client.close()


async def test_a_person_connects_a_crm_and_follows_a_lead_by_the_command(running, tmp_path, until):
    crm, file = running.crm, tmp_path / "acme.yaml"
    settings = running.settings(tenant_id="acme", connection_id="acme-sugar")
    settings["access"]["password"] = "${ACME_PASSWORD}"
    file.write_text(json.dumps(settings))
    code, said = await running.command("connections", "apply", str(file), ACME_PASSWORD=PASSWORD)
    assert (code, "revision 1, is off" in said) == (0, True)
    code, said = await running.command("connections", "test", "acme-sugar")
    assert (code, "does not have the value Leadbus" in said) == (1, True)
    code, said = await running.command("connections", "on", "acme-sugar")
    assert (code, "wrong" in said) == (1, True)
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    code, said = await running.command("connections", "on", "acme-sugar")
    assert (code, "Connection acme-sugar is on." in said) == (0, True)
    code, said = await running.command("connections", "list")
    assert (code, bool(re.search(r"acme-sugar.*acme.*sugar.*on.*50.*well", said))) == (0, True)

    await running.publisher.publish([distribution("ann@example.com")])
    await until(lambda: desk.records(crm.store, "Leads"))
    (lead,) = desk.records(crm.store, "Leads")

    async def journey():
        code, said = await running.command("lead", "Ann@Example.com", "--tenant", "acme")
        return code == 0 and "The CRM holds a record." in said and said

    await until(journey)
    said = await journey()
    hops = [line for line in said.splitlines() if re.search(r"\d\d:\d\d:\d\d", line)]
    assert "received by ingest from globex" in hops[0]
    assert any("A supplier handed the lead over." in hop for hop in hops)
    assert any(f"created Leads/{lead['id']}" in hop for hop in hops)
    assert sum("0af7651916cd43dd8448eb211c80319c" in hop for hop in hops) == 3
    assert f"acme-sugar: Leads/{lead['id']} (linked)" in said

    code, said = await running.command("connections", "off", "acme-sugar")
    assert (code, "is off; leads are kept" in said) == (0, True)
    code, said = await running.command("connections", "off", "no-such")
    assert (code, "There is no connection of this name" in said) == (1, True)
    code, said = await running.command("lead", "nobody@example.com", "--tenant", "acme")
    assert (code, "Nothing is known of this email" in said) == (1, True)


async def test_both_services_tell_a_hop_in_one_shape(running, until):
    await running.publisher.publish([distribution("bob@example.com")])
    path = f"/v1/prospects/{prospect_id('acme', email='bob@example.com')}"
    async with running.client() as client:

        async def known():
            answers = [
                await client.get(service.url + path) for service in (running.connector, running.scoring)
            ]
            if any(answer.status_code != 200 for answer in answers):
                return None
            connector, scored = (answer.json() for answer in answers)
            return connector["deliveries"] and (connector, scored)

        await until(known)
        connector, scored = await known()
    for hop in (connector["deliveries"][0]["history"][0], scored["journey"][0]):
        assert {"at", "what", "trace_id"} <= hop.keys()


async def test_secrets_are_encrypted_at_rest_and_in_no_answer_or_log(running, caplog):
    caplog.set_level(logging.DEBUG)
    async with running.client() as client:
        answers = [
            await client.put("/v1/connections/secret", json=running.settings()),
            await client.get("/v1/connections"),
            await client.post("/v1/connections/secret/test"),
            await client.put("/v1/connections/secret", json=running.settings(threshold="x")),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    assert answers[0].json()["settings"]["access"]["password"] == MASK
    stored = [
        repr(row)
        for collection in await running.database.list_collection_names()
        async for row in running.database[collection].find()
    ]
    shown = [answer.text for answer in answers]
    assert any("secret" in text for text in shown)
    assert not [text for text in (*stored, *shown, caplog.text) if PASSWORD in text]


async def test_a_password_that_comes_back_masked_stays_what_it_is(running):
    settings = running.settings()
    settings["access"]["password"] = MASK
    async with running.client() as client:
        refused = await client.put("/v1/connections/masked", json=settings)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "access.password")
        applied = (await client.put("/v1/connections/masked", json=running.settings())).json()
        shown = applied["settings"]
        again = await client.put("/v1/connections/masked", json=shown | {"lead_source": "Campaign"})
        assert (again.status_code, again.json()["revision"]) == (200, 2)
        tested = (await client.post("/v1/connections/masked/test")).json()
    said = " ".join(finding["what"] for finding in tested["findings"])
    assert "accepts the user name and password" in said
    assert "Campaign" in said


async def test_another_tenants_connection_does_not_exist(running):
    name = f"own-{uuid4().hex[:6]}"
    async with running.client() as own, running.client("other") as other:
        assert (await own.put(f"/v1/connections/{name}", json=running.settings())).status_code == 200
        for verb in ("test", "on", "off"):
            assert (await other.post(f"/v1/connections/{name}/{verb}")).status_code == 404
        assert (await other.put(f"/v1/connections/{name}", json=running.settings())).status_code == 409
        assert name not in (await other.get("/v1/connections")).text
        assert (await other.get("/v1/connections", params={"tenant_id": "acme"})).status_code == 403
        path = f"/v1/prospects/{prospect_id('acme', email='ann@example.com')}"
        assert (await other.get(path)).json()["deliveries"] == []
        assert (await other.get(path, params={"tenant_id": "acme"})).status_code == 403


@pytest.mark.parametrize(
    "body", ['{"tenant_id": "other", %s', '{"tenant_id": "acme", "tenant_id": "other", %s']
)
async def test_a_body_names_no_other_tenant(running, body):
    rest = json.dumps(running.settings())[1:]
    headers = {"Content-Type": "application/json"}
    async with running.client() as client:
        answer = await client.put("/v1/connections/foreign", content=body % rest, headers=headers)
    assert answer.status_code == 403
    assert await running.database["connector-sugar.connections"].find_one({"_id": "foreign"}) is None


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "192.168.7.7", "[::1]"])
async def test_an_address_in_an_internal_network_is_refused(running, host):
    settings = running.settings()
    settings["access"]["url"] = f"http://{host}/crm"
    async with running.client() as client:
        answer = await client.put("/v1/connections/inside", json=settings)
    assert answer.status_code == 422
    assert "internal network" in answer.json()["detail"]
    assert await running.database["connector-sugar.connections"].find_one({"_id": "inside"}) is None


def distribution(email: str) -> Outgoing:
    now = datetime.now(UTC)
    message = LeadDistributed(
        event_id=str(uuid4()),
        tenant_id="acme",
        occurred_at=now,
        received_at=now,
        prospect_id=prospect_id("acme", email=email),
        distribution_id=email,
        supplier_id="globex",
        email=email,
        fields=Fields(last_name="N"),
    )
    return Outgoing.of(LEADS_DISTRIBUTED, message, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
