"""SugarCRM adapters on the simulator of this folder's `crm`."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.connector import SugarAdapter
from connector_sugar.settings import SugarConnection
from leadbus.connector.contract import Kind, NewPerson
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk


@dataclass(slots=True)
class Calls:
    """What an adapter told of its calls: operation, outcome, traces."""

    seen: list[tuple[str, str, list[bytes]]] = field(default_factory=list)

    def __call__(self, operation: str, seconds: float, outcome: str, traces: Any) -> None:
        assert seconds >= 0
        self.seen.append((operation, outcome, list(traces)))

    def of(self, operation: str) -> list[str]:
        return [outcome for name, outcome, _ in self.seen if name == operation]


Open = Callable[..., SugarAdapter]


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def open_adapter(calls: Calls) -> AsyncIterator[Open]:
    """Opens adapters; keywords are timeouts, and settings of the connection."""
    opened: list[SugarAdapter] = []

    def open_one(
        url: str, *, user: str = "admin", read_timeout: float = 5.0, **settings: Any
    ) -> SugarAdapter:
        access = {"url": url, "user": user, "password": "admin"}
        connection = {"connection_id": "one", "tenant_id": "acme", "access": access, **settings}
        adapter = SugarAdapter(
            SugarConnection.model_validate(connection), on_call=calls, read_timeout=read_timeout
        )
        opened.append(adapter)
        return adapter

    yield open_one
    for adapter in opened:
        await adapter.close()


@pytest.fixture
def adapter(crm: SugarCRM, open_adapter: Open) -> SugarAdapter:
    return open_adapter(crm.url, score_field="lead_score_c")


@pytest.fixture
def person() -> Callable[..., NewPerson]:
    """A new person; keywords are its fields."""

    def make(email: str, *, kind: Kind = "lead", score: int | None = None, **values: str) -> NewPerson:
        trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01".encode()
        known = {"last_name": "Unknown", "company": "Unknown"} | values
        return NewPerson(str(uuid4()), kind, email, known, "Leadbus", score, trace)

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
