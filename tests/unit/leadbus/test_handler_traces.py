"""What a handler hands on of a record's trace."""

from datetime import UTC, datetime

import pytest

from leadbus.consuming.records import Received
from leadbus.consuming.spans import taken_in
from leadbus.messages import ProspectUpdated
from leadbus.telemetry import Telemetry, is_sampled
from leadbus.telemetry.propagation import trace_id_of

UNSAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.mark.parametrize(
    ("header", "handed_on"),
    [
        (None, None),
        (UNSAMPLED, UNSAMPLED),
        (b"", None),
        (b"\xff\xfe", None),
        (UNSAMPLED[:-1] + b"\n", None),
        (b"00-0\r\nAuthorization: x", None),
    ],
)
def test_a_header_that_is_no_traceparent_goes_no_further(
    header: bytes | None, handed_on: bytes | None
) -> None:
    assert taken_in(Telemetry("tests", {}), received(header), {}) == handed_on


def test_a_sampled_record_gets_a_span_that_what_follows_is_a_child_of() -> None:
    sampled = UNSAMPLED[:-1] + b"1"
    handed_on = taken_in(Telemetry("tests", {}), received(sampled), {"leadbus.tenant.id": "acme"})
    assert is_sampled(handed_on)
    assert handed_on != sampled
    assert trace_id_of(handed_on) == trace_id_of(sampled)


def received(header: bytes | None) -> Received:
    fact = ProspectUpdated.model_construct(event_id="1", tenant_id="acme", received_at=datetime.now(UTC))
    return Received("prospects.updated", 0, 1, 0, fact, header)
