"""Which of several records with one email is the prospect's: one rule for every CRM."""

from collections.abc import Iterable

from leadbus.connector.contract import Person


def choose(people: Iterable[Person]) -> Person | None:
    """The oldest open one wins, then the oldest; ties by id, so that every pod chooses alike."""
    live = [person for person in people if not person.deleted]
    return min(live, key=lambda p: (not p.open, p.created_at, p.record.id), default=None)
