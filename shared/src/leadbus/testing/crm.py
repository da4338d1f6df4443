"""What the suite needs of a CRM's simulator, in words that no vendor has a part in.

A harness translates: kinds of record to modules, facts to the vendor's fields, faults to what the simulator
can do wrong. It reads and writes the simulator's tables directly, as people at the CRM's own pages would.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.messages import Record

Facts = dict[str, Any]
"""A record. Of people: email, first_name, last_name, company, phone, title, status, owner, opted_out (bool),
lead_source, account, score; of accounts: name, owner, annual_revenue, account_type (such as Customer); of
users: name, email, active (bool); of opportunities: name, stage, amount, currency, close_date, probability,
lead_source, account, contact; of activities: type (note, task, call, meeting), subject, text, status,
priority, due_at, owner, about; of lists: name, list_type, holds (a kind of people). Of all: team, by its
name. Owner, account, contact and about are ids. As read, also: id, deleted (bool), traceparent of the call
that created it, and every field by the CRM's own name; as written, such names are taken too."""

Fault = Literal["hang", "error", "html", "lose_reply", "rate_limit", "expire_session", "forbid"]
"""hang: no answer until `behave`; error: the server's own failure; html: a page where data should be;
lose_reply: the write is done, its answer lost; rate_limit: wait so many seconds; expire_session: the session
is over; forbid: a web server or firewall refuses our address (403)."""

Promise = Literal[
    "teams",
    "targets",
    "push",
    "deletions",
    "email_updates",
    "rights",
    "retry_after",
    "converting",
    "campaigns",
    "responses",
    "named_fields",
    "mixed_lists",
]
"""What some CRMs, or some of their protocols, cannot keep: a case names what it needs.

responses: how somebody responded to a campaign. named_fields: a refusal says which field it is about.
mixed_lists: several kinds of people on one list; where not, `holds` is among a list's facts.
"""


@dataclass(frozen=True, slots=True)
class Words:
    """The vendor's words that the cases need.

    statuses: of leads, three open ones, the first that of new ones. closed: a status of a closed lead.
    stages: of opportunities, two. spare_field, spare_number: fields of leads, of text and of whole numbers,
    that nothing is mapped to by default. missing_field: a name that no field has.
    """

    statuses: tuple[str, str, str]
    closed: str
    stages: tuple[str, str]
    spare_field: str
    spare_number: str
    missing_field: str
    fields: Mapping[str, str]


class CrmUnderTest(Protocol):
    """A CRM of one's own, with the lead source `Leadbus`, and a user with all rights for the connection.

    lacks: what this protocol cannot keep, with the reason. people: the kinds of people it has. sessions: how
    many a connection may have.
    """

    lacks: Mapping[Promise, str]
    people: tuple[PersonKind, ...]
    words: Words
    sessions: int

    async def start(self) -> None:
        """Returns once it answers."""
        ...

    async def stop(self) -> None:
        """Ends it, and lets go of calls that hang."""
        ...

    def settings(
        self, *, password: str | None = None, address: str | None = None, team: str | None = None
    ) -> dict[str, Any]:
        """The vendor's part of a connection's settings, as a person would enter it."""
        ...

    # Records, as people see and change them
    def put(self, kind: Kind, **facts: Any) -> str:
        """The new record's id."""
        ...

    def load(self, kind: Kind, rows: Iterable[Facts]) -> None:
        """Many people or accounts at once; `changed_at` (a datetime) may be among the facts."""
        ...

    def change(self, kind: Kind, record_id: str, **facts: Any) -> None:
        """An edit by hand."""
        ...

    def delete(self, kind: Kind, record_id: str) -> None:
        """By hand."""
        ...

    def convert(self, lead_id: str) -> str:
        """A lead becomes a contact, as on the CRM's page for it: the contact's id."""
        ...

    def join(self, list_id: str, kind: Kind, person_id: str) -> None:
        """Puts a person on a list."""
        ...

    def leave(self, list_id: str, kind: Kind, person_id: str) -> None:
        """Takes a person off a list."""
        ...

    def on_list(self, list_id: str) -> set[str]:
        """Ids of the people on a list."""
        ...

    def rows(self, kind: Kind) -> list[Facts]:
        """All records of a kind, oldest first, deleted ones too."""
        ...

    def activities_of(self, record_id: str) -> list[Facts]:
        """Live notes, tasks, calls and meetings on a record, oldest first."""
        ...

    def record(self, kind: Kind, record_id: str) -> Record:
        """How the vendor names it. kind: of activities, a task."""
        ...

    def notify(self, kind: Kind, record_id: str) -> tuple[bytes, str]:
        """Body and content type of the push that a change of the record makes."""
        ...

    def add_team(self, name: str) -> None:
        """Where there are teams."""
        ...

    # Campaigns
    def campaigns(self) -> list[Facts]:
        """Live ones, oldest first, with name, description, status (planned, active, paused or completed),
        starts_on and ends_on (dates or None), budget (a Decimal or None) and members: emails (in lower case)
        to responses, each None if none is kept. Members on lists are those of all its live lists."""
        ...

    def delete_campaign(self, name: str) -> None:
        """By hand; lists of its members stay."""
        ...

    def refuse_campaign(self, field: Literal["name", "description"], value: str) -> None:
        """A validation of this CRM, as `refuse`; `accept` ends it, and `refused_rows` counts it."""
        ...

    # Trouble
    def misbehave(
        self,
        fault: Fault,
        *,
        of: Literal["all", "writes", "reads"] = "all",
        times: int | None = None,
        skip: int = 0,
        retry_after: float = 0.0,
    ) -> None:
        """Calls go wrong, `times` times (None = until `behave`), after `skip` that do not."""
        ...

    def behave(self) -> None:
        """No faults any more; what hangs is answered."""
        ...

    def refuse(self, kind: Kind, field: str, value: str) -> None:
        """A validation of this CRM: no record of the kind may have the value in that field (neutral name)."""
        ...

    def accept(self) -> None:
        """Ends all of them, and faults too."""
        ...

    def change_password(self, password: str) -> None:
        """Of the connection's user; its sessions end too."""
        ...

    def forbid_user(self, kind: Kind) -> None:
        """Takes the connection's user the right to write such records."""
        ...

    def permit_user(self, kind: Kind) -> None:
        """Gives it back."""
        ...

    def drop_lead_source(self) -> None:
        """`Leadbus` is no lead source any more."""
        ...

    def add_lead_source(self) -> None:
        """It is one again."""
        ...

    # Counting
    @property
    def calls(self) -> int:
        """Received so far."""
        ...

    @property
    def logins(self) -> int:
        """Calls that sign in or renew a session, so far."""
        ...

    @property
    def refused_logins(self) -> int:
        """Wrong passwords in a row, until now."""
        ...

    @property
    def refused_rows(self) -> int:
        """How often `refuse` has refused one."""
        ...

    @property
    def reads(self) -> int:
        """Calls that read records or what they are made of, so far."""
        ...

    @property
    def writes(self) -> int:
        """Calls that write records, so far."""
        ...
