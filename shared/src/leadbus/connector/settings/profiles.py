"""The two ways in which a connection is used, each with what may come and go because of it."""

from pydantic import Field

from leadbus.connector.settings.section import Section
from leadbus.messages.base import Name


class MarketingAutomation(Section):
    """The profile for leads won by marketing."""

    on: bool = Field(True, description="Use the CRM for leads won by marketing.")
    synchronise: bool = Field(
        True,
        description="Send leads whose score exceeds the threshold, with what they do; that goes on when the"
        " score falls later. Off: marketing creates and writes nothing. What was to be written by then waits,"
        " and who exceeds the threshold meanwhile follows, once it is on again; what leads that were sent"
        " before do meanwhile does not. Lists and opportunities are still read.",
    )
    threshold: int = Field(50, ge=0, le=1_000_000, description="The score a lead must exceed to be sent.")
    hysteresis: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="By how many points a score must have fallen below the threshold before exceeding it"
        " counts as news again; a tenth of the threshold if absent.",
    )
    score: Name | None = Field(
        None,
        description="The score that is meant, by its name in the tenant's rules; the main one if absent.",
    )
    field_updates: bool = Field(
        False, description="Let marketing change fields of records that exist already."
    )
    pull_lists: bool = Field(
        True, description="Lists of people that are made in the CRM become lists here, with who is on them."
    )
    opportunities: bool = Field(
        True, description="Tell of opportunities whose contact is a lead won by marketing, by email."
    )

    @property
    def synchronises(self) -> bool:
        """Whether anything is written because of it."""
        return self.on and self.synchronise

    @property
    def reads_lists(self) -> bool:
        """Whether the CRM's lists are told."""
        return self.on and self.pull_lists


class LeadDistribution(Section):
    """The profile for leads handed over by a supplier."""

    on: bool = Field(True, description="Use the CRM for leads that suppliers hand over.")
    synchronise: bool = Field(
        True,
        description="Send every lead that the supplier hands over, whatever its score, with all that is known"
        " of it and everything it does. Off: leads that are handed over meanwhile are never sent.",
    )
    field_updates: bool = Field(
        False, description="Let distributed leads change fields of records that exist."
    )
    opportunities: bool = Field(
        True, description="Tell of opportunities whose contact is a distributed lead, by email."
    )
    notes: bool = Field(
        True,
        description="What a distributed lead does becomes notes, and one note more holds every field that is"
        " known of it, customer fields too. Off: what it does becomes completed tasks, and there is no note"
        " of its fields.",
    )

    @property
    def synchronises(self) -> bool:
        """Whether anything is written because of it."""
        return self.on and self.synchronise
