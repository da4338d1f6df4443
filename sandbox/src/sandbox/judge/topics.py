"""What the topics say, read from their beginning by a consumer that belongs to no group."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord

TOPICS = (
    "leads.scored",
    "leads.qualified",
    "crm.deliveries",
    "crm.lead-status",
    "crm.contacts",
    "crm.opportunities",
    "crm.lists",
)
_DEAD = ".dead"

Message = dict[str, Any]


@dataclass(slots=True)
class Heard:
    """Messages by topic, of the tenants that matter; dead: how many dead letters there are.

    Each message with the `traceparent` that it came with, or None.
    """

    messages: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    dead: int = 0

    def of(self, topic: str) -> list[Message]:
        """What was heard on one topic so far."""
        return self.messages.get(topic, [])

    def once(self, topic: str) -> list[Message]:
        """The same, each event once."""
        return list({message["event_id"]: message for message in self.of(topic)}.values())


def by_connection(messages: Iterable[Message]) -> dict[str, list[Message]]:
    """The same messages, by the connection that they came from."""
    found: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        found[message["connection_id"]].append(message)
    return found


class Listener:
    """Reads on from where it was, each time up to what the topics hold then."""

    def __init__(self, bootstrap_servers: str, tenants: Collection[str], topic_prefix: str = "") -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
        )
        # Of its own: questions would stand behind a fetch that waits, and be about topics long forgotten.
        self._asking = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
        self._tenants = set(tenants)
        self._prefix = topic_prefix
        self._next: dict[TopicPartition, int] = {}
        self.heard = Heard()

    async def __aenter__(self) -> Self:
        await self._admin.start()
        await self._consumer.start()
        await self._asking.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._asking.stop()
        await self._consumer.stop()
        await self._admin.close()

    async def listen(self) -> Heard:
        """Everything that was said until now."""
        names = [name for name in await self._admin.list_topics() if name.startswith(self._prefix)]
        dead = await self._partitions([name for name in names if name.endswith(_DEAD)])
        read = await self._partitions([n for n in names if n.removeprefix(self._prefix) in TOPICS])
        ends = await self._ends([*dead, *read])
        first = await self._asking.beginning_offsets(dead)
        self.heard.dead = sum(ends[p] for p in dead) - sum(first.values())
        await self._read({p: ends[p] for p in read})
        return self.heard

    async def _ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Each topic apart: of many that it does not know aiokafka learns of one after the other."""
        by_topic: dict[str, list[TopicPartition]] = defaultdict(list)
        for partition in partitions:
            by_topic[partition.topic].append(partition)
        found = await asyncio.gather(*map(self._asking.end_offsets, by_topic.values()))
        return {partition: end for ends in found for partition, end in ends.items()}

    async def _partitions(self, names: list[str]) -> list[TopicPartition]:
        described = await self._admin.describe_topics(names) if names else []
        return [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]

    async def _read(self, ends: Mapping[TopicPartition, int]) -> None:
        behind = [p for p, end in ends.items() if self._next.get(p, 0) < end]
        if not behind:
            return
        self._consumer.assign(behind)
        for partition in behind:
            self._consumer.seek(partition, self._next.get(partition, 0))
        while any([await self._consumer.position(p) < ends[p] for p in behind]):
            for partition, records in (await self._consumer.getmany(timeout_ms=500)).items():
                self._take(partition, records)
        for partition in behind:
            self._next[partition] = await self._consumer.position(partition)

    def _take(self, partition: TopicPartition, records: Iterable[ConsumerRecord[Any, Any]]) -> None:
        messages = [{**json.loads(r.value), "traceparent": _traceparent(r)} for r in records if r.value]
        about = [m for m in messages if m["tenant_id"] in self._tenants]
        self.heard.messages[partition.topic.removeprefix(self._prefix)] += about


def _traceparent(record: ConsumerRecord[Any, Any]) -> str | None:
    return next((value.decode() for name, value in record.headers if name == "traceparent"), None)
