"""What is read from a CRM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from leadbus.connector.capabilities import PersonKind
from leadbus.messages import Record


@dataclass(frozen=True, slots=True)
class Row:
    """A record of any kind as it stands in the CRM. changed_at: by the CRM's clock.

    values: fields by the CRM's names; for deleted rows perhaps none. owner_id: the CRM user it belongs to.
    version: the CRM's mark of how it stood, for `PersonChange`; None = it keeps none.
    """

    record: Record
    values: Mapping[str, str] = field(default_factory=dict)
    owner_id: str | None = None
    deleted: bool = False
    changed_at: datetime | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Person(Row):
    """A lead, contact or target. email: its primary one, in lower case; emails: all of them.

    status: the vendor's own value; None for kinds without one. open: not closed or converted.
    account_id: of a contact's account. converted_to: the contact that a lead became.
    opted_out: of marketing email; None where the CRM does not tell.
    """

    kind: PersonKind = "lead"
    email: str | None = None
    emails: tuple[str, ...] = ()
    created_at: datetime | None = None
    status: str | None = None
    open: bool = True
    account_id: str | None = None
    converted_to: Record | None = None
    opted_out: bool | None = None


@dataclass(frozen=True, slots=True)
class Account(Row):
    """A company."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class User(Row):
    """A user of the CRM; email in lower case."""

    name: str = ""
    email: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Opportunity(Row):
    """An opportunity with the ids and emails (lower case) of its contacts. amount: a decimal string."""

    name: str = ""
    contact_ids: tuple[str, ...] = ()
    contact_emails: tuple[str, ...] = ()
    account_id: str | None = None
    stage: str | None = None
    amount: str | None = None
    currency: str | None = None
    close_date: date | None = None
    probability: int | None = None
    lead_source: str | None = None


@dataclass(frozen=True, slots=True)
class CrmActivity(Row):
    """Something done or to be done about people. type: note, task, call, meeting or email.

    about: ids of the people (and others) it hangs on. text: what stands below the subject, where it was
    asked for.
    """

    type: str = "task"
    subject: str = ""
    status: str | None = None
    priority: str | None = None
    due_at: datetime | None = None
    about: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class CrmList(Row):
    """A list of people (target list); its members are read by `members`. list_type: the vendor's word.

    holds: modules of those who can be on it; () = of all people. closed: why nobody can be put on it or taken
    off, in a sentence; empty = people can.
    """

    name: str = ""
    list_type: str | None = None
    holds: tuple[str, ...] = ()
    closed: str = ""


AnyRow = TypeVar("AnyRow", covariant=True)  # noqa: PLC0105


@dataclass(frozen=True, slots=True)
class Page(Generic[AnyRow]):
    """Rows in order of change. next: where the next page begins, None on the last one.

    server_time: the CRM's clock when the first page was asked for; the next pull begins there.
    total: of all pages, where the CRM counts. mark: on the last page, the CRM's own mark of where it stood,
    if it makes such marks; it is handed back with the next pull.
    """

    rows: Sequence[AnyRow]
    next: str | None
    server_time: datetime
    total: int | None = None
    mark: str | None = None


FieldType = Literal[
    "text", "number", "boolean", "date", "datetime", "option", "options", "reference", "other"
]


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of one kind of record. length: characters it holds; options: the values it offers."""

    name: str
    label: str
    type: FieldType = "text"
    length: int | None = None
    required: bool = False
    writable: bool = True
    custom: bool = False
    options: tuple[str, ...] | None = None
