"""Mails on a real MongoDB and a real SMTP server; the whole service is in `test_service.py`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.connector import SugarAdapter
from connector_sugar.legacy.site import LegacySite
from connector_sugar.settings import SugarConnection
from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.connection import Connection, Health, HealthState, Revision
from leadbus.connector.mailing.choices import Choices
from leadbus.connector.mailing.links import Links as MailLinks
from leadbus.connector.mailing.mail import Mail, mails
from leadbus.connector.mailing.refusals import Refusals
from leadbus.connector.mailing.sender import Sender
from leadbus.connector.mailing.smtp import MailServer as SmtpServer
from leadbus.connector.mailing.spool import Spool
from leadbus.connector.mailing.standing import Standings
from leadbus.connector.mailing.told import Told
from leadbus.connector.mailing.watching import Watch
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import Mirror
from leadbus.publishing import KafkaPublisher
from leadbus.security.secrets import SecretBox
from leadbus.storage.mongo import Client, connect
from leadbus.telemetry import Telemetry
from sandbox.mail import MailServer
from sandbox.servers import MongoDB

KEY = "A" * 43 + "="
NAME = "connector-sugar"
FROM = "Leadbus <leadbus@example.com>"
BASE = "https://leadbus.example.com/sugar"


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as started:
        yield started


@dataclass
class Post:
    """What one pod has for mails, in a database of the test's own."""

    client: Client
    database: str
    server: MailServer
    telemetry: Telemetry

    def __post_init__(self) -> None:
        client, name = self.client, self.database
        self.connections = Connections(client, name, NAME, SugarConnection, SecretBox(KEY))
        self.deliveries, self.links = Deliveries(client, name, NAME), Links(client, name, NAME)
        self.shop = PullShop.of(
            client,
            name,
            NAME,
            mirror=Mirror(client, name, NAME),
            links=self.links,
            deliveries=self.deliveries,
            publisher=KafkaPublisher("127.0.0.1:1", NAME),  # nothing is published here
            telemetry=self.telemetry,
        )
        self.spool, self.choices, self.told = (kind(client, name, NAME) for kind in (Spool, Choices, Told))
        self.mail_links = MailLinks(SecretBox(KEY, "links in mails"), lambda: BASE)
        self.standings = Standings(self.connections, self.deliveries, self.links, self.adapter)
        self.refusals = Refusals(ErrorReport(self.shop), self.deliveries, self.adapter)
        self.watch = Watch(self.connections, self.spool, self.told, self.refusals.of_day)
        self.sender = self.new_sender()

    def new_sender(self, url: str = "") -> Sender:
        """Another pod's; url: of another mail server."""
        smtp = SmtpServer.of(url or self.server.url, FROM)
        assert smtp is not None
        parts = (self.spool, self.choices, self.mail_links, self.standings.of, self.telemetry)
        return Sender(smtp, *parts)

    async def adapter(self, connection: Connection) -> SugarAdapter:
        settings = SugarConnection.model_validate(connection.settings)

        async def site() -> LegacySite:
            return LegacySite(settings.access, "soap")

        return SugarAdapter(settings, site)

    async def connection(self, name: str = "acme-sugar", *, on: bool = True, **settings: Any) -> Connection:
        """A stored one, in the first revision."""
        access = {"url": "https://crm.example.com", "user": "u", "password": "p"}
        values = {"connection_id": name, "tenant_id": "acme", "access": access} | settings
        known = SugarConnection.model_validate(values)
        health = Health(HealthState.WELL, "", datetime.now(UTC))
        made = Connection(known, known.organisation_id, on, 1, health)
        await self.connections.save(made, Revision(1, datetime.now(UTC), "operator", "created"))
        return made

    async def fares(self, connection: Connection, state: HealthState, since: datetime) -> None:
        """How its workers find it."""
        await self.connections.report_health(connection, Health(state, "The CRM says no.", since))

    async def say(self, connection: Connection, *to: str, letter: str = "active") -> list[Mail]:
        """Something to these recipients, each time something else."""
        made = mails(connection, to, letter, {"at": "1 Nov 10:00", "reason": "It is so."}, uuid4().hex)
        await self.spool.put(made)
        return made

    async def after(self, passed: timedelta) -> None:
        """Time passes for all mails that wait."""
        documents = self.client[self.database][f"{NAME}.mails"]
        earlier = {
            name: {"$subtract": [f"${name}", passed.total_seconds() * 1000]} for name in ("due", "made")
        }
        await documents.update_many({"due": {"$exists": True}}, [{"$set": earlier}])

    async def stored(self, mail: Mail) -> dict[str, Any]:
        found = await self.client[self.database][f"{NAME}.mails"].find_one({"_id": mail.id})
        assert found is not None
        return found

    async def waiting(self) -> list[dict[str, Any]]:
        return await self.client[self.database][f"{NAME}.mails"].find({"due": {"$exists": True}}).to_list()

    def counted(self, kind: str, outcome: str) -> float:
        """Of the metric."""
        lines = self.telemetry.exposition().decode().splitlines()
        wanted = [f'leadbus_mail="{kind}"', f'leadbus_outcome="{outcome}"']
        rows = [r for r in lines if r.startswith("leadbus_mails_") and all(w in r for w in wanted)]
        return sum(float(row.rsplit(" ", 1)[1]) for row in rows)


@pytest.fixture(scope="module")
async def database(mongodb: MongoDB) -> AsyncIterator[tuple[Client, str]]:
    """With all indexes; making them takes longer than any test does."""
    client, name = connect(mongodb.url, app_name="mailing tests"), f"mailing-{uuid4().hex[:8]}"
    made = Post(client, name, MailServer(), Telemetry(NAME, {"OTEL_SDK_DISABLED": "true"}))
    for stores in (made.connections, made.deliveries, made.links, made.shop.mirror, made.spool):
        await stores.prepare()
    yield client, name
    await client.drop_database(name)
    await client.close()


@pytest.fixture
async def post(database: tuple[Client, str], server: MailServer) -> AsyncIterator[Post]:
    client, name = database
    made = Post(client, name, server, Telemetry(NAME, {}))
    yield made
    made.telemetry.shutdown()
    for collection in await client[name].list_collection_names():
        await client[name][collection].delete_many({})


Condition = Callable[[], Any] | Callable[[], Awaitable[Any]]


async def until(condition: Condition, within: float = 60.0) -> Any:
    """What it answers, once that is true."""
    async with asyncio.timeout(within):
        while True:
            met = condition()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return met
            await asyncio.sleep(0.02)


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[Any]]:
    return until
