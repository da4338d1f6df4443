"""What a CRM pushed crosses the topic byte by byte."""

import base64
import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from leadbus.messages import CrmNotification
from leadbus.topics import CRM_NOTIFICATIONS

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LARGEST = 1024 * 1024


def notification(body: bytes) -> CrmNotification:
    return CrmNotification(
        event_id="e",
        tenant_id="acme",
        occurred_at=NOW,
        connection_id="c" * 256,
        content_type="x" * 1_000,
        body=body,
        received_at=NOW,
    )


@pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe>>??", b'{"a": 1}', bytes(range(256))])
def test_every_byte_survives(body: bytes) -> None:
    sent = notification(body)
    assert base64.b64decode(json.loads(sent.to_bytes())["body"]) == body
    assert CrmNotification.model_validate_json(sent.to_bytes()).body == body
    assert sent.key == sent.connection_id


def test_the_largest_fits_its_topic_and_nothing_larger_is_made() -> None:
    size = len(notification(b"\xff" * LARGEST).to_bytes())
    assert size + 1_000 < int(CRM_NOTIFICATIONS.config["max.message.bytes"])
    with pytest.raises(ValidationError):
        notification(b"\xff" * (LARGEST + 1))
