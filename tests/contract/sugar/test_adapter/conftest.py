"""SugarCRM adapters on the simulator, over each service of the older family."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import pytest

from connector_sugar.connector import SugarAdapter
from connector_sugar.legacy import LegacySite
from connector_sugar.settings import SugarConnection
from leadbus.connector.capabilities import PersonKind
from leadbus.connector.contract import NewPerson
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.site import Protocols


@dataclass(frozen=True, slots=True)
class Speaking:
    """What an adapter speaks to the simulator."""

    name: str
    encoding: Literal["soap", "rest"]
    version: str

    @property
    def protocols(self) -> Protocols:
        """The one that is served."""
        only = (self.version,)
        return Protocols(soap=only, legacy=()) if self.encoding == "soap" else Protocols((), only)

    def operation(self, name: str) -> str:
        """As the simulator counts it."""
        return f"legacy {name}" if self.encoding == "rest" else name


SOAP = Speaking("SOAP v4_1", "soap", "v4_1")
SOAP_V2 = Speaking("SOAP v2", "soap", "v2")
REST = Speaking("REST v4_1", "rest", "v4_1")


@dataclass(slots=True)
class Calls:
    """What an adapter told of its calls: operation, outcome, traces."""

    seen: list[tuple[str, str, list[bytes]]] = field(default_factory=list)

    def __call__(self, operation: str, seconds: float, outcome: str, traces: Any = ()) -> None:
        assert seconds >= 0
        self.seen.append((operation, outcome, list(traces)))

    def of(self, operation: str) -> list[str]:
        return [outcome for name, outcome, _ in self.seen if name == operation]


Open = Callable[..., SugarAdapter]


@pytest.fixture(params=[SOAP, SOAP_V2, REST], ids=lambda speaking: speaking.name)
def speaking(request: pytest.FixtureRequest) -> Speaking:
    found: Speaking = request.param
    return found


@pytest.fixture
def options(speaking: Speaking) -> dict[str, Any]:
    """What a simulator is started with."""
    return {"protocols": speaking.protocols}


@pytest.fixture
async def crm(start_crm: Any, options: dict[str, Any]) -> AsyncIterator[SugarCRM]:
    async with start_crm(**options) as server:
        yield server


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def counted(crm: SugarCRM, speaking: Speaking) -> Callable[[str], int]:
    """How often the simulator was asked for an operation."""
    return lambda name: crm.calls[speaking.operation(name)]


@pytest.fixture
async def open_adapter(calls: Calls, speaking: Speaking) -> AsyncIterator[Open]:
    """Opens adapters; keywords are timeouts, and settings of the connection."""
    opened: list[SugarAdapter] = []

    def open_one(
        url: str, *, user: str = "admin", read_timeout: float = 5.0, **settings: Any
    ) -> SugarAdapter:
        access = {"url": url, "user": user, "password": "admin"}
        known = SugarConnection.model_validate(
            {"connection_id": "one", "tenant_id": "acme", "access": access, **settings}
        )

        async def site() -> LegacySite:
            return LegacySite(known.access, speaking.encoding, on_call=calls, read_timeout=read_timeout)

        opened.append(SugarAdapter(known, site))
        return opened[-1]

    yield open_one
    for adapter in opened:
        await adapter.close()


@pytest.fixture
def adapter(crm: SugarCRM, open_adapter: Open) -> SugarAdapter:
    return open_adapter(crm.url, score_field="lead_score_c")


@pytest.fixture
def person() -> Callable[..., NewPerson]:
    """A new person; keywords are its fields by the CRM's names."""

    def make(email: str, *, kind: PersonKind = "lead", **values: str) -> NewPerson:
        trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01".encode()
        known = {"last_name": "Unknown"} | ({"account_name": "Unknown"} if kind == "lead" else {}) | values
        return NewPerson(str(uuid4()), kind, email, known, "Leadbus", traceparent=trace)

    return make


@pytest.fixture
def stored(crm: SugarCRM) -> Callable[[str], dict[str, dict[str, Any]]]:
    """What the CRM really holds of a module, by id."""

    def rows(module: str = "Leads") -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in desk.records(crm.store, module)}

    return rows


@pytest.fixture
def lead() -> Callable[[str], Record]:
    return lambda key: Record(module="Leads", id=key)
