"""Tasks that salespeople are given by rule: what is to be done, about whom, and until when."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from leadbus.connector.settings.section import Section
from leadbus.messages.base import Name, Text, TimeOfDay
from leadbus.messages.inbound import Task

MOST_TASKS = 20
PLACEHOLDERS: Mapping[str, str] = {
    "name": "the person's name, or email where no name is known",
    "company": "the person's company",
    "supplier": "the supplier who handed the lead over (of distributions alone)",
}
_PLACEHOLDER = re.compile(r"{([^{}]*)}")


def _known_placeholders(text: str) -> str:
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} stands for nothing: there are {', '.join(_in_braces())}")
    if set(_PLACEHOLDER.sub("", text)) & {"{", "}"}:
        raise ValueError(f"a brace stands alone: placeholders are {', '.join(_in_braces())}")
    return text


def _in_braces() -> list[str]:
    return [f"{{{name}}}" for name in PLACEHOLDERS]


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with values in place of their placeholders; what has none stays as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


class TaskRule(Section):
    """A task for the owner of a person's record, given once each time that the occasion arises."""

    on: Literal["qualification", "distribution"] = Field(
        description="When it is given: qualification = the score exceeded the threshold; distribution = a"
        " supplier handed the lead over. People who have a record already get theirs too."
    )
    kind: Literal["call", "email", "task"] = Field(
        "call",
        description="What is to be done: a call is a planned call in the CRM, all else a task there; the"
        " subject of an email to be written begins with Email.",
    )
    subject: Annotated[Name, AfterValidator(_known_placeholders)] = Field(
        json_schema_extra={"allowed": f"up to 255 characters; {', '.join(_in_braces())} are filled in"},
        description="The task in a few words, such as Call {name} of {company}."
        f" {'; '.join(f'{{{name}}} = {what}' for name, what in PLACEHOLDERS.items())}.",
    )
    due_in_days: int = Field(1, ge=0, le=365, description="Days from when we hear of it until it is due.")
    due_at: TimeOfDay = Field(
        "17:00",
        json_schema_extra={"allowed": "a time of day, such as 09:30"},
        description="The time of that day, in the connection's time zone; where tasks have no time of day,"
        " the day alone counts.",
    )
    note: Text | None = Field(None, description="What the owner should know besides.")

    @model_validator(mode="after")
    def _has_a_supplier(self) -> "TaskRule":
        if self.on != "distribution" and "supplier" in _PLACEHOLDER.findall(self.subject):
            raise ValueError("{supplier} stands for something only on distribution")
        return self

    @property
    def task(self) -> Task:
        """As a sync request would ask for it; the placeholders are still to be filled in."""
        return Task(
            kind=self.kind,
            subject=self.subject,
            due_in_days=self.due_in_days,
            due_at=self.due_at,
            note=self.note,
        )
