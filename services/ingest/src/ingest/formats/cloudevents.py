"""CloudEvents 1.0 over HTTP: structured, batched and binary (cloudevents/spec, http-protocol-binding.md).

The event's `type` decides the input, `source#id` is its event id, `time` when it occurred.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError

from ingest.formats.json import Cutter, text_of
from ingest.inputs import BY_CLOUD_EVENT_TYPE, Input
from ingest.items import Fault, Item
from leadbus.messages import Time

LONGEST_EVENT_ID = 256
_REQUIRED = ("specversion", "id", "source", "type")
_TIME: TypeAdapter[datetime] = TypeAdapter(Time)


def from_structured(
    cutter: Cutter, index: int, envelope: Any, faults: list[Fault], expected: Input | None
) -> Item:
    """An event whose attributes and data are members of one JSON object."""
    if not isinstance(envelope, dict):
        return Item(index, "", None, [Fault("", "a CloudEvent is a JSON object", "cloudevent")])
    item = _item(index, envelope, faults, expected)
    if "data" in envelope:
        item.text = json.dumps(envelope["data"])
    elif "data_base64" in envelope:
        _from_base64(cutter, item, envelope["data_base64"])
    else:
        item.faults.append(Fault("data", "is required: it holds the fact itself", "missing"))
    return item


def from_binary(cutter: Cutter, headers: Mapping[str, str], body: bytes, expected: Input | None) -> Item:
    """An event whose attributes are `ce-` headers (percent-encoded) and whose data is the body.

    Raises:
        NotJson: the body cannot be read.
    """
    attributes = {
        name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    text = text_of(body)
    _, faults = cutter.document(text)
    item = _item(0, attributes, faults, expected)
    item.text = text
    return item


def _item(index: int, attributes: Mapping[str, Any], faults: list[Fault], expected: Input | None) -> Item:
    faults = list(faults)
    for name in _REQUIRED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value.strip():
            faults.append(Fault(name, "is required in a CloudEvent, as text", "missing"))
    if attributes.get("specversion", "1.0") != "1.0":
        faults.append(Fault("specversion", "must be 1.0", "cloudevent"))
    item = Item(index, "", _input(attributes.get("type"), expected, faults), faults)
    item.event_id = f"{attributes.get('source')}#{attributes.get('id')}"
    if len(item.event_id) > LONGEST_EVENT_ID:
        faults.append(Fault("id", f"source#id is longer than {LONGEST_EVENT_ID} characters", "too_long"))
    item.occurred_at = _time(attributes.get("time"), faults)
    return item


def _input(type_name: Any, expected: Input | None, faults: list[Fault]) -> Input | None:
    found = BY_CLOUD_EVENT_TYPE.get(type_name) if isinstance(type_name, str) else None
    if found is None:
        known = ", ".join(BY_CLOUD_EVENT_TYPE)
        faults.append(Fault("type", f"is not a type that can be posted; those are {known}", "unknown_type"))
        return None
    if expected is not None and found is not expected:
        faults.append(
            Fault(
                "type", f"is posted to {found.path} or /v1/cloudevents, not to {expected.path}", "wrong_path"
            )
        )
    return found


def _time(value: Any, faults: list[Fault]) -> datetime | None:
    if value is None:
        return None
    try:
        return _TIME.validate_python(value)
    except ValidationError:
        faults.append(Fault("time", "is not a time, such as 2026-11-20T10:15:00Z", "time"))
        return None


def _from_base64(cutter: Cutter, item: Item, data: Any) -> None:
    try:
        text = base64.b64decode(data, validate=True).decode("utf-8")
        _, faults = cutter.document(text)
    except (ValueError, TypeError, binascii.Error):
        item.faults.append(Fault("data_base64", "does not hold JSON", "cloudevent"))
    else:
        item.text = text
        item.faults += faults
