"""Lead statuses in the tenant's words and the CRM's, and how a distributed lead is accepted or rejected."""

from typing import Literal

from pydantic import Field

from leadbus.connector.settings.section import Section
from leadbus.messages.answers import Answer
from leadbus.messages.base import Name

MOST_STATUSES = 100
AnswerBy = Literal["crm", "email", "api"]


class StatusRule(Section):
    """A lead status of ours and the one of the CRM that stands for it."""

    ours: Name = Field(description="The status in your own words; capitals do not count.")
    theirs: Name = Field(
        description="The status in the CRM, spelt as it is there (in SugarCRM the item name of the option)."
    )
    direction: Literal["both", "to_crm", "from_crm"] = Field(
        "both",
        description="Whether it is written to the CRM, read from it, or both. Several statuses of the CRM may"
        " stand for one of ours: all but one are then from_crm.",
    )
    answer: Answer | None = Field(
        None,
        description="What a salesperson says of a distributed lead by giving it this status; its supplier"
        " hears it.",
    )


class AnswerField(Section):
    """A field of the CRM by which salespeople accept or reject distributed leads."""

    of: Literal["lead", "contact"] = Field("lead", description="Whose field says the answer.")
    crm_field: Name = Field(description="The CRM's own name of the field that says the answer.")
    accepted: Name = Field("Accepted", description="The value that accepts a lead; of a checkbox: true.")
    rejected: Name | None = Field("Rejected", description="The value that rejects a lead; null: none does.")

    @property
    def values(self) -> dict[str, Answer]:
        """What each value says."""
        return {self.accepted: "accepted", **({self.rejected: "rejected"} if self.rejected else {})}
