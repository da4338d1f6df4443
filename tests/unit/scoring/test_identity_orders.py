"""Visitors and emails linked at random, on partitions that are read at random: every event counts once.

What scoring tells itself goes round as it does on Kafka, but in memory.
"""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from leadbus.consuming.records import Received
from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.messages import ConnectionChanged, MarketingEvent, ProspectMessage, ProspectUpdated
from leadbus.publishing import Outgoing, partition_for
from leadbus.topics import (
    BY_NAME,
    LEADS_QUALIFIED,
    MARKETING_EVENTS,
    PARTITIONS,
    PROSPECTS_JOINED,
    PROSPECTS_LINKED,
    PROSPECTS_UPDATED,
)
from scoring.aliases import names_alias
from scoring.emission import emissions, handed_on
from scoring.history import compact
from scoring.passing import Passing, turns
from scoring.prospect import Key, Prospect
from scoring.prospect_documents import from_document, to_document
from scoring.rules import DEFAULT_RULES

START = 1_790_000_000_000
EMAILS = [f"person{n}@example.com" for n in range(4)]
VISITORS = ["v0", "v1", "v2"]
FACTS = 60
MOST_BATCHES = 20_000


class Log:
    """Topics by partition, and prospects by id, as `scoring.handlers` would leave them. said: crossings."""

    def __init__(self, random: Random, connections: tuple[ConnectionChanged, ...]) -> None:
        self.random = random
        self.now = START
        self.held: dict[str, Prospect] = {}
        self.said: list[tuple[str, int, int]] = []
        self._connections = connections
        self._unread: dict[tuple[str, int], list[Received]] = {}

    def send(self, topic: str, message: ProspectMessage) -> None:
        self.now += self.random.randrange(3)
        partition = partition_for(message.key.encode(), PARTITIONS)
        record = Received(topic, partition, 0, self.now, message)
        self._unread.setdefault((topic, partition), []).append(record)

    def read(self) -> bool:
        """One batch of any partition; whether there was one."""
        waiting = [place for place, records in self._unread.items() if records]
        if not waiting:
            return False
        _, partition = self.random.choice(waiting)
        by_prospect: dict[str, list[Received]] = {}
        for place in waiting:
            for record in self._taken(place) if place[1] == partition else ():
                message: Any = record.message
                if not isinstance(message, ProspectUpdated) or names_alias(message):
                    by_prospect.setdefault(message.prospect_id, []).append(record)
        for who, records in by_prospect.items():
            self._apply(who, partition, records)
        return True

    def _taken(self, place: tuple[str, int]) -> list[Received]:
        count = self.random.randrange(4)
        taken, self._unread[place] = self._unread[place][:count], self._unread[place][count:]
        return taken

    def _apply(self, who: str, partition: int, records: list[Received]) -> None:
        known = self.held.get(who)
        prospect = from_document(to_document(known)) if known else Prospect(Key("acme", who), partition)
        said: list[Outgoing] = []
        changed = False
        for part in turns(prospect, records, DEFAULT_RULES, self._connections):
            prospect, changed = part.prospect, changed or part.changed
            told = handed_on if isinstance(part, Passing) else emissions
            said += told(part, lambda cause, _: None)  # type: ignore[operator]
        if changed:
            self.held[who] = prospect
        for one in said:
            message: Any = BY_NAME[one.topic].message.model_validate_json(one.value)
            if one.topic in {PROSPECTS_LINKED.name, PROSPECTS_JOINED.name}:
                self.send(one.topic, message)
            elif one.topic == LEADS_QUALIFIED.name:
                self.said.append((message.event_id, message.version, message.millipoints))


def fact(log: Log, number: int, sent: list[MarketingEvent], *, emails_change: bool) -> None:
    """Sends one more: an event, one that was sent before, or an update."""
    random = log.random
    log.now += random.choice([5, 1_000, 60_000, 3_600_000])
    time = datetime.fromtimestamp(log.now / 1000, UTC)
    common = {"event_id": f"fact {number}", "tenant_id": "acme", "occurred_at": time, "received_at": time}
    if random.random() < 0.2:
        email, previous = random.sample(EMAILS, 2)
        who = {"prospect_id": prospect_id("acme", email=email), "email": email}
        told = {"previous_email": previous if emails_change else None, "visitor_id": random.choice(VISITORS)}
        log.send(PROSPECTS_UPDATED.name, ProspectUpdated.model_validate(common | who | told))
        return
    if not sent or random.random() < 0.85:
        email_, visitor = random.choice([(True, True), (True, False), (False, True)])
        names = {
            "email": random.choice(EMAILS) if email_ else None,
            "visitor_id": random.choice(VISITORS) if visitor else None,
        }
        of = {"type": random.choice([EventType.WEB_VIEW, EventType.FORM_SUBMISSION])}
        who = {"prospect_id": prospect_id("acme", **names)}
        sent.append(MarketingEvent.model_validate(common | names | of | who))
        log.send(MARKETING_EVENTS.name, sent[-1])
    else:
        log.send(MARKETING_EVENTS.name, random.choice(sent))


@pytest.mark.parametrize("emails_change", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_every_event_counts_once_for_one_person_however_ids_are_linked(
    scene: Any, seed: int, emails_change: bool
) -> None:
    log = Log(Random(seed), (scene.connection(threshold=30),))
    sent: list[MarketingEvent] = []
    for number in range(FACTS):
        fact(log, number, sent, emails_change=emails_change)
        for _ in range(log.random.randrange(6)):
            log.read()
    batches = 0
    while log.read():
        batches += 1
        assert batches < MOST_BATCHES, "records go round for ever"
    counted = [row.id for prospect in log.held.values() for row in prospect.history]
    assert sorted(counted) == sorted({compact(event.event_id) for event in sent})
    aliases = [prospect for prospect in log.held.values() if prospect.person]
    assert aliases
    assert not [alias for alias in aliases if alias.history.rows or alias.score or alias.qualified]
    if not emails_change:
        assert len({name for name, *_ in log.said}) == len(log.said) > 0
