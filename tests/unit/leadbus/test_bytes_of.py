"""A message's bytes without the message: the same ones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from leadbus.messages import LeadScored
from leadbus.publishing import Outgoing
from leadbus.topics import LEADS_SCORED

GIVEN: dict[str, Any] = {
    "event_id": "e",
    "tenant_id": "acme",
    "occurred_at": datetime(2026, 11, 1, 12, 0, 0, 123_000, UTC),
    "prospect_id": "p",
    "version": 3,
    "email": "ada@example.com",
    "score": 4,
    "millipoints": 3_600,
    "connections": ["b", "a"],
}


@pytest.mark.parametrize("left_out", [set(), {"email"}, {"connections"}])
def test_bytes_of_are_those_of_the_message(left_out: set[str]) -> None:
    given = {name: value for name, value in GIVEN.items() if name not in left_out}
    made = LeadScored.bytes_of(**given)
    message = LeadScored(**given)
    assert made == message.to_bytes()
    assert LeadScored.model_validate_json(made) == message
    assert Outgoing.made(LEADS_SCORED, "p", made, b"t") == Outgoing.of(LEADS_SCORED, message, b"t")


def test_bytes_of_may_be_given_none() -> None:
    assert LeadScored.bytes_of(**GIVEN | {"email": None}) == LeadScored(**GIVEN | {"email": None}).to_bytes()
