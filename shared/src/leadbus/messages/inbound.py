"""What upstream tells us: five inputs, each a body (as posted) and a message (as a topic carries it).

The message is the body plus what ingest stamps on it: tenant, prospect, event id, time of receipt.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from leadbus.event_types import EventType
from leadbus.messages.base import (
    Amount,
    Currency,
    Email,
    Id,
    Line,
    Message,
    Name,
    ProspectMessage,
    Scalar,
    Text,
    Time,
    TimeOfDay,
    Url,
    Value,
)
from leadbus.messages.fields import Fields


class Network(Value):
    """Who owns the network a visit came from, where upstream knows it."""

    owner: Line | None = None
    access_provider: bool | None = None


class Attribution(Value):
    """The campaign parameters of a visited address (utm_source and its kin)."""

    source: Line | None = None
    medium: Line | None = None
    campaign: Line | None = None
    term: Line | None = None
    content: Line | None = None


class EventFacts(BaseModel):
    """What a sender says of a marketing event; an email, a visitor id, or both, name the prospect.

    subject: what it was about, in a salesperson's words (the email's subject, the form's name).
    title, url, referrer, visit_id, attribution, network: of web events.
    fields: what the person typed into a form.
    """

    type: EventType
    email: Email | None = None
    visitor_id: Id | None = None
    subject: Line | None = None
    url: Url | None = None
    title: Line | None = None
    referrer: Url | None = None
    visit_id: Id | None = None
    attribution: Attribution | None = None
    network: Network | None = None
    campaign_id: Id | None = None
    supplier_id: Id | None = None
    fields: Fields | None = None
    properties: dict[Annotated[str, Field(max_length=64)], Scalar] = Field(
        default_factory=dict, max_length=50
    )


class DistributionFacts(BaseModel):
    """What a supplier hands over: one lead, with everything it knows of the person."""

    distribution_id: Id
    supplier_id: Id
    supplier_name: Line | None = None
    email: Email
    fields: Fields = Fields()
    campaign_id: Id | None = None


class Subscription(Value):
    """Opt-in or opt-out, with when and where it was said; explicit = said by the person itself."""

    status: Literal["opted_in", "opted_out"]
    at: Time
    source: Line
    explicit: bool = False


class ListMembership(Value):
    """On a list, or taken off it."""

    list_id: Id
    member: bool = True


class CampaignMembership(Value):
    """Part of a campaign, and how the person responded."""

    campaign_id: Id
    member: bool = True
    response: Line | None = None


class Task(Value):
    """Something a salesperson is asked to do, until so many days later at that time of day.

    subject: {name} and {company} stand for the person's. due_at: in the time zone of the connection.
    """

    kind: Literal["call", "email", "task"] = "task"
    subject: Name
    due_in_days: Annotated[int, Field(ge=0, le=365)] = 1
    due_at: TimeOfDay = "17:00"
    note: Text | None = None


class SyncRequest(Value):
    """Push this prospect now and on these terms; what is given here overrides the connection's rules."""

    record_as: Literal["lead", "contact"] | None = None
    owner_email: Email | None = None
    lead_source: Line | None = None
    update_existing: bool | None = None
    task: Task | None = None


class UpdateFacts(BaseModel):
    """What changed about a prospect: fields, state, owner, subscription, memberships, a request to sync.

    lead_status: how far it has come, in the tenant's own words; a CRM is told by its mapping of statuses.
    """

    email: Email
    previous_email: Email | None = None
    visitor_id: Id | None = None
    fields: Fields | None = None
    state: Literal["prospect", "client"] | None = None
    owner_email: Email | None = None
    lead_status: Name | None = None
    subscription: Subscription | None = None
    lists: list[ListMembership] = Field(default_factory=list, max_length=200)
    campaigns: list[CampaignMembership] = Field(default_factory=list, max_length=200)
    sync: SyncRequest | None = None


class CampaignFacts(BaseModel):
    """A campaign as it stands; `sync` asks for it to be kept in the CRM too."""

    campaign_id: Id
    name: Name
    status: Literal["planned", "active", "paused", "completed"] = "active"
    description: Text | None = None
    supplier_id: Id | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    budget: Amount | None = None
    currency: Currency | None = None
    sync: bool = False

    @model_validator(mode="after")
    def _budget_has_a_currency(self) -> Self:
        if self.budget is not None and self.currency is None:
            raise ValueError("a budget needs a currency (ISO 4217, such as EUR)")
        return self


class ListFacts(BaseModel):
    """A list as it stands."""

    list_id: Id
    name: Name
    description: Text | None = None
    deleted: bool = False


class Body(BaseModel):
    """What a sender may post: read with `extra="forbid"`, so that unknown members are refused, a tenant
    among them (the API key names it), and a misspelt field is an answer instead of a loss.

    event_id: the sender's own id of this fact; sent twice, it counts once.
    occurred_at: when it happened; the time of receipt if absent; without an offset, UTC.
    """

    model_config = ConfigDict(frozen=True)

    event_id: Id | None = None
    occurred_at: Time | None = None


class MarketingEventBody(Body, EventFacts):
    """A marketing event, as posted.

    sync: push the person now, with what the form said, on these terms. Ingest makes it a prospect update
    beside the event, and so it does of an email_unsubscribe, which is an opt-out: both are accepted, or
    neither.
    """

    sync: SyncRequest | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.email is None and self.visitor_id is None:
            raise ValueError("email or visitor_id is required: without one nobody can be scored")
        if self.email is None and self.sync is not None:
            raise ValueError("sync needs an email: a CRM knows no visitors")
        return self


class LeadDistributionBody(Body, DistributionFacts):
    """A lead distribution, as posted."""


class ProspectUpdateBody(Body, UpdateFacts):
    """A prospect update, as posted."""


class CampaignBody(Body, CampaignFacts):
    """A campaign, as posted."""


class ListBody(Body, ListFacts):
    """A list, as posted."""


class MarketingEvent(ProspectMessage, EventFacts):
    """A prospect did something, or something reached it."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.marketing.event"
    received_at: Time


class LeadDistributed(ProspectMessage, DistributionFacts):
    """A supplier handed one lead to one tenant."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.distributed"
    received_at: Time


class ProspectUpdated(ProspectMessage, UpdateFacts):
    """Something about a prospect changed upstream."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.prospect.updated"
    received_at: Time


class CampaignChanged(Message, CampaignFacts):
    """A campaign was created or changed upstream."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.campaign.changed"
    received_at: Time

    @property
    def key(self) -> str:
        return f"{self.tenant_id}:{self.campaign_id}"


class ListChanged(Message, ListFacts):
    """A list was created, renamed or deleted upstream."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.list.changed"
    received_at: Time

    @property
    def key(self) -> str:
        return f"{self.tenant_id}:{self.list_id}"
