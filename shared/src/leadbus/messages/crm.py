"""What comes back from the CRMs, and what became of what we sent."""

from base64 import b64decode, b64encode
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from leadbus.messages.base import (
    Amount,
    Currency,
    Email,
    Id,
    Line,
    Message,
    ProspectMessage,
    Text,
    Time,
    Value,
)
from leadbus.messages.fields import Fields

LARGEST_NOTIFICATION_BYTES = 1024 * 1024


def _from_base64(value: Any) -> Any:
    return b64decode(value, validate=True) if isinstance(value, str) else value


def _to_base64(value: bytes) -> str:
    return b64encode(value).decode()


Raw = Annotated[
    bytes,
    Field(max_length=LARGEST_NOTIFICATION_BYTES),
    BeforeValidator(_from_base64),
    PlainSerializer(_to_base64, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes as they came, at most 1 MiB; base64 in JSON."""


PersonKind = Literal["lead", "contact", "target"]
"""What a CRM calls a person; target = on lists only, not yet a lead."""

ACCOUNT_FIELDS = ("annual_revenue", "account_type")
"""Standard facts of a company: a plain decimal, and the CRM's own word."""


class Record(Value):
    """A row in a CRM. `module` is the vendor's own word for its table."""

    module: Line
    id: Id


class Origin(Value):
    """The distribution that a record goes back to."""

    supplier_id: Id
    distribution_id: Id


class Feedback(ProspectMessage):
    """Something pulled from a CRM about one prospect.

    origins: the distributions behind it, if a supplier handed the lead over.
    lead_trace_id: the trace that brought the lead in.
    """

    connection_id: Id
    record: Record
    email: Email | None = None
    origins: list[Origin] = []
    lead_trace_id: Line | None = None


class LeadStatusChanged(Feedback):
    """A salesperson changed a lead's status. lead_status: in the tenant's own words, where it is mapped."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.lead-status.changed"
    status: Line
    lead_status: Line | None = None
    previous_status: Line | None = None


class OpportunityChanged(Feedback):
    """An opportunity whose contact is one of our leads was created or changed.

    deleted: also if it lives on without this person.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.opportunity.changed"
    name: Line
    stage: Line | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    close_date: date | None = None
    probability: Annotated[int, Field(ge=0, le=100)] | None = None
    lead_source: Line | None = None
    deleted: bool = False


class ContactChanged(Feedback):
    """A person as it stands in a CRM: read for the first time, changed, converted or deleted there.

    state: a contact is a client.
    fields: those that the connection reads, by our names. changed_fields: those, as `Fields.flat()` names
    them, that were given another value there since they were last read or written; one that is not among the
    fields was emptied. account_fields: of its company, such as `ACCOUNT_FIELDS`. converted_to: the contact
    that a lead became.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.contact.changed"
    kind: PersonKind
    state: Literal["prospect", "client"]
    fields: Fields = Fields()
    changed_fields: list[Line] = []
    status: Line | None = None
    owner_email: Email | None = None
    account: Record | None = None
    account_fields: dict[str, Text] = {}
    converted_to: Record | None = None
    deleted: bool = False


class SubscriptionChanged(Feedback):
    """Somebody opted a person in or out in a CRM. explicit: said by the person itself."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.subscription.changed"
    status: Literal["opted_in", "opted_out"]
    explicit: bool = False


class CrmActivityChanged(Feedback):
    """A task, call, meeting, note or email of a prospect was made, changed or deleted in a CRM."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.activity.changed"
    type: Line
    subject: Line
    status: Line | None = None
    priority: Line | None = None
    due_at: Time | None = None
    deleted: bool = False


class CrmMessage(Message):
    """Something pulled from a CRM that is not about one prospect; in order per record."""

    connection_id: Id
    record: Record
    deleted: bool = False

    @property
    def key(self) -> str:
        return f"{self.connection_id}:{self.record.id}"


class AccountChanged(CrmMessage):
    """A company as it stands in a CRM. fields: those that the connection reads, by our names."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.account.changed"
    name: Line
    owner_email: Email | None = None
    fields: dict[str, Text] = {}


class UserChanged(CrmMessage):
    """A user of a CRM; people who are active can own leads."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.user.changed"
    name: Line
    email: Email | None = None
    active: bool


class Member(Value):
    """A person on a list. fields: those that the connection chose for it, values up to 1,000 characters."""

    prospect_id: Id
    email: Email
    fields: Fields = Fields()


class CrmListChanged(CrmMessage):
    """A list of a CRM was made, renamed or deleted, or people were put on it or taken off.

    own_name, list_id: how the list is called here, and which one it is, where the connection says so.
    updated: members whose chosen fields are other ones now.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.list.changed"
    name: Line
    own_name: Line | None = None
    list_id: Id | None = None
    list_type: Line | None = None
    added: list[Member] = []
    updated: list[Member] = []
    removed: list[Member] = []


class DeliveryReported(ProspectMessage):
    """What became of a delivery: the record it ended in, or why it did not.

    outcome: created = a new record; matched = an existing record was taken; updated = a linked record
    was written again; parked = the CRM refuses it until a person changes something;
    unlinked = the record was deleted in the CRM. kind: of the record. first_said: when the oldest fact behind
    the delivery was said (broker time, ms); 0 = not known.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.delivery.reported"
    connection_id: Id
    outcome: Literal["created", "matched", "updated", "parked", "unlinked"]
    record: Record | None = None
    kind: PersonKind | None = None
    activities: int = 0
    origins: list[Origin] = []
    reason: Text | None = None
    field: Line | None = None
    lead_trace_id: Line | None = None
    first_said: int = 0


class ConnectionChanged(Message):
    """A connection as everybody but its connector needs to know it (compacted by its id).

    Without secrets and without the CRM's address. hysteresis: by how many points a score must fall below the
    threshold before exceeding it counts anew; None = a tenth of the threshold. score: the name of the score
    that is meant; None = the tenant's main one.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.connection.changed"
    connection_id: Id
    crm: Line
    revision: int
    on: bool
    marketing_automation: bool
    lead_distribution: bool
    threshold: int
    hysteresis: int | None = None
    score: Line | None = None
    supplier_id: Id | None = None
    deleted: bool = False

    @property
    def key(self) -> str:
        return self.connection_id


class CrmNotification(Message):
    """What a CRM pushed to a connection's hook, unread: its connector knows what it means.

    tenant_id is the hook's, whatever connection it names: a reader compares it with its connection's.
    content_type: as the CRM said it; empty if it did not.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.crm.notification.received"
    connection_id: Id
    content_type: Line = ""
    body: Raw
    received_at: Time

    @property
    def key(self) -> str:
        return self.connection_id


__all__ = [
    "ACCOUNT_FIELDS",
    "AccountChanged",
    "ConnectionChanged",
    "ContactChanged",
    "CrmActivityChanged",
    "CrmListChanged",
    "CrmMessage",
    "CrmNotification",
    "DeliveryReported",
    "Feedback",
    "LeadStatusChanged",
    "Member",
    "OpportunityChanged",
    "Origin",
    "PersonKind",
    "Record",
    "SubscriptionChanged",
    "UserChanged",
]
