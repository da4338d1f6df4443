"""Which of several records with one email is the prospect's: one rule for every CRM.

A target is not a lead yet: whoever may create makes a lead of its own beside it, and is linked to that.
Only what needs no record of its own (an opt-out, a new email) goes to a target, where there is nothing else.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from leadbus.connector.capabilities import PEOPLE, PersonKind
from leadbus.connector.contract import Person

LEADS_AND_CONTACTS: tuple[PersonKind, ...] = ("lead", "contact")
_UNKNOWN = datetime.max.replace(tzinfo=UTC)


def choose(people: Iterable[Person], kinds: Collection[PersonKind] = LEADS_AND_CONTACTS) -> Person | None:
    """The oldest open one wins, then the oldest; ties by id, so that every pod chooses alike."""
    live = [person for person in people if person.kind in kinds and not person.deleted]
    return min(live, key=lambda p: (not p.open, p.created_at or _UNKNOWN, p.record.id), default=None)


def choose_any(people: Collection[Person]) -> Person | None:
    """The same, but a target rather than nobody."""
    return choose(people) or choose(people, PEOPLE)


def rivals(people: Iterable[Person]) -> int:
    """How many open leads and contacts could be meant: with two, a person should look."""
    return sum(p.open and not p.deleted and p.kind in LEADS_AND_CONTACTS for p in people)
