"""The settings of a connection: each declared once, with the help text that every surface shows."""

from abc import ABC, abstractmethod
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from leadbus.event_types import CRM_EVENT_TYPES, EventType
from leadbus.messages.base import Id, Line, Name, TenantId


class Section(BaseModel):
    """Settings refuse what they do not know, so that a misspelt one is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MarketingAutomation(Section):
    """The profile for leads won by marketing."""

    on: bool = Field(True, description="Send leads whose score exceeds the threshold.")
    threshold: int = Field(50, ge=0, le=1_000_000, description="The score a lead must exceed to be sent.")
    field_updates: bool = Field(
        False, description="Let marketing change fields of records that exist already."
    )


class LeadDistribution(Section):
    """The profile for leads handed over by a supplier."""

    on: bool = Field(True, description="Send every lead that the supplier hands over, whatever its score.")
    field_updates: bool = Field(
        False, description="Let distributed leads change fields of records that exist."
    )


class ConnectionSettings(Section, ABC):
    """What every connection has, whatever its CRM; a connector adds the CRM's own part as `access`."""

    @property
    @abstractmethod
    def organisation_id(self) -> str:
        """The CRM organisation it leads into: the same for all connections that share its records."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The URL that the tenant gave."""

    connection_id: Id = Field(description="The connection's name, unique for the tenant's operator.")
    tenant_id: TenantId = Field(description="Whose connection it is.")
    supplier_id: Id | None = Field(
        None, description="Only leads of this supplier; absent: of every supplier."
    )
    record_as: Literal["lead", "contact"] = Field("lead", description="What new people become in the CRM.")
    default_last_name: Name = Field("Unknown", description="Last name of a person who gave none.")
    default_company: Name = Field("Unknown", description="Company of a person who named none.")
    lead_source: Line = Field("Leadbus", description="The CRM's lead source of every record created.")
    event_types: frozenset[EventType] = Field(
        CRM_EVENT_TYPES, description="Marketing events that are written to the CRM."
    )
    score_field: Name | None = Field(None, description="The CRM's custom field that holds the score.")
    pull_every_seconds: int = Field(
        30, ge=1, le=86_400, description="How often changes are read from the CRM, in seconds."
    )
    marketing_automation: MarketingAutomation = MarketingAutomation()
    lead_distribution: LeadDistribution = LeadDistribution()
