"""What ingest adds to a body to make it a message: tenant, prospect, event id, time of receipt."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from ingest.inputs import Input
from ingest.items import Fault, Item
from leadbus.ids import derived_id, prospect_id
from leadbus.messages import Body, Message
from leadbus.messages.base import LATEST_LEAD

LARGEST_RECORD = 512 * 1024
"""Well below what a broker takes by default (1 MiB), since what follows from a fact carries it along."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a request before its items are: whose, when, and how it may be repeated."""

    tenant_id: str
    received_at: datetime
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Stamped:
    """A message with its record's value. named: whether the sender gave the event id (it may recur)."""

    input: Input
    message: Message
    value: bytes
    prospect_id: str | None
    always_sampled: bool
    named: bool


def stamp(receipt: Receipt, item: Item, input: Input, body: Body) -> Stamped | None:
    """The message that `body` becomes, or None and `item.faults` say why not."""
    known = dict(body.__dict__)
    # Only what was just validated and what is made here: there is nothing left to check a second time.
    known["tenant_id"] = receipt.tenant_id
    known["received_at"] = receipt.received_at
    given = item.event_id or body.event_id
    known["event_id"] = given or _made_up_id(receipt, item.index)
    known["occurred_at"] = _occurred_at(receipt, item, body)
    person = None
    if input.about_prospect:
        person = prospect_id(receipt.tenant_id, email=known.get("email"), visitor_id=known.get("visitor_id"))
        known["prospect_id"] = person
    message = input.topic.message.model_construct(**known)
    value = message.to_bytes()
    if len(value) > LARGEST_RECORD:
        item.faults.append(Fault("", f"is larger than {LARGEST_RECORD // 1024} KiB", "too_large"))
        return None
    return Stamped(input, message, value, person, input.always_sampled(body), given is not None)


def _made_up_id(receipt: Receipt, index: int) -> str:
    if receipt.idempotency_key is None:
        return str(uuid4())
    return derived_id(receipt.tenant_id, receipt.idempotency_key, str(index))


def _occurred_at(receipt: Receipt, item: Item, body: Body) -> datetime:
    said = body.occurred_at or item.occurred_at
    if said is None or said > receipt.received_at + LATEST_LEAD:
        return receipt.received_at
    return said
