"""What is in a CRM, in words that fit every vendor: its people, the notes on them, its opportunities."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, Any]
Kind = Literal["lead", "contact"]


@dataclass(frozen=True, slots=True)
class Record:
    """A lead or contact. ours: written through the API. created: seconds since 1970.

    emails: in lower case. status: of a lead. became: the id of the contact that a lead was converted to.
    misplaced: it belongs to another team than its tenant's. stored: the row as the CRM has it.
    """

    kind: Kind
    id: str
    ours: bool
    created: float
    emails: tuple[str, ...]
    last_name: str
    status: str | None = None
    score: float | None = None
    became: str | None = None
    misplaced: bool = False
    traceparent: str | None = None
    stored: Row = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Note:
    """A note on somebody. about: the record's id."""

    about: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Opportunity:
    """An opportunity. amount: a decimal number. lead: the id of the lead that was converted for it."""

    id: str
    name: str
    stage: str
    amount: str
    lead: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """How a CRM names what Leadbus does there. new: the status of a lead that Leadbus has created.

    converted: the status of a lead that became a contact; None = the one that it had. changing: fields of
    people that change with what Leadbus adds (score, time of the last change).
    """

    new: str
    converted: str | None
    changing: frozenset[str]


@dataclass(slots=True)
class Tables:
    """One CRM organisation, live rows only. by_email: oldest record first; in lower case.

    records: oldest first. notes: by the id of the record that they hang on.
    """

    words: Words
    records: list[Record]
    by_email: dict[str, list[Record]]
    notes: dict[str, list[Note]]
    opportunities: list[Opportunity]

    @classmethod
    def of(
        cls,
        words: Words,
        records: Iterable[Record],
        notes: Iterable[Note],
        opportunities: Iterable[Opportunity],
    ) -> "Tables":
        """In any order."""
        ordered = sorted(records, key=lambda record: (record.created, record.id))
        by_email: dict[str, list[Record]] = defaultdict(list)
        for record in ordered:
            for email in record.emails:
                by_email[email].append(record)
        by_record: dict[str, list[Note]] = defaultdict(list)
        for note in notes:
            by_record[note.about].append(note)
        return cls(words, ordered, dict(by_email), dict(by_record), list(opportunities))

    def notes_on(self, email: str) -> list[Note]:
        """The notes on all records of one person."""
        return [note for record in self.by_email.get(email, ()) for note in self.notes.get(record.id, ())]
