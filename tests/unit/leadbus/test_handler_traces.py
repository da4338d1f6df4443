"""What the consumer of a connector hands on of a record's trace."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from leadbus.connector.delivering.handler import MergingHandler
from leadbus.consuming.records import Received
from leadbus.messages import ProspectUpdated

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
    handler = MergingHandler(*cast(Any, (None, None, None)))
    fact = ProspectUpdated.model_construct(event_id="1", tenant_id="acme", received_at=datetime.now(UTC))
    assert handler._trace(Received("prospects.updated", 0, 1, 0, fact, header)) == handed_on
