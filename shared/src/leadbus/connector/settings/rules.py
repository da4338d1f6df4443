"""What settings must keep to together: each fault as the place it is at and a sentence. Pure."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from leadbus.connector.settings.answer_rules import answer_faults
from leadbus.event_types import CRM_EVENT_TYPES
from leadbus.messages import ACCOUNT_FIELDS, Fields

if TYPE_CHECKING:
    from leadbus.connector.settings import ConnectionSettings, FieldRule

Fault = tuple[tuple[str | int, ...], str]
"""Where (`("fields", 0, "rule")`) and what is wrong there."""

STANDARD_FIELDS = tuple(name for name in Fields.model_fields if name != "custom")


def our_field(name: str) -> str:
    """The name, if it is one of a standard field or begins with `custom.`. Raises ValueError."""
    if name in (*STANDARD_FIELDS, *ACCOUNT_FIELDS) or name.startswith("custom."):
        return name
    (near,) = get_close_matches(name, (*STANDARD_FIELDS, *ACCOUNT_FIELDS), 1) or ("",)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(STANDARD_FIELDS)}"
    raise ValueError(f"Leadbus has no standard field {name}: {hint} Fields of your own are custom.<name>")


def faults(settings: "ConnectionSettings") -> Iterator[Fault]:
    """Everything that does not go together."""
    if unwritten := sorted(settings.event_types - CRM_EVENT_TYPES):
        yield ("event_types",), f"{', '.join(unwritten)} is never written to a CRM: leave it out"
    profiles = settings.marketing_automation.on or settings.lead_distribution.on
    if not profiles and not settings.schedules.any:
        yield (
            ("marketing_automation", "on"),
            "the connection would do nothing: turn marketing_automation.on or lead_distribution.on on, or"
            " give a schedule",
        )
    yield from _repeated(settings)
    yield from answer_faults(settings)
    yield from _repeated_lists(settings)
    for number, rule in enumerate(settings.fields):
        yield from ((("fields", number, name), what) for name, what in _of_rule(settings, rule))


def _of_rule(settings: "ConnectionSettings", rule: "FieldRule") -> Iterator[tuple[str, str]]:
    written, read = rule.direction != "from_crm" and rule.rule != "never", rule.direction != "to_crm"
    if not written and not read:
        yield "rule", f"{rule.field} would be neither written nor read: leave the mapping out"
    if rule.direction == "from_crm" and rule.rule in {"ours", "only_if_empty"}:
        yield (
            "rule",
            f"{rule.field} is only read (direction from_crm), so that {rule.rule} can never hold",
        )
    if rule.field in ACCOUNT_FIELDS and rule.of != "account":
        yield "field", f"{rule.field} is a fact of accounts: give of: account"
    if rule.direction == "to_crm" and rule.of == "account":
        yield "direction", "fields of accounts are only read: use from_crm"
    if rule.direction == "from_crm" and settings.schedules.of(rule.of) is None:
        yield (
            "direction",
            f"{rule.field} is only read, but a {rule.of} never is: give schedules.{rule.of}",
        )
    if rule.crm_field == settings.score_field and rule.of == settings.record_as:
        yield "crm_field", f"{rule.crm_field} is the score_field already"


def _repeated(settings: "ConnectionSettings") -> Iterator[Fault]:
    ours: dict[tuple[str, str], int] = {}
    theirs: dict[tuple[str, str], int] = {}
    for number, rule in enumerate(settings.fields):
        for name, value, seen in (("field", rule.field, ours), ("crm_field", rule.crm_field, theirs)):
            first = seen.setdefault((rule.of, value), number)
            if first != number:
                yield (
                    ("fields", number, name),
                    f"{value} of a {rule.of} is mapped already, by fields.{first}: keep one of them",
                )


def _repeated_lists(settings: "ConnectionSettings") -> Iterator[Fault]:
    seen: dict[tuple[str, str], int] = {}
    for number, rule in enumerate(settings.lists):
        for name, value in (("list", rule.plain_name), ("list_id", rule.list_id if rule.push.any else None)):
            first = number if value is None else seen.setdefault((name, value), number)
            if first != number:
                what = f"lists.{first} is about the same list already: make one rule of both"
                yield ("lists", number, name), what
