"""Parts of the Zoho adapter on the simulator, each with a client that has signed in by a grant token."""

import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.changes import BULK_ABOVE
from connector_zoho.client import ZohoClient
from connector_zoho.metadata import Metadata
from connector_zoho.organisations import Organisations
from connector_zoho.reading import Reading
from connector_zoho.settings import ZohoConnection
from connector_zoho.writing import Writing
from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import NewPerson, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.stores.tokens import Tokens
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.messages import Record
from leadbus.security.secrets import SecretBox
from leadbus.storage.mongo import Client
from leadbus.storage.mongo import connect as connect_to
from sandbox.servers import MongoDB
from sandbox.zoho import Zoho

_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""


def transport() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(verify=_TLS)


@dataclass(slots=True)
class Keeper:
    """A durable place for a sign-in's tokens, for as long as a test; anew: see `TokenKeeper`."""

    anew: bool = False
    kept: str | None = None

    async def get(self) -> str | None:
        return self.kept

    async def put(self, token: str) -> None:
        self.kept = token

    def alone(self) -> contextlib.AbstractAsyncContextManager[None]:
        return contextlib.nullcontext()


@dataclass(slots=True)
class Calls:
    """What a client told of its calls: operation, outcome, traces."""

    seen: list[tuple[str, str, list[bytes]]] = field(default_factory=list)

    def __call__(self, operation: str, seconds: float, outcome: str, traces: Any = ()) -> None:
        assert seconds >= 0
        self.seen.append((operation, outcome, list(traces)))

    def of(self, operation: str) -> list[str]:
        return [outcome for name, outcome, _ in self.seen if name == operation]

    def traces(self, operation: str) -> list[list[bytes]]:
        return [traces for name, _, traces in self.seen if name == operation]


@pytest.fixture
async def crm() -> AsyncIterator[Zoho]:
    server = Zoho(call_seconds=0.01)
    await server.start()
    yield server
    await server.stop()


class Everywhere(httpx.AsyncBaseTransport):
    """All of Zoho's hosts are the simulator; hosts: who was called."""

    def __init__(self, crm_url: str) -> None:
        self._to = httpx.URL(crm_url)
        self._inner = transport()
        self.hosts: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(str(request.url.copy_with(path="/", query=None)))
        request.url = request.url.copy_with(scheme="http", host=self._to.host, port=self._to.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
def everywhere(crm: Zoho) -> Everywhere:
    return Everywhere(crm.url)


@pytest.fixture
def connect(crm: Zoho) -> Callable[..., ZohoConnection]:
    """Settings of a connection to the simulator; keywords are further ones."""

    def settings(**more: Any) -> ZohoConnection:
        access = {
            "user": "api@example.test",
            "organisation": "20000000001",
            "data_centre": crm.url,
            "client_id": "1000.LEADBUS",
            "client_secret": "secret",
            "grant_token": crm.grant(),
        }
        known = {"connection_id": "one", "tenant_id": "acme", "lead_source": "Leadbus", "access": access}
        return ZohoConnection.model_validate(known | more)

    return settings


@pytest.fixture
def connection(connect: Callable[..., ZohoConnection]) -> ZohoConnection:
    return connect(score_field="Score", time_zone="Europe/Warsaw")


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def client(connection: ZohoConnection, calls: Calls) -> AsyncIterator[ZohoClient]:
    opened = ZohoClient(connection, Keeper(), Organisations(), calls, transport())
    yield opened
    await opened.close()


@pytest.fixture
def writing(client: ZohoClient, connection: ZohoConnection) -> Writing:
    return Writing(client, connection, Metadata(client))


@pytest.fixture
def person() -> Callable[..., NewPerson]:
    """A new person; keywords are its fields by the CRM's names."""

    def make(email: str, *, kind: PersonKind = "lead", **values: str) -> NewPerson:
        trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01".encode()
        return NewPerson(
            str(uuid4()), kind, email, {"Last_Name": "Unknown"} | values, "Leadbus", traceparent=trace
        )

    return make


@pytest.fixture
def stored(crm: Zoho) -> Callable[..., dict[str, dict[str, Any]]]:
    """What the CRM really holds of a module, by id; deleted rows too."""

    def rows(module: str = "Leads") -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in crm.records(module)}

    return rows


@pytest.fixture
def lead() -> Callable[[str], Record]:
    return lambda key: Record(module="Leads", id=key)


@pytest.fixture
async def read_with(
    client: ZohoClient, connect: Callable[..., ZohoConnection]
) -> AsyncIterator[Callable[..., Reading]]:
    """Opens readings that have nothing in common; keywords are settings of the connection."""
    opened: list[Reading] = []

    def one(bulk_above: int = BULK_ABOVE, **settings: Any) -> Reading:
        connection = connect(**settings)
        opened.append(Reading(client, connection, FieldMap.of(connection, CAPABILITIES), bulk_above))
        return opened[-1]

    yield one
    for reading in opened:
        reading.close()


@pytest.fixture
def reading(read_with: Callable[..., Reading]) -> Reading:
    return read_with()


@pytest.fixture
def everything() -> Callable[..., Awaitable[list[Row]]]:
    """All rows of a kind, page by page, from a token on or from the beginning."""

    async def walk(
        reading: Reading, kind: Kind, since: datetime | None = None, token: str | None = None
    ) -> list[Row]:
        page = await reading.changed(kind, since, token)
        rows = [*page.rows]
        while page.next is not None:
            page = await reading.changed(kind, since, page.next)
            rows += page.rows
        return rows

    return walk


@pytest.fixture
def settings(crm: Zoho) -> Callable[..., ZohoConnection]:
    """Of a connection to the simulator; keywords are parts of its access."""

    def make(**access: Any) -> ZohoConnection:
        known = {
            "user": "api@example.test",
            "organisation": "20000000001",
            "data_centre": crm.url,
            "client_id": "1000.LEADBUS",
            "client_secret": "secret",
        }
        return ZohoConnection.model_validate(
            {"connection_id": "one", "tenant_id": "acme", "access": known | access}
        )

    return make


@dataclass
class Pods:
    """Processes of the connector on one database: each finds what another has kept."""

    client: Client
    database: str
    opened: list[ZohoClient] = field(default_factory=list)

    def connection(self, settings: ZohoConnection) -> Connection:
        health = Health(HealthState.WELL, "", datetime.now(UTC))
        return Connection(settings, settings.organisation_id, on=True, revision=1, health=health)

    def keeper(self, settings: ZohoConnection, *, anew: bool = False) -> TokenKeeper:
        tokens = Tokens(self.client, self.database, "connector-zoho", SecretBox(_KEY))
        return (tokens.anew if anew else tokens.of)(self.connection(settings))

    def pod(self, settings: ZohoConnection, *, anew: bool = False) -> ZohoClient:
        keeper = self.keeper(settings, anew=anew)
        client = ZohoClient(settings, keeper, Organisations(), transport=transport())
        self.opened.append(client)
        return client

    async def ask(self, client: ZohoClient) -> int:
        return (await client.call("GET Leads", "GET", "/Leads", params={"fields": "Email"})).status


@pytest.fixture
async def pods(mongodb: MongoDB) -> AsyncIterator[Pods]:
    client = connect_to(mongodb.url, app_name="tests")
    found = Pods(client, f"zoho_{uuid4().hex}")
    yield found
    for opened in found.opened:
        await opened.close()
    await client.drop_database(found.database)
    await client.close()
