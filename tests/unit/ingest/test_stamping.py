"""A stamped message is what its topic promises, whoever reads it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.inputs import BY_CLOUD_EVENT_TYPE, INPUTS, Input
from ingest.items import Item
from ingest.stamping import Receipt, Stamped, stamp
from ingest.validation import validate
from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.messages import Fields, ProspectUpdated, SyncRequest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECEIPT = Receipt("acme", NOW)
EVENTS = INPUTS[0]
UPDATES = BY_CLOUD_EVENT_TYPE[ProspectUpdated.CLOUD_EVENT_TYPE]


def stamped(input: Input, body: dict[str, Any], receipt: Receipt = RECEIPT, index: int = 0) -> Stamped:
    item = Item(index, json.dumps(body), input)
    valid = validate(item)
    assert valid is not None, item.faults
    done = stamp(receipt, item, input, valid)
    assert done is not None, item.faults
    return done


def message_of(done: Stamped) -> Any:
    """As whoever reads the topic has it."""
    return done.input.topic.message.model_validate_json(done.value)


def event(**changes: Any) -> dict[str, Any]:
    return {"type": "web_view", "email": "ada@example.com"} | changes


@pytest.mark.parametrize("input", INPUTS, ids=lambda i: i.name)
def test_every_input_becomes_a_message_that_reads_back_the_same(input: Input) -> None:
    done = stamped(input, input.example)
    read = message_of(done)
    assert json.loads(read.to_bytes()) == json.loads(done.value)
    assert (read.tenant_id, read.received_at, read.event_id) == ("acme", NOW, done.event_id)
    assert read.key == done.key
    assert done.prospect_id is None or read.key == done.prospect_id


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        (None, NOW),
        ("2026-11-20T10:00:00", NOW - timedelta(hours=2)),
        ("2026-11-20T10:00:00+02:00", NOW - timedelta(hours=4)),
        ("2026-11-20T12:04:59Z", NOW + timedelta(minutes=4, seconds=59)),
        ("2026-11-20T12:05:01Z", NOW),
        ("9999-12-31T23:59:59Z", NOW),
    ],
)
def test_the_time_is_what_was_said_unless_it_lies_in_the_future(said: str | None, stands: datetime) -> None:
    done = stamped(EVENTS, event(occurred_at=said) if said else event())
    assert message_of(done).occurred_at == stands
    assert message_of(done).occurred_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("2026-11-20T10:00:00Z", NOW - timedelta(hours=2)),
        ("2062-11-20T10:00:00Z", NOW),  # it would count more than every opt-out for 36 years
    ],
)
def test_an_opt_in_is_not_of_the_future(said: str, stands: datetime) -> None:
    word = {"status": "opted_in", "at": said, "source": "form", "explicit": True}
    done = stamped(UPDATES, {"email": "ada@example.com", "subscription": word})
    read = ProspectUpdated.model_validate_json(done.value)
    assert read.subscription is not None
    assert (read.subscription.at, read.subscription.explicit) == (stands, True)


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_beyond_the_calendar_in_utc_is_a_fault(said: str) -> None:
    item = Item(0, json.dumps(event(occurred_at=said)), EVENTS)
    assert validate(item) is None
    assert item.faults[0].field == "occurred_at"


def test_a_person_is_told_by_email_before_visitor() -> None:
    both = stamped(EVENTS, event(email=" Ada@Example.COM ", visitor_id="v"))
    assert both.prospect_id == prospect_id("acme", email="ada@example.com")
    visitor = stamped(EVENTS, {"type": "web_view", "visitor_id": "v"})
    assert visitor.prospect_id == prospect_id("acme", visitor_id="v")
    other = stamped(EVENTS, event(), Receipt("other", NOW))
    assert other.prospect_id != both.prospect_id


def test_the_event_id_is_the_senders_else_derived_else_new() -> None:
    assert stamped(EVENTS, event(event_id="e")).event_id == "e"
    keyed = Receipt("acme", NOW, "k")
    first = stamped(EVENTS, event(), keyed, 0).event_id
    assert first == stamped(EVENTS, event(), keyed, 0).event_id
    assert first != stamped(EVENTS, event(), keyed, 1).event_id
    assert first != stamped(EVENTS, event(), Receipt("other", NOW, "k"), 0).event_id
    assert stamped(EVENTS, event()).event_id != stamped(EVENTS, event()).event_id


def test_distributions_and_forms_are_always_sampled_and_the_rest_is_not() -> None:
    sampled = {i.name for i in INPUTS if stamped(i, i.example).always_sampled}
    assert sampled == {"distributions"}
    types = {t for t in EventType if stamped(EVENTS, event(type=t.value)).always_sampled}
    assert types == {EventType.FORM_SUBMISSION}


def test_an_item_that_no_broker_would_take_is_a_fault() -> None:
    custom = {f"f{n}": "x" * 9_999 for n in range(60)}
    item = Item(0, json.dumps(event(fields={"custom": custom})), EVENTS)
    body = validate(item)
    assert body is not None
    assert stamp(RECEIPT, item, EVENTS, body) is None
    assert item.faults[0].code == "too_large"


FORM = event(
    type="form_submission",
    event_id="f-1",
    visitor_id="v",
    fields={"company": "Acme"},
    sync={"record_as": "contact"},
)


def test_an_event_that_asks_to_sync_has_a_prospect_update_beside_it() -> None:
    done = stamped(EVENTS, FORM)
    assert done.beside is not None
    assert [each.input.name for each in done.all] == ["events", "prospects"]
    assert "sync" not in json.loads(done.value)
    update = ProspectUpdated.model_validate_json(done.beside.value)
    assert update.key == done.beside.key
    assert update.sync == SyncRequest(record_as="contact")
    assert update.fields == Fields(company="Acme")  # a new record needs what the form said
    told = message_of(done)
    assert (update.key, update.occurred_at, update.tenant_id) == (told.key, told.occurred_at, told.tenant_id)
    assert done.beside.always_sampled


def test_the_update_beside_an_event_has_the_same_id_whenever_it_is_sent() -> None:
    ids = [done.beside.event_id for done in (stamped(EVENTS, FORM), stamped(EVENTS, FORM)) if done.beside]
    assert len(ids) == 2
    assert len({*ids, "f-1"}) == 2
    other = stamped(EVENTS, FORM, Receipt("other", NOW)).beside
    assert other is not None
    assert other.event_id not in ids


def test_an_event_that_asks_nothing_stands_alone() -> None:
    assert stamped(EVENTS, event()).beside is None


def test_a_visitor_without_an_email_cannot_be_synced() -> None:
    item = Item(0, json.dumps({"type": "web_view", "visitor_id": "v", "sync": {}}), EVENTS)
    assert validate(item) is None
    assert "email" in item.faults[0].reason
