"""What statuses and answers must keep to: each fault as the place it is at and a sentence. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadbus.connector.settings import ConnectionSettings

Fault = tuple[tuple[str | int, ...], str]


def answer_faults(settings: "ConnectionSettings") -> Iterator[Fault]:
    """Statuses that mean two things, and answers that nobody would hear."""
    yield from _twice(settings)
    lead_is_read = settings.schedules.lead is not None
    for number, rule in enumerate(settings.statuses):
        if rule.answer and rule.direction == "to_crm":
            yield ("statuses", number, "answer"), f"{rule.theirs} is only written: use direction both"
        elif not lead_is_read and (rule.answer or rule.direction == "from_crm"):
            yield ("statuses", number, "theirs"), f"{rule.theirs} is never read: give schedules.lead"
    field = settings.answer_field
    if field is None:
        return
    if field.accepted == field.rejected:
        yield ("answer_field", "rejected"), "the same value cannot accept and reject"
    if settings.schedules.of(field.of) is None:
        yield ("answer_field", "of"), f"a {field.of} is never read: give schedules.{field.of}"


def _twice(settings: "ConnectionSettings") -> Iterator[Fault]:
    """One of ours that could be written as two of theirs, one of theirs that could be told as two of ours."""
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    for number, rule in enumerate(settings.statuses):
        for name, value, counts, seen in (
            ("ours", rule.ours.casefold(), rule.direction != "from_crm", ours),
            ("theirs", rule.theirs, rule.direction != "to_crm", theirs),
        ):
            first = seen.setdefault(value, number) if counts else number
            if first != number:
                way = "from_crm" if name == "ours" else "to_crm"
                yield (
                    ("statuses", number, name),
                    f"{getattr(rule, name)} is mapped already, by statuses.{first}: give one of them"
                    f" direction {way}",
                )
