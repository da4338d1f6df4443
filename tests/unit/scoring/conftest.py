"""Records of one prospect, and its turn, built in a line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from leadbus.consuming.records import Received
from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.messages import (
    ConnectionChanged,
    ContactChanged,
    DeliveryReported,
    Fields,
    LeadDistributed,
    MarketingEvent,
    OpportunityChanged,
    ProspectMessage,
    Record,
)
from scoring.prospect import Key, Prospect
from scoring.rules import DEFAULT_RULES, Rules
from scoring.turn import Turn

START = 1_790_000_000_000
EMAIL = "ada@example.com"
PROSPECT = prospect_id("acme", email=EMAIL)


@dataclass
class Scene:
    """Builds records of one prospect; `at` is the broker's time in seconds after START."""

    start: int = START
    offset: int = 0
    connections: tuple[ConnectionChanged, ...] = ()
    rules: Rules = DEFAULT_RULES
    key: Key = field(default_factory=lambda: Key("acme", PROSPECT))

    def event(self, event_id: str, type_: str = "web_view", at: float = 0, **facts: Any) -> Received:
        time = datetime.fromtimestamp(self.start / 1000 + at, UTC)
        facts = {"email": EMAIL, "occurred_at": time} | facts
        if isinstance(facts.get("fields"), dict):
            facts["fields"] = Fields.from_flat(facts["fields"])
        message = MarketingEvent(
            event_id=event_id, type=EventType(type_), received_at=time, **self._names(), **facts
        )
        return self._received("marketing.events", message, at)

    def distribution(self, distribution_id: str, supplier_id: str = "supplier-1", at: float = 0) -> Received:
        time = datetime.fromtimestamp(self.start / 1000 + at, UTC)
        message = LeadDistributed(
            event_id=f"event of {distribution_id}",
            occurred_at=time,
            received_at=time,
            distribution_id=distribution_id,
            supplier_id=supplier_id,
            email=EMAIL,
            **self._names(),
        )
        return self._received("leads.distributed", message, at)

    def delivery(
        self, outcome: str, record_id: str | None = "1", connection_id: str = "c1", kind: str | None = None
    ) -> Received:
        message = DeliveryReported(
            event_id=f"{outcome} {record_id}",
            occurred_at=datetime.fromtimestamp(self.start / 1000, UTC),
            connection_id=connection_id,
            outcome=outcome,  # type: ignore[arg-type]
            record=Record(module="Leads", id=record_id) if record_id else None,
            kind=kind,  # type: ignore[arg-type]
            **self._names(),
        )
        return self._received("crm.deliveries", message, 0)

    def contact(self, record_id: str = "1", kind: str = "contact", at: float = 0, **facts: Any) -> Received:
        """at: also the CRM's time."""
        names = self._of_crm("Contacts", record_id, f"{kind} {record_id} at {at} {sorted(facts)}", at)
        state = "client" if kind == "contact" else "prospect"
        message = ContactChanged(**{"email": EMAIL, "kind": kind, "state": state} | names | facts)
        return self._received("crm.contacts", message, at)

    def opportunity(self, record_id: str = "o-1", at: float = 0, **facts: Any) -> Received:
        """at: also the CRM's time."""
        names = self._of_crm("Opportunities", record_id, f"{record_id} at {at} {sorted(facts)}", at)
        message = OpportunityChanged(**{"name": "200 engines"} | names | facts)
        return self._received("crm.opportunities", message, at)

    def connection(self, connection_id: str = "c1", **settings: Any) -> ConnectionChanged:
        values: dict[str, Any] = {
            "event_id": f"{connection_id} changed",
            "tenant_id": "acme",
            "occurred_at": datetime.fromtimestamp(self.start / 1000, UTC),
            "connection_id": connection_id,
            "crm": "sugar",
            "revision": 1,
            "on": True,
            "marketing_automation": True,
            "lead_distribution": True,
            "threshold": 50,
        }
        return ConnectionChanged(**values | settings)

    def turn(self, records: Sequence[Received], prospect: Prospect | None = None) -> Turn:
        """One batch's turn of the prospect, finished."""
        turn = Turn(prospect or Prospect(self.key, 0), self.rules, self.connections)
        for received in records:
            turn.apply(received)
        turn.finish()
        return turn

    def turns(self, batches: Sequence[Sequence[Received]]) -> Prospect:
        """The prospect after several batches."""
        prospect = Prospect(self.key, 0)
        for batch in batches:
            self.turn(batch, prospect)
        return prospect

    def _of_crm(self, module: str, record_id: str, event_id: str, at: float) -> dict[str, Any]:
        return self._names() | {
            "event_id": event_id,
            "occurred_at": datetime.fromtimestamp(self.start / 1000 + at, UTC),
            "connection_id": "c1",
            "record": Record(module=module, id=record_id),
        }

    def _names(self) -> dict[str, Any]:
        return {"tenant_id": self.key.tenant_id, "prospect_id": self.key.prospect_id}

    def _received(self, topic: str, message: ProspectMessage, at: float) -> Received:
        self.offset += 1
        return Received(topic, 0, self.offset, self.start + int(at * 1000), message)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="session")
def new_scene() -> type[Scene]:
    """For property tests, which need one for each example."""
    return Scene
