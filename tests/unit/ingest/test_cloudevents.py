"""CloudEvents: envelope and data become one item, with the envelope's identity and time."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.formats.cloudevents import from_binary, from_structured
from ingest.formats.json import Cutter, NotJson
from ingest.inputs import BY_CLOUD_EVENT_TYPE, INPUTS
from ingest.items import Item
from ingest.validation import validate

EVENTS = INPUTS[0]
DATA = {"type": "web_view", "email": "ada@example.com"}
ENVELOPE = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "leadbus.marketing.event",
    "time": "2026-11-20T10:15:00+01:00",
    "data": DATA,
}


def structured(**changes: Any) -> Item:
    envelope = {name: value for name, value in (ENVELOPE | changes).items() if value is not ...}
    return from_structured(Cutter(), 0, envelope, [], None)


def test_an_envelope_gives_identity_time_input_and_data() -> None:
    item = structured()
    assert item.faults == []
    assert (item.event_id, item.input) == ("/shop#1", EVENTS)
    assert item.occurred_at == datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
    assert json.loads(item.text) == DATA
    assert validate(item) is not None


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"id": ...}, "id", "missing"),
        ({"id": 7}, "id", "missing"),
        ({"source": " "}, "source", "missing"),
        ({"type": "com.example.other"}, "type", "unknown_type"),
        ({"type": ["leadbus.marketing.event"]}, "type", "missing"),
        ({"specversion": "0.3"}, "specversion", "cloudevent"),
        ({"time": "yesterday"}, "time", "time"),
        ({"data": ...}, "data", "missing"),
        ({"data": ..., "data_base64": "???"}, "data_base64", "cloudevent"),
        ({"data": ..., "data_base64": 5}, "data_base64", "cloudevent"),
        ({"id": "x" * 300}, "id", "too_long"),
    ],
)
def test_a_wrong_envelope_names_its_attribute(changes: dict[str, Any], field: str, code: str) -> None:
    assert (field, code) in [(fault.field, fault.code) for fault in structured(**changes).faults]


def test_an_event_on_another_inputs_path_is_told_where_to_go() -> None:
    lists = next(i for i in INPUTS if i.name == "lists")
    item = from_structured(Cutter(), 3, ENVELOPE, [], lists)
    assert item.faults[0].code == "wrong_path"
    assert "/v1/events" in item.faults[0].reason


def test_data_may_be_base64() -> None:
    item = structured(data=..., data_base64=base64.b64encode(json.dumps(DATA).encode()).decode())
    assert item.faults == []
    assert json.loads(item.text) == DATA


def test_binary_mode_takes_percent_encoded_headers() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "a%20b",
        "ce-source": "/caf%C3%A9",
        "ce-type": ENVELOPE["type"],
    }
    item = from_binary(Cutter(), headers, json.dumps(DATA).encode(), None)  # type: ignore[arg-type]
    assert (item.event_id, item.faults) == ("/café#a b", [])
    assert validate(item) is not None
    with pytest.raises(NotJson):
        from_binary(Cutter(), headers, b"{", None)  # type: ignore[arg-type]


def test_every_input_has_a_type_of_its_own() -> None:
    assert len(BY_CLOUD_EVENT_TYPE) == len(INPUTS)
