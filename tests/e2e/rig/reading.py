"""What topics hold, read by somebody who belongs to no group."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

Record = ConsumerRecord[bytes, bytes]
PATIENCE = 20


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


async def to_the_end(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> list[Record]:
    """All that these partitions hold now."""
    found: list[Record] = []
    ends = await consumer.end_offsets(partitions)
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
