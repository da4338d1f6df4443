"""Real servers for many schedules: one log for all, and lanes in which they run, one after the other."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from exactly.group import Group, Stuck
from exactly.member import FatedLedger, Parts
from exactly.recomputation import recomputed
from exactly.story import Fact, Story
from exactly.topics import Topics
from exactly.verdict import wrong_state, wrong_word
from leadbus.consuming.decoding import Raw
from leadbus.consuming.ledger import Partition
from leadbus.erasing.tombstones import Tombstones
from leadbus.librdkafka import LibrdkafkaPublisher
from leadbus.messages import ConnectionChanged
from leadbus.storage.mongo import Document, connect
from leadbus.telemetry import Telemetry
from sandbox.servers import Kafka, MongoDB
from scoring.connections import Connections
from scoring.prospect import Prospect
from scoring.prospect_documents import from_document
from scoring.rules import RulesBody
from scoring.rules_store import MongoRules
from scoring.store import MongoProspects

LANES = 3

Log = Mapping[Partition, Sequence[Raw]]


@dataclass
class Outcome:
    """What came of schedules. wrong: in words, by seed. befell: what members went through. again: records
    that were published more than once, as `records` says of how many."""

    wrong: dict[int, list[str]] = field(default_factory=dict)
    befell: Counter[str] = field(default_factory=Counter)
    crossings: int = 0
    records: int = 0
    again: int = 0


class Stage:
    """An installation of its own. broken: replaces parts of members, to see whether that is found."""

    def __init__(self, kafka: Kafka, mongodb: MongoDB, **broken: Any) -> None:
        prefix = f"exact-{uuid4().hex[:8]}."
        self._topics = Topics(kafka.bootstrap_servers, prefix)
        self._client = connect(mongodb.url, app_name="exactness")
        self._publisher = LibrdkafkaPublisher(kafka.bootstrap_servers, "exactness", topic_prefix=prefix)
        self._telemetry = Telemetry("scoring", {"OTEL_SDK_DISABLED": "true"})
        self._broken = broken
        self._lanes = [f"{prefix[:-1]}-{n}" for n in range(LANES)]

    async def __aenter__(self) -> Self:
        await self._topics.prepare()
        await self._publisher.start()
        for lane in self._lanes:
            await MongoProspects(self._client[lane]).prepare()
            await self._ledger(lane).prepare()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._publisher.stop()
        for lane in self._lanes:
            await self._client.drop_database(lane)
        await self._client.close()
        self._telemetry.shutdown()

    async def run(self, seeds: Iterable[int]) -> Outcome:
        """Runs these schedules."""
        stories = {story.tenant: story for story in map(Story, seeds)}
        await self._topics.send(fact for story in stories.values() for fact in story.facts)
        logs = await self._topics.logs()
        outcome, waiting = Outcome(), list(stories.values())

        async def lane(name: str) -> None:
            while waiting:
                story = waiting.pop()
                try:
                    held = await self._played(name, story, logs[story.tenant], outcome)
                except Stuck as stuck:
                    outcome.wrong[story.seed] = [str(stuck)]
                    continue
                people = recomputed(story, facts_of(logs[story.tenant]))
                if wrong := wrong_state(story, people, held):
                    outcome.wrong[story.seed] = wrong

        async with asyncio.TaskGroup() as group:
            for name in self._lanes:
                group.create_task(lane(name))
        said = await self._topics.said()
        for tenant, story in stories.items():
            people = recomputed(story, facts_of(logs[tenant]))
            outcome.crossings += sum(len(person.crossings) for person in people.values())
            if wrong := wrong_word(people, said[tenant]):
                outcome.wrong.setdefault(story.seed, []).extend(wrong)
        everything = [each for records in said.values() for each in records]
        outcome.records = len(everything)
        outcome.again = len(everything) - len({each.body["event_id"] for each in everything})
        return outcome

    async def _played(self, lane: str, story: Story, log: Log, outcome: Outcome) -> dict[str, Prospect]:
        database = self._client[lane]
        for collection in ("scoring.prospects", "scoring.applied_offsets", "scoring.outbox"):
            await database[collection].delete_many({})
        rules = MongoRules(database)
        await rules.replace(story.tenant, RulesBody.model_validate(story.terms.body()))
        parts = Parts(
            MongoProspects(database),
            rules,
            _connections(story),
            self._telemetry,
            self._publisher,
            Tombstones(database, "scoring"),
            lambda: self._ledger(lane),
        )
        began = time.monotonic()
        await Group(replace(parts, **self._broken), story, log, outcome.befell).run()
        outcome.befell["ms"] += int(1000 * (time.monotonic() - began))
        if owed := await database["scoring.outbox"].count_documents({}):
            outcome.wrong.setdefault(story.seed, []).append(f"{owed} documents are left in the outbox")
        found: list[Document] = await database["scoring.prospects"].find().to_list()
        return {row["prospect_id"]: from_document(row) for row in found}

    def _ledger(self, lane: str) -> FatedLedger:
        return FatedLedger(self._client, lane, "scoring")


def facts_of(log: Log) -> list[Fact]:
    """Each partition's in the order in which it holds them."""
    return [
        Fact(topic, raw.record.timestamp, json.loads(raw.record.value))
        for (topic, _), records in log.items()
        for raw in records
    ]


def _connections(story: Story) -> Connections:
    connections = Connections()
    for connection in connections_of(story):
        connections.apply(connection)
    return connections


def connections_of(story: Story) -> list[ConnectionChanged]:
    """As their connector publishes them."""
    made = []
    for asks in story.connections:
        made.append(
            ConnectionChanged.model_validate(
                {
                    "event_id": asks.connection_id,
                    "tenant_id": story.tenant,
                    "occurred_at": "2026-09-01T00:00:00Z",
                    "crm": "sugar",
                    "revision": 1,
                    "on": True,
                    "marketing_automation": True,
                    "lead_distribution": False,
                    **asks._asdict(),
                }
            )
        )
    return made
