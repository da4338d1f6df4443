"""What a CRM adapter does: verbs in batches, an outcome per row, errors from `leadbus.errors`.

A verb raises only when the whole call failed (Transient, RateLimited, AuthRefused, OutcomeUnknown,
Unsupported); what concerns one row is that row's outcome. An adapter renews its session by itself and
knows nothing of deliveries, topics or databases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, Protocol, TypeVar

from leadbus.connector.capabilities import Capabilities
from leadbus.errors import LeadbusError
from leadbus.messages import Record

Row = TypeVar("Row")
Kind = Literal["lead", "contact"]
Outcome = LeadbusError | None
"""Of one row: None = done. Rejected = refused as it is; Conflict = a row with that id exists; Gone."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check. what: the fact; why: why it matters; advice: what to do (empty if ok)."""

    ok: bool
    what: str
    why: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A lead or contact as it stands in the CRM. email: in lower case. open: not closed or converted.

    status: the vendor's own value; None for kinds without one. changed_at: by the CRM's clock.
    """

    record: Record
    email: str | None
    created_at: datetime
    status: str | None = None
    open: bool = True
    deleted: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to create under an id of ours. values: standard names of `Fields.flat()`, all given ones."""

    id: str
    kind: Kind
    email: str
    values: dict[str, str]
    lead_source: str
    score: int | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Values to write to an existing record; absent ones stay as they are."""

    record: Record
    values: dict[str, str] = field(default_factory=dict)
    score: int | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewActivity:
    """Something a prospect did, to add to a record under an id of ours.

    label: what happened, in a salesperson's words; subject: what it was about.
    """

    id: str
    record: Record
    label: str
    occurred_at: datetime
    subject: str | None = None
    url: str | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class Opportunity:
    """An opportunity with the emails (lower case) of its contacts. amount: a decimal string."""

    record: Record
    name: str
    contact_emails: tuple[str, ...]
    stage: str | None = None
    amount: str | None = None
    currency: str | None = None
    close_date: date | None = None
    probability: int | None = None
    lead_source: str | None = None
    deleted: bool = False
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Changed rows in order of change. next: where the next page begins, None on the last one.

    server_time: the CRM's clock when the first page was asked for; the next pull begins there.
    """

    rows: list[Row]
    next: str | None
    server_time: datetime


class Adapter(Protocol):
    """One connection's way into its CRM."""

    capabilities: Capabilities

    async def check(self) -> list[Finding]:
        """Address, credentials, permissions, the lead-source value; never raises."""
        ...

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Live leads and contacts by email (given and answered in lower case); absent = none."""
        ...

    async def read(self, records: Sequence[Record]) -> dict[str, Person]:
        """These records by id, deleted ones marked so; absent = never existed."""
        ...

    async def create(self, people: Sequence[NewPerson]) -> list[Outcome]:
        """Creates all; a row whose id exists answers Conflict."""
        ...

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """Writes all; a row that was deleted answers Gone."""
        ...

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Outcome]:
        """Adds all; a row whose id exists answers Conflict."""
        ...

    async def changed_people(self, since: datetime, page: str | None) -> Page[Person]:
        """Leads changed at or after `since` (the CRM's clock), deletions among them."""
        ...

    async def changed_opportunities(self, since: datetime, page: str | None) -> Page[Opportunity]:
        """Opportunities changed at or after `since`, with their contacts' emails."""
        ...

    async def close(self) -> None:
        """Ends sessions; never raises."""
        ...
