"""What a CRM adapter does: verbs in batches, an outcome per row, errors from `leadbus.errors`.

A verb raises only when the whole call failed (Transient, RateLimited, AddressRefused, AuthRefused,
OutcomeUnknown, Unsupported); what concerns one row is that row's outcome. An adapter renews its session by
itself and knows nothing of deliveries, topics or databases. Field names here are the CRM's own; the kit
maps them (`leadbus.connector.mapping`). Values are texts in one form for all CRMs: dates YYYY-MM-DD, times
ISO 8601 in UTC, booleans `true` and `false`, numbers as plain decimals, several options joined by `;`,
nothing as an empty text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, Protocol, TypeVar

from leadbus.connector.capabilities import Capabilities, Kind, PersonKind
from leadbus.errors import LeadbusError
from leadbus.messages import Record

Outcome = LeadbusError | None
"""Of one row: None = done. Rejected = refused as it is; Conflict = a row with that id exists; Gone."""
Created = str | LeadbusError
"""Of one created row: the record's id; Rejected; Conflict = a row with the id we gave exists."""
Converted = Record | LeadbusError
"""Of one converted lead: the contact that it is now, also if it was one already."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check. what: the fact; why: why it matters; advice: what to do.

    ok with an advice is a warning. blocked: it looks as if the CRM, or a firewall before it, refuses the
    address we call from. refused: the credentials were refused; more tries could lock the user.
    """

    ok: bool
    what: str
    why: str = ""
    advice: str = ""
    blocked: bool = False
    refused: bool = False


# What is read -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A record of any kind as it stands in the CRM. changed_at: by the CRM's clock.

    values: fields by the CRM's names; for deleted rows perhaps none. owner_id: the CRM user it belongs to.
    """

    record: Record
    values: Mapping[str, str] = field(default_factory=dict)
    owner_id: str | None = None
    deleted: bool = False
    changed_at: datetime | None = None


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
    """A list of people (target list); its members are read by `members`. list_type: the vendor's word."""

    name: str = ""
    list_type: str | None = None


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


# What is written --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to create, where the CRM takes it under an id of ours. values: by the CRM's names.

    Where it does not, whoever has that email already is that person: asked for twice, it is created once.

    account_id: of the account a contact is linked to. opted_out: None = not known, write nothing.
    """

    id: str
    kind: PersonKind
    email: str
    values: Mapping[str, str]
    lead_source: str
    score: int | None = None
    owner_id: str | None = None
    account_id: str | None = None
    opted_out: bool | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What to write to an existing record; absent values, and members that are None, stay as they are.

    email: its new primary address.
    """

    record: Record
    values: Mapping[str, str] = field(default_factory=dict)
    score: int | None = None
    email: str | None = None
    opted_out: bool | None = None
    owner_id: str | None = None
    lead_source: str | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A company to create, where the CRM takes it under an id of ours. owner_id: None = our own user.

    Where it does not, the company that has that name already is taken.
    """

    id: str
    name: str
    owner_id: str | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewActivity:
    """Something to add to a record, under an id of ours where the CRM takes one.

    type: a note says what happened; a task or a call is for its owner to do until due_at.
    subject: one line in a salesperson's words. text: the rest.
    """

    id: str
    record: Record
    type: Literal["note", "task", "call"]
    subject: str
    text: str = ""
    due_at: datetime | None = None
    owner_id: str | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """A lead to be made a contact. contact: one that is there already, to become that one.

    account_id: of the company that the contact belongs to; None = the CRM finds or makes it.
    """

    record: Record
    contact: Record | None = None
    account_id: str | None = None
    owner_id: str | None = None
    traceparent: bytes | None = None


# What is agreed --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What one organisation bears, as it says itself; None = as in the capabilities, or no limit.

    calls: at once. credits_a_day: that its calls may cost in any 24 hours. credits_left: of those, now.
    """

    calls: int | None = None
    credits_a_day: int | None = None
    credits_left: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """The CRM pushes changes until then. gap: it did not do so all the time since it was last asked to."""

    until: datetime
    gap: bool


class Adapter(Protocol):
    """One connection's way into its CRM."""

    capabilities: Capabilities

    # Checking
    async def sign_in(self) -> list[Finding]:
        """Whether address, credentials and version serve, up to the first that does not; never raises."""
        ...

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """What our user may do, by module; a module that is missing does not exist for it."""
        ...

    async def teams(self) -> list[str]:
        """Names of the teams there are. Raises Unsupported where a CRM has none."""
        ...

    async def limits(self) -> Limits:
        """What the organisation bears; asks the CRM at most now and then."""
        ...

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """The fields of a kind of record, standard and custom."""
        ...

    # Reading
    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Live people of every kind by email (given and answered in lower case); absent = none."""
        ...

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """Live accounts by name (as given; compared without regard to case); absent = none."""
        ...

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """These records by id, each as its kind's class, deleted ones marked so; absent = never existed."""
        ...

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Row]:
        """Records changed at or after `since` (the CRM's clock), deletions among them; None = all that live.

        A page's token stays good after a restart. mark: of the last page of the pull before, if it had one.
        Raises Gone if the mark is too old: everything of the kind is read again then.
        """
        ...

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """The people on a list."""
        ...

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """Live notes, tasks and calls on these people, with their texts, by the person's id; absent = none.

        Asked only of a CRM without ids of ours, when the answer to adding some was lost.
        """
        ...

    # Writing
    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """Creates all; a row whose id exists answers Conflict."""
        ...

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """Makes contacts of leads; a lead that is one already answers its contact.

        Raises Unsupported where the CRM cannot do it.
        """
        ...

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """Writes all; a row that was deleted answers Gone."""
        ...

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """Creates all; a row whose id exists answers Conflict."""
        ...

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """Adds all; a row whose id exists answers Conflict."""
        ...

    # Besides
    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """The records that a push from the CRM is about: only a hint that they are worth reading."""
        ...

    async def watch(self, url: str) -> Watch:
        """Has the CRM push to this address, for as long as it lets; asked again daily, and after a start.

        Raises Unsupported where a person enters the address in the CRM, or it pushes nothing.
        """
        ...

    def url_of(self, record: Record) -> str:
        """Where a person sees the record in the CRM."""
        ...

    async def close(self) -> None:
        """Ends sessions; never raises."""
        ...
