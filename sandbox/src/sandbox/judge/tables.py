"""A CRM's tables as the judge looks at them: who is in there, by email, and the notes on each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]

KINDS = ("Leads", "Contacts")


@dataclass(frozen=True, slots=True)
class Record:
    """A lead or contact. ours: written through the API. created: seconds since 1970."""

    module: str
    id: str
    ours: bool
    created: float
    emails: tuple[str, ...]
    row: Row = field(hash=False)


@dataclass(slots=True)
class Tables:
    """One CRM organisation, live rows only. by_email: oldest record first; in lower case.

    team: the id of the team that what we write must belong to; empty = no matter.
    """

    records: list[Record]
    by_email: dict[str, list[Record]]
    notes: dict[str, list[Row]]
    team: str = ""

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[Row]], api_user: str, team: str = "") -> "Tables":
        """rows: by module, as the simulator shows them. api_user: whose rows are ours."""
        records = [
            Record(
                module,
                row["id"],
                row.get("created_by") == api_user,
                datetime.fromisoformat(row["created"]).timestamp(),
                tuple(email.lower() for email in row["emails"]),
                row,
            )
            for module in KINDS
            for row in rows[module]
            if not row["deleted"]
        ]
        records.sort(key=lambda record: (record.created, record.id))
        by_email: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            for email in record.emails:
                by_email[email].append(record)
        notes: dict[str, list[Row]] = defaultdict(list)
        for row in rows["Notes"]:
            if not row["deleted"]:
                notes[row["parent_id"]].append(row)
        return cls(records, dict(by_email), dict(notes), team)

    def notes_on(self, email: str) -> list[Row]:
        """The notes on all records of one person."""
        return [note for record in self.by_email.get(email, ()) for note in self.notes.get(record.id, ())]
