"""Items that ingest must refuse, each for another reason; they say nothing about anybody."""

from collections.abc import Callable
from typing import Any

_GOOD: dict[str, Any] = {"type": "email_open", "email": "refused@example.com"}


def _wrong(**changes: Any) -> Callable[[str], dict[str, Any]]:
    """The good item with changes; None takes a field away."""
    body = {name: value for name, value in {**_GOOD, **changes}.items() if value is not None}
    return lambda event_id: {**body, "event_id": event_id}


MISTAKES: tuple[Callable[[str], dict[str, Any]], ...] = (
    _wrong(type="carrier_pigeon"),
    _wrong(email="not an email"),
    _wrong(email=None),
    _wrong(occurred_at="yesterday, about noon"),
    _wrong(tenant_id="somebody-else"),
    _wrong(url=["a", "list"]),
    _wrong(colour="green"),
)
