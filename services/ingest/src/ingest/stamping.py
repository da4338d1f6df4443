"""What ingest adds to a body to make it a message: tenant, prospect, event id, time of receipt."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from ingest.inputs import BY_CLOUD_EVENT_TYPE, Input
from ingest.items import Fault, Item
from ingest.verbatim import forwarded, written
from leadbus.event_types import EventType
from leadbus.ids import derived_id, prospect_id
from leadbus.messages import (
    Body,
    LeadDistributionBody,
    MarketingEventBody,
    ProspectUpdateBody,
    ProspectUpdated,
    Subscription,
)
from leadbus.messages.base import LATEST_LEAD

LARGEST_RECORD = 512 * 1024
"""Well below what a broker takes by default (1 MiB), since what follows from a fact carries it along."""


@dataclass(slots=True)
class Receipt:
    """What is known of a request before its items are: whose, when, and how it may be repeated."""

    tenant_id: str
    received_at: datetime
    idempotency_key: str | None = None
    head: str = field(init=False)
    """What all messages of the request begin with, as JSON."""

    def __post_init__(self) -> None:
        received_at = written(self.received_at)
        head = f'"schema_version":1,"tenant_id":"{self.tenant_id}","received_at":"{received_at}"'
        self.head = head


@dataclass(slots=True)
class Stamped:
    """What is published of a body: key and value of its record, and what else is told of it.

    named: whether the sender gave the event id (it may recur).
    beside: another message that the item is accepted with, or not at all.
    """

    input: Input
    event_id: str
    tenant_id: str
    key: str
    value: bytes
    prospect_id: str | None
    distribution_id: str | None
    always_sampled: bool
    named: bool = False
    beside: "Stamped | None" = None

    @property
    def all(self) -> "tuple[Stamped, ...]":
        """Everything that is published of the item, in this order."""
        return (self, self.beside) if self.beside else (self,)


def stamp(receipt: Receipt, item: Item, input: Input, body: Body) -> Stamped | None:
    """The message that `body` becomes, or None and `item.faults` say why not."""
    given = item.event_id or body.event_id
    event_id = given or _made_up_id(receipt, item.index)
    occurred_at = _occurred_at(receipt, item, body)
    stamped = _stamped(receipt, input, body, event_id, occurred_at, item)
    stamped.named = given is not None
    if (update := _update_beside(body, occurred_at)) is not None:
        updated = BY_CLOUD_EVENT_TYPE[ProspectUpdated.CLOUD_EVENT_TYPE]
        update_id = derived_id(receipt.tenant_id, event_id, "sync")
        beside = _stamped(receipt, updated, update, update_id, occurred_at)
        beside.always_sampled = stamped.always_sampled
        stamped.beside = beside
    if len(stamped.value) > LARGEST_RECORD or (stamped.beside and len(stamped.beside.value) > LARGEST_RECORD):
        item.faults.append(Fault("", f"is larger than {LARGEST_RECORD // 1024} KiB", "too_large"))
        return None
    return stamped


def _update_beside(body: Body, occurred_at: datetime) -> ProspectUpdateBody | None:
    """What an event says that every CRM is to hear of, whatever its person's score."""
    if not isinstance(body, MarketingEventBody) or body.email is None:
        return None
    leaves = body.type is EventType.EMAIL_UNSUBSCRIBE
    if body.sync is None and not leaves:
        return None
    word = Subscription(status="opted_out", at=occurred_at, source=body.type.value, explicit=True)
    return ProspectUpdateBody.model_construct(
        email=body.email,
        fields=body.fields if body.sync else None,
        subscription=word if leaves else None,
        sync=body.sync,
        lists=[],  # both named: for what is left out pydantic looks at how a list is made, each time
        campaigns=[],
    )


def _stamped(
    receipt: Receipt, input: Input, body: Body, event_id: str, occurred_at: datetime, item: Item | None = None
) -> Stamped:
    """item: whose text may be forwarded."""
    known = {**body.__dict__, "event_id": event_id, "occurred_at": occurred_at}
    if isinstance(body, MarketingEventBody):
        del known["sync"]  # which goes beside it
    elif isinstance(body, ProspectUpdateBody) and (word := body.subscription) is not None:
        known["subscription"] = word.model_copy(update={"at": _not_ahead(receipt, word.at)})
    person, value = None, None
    if input.about_prospect:
        person = prospect_id(receipt.tenant_id, email=known["email"], visitor_id=known.get("visitor_id"))
        if item is not None:
            value = forwarded(f'{receipt.head},"prospect_id":"{person}"', item.text, item.said, known)
    key = person
    if value is None or key is None:
        # Only what was just validated and what is made here: there is nothing left to check a second time.
        known |= {"tenant_id": receipt.tenant_id, "received_at": receipt.received_at, "prospect_id": person}
        message = input.topic.message.model_construct(**known)
        key, value = message.key, message.to_bytes()
    distribution = body.distribution_id if isinstance(body, LeadDistributionBody) else None
    always = input.always_sampled(body)
    return Stamped(input, event_id, receipt.tenant_id, key, value, person, distribution, always)


def _made_up_id(receipt: Receipt, index: int) -> str:
    if receipt.idempotency_key is None:
        return str(uuid4())
    return derived_id(receipt.tenant_id, receipt.idempotency_key, str(index))


def _occurred_at(receipt: Receipt, item: Item, body: Body) -> datetime:
    return _not_ahead(receipt, body.occurred_at or item.occurred_at or receipt.received_at)


def _not_ahead(receipt: Receipt, said: datetime) -> datetime:
    """What is said to lie in the future would be newer than whatever is said until then."""
    return said if said <= receipt.received_at + LATEST_LEAD else receipt.received_at
