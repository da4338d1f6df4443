"""One tenant of an installation: what was sent for it, and whether exactly that arrived.

What should be is computed from what was sent, from the rules as the guides state them, by the names and ids
that upstream used; nothing is asked of a service but the answer that is judged.
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from leadbus.ids import derived_id, prospect_id
from rig.children import client_of
from sandbox.sugar import SugarCRM, desk, site

if TYPE_CHECKING:
    from rig.installation import Installation

POINTS = {"email_open": 2, "email_click": 5, "web_view": 3, "form_submission": 20, "telequalification": 30}
OF_FIELDS = ": all fields"
"""What the subject of a note about a distribution ends with."""
LABELS = {
    "email_open": "Opened an email",
    "email_click": "Clicked a link in an email",
    "web_view": "Viewed a web page",
    "form_submission": "Submitted a form",
    "telequalification": "Was qualified by telephone",
}
THRESHOLD = 50
BETWEEN_TRIES = 0.3
PULLED, HOURLY = ("lead", "contact", "opportunity"), {"every_seconds": 3600}


@dataclass(frozen=True)
class Sent:
    """A marketing event that ingest has accepted."""

    event_id: str
    email: str
    type: str


class Tenant:
    """Posts for one tenant as a well-behaved upstream: again with the same ids until it is accepted."""

    def __init__(self, name: str, installation: "Installation") -> None:
        self.name = name
        self.connection = f"{name}-sugar"
        self.crm = SugarCRM(protocols=site.SUITECRM_7_SOAP)
        self.answers: Counter[int] = Counter()
        self.events: dict[str, Sent] = {}
        self.distributions: dict[str, str] = {}
        self._installation = installation
        self._key = ""
        self._random = random.Random(name.partition("-")[0])
        self._numbers = iter(range(1_000_000))

    @property
    def organisation(self) -> str:
        """Its CRM organisation's id."""
        return derived_id("sugar", self.crm.url.partition("://")[2])

    async def settle_in(self, **settings: Any) -> None:
        await self.crm.start()
        desk.add_option(self.crm.store, "Leads", "lead_source", "Leadbus")
        async with self._installation.operator(self._installation.ingest) as operator:
            wanted = {"tenant_id": self.name, "scopes": ["ingest", "read", "administer"]}
            answer = await operator.post("/v1/api-keys", json=wanted)
            assert answer.status_code == 201, answer.text
        self._key = answer.json()["key"]
        access = {"url": self.crm.url, "user": "admin", "password": "admin"}
        body = {"access": access, "schedules": dict.fromkeys(PULLED, HOURLY)} | settings
        async with self.client(self._installation.connector.url) as client:
            answer = await client.put(f"/v1/connections/{self.connection}", json=body)
            assert answer.status_code == 200, answer.text
            answer = await client.post(f"/v1/connections/{self.connection}/on")
            assert answer.json()["ok"], answer.text

    async def close(self) -> None:
        await self.crm.stop()

    def client(self, url: str) -> httpx.AsyncClient:
        return client_of(url, self._key)

    def people(self, count: int) -> list[str]:
        return [f"p{next(self._numbers)}@{self.name}.example" for _ in range(count)]

    def event(self, email: str, type: str = "") -> dict[str, Any]:
        type = type or self._random.choice(list(POINTS))
        name = f"{self.name}-e{next(self._numbers)}"
        return {"event_id": name, "type": type, "email": email, "subject": name}

    def distribution(self, email: str) -> dict[str, Any]:
        number = next(self._numbers)
        return {
            "event_id": f"{self.name}-d{number}",
            "distribution_id": f"d{number}",
            "supplier_id": "glo",
            "email": email,
            "fields": {"first_name": "Ada", "last_name": f"Number {number}"},
        }

    async def post(self, input: str, items: list[dict[str, Any]], *, within: float = 60) -> None:
        """Returns when ingest has accepted all; a refusal or a broken connection is tried again."""
        async with asyncio.timeout(within), self.client(self._installation.ingest.url) as client:
            while True:
                try:
                    answer = await client.post(f"/v1/{input}", json=items)
                except httpx.HTTPError:
                    self.answers[0] += 1
                else:
                    self.answers[answer.status_code] += 1
                    if answer.status_code == 202:
                        break
                    assert answer.status_code == 503, answer.text
                await asyncio.sleep(BETWEEN_TRIES)
        for item in items:
            self.note(input, item)

    def note(self, input: str, item: dict[str, Any]) -> None:
        """Counts an item as accepted."""
        if input == "events":
            self.events[item["event_id"]] = Sent(item["event_id"], item["email"], item["type"])
        else:
            self.distributions[item["distribution_id"]] = item["email"]

    async def traffic(self, people: list[str], events: int, distributions: int, pause: float) -> None:
        """Mixed posts of up to 20 events and single distributions, spread over `people`."""
        items = [("events", self.event(self._random.choice(people))) for _ in range(events)]
        items += [
            ("distributions", self.distribution(self._random.choice(people))) for _ in range(distributions)
        ]
        self._random.shuffle(items)
        batch: list[dict[str, Any]] = []
        for input, item in items:
            if input == "events":
                batch.append(item)
            else:
                await self.post(input, [item])
                await asyncio.sleep(pause)
            if len(batch) == 20:
                await self.post("events", batch)
                batch = []
                await asyncio.sleep(pause)
        if batch:
            await self.post("events", batch)

    async def judge(self) -> None:
        """Everything arrived, exactly once; the installation must be drained."""
        by_person: dict[str, list[Sent]] = defaultdict(list)
        for event in self.events.values():
            by_person[event.email].append(event)
        handed = set(self.distributions.values())
        qualified = {p for p, events in by_person.items() if sum(POINTS[e.type] for e in events) > THRESHOLD}
        await self._judge_scores(by_person)
        await self._judge_qualified(qualified)
        self._judge_crm(by_person, handed | qualified)

    async def _judge_scores(self, by_person: dict[str, list[Sent]]) -> None:
        expected, found = {}, {}
        async with self.client(self._installation.scoring.url) as client:
            for email, events in by_person.items():
                answer = await client.get(f"/v1/prospects/{prospect_id(self.name, email=email)}")
                assert answer.status_code == 200, (email, answer.text)
                rows = answer.json()["explanation"]
                found[email] = (len(rows), sum(row["points"] for row in rows))
                expected[email] = (len(events), sum(POINTS[e.type] for e in events))
        assert found == expected

    async def _judge_qualified(self, people: set[str]) -> None:
        records = await self._installation.records("leads.qualified")
        values = [json.loads(record.value) for record in records]
        found = {value["event_id"] for value in values if value["tenant_id"] == self.name}
        ids = (prospect_id(self.name, email=email) for email in people)
        assert found == {derived_id(name, self.connection, "qualified") for name in ids}

    def _judge_crm(self, by_person: dict[str, list[Sent]], people: set[str]) -> None:
        leads = [row for row in desk.records(self.crm.store, "Leads") if not row["deleted"]]
        assert Counter(row["email"] for row in leads) == Counter(people)
        notes: dict[str, Counter[str]] = defaultdict(Counter)
        for note in desk.records(self.crm.store, "Notes"):
            if not note["name"].endswith(OF_FIELDS):
                notes[note["parent_id"]][note["name"]] += 1
        for lead in leads:
            events = by_person.get(lead["email"], [])
            assert notes[lead["id"]] == Counter(f"{LABELS[e.type]}: {e.event_id}" for e in events)
        assert set(notes) <= {lead["id"] for lead in leads}
