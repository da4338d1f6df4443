"""Two tenants with one user of one Sugar 14: the CRM keeps one session, and the service lives with that."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

import connector_sugar.service
from leadbus.ids import prospect_id
from leadbus.messages import Fields, LeadDistributed
from leadbus.publishing import KafkaPublisher, Outgoing
from leadbus.security.api_keys import MongoApiKeys, Scope, make_key
from leadbus.storage.mongo import connect
from leadbus.topics import LEADS_DISTRIBUTED
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.rest.oauth import OAuth
from sandbox.sugar.site import SUGAR_14

TENANTS = ("acme", "other")
KINDS = ("lead", "contact", "target", "account", "user", "opportunity", "activity", "list")
OFTEN = {kind: {"every_seconds": 1} for kind in KINDS}
PASSWORD = "s3cret of the crm"


@pytest.fixture
async def crm() -> AsyncIterator[SugarCRM]:
    crm = SugarCRM(protocols=SUGAR_14)
    await crm.start()
    desk.register_platform(crm.store, "leadbus")
    desk.add_user(crm.store, "leadbus", PASSWORD, last_name="Leadbus", is_admin=True)
    for module in ("Leads", "Contacts"):
        desk.add_option(crm.store, module, "lead_source", "Leadbus")
    yield crm
    await crm.stop()


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The users who signed in with their password."""
    seen: list[str] = []
    answer = OAuth.token

    def noted(self, given):
        if given["grant_type"] == "password":
            seen.append(given["username"])
        return answer(self, given)

    monkeypatch.setattr(OAuth, "token", noted)
    return seen


def distribution(tenant: str, email: str) -> Outgoing:
    now = datetime.now(UTC)
    message = LeadDistributed(
        event_id=str(uuid4()),
        tenant_id=tenant,
        occurred_at=now,
        received_at=now,
        prospect_id=prospect_id(tenant, email=email),
        distribution_id=email,
        supplier_id="globex",
        email=email,
        fields=Fields(last_name="N"),
    )
    return Outgoing.of(LEADS_DISTRIBUTED, message)


async def test_two_tenants_with_one_user_end_no_session_of_each_other(
    kafka, mongodb, crm, passwords, until, caplog
):
    name = f"connector-{uuid4().hex[:8]}"
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": name,
        "LEADBUS_TOPIC_PREFIX": f"{name}.",
        "LEADBUS_SECRET_KEY": "A" * 43 + "=",
        "LEADBUS_OPERATOR_TOKEN": "an operator's token",
        "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
        "CONNECTOR_SUGAR_PORT": "0",
    }
    client = connect(mongodb.url, app_name="connector tests")
    keys = {}
    for tenant in TENANTS:
        key, keys[tenant] = make_key(tenant, {Scope.READ, Scope.ADMINISTER})
        await MongoApiKeys(client[name]).add(key)
    publisher = KafkaPublisher(kafka.bootstrap_servers, "tests", topic_prefix=f"{name}.")
    service = connector_sugar.service.build(environ)
    await asyncio.gather(publisher.start(), service.start())

    async def ask(tenant: str, method: str, path: str, **how):
        headers = {"Authorization": f"Bearer {keys[tenant]}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=20) as http:
            answer = await http.request(method, f"/v1/connections/{tenant}-sugar{path}", **how)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def deliver(turn: str) -> None:
        emails = [(tenant, f"{turn}-{at}-{tenant}@example.com") for at in range(20) for tenant in TENANTS]
        await publisher.publish([distribution(tenant, email) for tenant, email in emails])

        def there() -> bool:
            found = {row["email"] for row in desk.records(crm.store, "Leads")}
            return {email for _, email in emails} <= found

        await until(there)

    def troubles() -> list[str]:
        """How a connection fared worse than well, for however short a time."""
        return [record.message for record in caplog.records if ": trouble " in record.message]

    caplog.set_level(logging.INFO)
    try:
        access = {"url": crm.url, "user": "leadbus", "password": PASSWORD}
        for tenant in TENANTS:
            await ask(tenant, "PUT", "", json={"crm": "sugar", "access": access, "schedules": OFTEN})
            assert (await ask(tenant, "POST", "/on"))["connection"]["on"]
        assert len(passwords) == len(TENANTS), "each was tested"
        await deliver("first")
        assert not troubles()
        assert len(passwords) == len(TENANTS)

        await asyncio.gather(deliver("second"), ask("acme", "POST", "/test"))
        assert not troubles()
        assert len(passwords) == len(TENANTS) + 1

        await service.stop()
        service = connector_sugar.service.build(environ)
        await service.start()
        await deliver("third")
        assert not troubles()
        assert len(passwords) == len(TENANTS) + 1
    finally:
        await asyncio.gather(service.stop(), publisher.stop())
        await client.drop_database(name)
        await client.close()
