"""Parts of the Dynamics adapter on the simulator: over Dynamics 365's Web API and over SOAP of CRM 2011."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from connector_dynamics.client import Organisation
from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from connector_dynamics.verbs import Verbs
from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.connector.contract import NewPerson, Page, Row
from sandbox.certificates import self_signed
from sandbox.dynamics import Dynamics

ONLINE, ON_PREMISES = "9.2", "2011"


@dataclass(slots=True)
class Opened:
    """An adapter's parts, and the organisation below them."""

    organisation: Organisation
    verbs: Verbs


@pytest.fixture(params=[ONLINE, ON_PREMISES], ids=["web_api", "soap"])
def version(request: pytest.FixtureRequest) -> str:
    """Of the CRM; a test that one family is enough for names its own."""
    return str(request.param)


@pytest.fixture
async def crm(version: str) -> AsyncIterator[Dynamics]:
    server = Dynamics(version=version)
    server.desk.add_option("contact", "leadsourcecode", "Leadbus")
    server.desk.add_attribute("lead", "new_Score", "integer")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def connect(crm: Dynamics) -> Callable[..., DynamicsConnection]:
    """Settings of a connection to the simulator; keywords are further ones."""

    def settings(**more: Any) -> DynamicsConnection:
        chosen = crm.site.settings
        access: dict[str, Any] = {"url": crm.organisation_url}
        if chosen.online:
            access |= {"tenant": chosen.tenant, "client_id": chosen.client_id, "client_secret": "secret"}
            access |= {"login_url": crm.url}
        else:
            access |= {"user": chosen.user, "password": "secret", "domain": chosen.domain}
        known = {"connection_id": "one", "tenant_id": "acme", "lead_source": "Leadbus", "access": access}
        return DynamicsConnection.model_validate(known | more)

    return settings


@pytest.fixture
async def open_with(
    connect: Callable[..., DynamicsConnection],
) -> AsyncIterator[Callable[..., Awaitable[Opened]]]:
    """Opens adapters that have nothing in common; keywords are settings of the connection."""
    opened: list[Probing] = []

    async def one(**settings: Any) -> Opened:
        connection = connect(**settings)
        opened.append(Probing(connection, Organisations()))
        organisation = await opened[-1].open()
        return Opened(organisation, Verbs.of(organisation, connection))

    yield one
    for probing in opened:
        await probing.close()


@pytest.fixture
async def opened(open_with: Callable[..., Awaitable[Opened]]) -> Opened:
    return await open_with(score_field="new_score", time_zone="Europe/Warsaw")


@pytest.fixture
def verbs(opened: Opened) -> Verbs:
    return opened.verbs


@pytest.fixture
def person() -> Callable[..., NewPerson]:
    """A new person; keywords are its fields by the CRM's names."""

    def make(email: str, *, kind: PersonKind = "lead", **values: str) -> NewPerson:
        trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01".encode()
        given = {"lastname": "Unknown"} | values
        return NewPerson(str(uuid4()), kind, email, given, "Leadbus", traceparent=trace)

    return make


@pytest.fixture
def stored(crm: Dynamics) -> Callable[..., dict[str, dict[str, Any]]]:
    """What the CRM really holds of an entity, by id; deleted rows too."""

    def rows(entity: str = "lead") -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in crm.records(entity)}

    return rows


@pytest.fixture
def walk() -> Callable[..., Awaitable[tuple[list[Row], Page[Row]]]]:
    """All rows of a kind, page by page, and the last page."""

    async def pages(
        verbs: Verbs, kind: Kind, since: datetime | None = None, mark: str | None = None
    ) -> tuple[list[Row], Page[Row]]:
        page = await verbs.reading.changed(kind, since, None, mark)
        rows = [*page.rows]
        while page.next is not None:
            page = await verbs.reading.changed(kind, since, page.next, mark)
            rows += page.rows
        return rows, page

    return pages


@pytest.fixture
def ids() -> Callable[[Sequence[Row]], set[str]]:
    return lambda rows: {row.record.id for row in rows}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Signed by itself; with its key."""
    return self_signed(tmp_path_factory.mktemp("certificate"))
