"""The topics that scoring reads and writes: what is sent to them, and what they hold."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from exactly.story import DISTRIBUTIONS, EVENTS, Fact
from exactly.verdict import Said
from leadbus.consuming.decoding import Raw
from leadbus.consuming.ledger import Partition
from leadbus.topics import LEADS_ACTIVITIES, LEADS_QUALIFIED, LEADS_SCORED, PARTITIONS

READS = (EVENTS, DISTRIBUTIONS)
WRITES = (LEADS_QUALIFIED.name, LEADS_SCORED.name, LEADS_ACTIVITIES.name)


class Topics:
    """Of an installation. Records bear the time that the test gives them, and none is too old."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._kafka = bootstrap_servers
        self._prefix = prefix
        self._read: dict[TopicPartition, int] = {}

    async def prepare(self) -> None:
        """Creates them."""
        settings = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
        await admin.start()
        try:
            names = [self._prefix + name for name in READS + WRITES]
            await admin.create_topics([NewTopic(n, PARTITIONS, 1, topic_configs=settings) for n in names])
        finally:
            await admin.close()

    async def send(self, facts: Iterable[Fact]) -> None:
        """Sends these and awaits the acknowledgements.

        Raises:
            KafkaError: some may have arrived.
        """
        producer = AIOKafkaProducer(bootstrap_servers=self._kafka, acks="all", linger_ms=5)
        try:
            await producer.start()
            sent = [
                await producer.send(self._prefix + f.topic, f.value, key=f.key, timestamp_ms=f.at)
                for f in facts
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def ends(self, topics: Sequence[str]) -> dict[str, int]:
        """The next offset of each partition that holds something, as the ledger names partitions."""
        async with AIOKafkaConsumer(bootstrap_servers=self._kafka, enable_auto_commit=False) as reader:
            # Each apart: of many topics that it does not know aiokafka learns of one after the other.
            found = await asyncio.gather(*(reader.end_offsets(self._parts([topic])) for topic in topics))
            ends = {part: end for one in found for part, end in one.items()}
        return {f"{p.topic.removeprefix(self._prefix)}/{p.partition}": n for p, n in ends.items() if n}

    async def logs(self) -> dict[str, dict[Partition, list[Raw]]]:
        """What has come to scoring since this was asked last, by tenant."""
        logs: dict[str, dict[Partition, list[Raw]]] = defaultdict(lambda: defaultdict(list))
        for raw in await self._new(READS):
            tenant = json.loads(raw.record.value)["tenant_id"]
            logs[tenant][raw.topic, raw.record.partition].append(raw)
        return logs

    async def said(self) -> dict[str, list[Said]]:
        """What scoring has published since this was asked last, by tenant."""
        said: dict[str, list[Said]] = defaultdict(list)
        for raw in await self._new(WRITES):
            body = json.loads(raw.record.value)
            said[body["tenant_id"]].append(Said(raw.topic, raw.record.value, body))
        return said

    def _parts(self, topics: Sequence[str]) -> list[TopicPartition]:
        return [TopicPartition(self._prefix + topic, n) for topic in topics for n in range(PARTITIONS)]

    async def _new(self, topics: Sequence[str]) -> list[Raw]:
        parts = self._parts(topics)
        found: list[Raw] = []
        async with AIOKafkaConsumer(bootstrap_servers=self._kafka, enable_auto_commit=False) as reader:
            reader.assign(parts)
            ends = await reader.end_offsets(parts)
            for part in parts:
                reader.seek(part, self._read.get(part, 0))
            while any([await reader.position(part) < ends[part] for part in parts]):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += [Raw(r.topic.removeprefix(self._prefix), r) for r in records]
            self._read.update(ends)
        return found
