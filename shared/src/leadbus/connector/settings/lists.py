"""Lists that are read from the CRM, or kept there: which ones, under what name, which way and when."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.config import JsonDict

from leadbus.connector.settings.rules import our_field
from leadbus.connector.settings.schedules import Schedule
from leadbus.connector.settings.section import Section
from leadbus.messages.base import Id, Name

MOST_LISTS = 200
MOST_FIELDS = 50

_ALLOWED: JsonDict = {"allowed": "standard fields, or custom.<name>"}
OurField = Annotated[
    str,
    Field(pattern=r"^([a-z_]{1,64}|custom\.[A-Za-z][A-Za-z0-9_]{0,63})$"),
    AfterValidator(our_field),
]


class PulledPeople(Section):
    """What is told of a list of the CRM."""

    add: bool = Field(True, description="Who was put on the list in the CRM is told.")
    update: bool = Field(
        True, description="Members whose chosen fields (pull_fields) changed are told again."
    )
    remove: bool = Field(
        True, description="Who was taken off the list in the CRM is told. Nobody is erased for that."
    )

    @property
    def any(self) -> bool:
        """Whether anything is told at all."""
        return self.add or self.update or self.remove


class PushedPeople(Section):
    """What is done in the CRM about the people of a list here."""

    add: bool = Field(
        False,
        description="Who is put on the list here is put on the CRM's; who has no record there gets one.",
    )
    update: bool = Field(
        False,
        description="Chosen fields (push_fields) that change while a person is on the list here are written"
        " to its record, also where field_updates is off; a mapping's rule still decides.",
    )
    remove: bool = Field(
        False,
        description="Who is taken off the list here is taken off the CRM's. The record there stays.",
    )

    @property
    def any(self) -> bool:
        """Whether anything is written at all."""
        return self.add or self.update or self.remove


class ListRule(Section):
    """One list of the CRM."""

    list: Name = Field(
        description="The list in the CRM, by its name (capitals do not count) or its id. It must exist there:"
        " Leadbus makes no lists, except for members of campaigns. One that is renamed there is still read."
    )
    name: Name | None = Field(
        None, description="The name under which it is told here; absent: its name in the CRM."
    )
    list_id: Id | None = Field(
        None,
        description="The list here that it belongs together with, by its id, as it is posted under /v1/lists"
        " and in prospects' updates; needed to push. It goes by the id, as a name may change.",
    )
    keep: Literal["sync", "once"] = Field(
        "sync",
        description="How long it is read: sync = what changes in the CRM is told; once = a one-time import:"
        " its members as they stand when it is first read, and nothing after that; one that has been in"
        " sync until now is read a last time.",
    )
    pull: PulledPeople = Field(PulledPeople(), description="From the CRM to here.")
    pull_fields: tuple[OurField, ...] = Field(
        (),
        max_length=MOST_FIELDS,
        json_schema_extra=_ALLOWED,
        description="Fields that are told of its members, by our names; each at most 1,000 characters long.",
    )
    push: PushedPeople = Field(PushedPeople(), description="From here to the CRM.")
    push_fields: tuple[OurField, ...] = Field(
        (),
        max_length=MOST_FIELDS,
        json_schema_extra=_ALLOWED,
        description="Fields that push.update writes, by our names.",
    )
    schedule: Schedule | None = Field(
        None, description="When it is read from the CRM; absent: as schedules.list says."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.pull.any and not self.push.any:
            raise ValueError("it would be neither pulled nor pushed: to leave a list out, turn all_lists off")
        if self.push.any and self.list_id is None:
            raise ValueError("to push, give list_id: the list here whose people are meant")
        if self.push.update != bool(self.push_fields):
            raise ValueError("push.update and push_fields go together: give both, or neither")
        return self

    @property
    def plain_name(self) -> str:
        """The same for all names that mean one list."""
        return plain(self.list)


EVERY_LIST = ListRule(list="*")
"""What holds for lists that no rule is about, where all are read."""


def plain(name: str) -> str:
    """Of two names that are the same list."""
    return " ".join(name.split()).casefold()


def rule_about(rules: Sequence[ListRule], record_id: str, name: str, earlier: str = "") -> ListRule | None:
    """The rule about a list of the CRM, if one is. A rule by id goes before one by name.

    earlier: the name that a rule found it by, before it was renamed there; empty = none did.
    """
    by_name = {rule.plain_name: rule for rule in reversed(rules)}
    by_id = next((rule for rule in rules if rule.list == record_id), None)
    return by_id or by_name.get(plain(name)) or by_name.get(plain(earlier))


def rule_of(
    rules: Sequence[ListRule], record_id: str, name: str, earlier: str = "", *, all_lists: bool = True
) -> ListRule | None:
    """What holds for a list of the CRM; None = it is not read. See `rule_about`."""
    found = rule_about(rules, record_id, name, earlier)
    if found is None:
        return EVERY_LIST if all_lists else None
    return found if found.pull.any else None


def pushes(rules: Sequence[ListRule]) -> dict[str, ListRule]:
    """Rules that write to the CRM, by the list here."""
    return {rule.list_id: rule for rule in rules if rule.list_id is not None and rule.push.any}


def schedules_of(rules: Sequence[ListRule], common: Schedule | None) -> dict[str, Schedule]:
    """All schedules by which lists are read, by a name for each."""
    own = [rule.schedule for rule in rules if rule.pull.any and rule.schedule is not None]
    return {schedule_name(s): s for s in [*own, *filter(None, [common])]}


def schedule_name(schedule: Schedule | None) -> str:
    """The same for schedules that are the same; empty for none."""
    if schedule is None:
        return ""
    return schedule.cron or f"{schedule.every_seconds} s"
