"""The five inputs, one row each: where it is posted, as what, and where it goes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from leadbus.event_types import TRAITS
from leadbus.messages import (
    Body,
    CampaignBody,
    LeadDistributionBody,
    ListBody,
    MarketingEventBody,
    ProspectMessage,
    ProspectUpdateBody,
)
from leadbus.topics import (
    LEADS_DISTRIBUTED,
    MARKETING_CAMPAIGNS,
    MARKETING_EVENTS,
    MARKETING_LISTS,
    PROSPECTS_UPDATED,
    Topic,
)


def _never(body: Any) -> bool:
    return False


def _always(body: Any) -> bool:
    return True


def _as_its_type_says(body: MarketingEventBody) -> bool:
    return TRAITS[body.type].always_traced


@dataclass(frozen=True, slots=True)
class Input:
    """One kind of fact that may be posted to `/v1/<name>`.

    read: the body from JSON, as `TypeAdapter.validate_json` has it.
    always_sampled: whether an item is followed by a trace whatever the ratio says.
    """

    name: str
    body: type[Body]
    topic: Topic
    summary: str
    example: dict[str, Any]
    always_sampled: Callable[[Any], bool] = _never
    read: Callable[..., Body] = field(init=False)
    about_prospect: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "read", TypeAdapter(self.body).validator.validate_json)
        object.__setattr__(self, "about_prospect", issubclass(self.topic.message, ProspectMessage))

    @property
    def path(self) -> str:
        return f"/v1/{self.name}"

    @property
    def cloud_event_type(self) -> str:
        return self.topic.message.CLOUD_EVENT_TYPE


INPUTS: tuple[Input, ...] = (
    Input(
        "events",
        MarketingEventBody,
        MARKETING_EVENTS,
        "Marketing events: what prospects did, or what reached them.",
        {
            "event_id": "c7d1-0001",
            "type": "email_click",
            "email": "ada@example.com",
            "occurred_at": "2026-11-20T10:15:00Z",
            "subject": "Spring offers",
            "url": "https://www.example.com/offers",
        },
        _as_its_type_says,
    ),
    Input(
        "distributions",
        LeadDistributionBody,
        LEADS_DISTRIBUTED,
        "Lead distributions: a supplier hands leads to the tenant.",
        {
            "distribution_id": "d-4711",
            "supplier_id": "s-7",
            "supplier_name": "Example Supplies",
            "email": "ada@example.com",
            "fields": {"first_name": "Ada", "last_name": "Example", "company": "Example Ltd"},
        },
        _always,
    ),
    Input(
        "prospects",
        ProspectUpdateBody,
        PROSPECTS_UPDATED,
        "Prospect updates: fields, consent, state, memberships, requests to sync.",
        {
            "email": "ada@example.com",
            "fields": {"title": "Head of Purchasing"},
            "subscription": {
                "status": "opted_out",
                "at": "2026-11-20T10:15:00Z",
                "source": "preference page",
            },
        },
    ),
    Input(
        "campaigns",
        CampaignBody,
        MARKETING_CAMPAIGNS,
        "Campaigns, as they stand.",
        {"campaign_id": "c-1", "name": "Spring", "status": "active", "starts_on": "2026-03-01"},
    ),
    Input(
        "lists",
        ListBody,
        MARKETING_LISTS,
        "Lists, as they stand.",
        {"list_id": "l-1", "name": "Newsletter"},
    ),
)

BY_CLOUD_EVENT_TYPE: dict[str, Input] = {i.cloud_event_type: i for i in INPUTS}
