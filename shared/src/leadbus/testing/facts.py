"""A person of a test, and the facts that other services would tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.messages import (
    Activity,
    CampaignMembership,
    Fields,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    ListMembership,
    ProspectMessage,
    ProspectUpdated,
    Subscription,
    SyncRequest,
)

SUPPLIER = "globex"


def activity(
    kind: str = "form_submission", subject: str = "Request for a quote", *, at: datetime | None = None
) -> Activity:
    """A marketing event, of just now if no time is given."""
    at = at or datetime.now(UTC)
    return Activity(event_id=str(uuid4()), type=EventType(kind), occurred_at=at, subject=subject)


@dataclass(slots=True)
class Somebody:
    """One prospect. Times are given in seconds from when it was made; later facts have higher versions."""

    tenant: str
    email: str
    connection: str
    begun: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=1))
    version: int = 0

    @property
    def prospect(self) -> str:
        """Its id."""
        return prospect_id(self.tenant, email=self.email.lower())

    def concerns(self, message: ProspectMessage) -> bool:
        """Whether a message is about this person."""
        return message.prospect_id == self.prospect

    def distributed(
        self,
        distribution: str = "d-1",
        *,
        supplier: str = SUPPLIER,
        at: float = 0,
        event: str | None = None,
        **fields: Any,
    ) -> LeadDistributed:
        """A supplier hands it over."""
        return LeadDistributed(
            **self._envelope(at, event),
            received_at=datetime.now(UTC),
            distribution_id=distribution,
            supplier_id=supplier,
            fields=Fields(**fields),
        )

    def qualified(
        self, *activities: Activity, score: int = 60, connection: str = "", at: float = 0, **fields: Any
    ) -> LeadQualified:
        """Its score exceeded the connection's threshold."""
        return LeadQualified(
            **self._scored(score, at),
            connection_id=connection or self.connection,
            threshold=50,
            fields=Fields(**fields),
            activities=list(activities),
        )

    def active(
        self,
        *activities: Activity,
        score: int = 60,
        connections: Sequence[str] = (),
        at: float = 0,
        **fields: Any,
    ) -> LeadActivities:
        """It did something."""
        return LeadActivities(
            **self._scored(score, at),
            connections=list(connections or [self.connection]),
            fields=Fields(**fields),
            activities=list(activities),
        )

    def scored(self, score: int) -> LeadScored:
        """Its score changed."""
        return LeadScored(**self._scored(score, 0), connections=[self.connection])

    def updated(self, *, at: float = 0, **facts: Any) -> ProspectUpdated:
        """Something about it changed upstream."""
        return ProspectUpdated(**self._envelope(at, None), received_at=datetime.now(UTC), **facts)

    def takes_part(self, campaign: str = "c-1", *, at: float = 0, **how: Any) -> ProspectUpdated:
        """It is part of a campaign, or (`member=False`) no more."""
        return self.updated(at=at, campaigns=[CampaignMembership(campaign_id=campaign, **how)])

    def listed(
        self, list_id: str = "l-1", *, at: float = 0, member: bool = True, **facts: Any
    ) -> ProspectUpdated:
        """It is on a list here, or (`member=False`) no more."""
        return self.updated(at=at, lists=[ListMembership(list_id=list_id, member=member)], **facts)

    def said(
        self, status: Literal["opted_in", "opted_out"], *, at: float = 0, explicit: bool = True
    ) -> ProspectUpdated:
        """It opted in or out."""
        word = Subscription(status=status, at=self._at(at), source="a test", explicit=explicit)
        return self.updated(at=at, subscription=word)

    def asked_for(self, *, at: float = 0, **terms: Any) -> ProspectUpdated:
        """Upstream asks to push it."""
        return self.updated(at=at, sync=SyncRequest(**terms))

    def _at(self, seconds: float) -> datetime:
        return self.begun + timedelta(seconds=seconds)

    def _envelope(self, at: float, event: str | None) -> dict[str, Any]:
        return {
            "event_id": event or str(uuid4()),
            "tenant_id": self.tenant,
            "occurred_at": self._at(at),
            "prospect_id": self.prospect,
            "email": self.email.lower(),
        }

    def _scored(self, score: int, at: float) -> dict[str, Any]:
        self.version += 1
        points = {"version": self.version, "score": score, "millipoints": score * 1000}
        return self._envelope(at, None) | points
