"""Decides what upstream sends: requests in their order, the same for the same seed, size and token."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Literal

from sandbox.upstream.figures import profile
from sandbox.upstream.mistakes import MISTAKES
from sandbox.upstream.people import People, Person
from sandbox.upstream.sessions import CAMPAIGN, Event, Journey

Input = Literal["events", "distributions", "prospects", "campaigns", "lists"]
Format = Literal["json", "ndjson", "cloudevents"]

REACH = timedelta(hours=30)
"""How far back the oldest event lies."""


CAMPAIGN_NAME = "Frühling · Spring"
_CAMPAIGN = {
    "campaign_id": CAMPAIGN,
    "name": CAMPAIGN_NAME,
    "budget": "1250.50",
    "currency": "EUR",
    "sync": True,
}
PARTICIPANTS = 5
"""Of the people whom suppliers hand over, so many take part in the campaign."""
_LIST = "l-news"
GUEST_LIST = "l-guests"
_PROMOTED = {"title": "Head of Purchasing"}


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who hands leads to a tenant."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant as upstream knows it."""

    id: str
    suppliers: tuple[Supplier, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to send. wrong: whether ingest must refuse it."""

    body: dict[str, Any]
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One POST. idempotency_key: given where the items have no ids of their own."""

    tenant: str
    input: Input
    items: tuple[Item, ...]
    format: Format = "json"
    idempotency_key: str | None = None


@dataclass(slots=True)
class Traffic:
    """requests: in their order. acquainted: by tenant, people whom its CRM may know beforehand."""

    requests: list[Request] = field(default_factory=list)
    acquainted: dict[str, list[Person]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Size:
    """How much. events are met closely, not exactly."""

    events: int = 3_000
    distributions: int = 150


def traffic(seed: int, size: Size, tenants: Sequence[Tenant], token: str, now: datetime) -> Traffic:
    """All that is sent in one run. token: keeps ids and people of different runs apart. now: when it ends."""
    made = Traffic()
    streams: list[list[Request]] = []
    for place, tenant in enumerate(tenants):
        events, distributions = (
            total // len(tenants) + (place < total % len(tenants))
            for total in (size.events, size.distributions)
        )
        upstream = _Upstream(random.Random(f"{seed}:{tenant.id}"), tenant, f"{token}{place}x", now)
        streams.append(upstream.requests(events, distributions))
        made.acquainted[tenant.id] = upstream.acquainted
    made.requests = _interleave(streams)
    return made


def _interleave(streams: Sequence[list[Request]]) -> list[Request]:
    """Each stream evenly over the whole, its own order kept."""
    placed = [
        ((index + 0.5) / len(stream), number, request)
        for number, stream in enumerate(streams)
        for index, request in enumerate(stream)
    ]
    return [request for _, _, request in sorted(placed, key=lambda p: p[:2])]


class _Upstream:
    """What is sent for one tenant."""

    def __init__(self, rng: random.Random, tenant: Tenant, token: str, now: datetime) -> None:
        self._rng = rng
        self._tenant = tenant
        self._token = token
        self._now = now
        self._people = People(rng, token)
        self._numbers = count(1)
        self.acquainted: list[Person] = []

    def requests(self, events: int, distributions: int) -> list[Request]:
        leads, happened = self._leads(events)
        handed = list(self._distributions(distributions, leads))
        posts = self._event_posts(happened)
        posts += [self._post("prospects", *self._updates(leads), *self._participants(handed))]
        rest = _interleave([posts, handed])
        return [*self._campaigns_and_lists(), *rest]

    def _id(self, kind: str) -> str:
        return f"{kind}-{self._token}{next(self._numbers)}"

    def _post(self, input: Input, *bodies: Item | dict[str, Any], format: Format = "json") -> Request:
        items = tuple(b if isinstance(b, Item) else Item(b) for b in bodies)
        return Request(self._tenant.id, input, items, format)

    def _leads(self, events: int) -> tuple[list[Person], list[Event]]:
        """Those who became known, and all that happened."""
        leads: list[Person] = []
        happened: list[Event] = []
        while len(happened) < events:
            person, visitor = self._people.new(), self._id("v")
            begins = self._now - REACH * self._rng.uniform(0.4, 1.0)
            journey = Journey(self._rng, profile(self._rng), person, visitor, begins)
            made = [e | {"event_id": self._id("e")} for e in journey.events()]
            made = [e for e in made if datetime.fromisoformat(e["occurred_at"]) < self._now]
            happened += made
            if any("email" in e for e in made):
                leads.append(person)
                if any(e["type"] == "telequalification" for e in made) and len(self.acquainted) < 3:
                    self.acquainted.append(person)
        return leads, happened

    def _event_posts(self, happened: list[Event]) -> list[Request]:
        """Roughly in order of time, some of it late, some of it twice, some of it wrong."""
        rng = self._rng
        lateness = {e["event_id"]: rng.expovariate(1 / 1_800) for e in happened}
        happened.sort(
            key=lambda e: datetime.fromisoformat(e["occurred_at"]).timestamp() + lateness[e["event_id"]]
        )
        items = [Item(event) for event in happened]
        repeated: set[str] = set()
        for _ in range(max(2, len(items) // 50)):
            twice = rng.randrange(len(items))
            repeated.add(items[twice].body["event_id"])
            items.insert(rng.randrange(twice, len(items)) + 1, Item(items[twice].body))
        for mistake in MISTAKES:
            items.insert(rng.randrange(len(items)), Item(mistake(self._id("w")), wrong=True))
        posts: list[Request] = []
        while items:
            some = rng.choice((1, 20, 60, 120))
            chunk, items = items[:some], items[some:]
            posts.append(self._dressed(chunk, repeated))
        return posts

    def _dressed(self, chunk: list[Item], repeated: set[str]) -> Request:
        """In one of the formats; sometimes without ids, which then come from the Idempotency-Key."""
        if not repeated.isdisjoint(item.body["event_id"] for item in chunk):
            # A CloudEvent's id is that of its source too, so that it would be another event.
            return self._post("events", *chunk, format=self._rng.choice(("json", "ndjson")))
        formats: tuple[Format, ...] = ("json", "json", "ndjson", "cloudevents")
        post = self._post("events", *chunk, format=self._rng.choice(formats))
        if post.format != "json" or self._rng.random() > 0.3:
            return post
        bare = tuple(replace(i, body={k: v for k, v in i.body.items() if k != "event_id"}) for i in chunk)
        return replace(post, items=bare, idempotency_key=self._id("k"))

    def _distributions(self, wanted: int, leads: Sequence[Person]) -> Iterator[Request]:
        """Most of people unknown so far; some of known ones, some by a second supplier, some sent twice."""
        rng, handed = self._rng, list[Person]()
        for index in range(wanted):
            chance = rng.random()
            if chance < 0.1 and handed:
                person = rng.choice(handed)
            elif chance < 0.25 and leads:
                person = rng.choice(leads)
            else:
                person = self._people.new()
            handed.append(person)
            if index < 4 and person not in self.acquainted:
                self.acquainted.append(person)
            supplier = rng.choice(self._tenant.suppliers)
            body = {
                "event_id": self._id("h"),
                "distribution_id": self._id("d"),
                "supplier_id": supplier.id,
                "supplier_name": supplier.name,
                "email": person.spelled(rng),
                "fields": person.fields | {"comments": "Would like to hear about courses & prices."},
                "campaign_id": CAMPAIGN,
            }
            yield self._post("distributions", body)
            if rng.random() < 0.05:
                yield self._post("distributions", body)
        yield self._post("distributions", Item({"email": "nobody@example.com"}, wrong=True))

    def _updates(self, leads: Sequence[Person]) -> Iterator[dict[str, Any]]:
        at = self._now.isoformat()
        for person in self._rng.sample(leads, min(len(leads), 10)):
            out = {"status": "opted_out", "at": at, "source": "preference page", "explicit": True}
            updates = ({"fields": _PROMOTED}, {"subscription": out}, {"lists": [{"list_id": _LIST}]})
            update = self._rng.choice(updates)
            yield {"event_id": self._id("u"), "email": person.email, "occurred_at": at, **update}

    def _participants(self, handed: Sequence[Request]) -> Iterator[dict[str, Any]]:
        """Some of them, each once; those of the tenant's first supplier are guests of the fair too."""
        bodies = [item.body for request in handed for item in request.items if not item.wrong]
        suppliers = {body["email"].strip().lower(): body["supplier_id"] for body in reversed(bodies)}
        for email, supplier in list(suppliers.items())[-PARTICIPANTS:]:
            guest = {"lists": [{"list_id": GUEST_LIST}]} if supplier == self._tenant.suppliers[0].id else {}
            yield {
                "event_id": self._id("p"),
                "email": email,
                "occurred_at": self._now.isoformat(),
                "campaigns": [{"campaign_id": CAMPAIGN, "response": "Responded"}],
                **guest,
            }

    def _campaigns_and_lists(self) -> Iterator[Request]:
        yield self._post("campaigns", {"event_id": self._id("c"), **_CAMPAIGN})
        for key, name in ((_LIST, "Newsletter"), (GUEST_LIST, "Guests of the fair")):
            yield self._post("lists", {"event_id": self._id("l"), "list_id": key, "name": name})
