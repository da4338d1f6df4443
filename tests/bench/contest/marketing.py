"""Marketing events as a busy installation has them: the same ones each time, of the last two hours.

Half of the events are of a tenth of the people, and two in a hundred come twice. No more than two hours, so
that no score falls far enough by time alone: that is noticed by the clock, so not in each run alike.
"""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate
from uuid import UUID

from leadbus.ids import prospect_id

PARTITIONS = 6
TENANTS = tuple(f"tenant-{number}" for number in range(10))
THRESHOLD = 50
REPEATED = 0.02
SAMPLED = 0.05
_SPAN_MS = 2 * 3_600_000
_LATELY = 1_000
_WEIGHTS = {
    "email_open": 24,
    "web_view": 30,
    "web_click": 12,
    "email_click": 10,
    "sms_delivered": 6,
    "form_submission": 4,
    "sms_click": 3,
    "supplier_event": 3,
    "email_sent": 2,
    "email_bounce": 2,
    "link_conversion": 2,
    "email_unsubscribe": 1,
    "telequalification": 1,
}
_PAGES = ("prices", "plans/enterprise", "blog/2026/a-field-guide-to-leads", "contact", "webinars/autumn")


def connection_of(tenant: str) -> str:
    """The id of a tenant's one connection; its threshold is THRESHOLD."""
    return f"{tenant}-crm"


@dataclass(frozen=True, slots=True)
class Event:
    """One record. at: milliseconds since 1970, never less than the one's before."""

    key: bytes
    value: bytes
    at: int
    traceparent: bytes
    repeated: bool = False


@cache
def people(count: int) -> tuple[tuple[str, str, str], ...]:
    """So many: tenant, email, prospect id; always the same ones."""
    found = []
    for number in range(count):
        tenant, email = TENANTS[number % len(TENANTS)], f"person{number}@company{number % 997}.example"
        found.append((tenant, email, prospect_id(tenant, email=email)))
    return tuple(found)


def events(count: int, prospects: int, *, evenly: bool = False) -> Iterator[Event]:
    """So many events of so many people, in the order of their times; evenly: nobody is busier."""
    chance = random.Random(8)
    everybody = people(prospects)
    busy = everybody[: max(1, prospects // 10)]
    types, ends = list(_WEIGHTS), list(accumulate(_WEIGHTS.values()))
    began = int(time.time() * 1000) - _SPAN_MS
    step = _SPAN_MS / count
    lately: list[Event] = []
    for number in range(count):
        at = began + int(number * step)
        if lately and chance.random() < REPEATED:
            one = chance.choice(lately)
            yield Event(one.key, one.value, at, one.traceparent, repeated=True)
            continue
        who = busy if not evenly and chance.random() < 0.5 else everybody
        tenant, email, prospect = who[int(chance.random() * len(who))]
        (type_,) = chance.choices(types, cum_weights=ends)
        event = Event(
            prospect.encode(),
            _body(chance, type_, tenant, email, prospect, at - chance.randrange(5_000)),
            at,
            _traceparent(chance, type_),
        )
        lately.append(event)
        if len(lately) > 2 * _LATELY:
            del lately[:_LATELY]
        yield event


def _body(chance: random.Random, type_: str, tenant: str, email: str, prospect: str, at: int) -> bytes:
    occurred = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    campaign, page = chance.randrange(400), chance.choice(_PAGES)
    body = {
        "schema_version": 1,
        "event_id": str(UUID(int=chance.getrandbits(128), version=4)),
        "tenant_id": tenant,
        "occurred_at": occurred,
        "received_at": occurred,
        "prospect_id": prospect,
        "type": type_,
        "email": email,
        "subject": f"Autumn campaign {campaign}: what our customers ask us most",
        "url": f"https://www.{tenant}.example/en/{page}?campaign={campaign}",
        "campaign_id": f"campaign-{campaign}",
        "properties": {"device": chance.choice(("mobile", "desktop")), "position": chance.randrange(20)},
    }
    if chance.random() < 0.3:
        body["title"] = "Prices and plans for teams of every size"
    return json.dumps(body, separators=(",", ":")).encode()


def _traceparent(chance: random.Random, type_: str) -> bytes:
    """As ingest stamps it: form submissions are always sampled, the rest by the ratio of production."""
    sampled = type_ == "form_submission" or chance.random() < SAMPLED
    return b"00-%032x-%016x-%02x" % (chance.getrandbits(128) or 1, chance.getrandbits(64) or 1, sampled)
