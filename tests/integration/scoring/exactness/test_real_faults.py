"""Real processes of scoring under real faults: what a plain recomputation of the log says is what they did.

FAULTS=50 makes it so many.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from aiokafka.errors import KafkaError
from exactly.recomputation import recomputed
from exactly.stage import connections_of, facts_of
from exactly.story import Fact, Story
from exactly.topics import READS, Topics
from exactly.verdict import wrong_state, wrong_word
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from leadbus.librdkafka import LibrdkafkaPublisher
from leadbus.provisioning import provision
from leadbus.publishing import Outgoing
from leadbus.storage.mongo import connect
from leadbus.topics import CRM_CONNECTIONS
from sandbox.servers import Kafka, MongoDB
from sandbox.servers.process import Process, free_port
from scoring.prospect_documents import from_document
from scoring.rules import RulesBody
from scoring.rules_store import MongoRules

FAULTS = int(os.environ.get("FAULTS", "10"))
STORIES = 12
PREFIX = "exact."
DATABASE = "exact"
STEPPED_DOWN_SECONDS = 2
TRANSACTION_SECONDS = 4
"""How long MongoDB keeps the open transaction of a client that vanished."""
LEADBUS = str(Path(sys.executable).with_name("leadbus"))


class Installation:
    """Two members of scoring on servers of their own, and what befalls them."""

    def __init__(self, kafka: Kafka, mongodb: MongoDB, folder: Path) -> None:
        self.kafka, self.mongodb = kafka, mongodb
        self.topics = Topics(kafka.bootstrap_servers, PREFIX)
        self.client = connect(mongodb.url, app_name="exactness")
        self.random = Random(FAULTS)
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "MONGODB_URL": mongodb.url,
            "MONGODB_DATABASE": DATABASE,
            "LEADBUS_TOPIC_PREFIX": PREFIX,
            "LEADBUS_OPERATOR_TOKEN": "the operator",
            "OTEL_TRACES_SAMPLER": "always_off",
        }
        environ = [f"{name}={value}" for name, value in settings.items()]
        self.members = [
            Process(
                "scoring",
                ["/usr/bin/env", *environ, f"SCORING_PORT={free_port()}", LEADBUS, "run", "scoring"],
                folder / f"{number}" / "scoring.log",
            )
            for number in range(2)
        ]

    async def prepare(self, stories: list[Story]) -> None:
        """Topics, rules and connections, then the members."""
        await self.topics.prepare()
        await provision(self.kafka.bootstrap_servers, [CRM_CONNECTIONS], prefix=PREFIX)
        publisher = LibrdkafkaPublisher(self.kafka.bootstrap_servers, "exactness", topic_prefix=PREFIX)
        await publisher.start()
        connections = [c for story in stories for c in connections_of(story)]
        assert not any(await publisher.publish([Outgoing.of(CRM_CONNECTIONS, c) for c in connections]))
        await publisher.stop()
        rules = MongoRules(self.client[DATABASE])
        for story in stories:
            await rules.replace(story.tenant, RulesBody.model_validate(story.terms.body()))
        lifetime = {"setParameter": 1, "transactionLifetimeLimitSeconds": TRANSACTION_SECONDS}
        await self.client.admin.command(lifetime)
        for member in self.members:
            await member.start()

    async def killed(self) -> None:
        """kill -9, and started again."""
        member = self.random.choice(self.members)
        await member.kill()
        await member.start()

    async def stepped_down(self) -> None:
        """MongoDB's primary is none for a while."""
        await asyncio.to_thread(self._step_down)

    async def restarted(self) -> None:
        """The broker ends, in order or not, and comes back."""
        await self.random.choice([self.kafka.stop, self.kafka.kill])()
        await self.kafka.start()

    def _step_down(self) -> None:
        down = {"replSetStepDown": STEPPED_DOWN_SECONDS, "secondaryCatchUpPeriodSecs": 0, "force": True}
        with MongoClient(self.mongodb.url) as client, suppress(PyMongoError):
            client.admin.command(down)

    async def send(self, facts: list[Fact]) -> None:
        """However long Kafka is away; what is sent twice is in the log twice."""
        while True:
            try:
                return await self.topics.send(facts)
            except KafkaError:
                await asyncio.sleep(0.2)

    async def until_applied(self) -> None:
        """All that the topics hold."""
        ends = await self.topics.ends(READS)
        async with asyncio.timeout(90):
            while True:
                with suppress(PyMongoError):
                    rows = await self.client[DATABASE]["scoring.applied_offsets"].find().to_list()
                    if ends.items() <= {row["_id"]: row["offset"] for row in rows}.items():
                        return
                for member in self.members:
                    member.check()
                await asyncio.sleep(0.1)


@pytest.fixture
async def installation(own_kafka: Kafka, own_mongodb: MongoDB, tmp_path: Path) -> AsyncIterator[Installation]:
    made = Installation(own_kafka, own_mongodb, tmp_path / "members")
    yield made
    await asyncio.gather(*(member.kill() for member in made.members))
    await made.client.close()


@pytest.mark.timeout(150 + 12 * FAULTS)
async def test_killed_members_lost_primaries_and_restarted_brokers_change_nothing(
    installation: Installation,
) -> None:
    stories = [Story(100_000 + n, size=20 * FAULTS) for n in range(STORIES)]
    await installation.prepare(stories)
    facts = [fact for together in zip(*(s.facts for s in stories), strict=False) for fact in together]
    facts += [fact for s in stories for fact in s.facts[len(facts) // STORIES :]]
    share = len(facts) // (FAULTS + 1) + 1
    kinds: list[Callable[[], Awaitable[None]]] = [
        *(installation.killed, installation.stepped_down, installation.killed, installation.restarted)
    ]
    await installation.send(facts[:share])
    await asyncio.sleep(5)  # they have started, or are about to: either is a moment as good as others
    for number in range(FAULTS):
        sending = installation.send(facts[share * (number + 1) : share * (number + 2)])
        await asyncio.gather(kinds[number % len(kinds)](), sending)
        await asyncio.sleep(installation.random.random() * 4)
    await installation.until_applied()
    await asyncio.gather(*(member.stop() for member in installation.members))  # what they owe is published
    logs, said = await installation.topics.logs(), await installation.topics.said()
    rows = await installation.client[DATABASE]["scoring.prospects"].find().to_list()
    wrong: list[str] = []
    crossings = 0
    for story in stories:
        people = recomputed(story, facts_of(logs[story.tenant]))
        held = {r["prospect_id"]: from_document(r) for r in rows if r["tenant_id"] == story.tenant}
        wrong += wrong_state(story, people, held, at_end=False) + wrong_word(people, said[story.tenant])
        crossings += sum(len(person.crossings) for person in people.values())
    published = [each.body["event_id"] for each in (word for words in said.values() for word in words)]
    print(
        f"{crossings} crossings; {len(published) - len(set(published))} of {len(published)} published again"
    )
    assert not wrong
    assert crossings > STORIES
