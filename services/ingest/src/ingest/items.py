"""One posted item on its way from bytes to an answer."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from ingest.inputs import Input

Status = Literal["accepted", "duplicate", "rejected", "failed"]
"""What became of an item. accepted: every in-sync replica has it. failed: safe to send again."""
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item is not taken. field: a dotted path, empty for the item as a whole. code: stable."""

    field: str
    reason: str
    code: str


@dataclass(slots=True)
class Item:
    """One item as it was cut from the request.

    text: its JSON. input: None if nothing says what it is. event_id, occurred_at: from its envelope.
    said: what the text says, with no name twice; None where it is not the sender's own text.
    """

    index: int
    text: str
    input: Input | None
    faults: list[Fault] = field(default_factory=list)
    event_id: str | None = None
    occurred_at: datetime | None = None
    said: Any = None


@dataclass(slots=True)
class Result:
    """The answer to one item."""

    index: int
    status: Status
    event_id: str | None = None
    prospect_id: str | None = None
    errors: list[Fault] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As it is answered: members that say nothing are left out."""
        answer: dict[str, Any] = {"index": self.index, "status": self.status}
        if self.event_id is not None:
            answer["event_id"] = self.event_id
        if self.prospect_id is not None:
            answer["prospect_id"] = self.prospect_id
        if self.errors:
            answer["errors"] = [{"field": f.field, "reason": f.reason, "code": f.code} for f in self.errors]
        return answer
