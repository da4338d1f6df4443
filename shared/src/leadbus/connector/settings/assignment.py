"""Whose a lead is to be and where it is said to come from, by what is known of it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from leadbus.connector.settings.section import Section
from leadbus.event_types import EventType
from leadbus.messages.base import Email, Id, Line

MOST_RULES = 100


class AssignmentCase(Section):
    """What a lead must be like; all that is given must hold."""

    profile: Literal["marketing", "distribution"] | None = Field(
        None, description="Won by marketing, or handed over by a supplier."
    )
    supplier_id: Id | None = Field(None, description="Handed over by this supplier.")
    campaign_id: Id | None = Field(None, description="Handed over for this campaign, or part of it.")
    country: Line | None = Field(
        None, description="Of this country, as its fields say; capitals do not matter."
    )
    event_type: EventType | None = Field(None, description="It has just done something of this type.")
    form: Line | None = Field(None, description="It has just submitted the form of this name.")


class AssignmentRule(Section):
    """Owner and lead source for leads of one case."""

    when: AssignmentCase = Field(
        AssignmentCase(), description="Which leads the rule is for; with nothing given, every one."
    )
    owner_email: Email | None = Field(
        None,
        description="The CRM user, by email, who is to own the record; absent: the rule says nothing of it.",
    )
    lead_source: Line | None = Field(
        None, description="The record's lead source, which the CRM must offer; absent: the connection's."
    )
    existing: bool = Field(
        False,
        description="Also for a record that is there already, when its lead is qualified or distributed; off:"
        " for new ones alone.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.owner_email or self.lead_source):
            raise ValueError("give owner_email or lead_source: else the rule would do nothing")
        return self
