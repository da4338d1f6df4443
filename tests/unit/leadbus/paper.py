"""A CRM on paper, and facts of minutes after noon: what plans are tested with."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from leadbus.connector.capabilities import Capabilities
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import Person
from leadbus.connector.delivering import plan
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.plan_fields import Present
from leadbus.connector.mapping import FieldMap
from leadbus.connector.settings import ConnectionSettings
from leadbus.messages import (
    Activity,
    Fields,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    ProspectUpdated,
    Record,
    Subscription,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RECORD = Record(module="Leads", id="r1")
NAMES = {"first_name": "First", "last_name": "Last", "phone": "Phone", "company": "Company"}
CRM = Capabilities(
    crm="paper",
    modules={"lead": ("Leads",), "contact": ("Contacts",), "account": ("Accounts",)},
    fields={"lead": NAMES, "contact": {name: NAMES[name] for name in NAMES if name != "company"}},
    required={"lead": frozenset({"email", "last_name", "company"}), "contact": frozenset({"last_name"})},
    new_lead_status="New",
    rows_per_write=10,
    rows_per_read=10,
    concurrent_calls=1,
    own_ids=True,
)


class PaperConnection(ConnectionSettings):
    @property
    def organisation_id(self) -> str:
        return "org"

    @property
    def address(self) -> str:
        return "https://paper.example"


def connection(**settings: Any) -> Connection:
    values = {"connection_id": "acme-paper", "tenant_id": "acme", "access": {}} | settings
    health = Health(HealthState.WELL, "", NOON)
    return Connection(PaperConnection.model_validate(values), "org", True, 1, health)


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def common(event_id: str, at: int) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "tenant_id": "acme",
        "occurred_at": minute(at),
        "prospect_id": "p1",
        "email": "ann@example.com",
    }


def distributed(at: int = 0, **fields: str) -> LeadDistributed:
    return LeadDistributed(
        **common("d1", at),
        received_at=minute(at),
        distribution_id="d1",
        supplier_id="globex",
        fields=Fields(**fields),
    )


def qualified(at: int = 0, *activities: Activity, **fields: str) -> LeadQualified:
    return LeadQualified(
        **common("q1", at),
        version=1,
        score=51,
        millipoints=51_000,
        connection_id="acme-paper",
        threshold=50,
        fields=Fields(**fields),
        activities=list(activities),
    )


def later(*activities: Activity, version: int = 2, **fields: str) -> LeadActivities:
    return LeadActivities(
        **common(f"a{version}", version),
        version=version,
        score=51,
        millipoints=51_000,
        connections=["acme-paper"],
        fields=Fields(**fields),
        activities=list(activities),
    )


def updated(event_id: str, at: int, **facts: Any) -> ProspectUpdated:
    return ProspectUpdated(**(common(event_id, at) | facts), received_at=minute(at))


def word(at: int, status: str, *, explicit: bool = False) -> ProspectUpdated:
    said = Subscription(status=status, at=minute(at), source="form", explicit=explicit)
    return updated(f"w{at}", at, subscription=said)


def delivery(*facts: Any) -> Delivery:
    made = Delivery(connection_id="acme-paper", organisation_id="org", tenant_id="acme", prospect_id="p1")
    for fact in facts:
        made.merge(fact, None, fact.occurred_at)
    return made


def person(**how: Any) -> Person:
    given = {"record": RECORD, "email": "ann@example.com", "changed_at": minute(0), "opted_out": False}
    return Person(**(given | how))


def rule(name: str, of_rule: str | None, **how: str) -> dict[str, Any]:
    return {"field": name, "crm_field": NAMES[name], "rule": of_rule, **how}


def change(
    owed: Delivery, there: Connection, present: Mapping[str, str], /, **known: Any
) -> tuple[dict[str, str], list[str]]:
    fields = FieldMap.of(there.settings, CRM)
    person_given = known.pop("person", None) or person(values=present)
    made = plan.person_change(owed, there, fields, "lead", Present(person_given, **known))
    return (dict(made.row.values) if made.row else {}), made.reasons
