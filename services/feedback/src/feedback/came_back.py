"""What came back of a lead, piece by piece: each the newest word on one thing, and only the newest things.

Bounded, and the same in whatever order messages come: a thing's newest word wins (ties by event id), and of
too many things those go whose newest word is the oldest.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from leadbus.messages import ContactChanged, Record
from leadbus.messages.base import ProspectMessage
from leadbus.storage.mongo import Document

MOST_LETTERS = 500
"""Of a text: it is for reading, and many distributions are held at a time."""


def _cut(text: Any) -> Any:
    return text[:MOST_LETTERS] if isinstance(text, str) else text


Short = Annotated[str, BeforeValidator(_cut)]


class Word(BaseModel):
    """One word on one thing: when it was said, by which event, and through whose CRM it came."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: datetime
    event_id: str
    connection_id: str

    @property
    def thing(self) -> str:
        """What it is on, among those of its kind."""
        return self.connection_id

    @classmethod
    def of(cls, said: ProspectMessage, at: datetime) -> Self:
        """What the message says, as far as it is kept. at: when it was said."""
        return cls.model_validate(said.model_dump(mode="json") | {"at": at})


class Delivered(Word):
    """What a connection made of the lead. reason, field: why its CRM refuses it."""

    outcome: Literal["created", "matched", "updated", "parked", "unlinked"]
    record: Record | None = None
    reason: Short | None = None
    field: str | None = None


class Status(Word):
    """The lead's status, in the CRM's word; lead_status: in the tenant's, where it is mapped."""

    status: Short
    previous_status: Short | None = None
    lead_status: Short | None = None


class RecordWord(Word):
    """A word on a record of the CRM."""

    record: Record

    @property
    def thing(self) -> str:
        return f"{self.connection_id}:{self.record.module}:{self.record.id}"


class Person(RecordWord):
    """A record of the person; state: client once it is a contact there."""

    kind: Literal["lead", "contact", "target"]
    state: Literal["prospect", "client"]
    converted_to: Record | None = None
    deleted: bool = False


class Opportunity(RecordWord):
    """An opportunity with the person. close_date: YYYY-MM-DD."""

    name: Short
    stage: Short | None = None
    amount: str | None = None
    currency: str | None = None
    close_date: str | None = None
    probability: int | None = None
    lead_source: Short | None = None
    deleted: bool = False


class Activity(RecordWord):
    """What salespeople did, or plan to."""

    type: Short
    subject: Short
    status: Short | None = None
    priority: Short | None = None
    due_at: datetime | None = None
    deleted: bool = False


class Field(Word):
    """A field of the person, by its name in `Fields.flat()`. mark: of all of its value, to compare by."""

    name: str
    value: Short
    mark: str

    @property
    def thing(self) -> str:
        return self.name


AnyWord = TypeVar("AnyWord", bound=Word)


class Newest(Generic[AnyWord]):
    """The newest words on at most so many things. rows: as they are stored; many are held, few looked at."""

    def __init__(self, kind: type[AnyWord], most: int, rows: Iterable[Document] = ()) -> None:
        self._kind = kind
        self._most = most
        self._rows = {row["thing"]: row for row in rows}

    @property
    def rows(self) -> list[Document]:
        """All words, to be stored."""
        return list(self._rows.values())

    def take(self, word: AnyWord) -> bool:
        """Whether it is kept."""
        row, known = word.model_dump() | {"thing": word.thing}, self._rows.get(word.thing)
        if known is not None and _rank(known) >= _rank(row):
            return False
        self._rows[word.thing] = row
        if len(self._rows) <= self._most:
            return True
        oldest = min(self._rows.values(), key=_rank)
        del self._rows[oldest["thing"]]
        return oldest is not row

    def all(self) -> list[AnyWord]:
        """Newest first."""
        return [self._kind(**row) for row in sorted(self._rows.values(), key=_rank, reverse=True)]


def _rank(row: Document) -> tuple[datetime, str, str]:
    """The highest is the newest."""
    return row["at"], row["event_id"], row["thing"]


def mark_of(value: str) -> str:
    """The same for the same text, but for space around it."""
    return sha256(value.strip().encode()).hexdigest()[:16]


def fields_of(said: ContactChanged, at: datetime) -> list[Field]:
    """Each field that somebody changed in the CRM: what else it knows of the person is no news."""
    values = said.fields.flat()
    return [
        Field(
            at=at,
            event_id=said.event_id,
            connection_id=said.connection_id,
            name=name,
            value=values.get(name, ""),
            mark=mark_of(values.get(name, "")),
        )
        for name in said.changed_fields
    ]
