"""Tasks that a connection's rules give at a qualification or a distribution, and how they are worded. Pure.

They are owed from the fact on, by the rules of that time: what is changed about the rules later holds for
those who are qualified or distributed later.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.merging import Fact
from leadbus.connector.delivering.parts import OwedTask
from leadbus.connector.settings.tasks import TaskRule, filled_in
from leadbus.messages import LeadDistributed, LeadQualified

LONGEST_SUBJECT = 255
_TO_WRITE = "Email: "
_NOBODY = "an unknown company"


def take_in(
    delivery: Delivery,
    fact: Fact,
    traceparent: bytes | None,
    accepted_at: datetime,
    rules: Sequence[TaskRule],
) -> None:
    """Merges a fact; where it gives a right to create that is news, its tasks are owed with it, once."""
    known = set(delivery.creators) if rules else set()
    delivery.merge(fact, traceparent, accepted_at)
    if rules:
        for right in delivery.creators.keys() - known:
            delivery.tasks |= _owed(right, fact, accepted_at, rules)


def _owed(right: str, fact: Fact, at: datetime, rules: Sequence[TaskRule]) -> dict[str, OwedTask]:
    supplier = None
    match fact:
        case LeadDistributed():
            occasion, supplier = "distribution", fact.supplier_name or fact.supplier_id
        case LeadQualified():
            occasion = "qualification"
        case _:
            return {}
    given = [rule for rule in rules if rule.on == occasion]
    return {
        f"{right}:{number}": OwedTask(rule.task, at, supplier=supplier, right=right)
        for number, rule in enumerate(given, 1)
    }


def worded(delivery: Delivery, owed: OwedTask) -> OwedTask:
    """With what is known of the person in place of placeholders; worded once, it stays as it is."""
    if owed.worded:  # a person's own name may look like a placeholder
        return owed
    known = {name: fact.value.strip() for name, fact in delivery.fields.items()}
    name = " ".join(filter(None, (known.get("first_name"), known.get("last_name"))))
    values = {
        "name": name or delivery.email or "",
        "company": known.get("company") or _NOBODY,
        **({"supplier": owed.supplier} if owed.supplier else {}),
    }
    subject = filled_in(owed.task.subject, values)
    if owed.task.kind == "email" and not subject.lower().startswith(_TO_WRITE.strip().lower()):
        subject = _TO_WRITE + subject
    task = owed.task.model_copy(update={"subject": subject[:LONGEST_SUBJECT]})
    return replace(owed, task=task, worded=True)
