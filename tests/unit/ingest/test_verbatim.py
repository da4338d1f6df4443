"""What is forwarded as it was written says what its message says, and nothing of the sender's beyond that."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats.json import Cutter, pieces
from ingest.inputs import INPUTS, Input
from ingest.items import Item
from ingest.stamping import Receipt, Stamped, stamp
from ingest.validation import validate
from leadbus.event_types import EventType

RECEIPT = Receipt("acme", datetime(2026, 11, 20, 12, 30, 0, 250_000, tzinfo=UTC), "k")
EVENTS, _, UPDATES, *_ = INPUTS
EVENT = {"type": "web_view", "email": "ada@example.com"}


def posted(text: str, input: Input = EVENTS) -> tuple[Item, Stamped | None]:
    [(said, cut, faults)] = pieces(Cutter(), text.encode())
    item = Item(0, cut, input, faults, said=said)
    body = validate(item)
    return item, None if body is None else stamp(RECEIPT, item, input, body)


def taken(text: str, input: Input = EVENTS) -> Stamped:
    item, done = posted(text, input)
    assert done is not None, item.faults
    return done


def encoded(text: str, input: Input = EVENTS) -> Stamped:
    """The same without the sender's text."""
    item = Item(0, text, input)
    body = validate(item)
    assert body is not None, item.faults
    done = stamp(RECEIPT, item, input, body)
    assert done is not None
    return done


def test_the_text_is_forwarded_as_it_was_written_behind_what_ingest_knows() -> None:
    text = '{ "type":"web_view",\n "email" : "ada@example.com", "properties":{"a":1.50,"b":"\\u00e9"} }'
    value = taken(f" {text}\n").value.decode()
    assert value.endswith(text.removeprefix("{"))
    head = json.loads(value)
    assert (head["schema_version"], head["tenant_id"]) == (1, "acme")
    assert (head["received_at"], head["occurred_at"]) == ("2026-11-20T12:30:00.250000Z",) * 2


@pytest.mark.parametrize("input", INPUTS, ids=lambda i: i.name)
def test_a_reader_finds_the_same_in_both(input: Input) -> None:
    text = json.dumps(input.example)
    read = [input.topic.message.model_validate_json(f(text, input).value) for f in (taken, encoded)]
    assert read[0] == read[1]


lines = st.text(max_size=12)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | lines
members = st.fixed_dictionaries(
    {"type": st.sampled_from(EventType), "email": st.sampled_from(["ada@example.com", " Ada@Example.COM "])},
    optional={
        "event_id": st.sampled_from(["e", " e ", 'e"\\']) | lines,
        "occurred_at": st.sampled_from(
            [
                "2026-11-20T10:00:00Z",
                "2026-11-20T10:00:00.5+00:00",
                "2026-11-20T12:00:00+02:00",
                "2026-11-20 10:00",
                "20261120T100000Z",
                "2062-01-01T00:00:00Z",
                1_795_168_800,
                None,
            ]
        ),
        "visitor_id": lines,
        "subject": scalars,
        "title": lines,
        "network": st.fixed_dictionaries({"access_provider": st.sampled_from([True, 1, 0, "yes", None])}),
        "fields": st.fixed_dictionaries({"company": lines, "custom": st.just({"size": "9"}), "title": lines}),
        "properties": st.dictionaries(lines, scalars, max_size=3),
        "sync": st.sampled_from([None, {}, {"record_as": "lead"}]),
    },
)


@settings(max_examples=400)
@given(members, st.booleans(), st.sampled_from([None, 1]))
def test_whatever_is_posted_a_reader_finds_what_was_validated(
    said: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(said, ensure_ascii=ascii_only, indent=indent)
    item, done = posted(text)
    if done is None:
        assert item.faults
        return
    anew = encoded(text).value
    ours, theirs = json.loads(anew), json.loads(done.value, object_pairs_hook=once)
    read = EVENTS.topic.message.model_validate_json
    assert read(done.value) == read(anew)
    assert telling(theirs) | {"occurred_at": 0} == telling(ours) | {"occurred_at": 0}
    assert theirs["occurred_at"].endswith(("Z", "+00:00"))


def telling(value: Any) -> Any:
    """Without members that say nothing."""
    if not isinstance(value, dict):
        return value
    told = {name: telling(inner) for name, inner in value.items()}
    return {name: inner for name, inner in told.items() if inner is not None and inner != {}}


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object none of whose names is given twice."""
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(
    "text",
    [
        '{"tenant_id":"other","type":"web_view","email":"ada@example.com"}',
        '{"type":"web_view","email":"ada@example.com","tenant_id":"other","tenant_id":"acme"}',
        '{"type":"web_view","email":"ada@example.com","\\u0074enant_id":"other"}',
        '{"type":"web_view","email":"ada@example.com","prospect_id":"p"}',
        '{"type":"web_view","email":"ada@example.com","received_at":"2020-01-01T00:00:00Z"}',
        '{"type":"web_view","email":"ada@example.com","schema_version":2}',
        '{"type":"web_view","email":"ada@example.com","email":"eve@example.com"}',
        '{"type":"web_view","email":"ada@example.com","\\u0065mail":"eve@example.com"}',
    ],
)
def test_nothing_that_is_ingests_to_say_comes_from_the_sender(text: str) -> None:
    _, done = posted(text)
    assert done is None


@pytest.mark.parametrize(
    "changes",
    [
        {"email": " Ada@Example.COM "},
        {"occurred_at": "2026-11-20T12:00:00+02:00"},
        {"occurred_at": 1_795_168_800},
        {"occurred_at": None},
        {"event_id": " e "},
        {"network": {"access_provider": 1}},
        {"sync": None},
    ],
)
def test_what_is_written_otherwise_than_it_is_understood_is_encoded_anew(changes: dict[str, Any]) -> None:
    text = json.dumps(EVENT | changes)
    assert taken(text).value == encoded(text).value


def test_an_opt_out_that_lies_in_the_future_is_not_forwarded() -> None:
    word = {"status": "opted_in", "at": "2062-11-20T10:00:00Z", "source": "form", "explicit": True}
    text = json.dumps({"email": "ada@example.com", "subscription": word})
    assert json.loads(taken(text, UPDATES).value)["subscription"]["at"] == "2026-11-20T12:30:00.250000Z"
    now = json.dumps({"email": "ada@example.com", "subscription": word | {"at": "2026-11-20T10:00:00Z"}})
    assert taken(now, UPDATES).value.decode().endswith(now[1:])
