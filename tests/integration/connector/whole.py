"""Connector and scoring as they run, over a CRM, for whoever calls them by HTTP or by the command."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx
from typer.testing import CliRunner

import connector_sugar.service
import scoring.service
from leadbus.cli.main import app
from leadbus.publishing import KafkaPublisher
from leadbus.security.api_keys import MongoApiKeys, Scope, make_key
from leadbus.storage.mongo import connect
from sandbox.sugar import SugarCRM, desk

OPERATOR = "an operator's token"
PASSWORD = "s3cret of the crm"
AWAY = "http://127.0.0.1:1"
KINDS = ("lead", "contact", "target", "account", "user", "opportunity", "activity", "list")
SELDOM = {kind: {"every_seconds": 86_400} for kind in KINDS}


@dataclass
class Running:
    """Connector and scoring, a CRM, and keys of two tenants."""

    connector: object
    scoring: object
    crm: SugarCRM
    publisher: KafkaPublisher
    database: object
    keys: dict[str, str]
    environ: dict[str, str]

    def client(self, tenant="acme"):
        headers = {"Authorization": f"Bearer {self.keys[tenant]}"}
        return httpx.AsyncClient(base_url=self.connector.url, headers=headers, timeout=20)

    def settings(self, **others):
        access = {"url": self.crm.url, "user": "leadbus", "password": PASSWORD}
        return {"crm": "sugar", "access": access, "schedules": SELDOM} | others

    async def command(self, *arguments, **environ):
        """Exit code and what was said."""
        known = {
            "LEADBUS_OPERATOR_TOKEN": OPERATOR,
            "LEADBUS_CONNECTOR_SUGAR_URL": self.connector.url,
            **{f"LEADBUS_{name}_URL": AWAY for name in ("CONNECTOR_ZOHO", "CONNECTOR_DYNAMICS", "FEEDBACK")},
            "LEADBUS_SCORING_URL": self.scoring.url,
            "COLUMNS": "400",
        }
        result = await asyncio.to_thread(CliRunner().invoke, app(), list(arguments), env=known | environ)
        return result.exit_code, result.output + str(result.exception or "")


@asynccontextmanager
async def installed(kafka, mongodb):
    """All of it, ready."""
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
    key, keys["reader"] = make_key("acme", {Scope.READ})
    await MongoApiKeys(client[name]).add(key)
    publisher = KafkaPublisher(kafka.bootstrap_servers, "tests", topic_prefix=f"{name}.")
    services = [connector_sugar.service.build(environ), scoring.service.build(environ)]
    await asyncio.gather(crm.start(), publisher.start(), *(service.start() for service in services))
    desk.register_platform(crm.store, "leadbus")
    desk.add_user(crm.store, "leadbus", PASSWORD, last_name="Leadbus", is_admin=True)
    yield Running(*services, crm, publisher, client[name], keys, environ)
    await asyncio.gather(*(service.stop() for service in services))
    await asyncio.gather(publisher.stop(), crm.stop())
    await client.drop_database(name)
    await client.close()
