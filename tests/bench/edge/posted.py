"""Marketing events as senders post them: what ingest stamps is not there yet."""

import json
from collections.abc import Sequence

from bench.contest.marketing import TENANTS, events

TENANT = TENANTS[0]
DIFFERENT = 2_000
_STAMPED = ("schema_version", "tenant_id", "received_at", "prospect_id")


def bodies(items: int) -> Sequence[bytes]:
    """Requests' bodies: of one event each, or arrays of so many."""
    made = events(2 * DIFFERENT, DIFFERENT // 10)
    posted = [_posted(event.value) for event in made if not event.repeated][:DIFFERENT]
    if items == 1:
        return [_json(event) for event in posted]
    return [_json(posted[begin : begin + items]) for begin in range(0, DIFFERENT - items + 1, items)]


def _posted(value: bytes) -> dict[str, object]:
    event = json.loads(value)
    return {name: said for name, said in event.items() if name not in _STAMPED}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
