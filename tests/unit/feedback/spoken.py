"""Messages about one distribution."""

from datetime import UTC, datetime, timedelta
from typing import Any

from leadbus.ids import prospect_id
from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    DeliveryReported,
    Fields,
    LeadAnswered,
    LeadDistributed,
    LeadStatusChanged,
    OpportunityChanged,
    ProspectMessage,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
EMAIL = "ada@example.com"
ORIGINS = [{"supplier_id": "chipworks", "distribution_id": "lead-1"}]


def said(kind: type[ProspectMessage], event_id: str, minute: float = 0, /, **facts: Any) -> ProspectMessage:
    at = NOON + timedelta(minutes=minute)
    who = {"tenant_id": "acme", "prospect_id": prospect_id("acme", email=EMAIL)}
    times = {"occurred_at": at, "received_at": at}
    return kind.model_validate({"event_id": event_id, **who, **times, **facts})


def distributed(event_id: str = "d", minute: float = 0, **fields: Any) -> ProspectMessage:
    names = {"supplier_id": "chipworks", "distribution_id": "lead-1", "email": EMAIL}
    return said(LeadDistributed, event_id, minute, supplier_name="Chip Works", fields=fields, **names)


def answered(answer: str, event_id: str, minute: float = 0, by: str = "crm") -> ProspectMessage:
    return said(LeadAnswered, event_id, minute, answer=answer, by=by, **ORIGINS[0])


def came_back(
    kind: type[ProspectMessage], event_id: str, minute: float = 0, /, **facts: Any
) -> ProspectMessage:
    return said(
        kind, event_id, minute, **{**_FACTS[kind], "connection_id": "c1", "origins": ORIGINS, **facts}
    )


def changed(event_id: str, minute: float = 0, /, **fields: Any) -> ProspectMessage:
    """A person some of whose fields were changed in a CRM."""
    flat = Fields.model_validate(fields).flat()
    return came_back(ContactChanged, event_id, minute, fields=fields, changed_fields=[*flat])


_RECORD = {"record": {"module": "Leads", "id": "1"}}
_FACTS: dict[type[ProspectMessage], dict[str, Any]] = {
    DeliveryReported: {"outcome": "created", **_RECORD},
    LeadStatusChanged: {"status": "Assigned", **_RECORD},
    OpportunityChanged: {"name": "Chips", "record": {"module": "Opportunities", "id": "7"}},
    CrmActivityChanged: {"type": "call", "subject": "Ring her", "record": {"module": "Calls", "id": "8"}},
    ContactChanged: {"kind": "lead", "state": "prospect", **_RECORD},
}
