"""What topics hold, read by somebody who belongs to no group."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from leadbus.testing.waiting import PATIENCE

Record = ConsumerRecord[bytes, bytes]


async def everything(bootstrap_servers: str, prefix: str) -> list[Record]:
    """All records of all topics of an installation, dead letters too."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(prefix)]
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    partitions = [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        return await to_the_end(consumer, partitions)
    finally:
        await consumer.stop()


async def ends_of(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where these end. Asked about many topics, aiokafka learns of one after the other, 0.1 s for each."""
    by_topic: dict[str, list[TopicPartition]] = defaultdict(list)
    for partition in partitions:
        by_topic[partition.topic].append(partition)
    found = await asyncio.gather(*map(consumer.end_offsets, by_topic.values()))
    return {partition: end for ends in found for partition, end in ends.items()}


async def to_the_end(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> list[Record]:
    """All that these partitions hold now."""
    found: list[Record] = []
    ends = await ends_of(consumer, partitions)
    first = await consumer.beginning_offsets(partitions)
    left = {p for p in partitions if first[p] < ends[p]}
    consumer.assign(left)
    for partition in left:
        consumer.seek(partition, first[partition])
    async with asyncio.timeout(PATIENCE):
        while left:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
            left = {p for p in left if await consumer.position(p) < ends[p]}
    return found
