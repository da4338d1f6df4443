"""What one tenant's people do, by a seed: rules, connections, and facts in the order of their sending."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple
from uuid import UUID, uuid5

NAMESPACE = UUID("5f2a8c0e-7f5e-5d0b-9a53-0d1ea0b05e11")
"""Leadbus's own (docs: identities)."""
EVENTS = "marketing.events"
DISTRIBUTIONS = "leads.distributed"
SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
BEGIN = 1_790_000_000 * SECOND

POINTS = {
    "email_open": 2_000,
    "email_click": 5_000,
    "email_unsubscribe": -20_000,
    "web_view": 3_000,
    "form_submission": 20_000,
    "telequalification": 30_000,
    "email_sent": 0,
}
"""Millipoints."""


class Fact(NamedTuple):
    """A record to be sent. at: its time as the broker is to have it, in milliseconds."""

    topic: str
    at: int
    body: dict[str, Any]

    @property
    def key(self) -> bytes:
        """Of the record."""
        return str(self.body["prospect_id"]).encode()

    @property
    def value(self) -> bytes:
        """Of the record."""
        return json.dumps(self.body).encode()


class Asks(NamedTuple):
    """A connection: whom it wants to hear of. hysteresis: None = the default."""

    connection_id: str
    threshold: int
    hysteresis: int | None


@dataclass(frozen=True, slots=True)
class Terms:
    """How points come and go. points: by type, in millipoints. steps: (days, percent left), if not by
    half-life. daily: at most so many millipoints for web views of one day."""

    points: dict[str, int]
    half_life_days: int
    steps: tuple[tuple[int, int], ...] = ()
    daily: int | None = None

    def body(self) -> dict[str, Any]:
        """As they are written to scoring."""
        caps = [{"name": "views", "on": ["web_view"], "most": (self.daily or 0) / 1_000, "per": "day"}]
        return {
            "points": {type_: points / 1_000 for type_, points in self.points.items()},
            "half_life_days": self.half_life_days,
            "decay": [{"days": days, "percent": percent} for days, percent in self.steps],
            "caps": caps if self.daily is not None else [],
        }


@dataclass(slots=True)
class Story:
    """One tenant's; end: later than all of it."""

    seed: int
    size: int = 100
    tenant: str = field(init=False)
    terms: Terms = field(init=False)
    connections: list[Asks] = field(init=False)
    facts: list[Fact] = field(init=False)
    end: int = field(init=False)

    def __post_init__(self) -> None:
        random = Random(f"story {self.seed}")
        self.tenant = f"tenant-{self.seed}"
        self.terms = _terms(random)
        self.connections = [
            Asks(f"c{n}-{self.seed}", random.randint(8, 60), random.choice([None, 0, 1, 5])) for n in (1, 2)
        ]
        self.facts = list(self._told(random))
        self.end = max(fact.at for fact in self.facts) + random.randrange(20 * DAY)

    def _told(self, random: Random) -> Iterator[Fact]:
        people = [f"person{n}.{self.seed}@example.com" for n in range(random.randint(2, 6))]
        now = BEGIN
        made: list[tuple[int, Fact]] = []
        for _ in range(self.size):
            now += int(random.choice([0, 1, SECOND, 30 * SECOND, HOUR, DAY]) * random.random() * 2)
            fact = self._fact(random, random.choice(people), now)
            # By whichever way it comes, what happened within a minute is not in order.
            made.append((now + random.randrange(60 * SECOND), fact))
            while random.random() < 0.2:
                again = now + random.choice([0, 60 * SECOND, DAY, 10 * DAY])
                # What is sent again has another time, and sometimes an older one.
                made.append((again, fact._replace(at=random.choice([again, again, now - 2 * DAY]))))
        latest = 0
        for arrived, fact in sorted(made, key=lambda each: each[0]):
            latest = max(latest, arrived)
            # A broker's clock may go back: a new leader's, or a mirror's that keeps the time of the original.
            late = random.random() < 0.05
            yield fact._replace(at=arrived - random.randrange(3 * DAY) if late else latest)

    def _fact(self, random: Random, email: str, now: int) -> Fact:
        number = UUID(int=random.getrandbits(128), version=4)
        happened = now - random.choice([0, 1_000, 50_000, DAY, 5 * DAY])
        body: dict[str, Any] = {
            "event_id": str(number),
            "tenant_id": self.tenant,
            "prospect_id": person_id(self.tenant, email),
            "email": email,
            "occurred_at": datetime.fromtimestamp(happened / 1_000, UTC).isoformat(),
            "received_at": datetime.fromtimestamp(now / 1_000, UTC).isoformat(),
        }
        if random.random() < 0.08:
            handed = {"distribution_id": f"d {number}", "supplier_id": random.choice(["s1", "s2"])}
            return Fact(DISTRIBUTIONS, now, body | handed)
        return Fact(EVENTS, now, body | {"type": random.choice(list(self.terms.points))})


def person_id(tenant: str, email: str) -> str:
    """The prospect's."""
    return str(uuid5(NAMESPACE, f"{tenant}\nemail:{email}"))


def _terms(random: Random) -> Terms:
    points = {type_: random.choice([p, p, p * 3 // 2, p // 7]) for type_, p in POINTS.items()}
    daily = random.choice([None, None, 7_000])
    if random.random() < 0.3:
        # Where points that were taken off fade before others do, a score may rise by itself.
        points = {type_: abs(p) for type_, p in points.items()}
        return Terms(points, 30, ((2, 60), (random.randint(3, 9), 25), (20, 0)), daily)
    return Terms(points, random.choice([1, 2, 5, 30]), daily=daily)
