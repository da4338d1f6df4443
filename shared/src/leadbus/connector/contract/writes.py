"""What is written to a CRM."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from leadbus.connector.capabilities import PersonKind
from leadbus.messages import Record


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

    email: its new primary address. status: of a lead, in the vendor's value. version: of the row that this
    was decided by; if the record has another one by now, nothing is written.
    """

    record: Record
    values: Mapping[str, str] = field(default_factory=dict)
    score: int | None = None
    email: str | None = None
    opted_out: bool | None = None
    owner_id: str | None = None
    lead_source: str | None = None
    status: str | None = None
    version: str | None = None
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

    type: a note says what happened; a task or a call is for its owner to do until due_at. done: of a task
    that it is completed already.
    subject: one line in a salesperson's words. text: the rest.
    """

    id: str
    record: Record
    type: Literal["note", "task", "call"]
    subject: str
    text: str = ""
    due_at: datetime | None = None
    owner_id: str | None = None
    done: bool = False
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


@dataclass(frozen=True, slots=True)
class CampaignThere:
    """A campaign in the CRM. lists: those that hold its members, where the CRM keeps them on lists.

    record: it may be such a list itself, which belongs to no campaign of ours.
    """

    record: Record
    lists: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignAsSent:
    """A campaign as it is to stand in the CRM; members that are None are left as they are there.

    id: for one to create, where the CRM takes ids of ours; where not, the campaign of that name is taken.
    there: set if it has been created. budget: a decimal string, with an ISO 4217 currency.
    """

    id: str
    name: str
    there: CampaignThere | None = None
    status: Literal["planned", "active", "paused", "completed"] | None = None
    description: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    budget: str | None = None
    currency: str | None = None
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class CampaignMember:
    """A person to be put in a campaign (or on a list), or taken out.

    response: how it responded, in the sender's words.
    """

    campaign: CampaignThere
    record: Record
    member: bool = True
    response: str | None = None
    traceparent: bytes | None = None
