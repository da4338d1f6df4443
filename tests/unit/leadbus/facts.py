"""Facts about one person, as short as a test wants to write them."""

from datetime import UTC, datetime, timedelta

from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.merging import Fact
from leadbus.event_types import EventType
from leadbus.messages import (
    Activity,
    Fields,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    ProspectUpdated,
    Record,
    Subscription,
    SubscriptionChanged,
    SyncRequest,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def empty() -> Delivery:
    return Delivery(connection_id="acme-sugar", organisation_id="org", tenant_id="acme", prospect_id="p1")


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def common(event_id: str, at: int) -> dict[str, object]:
    return {"event_id": event_id, "tenant_id": "acme", "occurred_at": minute(at), "prospect_id": "p1"}


def distributed(distribution: str, at: int, **fields: str) -> LeadDistributed:
    return LeadDistributed(
        **common(f"d-{distribution}", at),
        received_at=minute(at),
        distribution_id=distribution,
        supplier_id="globex",
        email="ann@example.com",
        fields=Fields(**fields),
    )


def activity(event_id: str, at: int) -> Activity:
    return Activity(event_id=event_id, type=EventType.WEB_VIEW, occurred_at=minute(at))


def qualified(at: int, version: int, **fields: str) -> LeadQualified:
    return LeadQualified(
        **common("q", at),
        version=version,
        email="ann@example.com",
        score=51,
        millipoints=51_000,
        connection_id="acme-sugar",
        threshold=50,
        fields=Fields(**fields),
        activities=[activity("a1", 1), activity("a2", 2)],
    )


def active(event_id: str, at: int, version: int, **fields: str) -> LeadActivities:
    return LeadActivities(
        **common(f"la-{event_id}", at),
        version=version,
        score=version,
        millipoints=version * 1000,
        connections=["acme-sugar"],
        fields=Fields(**fields),
        activities=[activity(event_id, at)],
    )


def scored(at: int, version: int, score: int) -> LeadScored:
    return LeadScored(**common(f"s{version}", at), version=version, score=score, millipoints=score * 1000)


def updated(event_id: str, at: int, email: str = "ann@example.com", **facts: object) -> ProspectUpdated:
    return ProspectUpdated(**common(event_id, at), received_at=minute(at), email=email, **facts)


def asks(event_id: str, at: int, **request: object) -> ProspectUpdated:
    return updated(event_id, at, sync=SyncRequest.model_validate(request))


def word(event_id: str, at: int, status: str, *, explicit: bool = False) -> ProspectUpdated:
    said = Subscription(status=status, at=minute(at), source="form", explicit=explicit)
    return updated(event_id, at, subscription=said)


def heard(event_id: str, at: int, status: str, of: str, *, explicit: bool = False) -> SubscriptionChanged:
    return SubscriptionChanged(
        **common(event_id, at),
        connection_id=of,
        record=Record(module="Leads", id="r1"),
        status=status,
        explicit=explicit,
    )


def unsubscribed(event_id: str, at: int) -> LeadActivities:
    left = Activity(event_id=event_id, type=EventType.EMAIL_UNSUBSCRIBE, occurred_at=minute(at))
    return active(event_id, at, at).model_copy(update={"activities": [left]})


def merged(facts: tuple[Fact, ...] | list[Fact]) -> Delivery:
    delivery = empty()
    for fact in facts:
        delivery.merge(fact, None, fact.occurred_at)
    return delivery
