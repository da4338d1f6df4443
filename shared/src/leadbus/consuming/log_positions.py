"""Where a log begins and ends, and whether it is still the log that the applied offsets belong to."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from leadbus.brokers import Brokers
from leadbus.consuming.ledger import Applied, Partition
from leadbus.wire_names import off_wire, on_wire


class LogPositions:
    """Asks the brokers with a client of its own: the group's consumer is amid a rebalance then."""

    def __init__(self, bootstrap_servers: Brokers | str, topic_prefix: str) -> None:
        self._brokers = Brokers.at(bootstrap_servers)
        self._prefix = topic_prefix
        self._client: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None

    async def start(self) -> None:
        """Connects."""
        self._client = AIOKafkaConsumer(**self._brokers.for_aiokafka(), enable_auto_commit=False)
        self._admin = AIOKafkaAdminClient(**self._brokers.for_aiokafka())
        await self._client.start()
        await self._admin.start()

    async def stop(self) -> None:
        """Disconnects."""
        if self._client is not None:
            await self._client.stop()
            self._client = None
        if self._admin is not None:
            await self._admin.close()
            self._admin = None

    async def cluster(self) -> str:
        """The Kafka cluster's id."""
        if self._admin is None:
            raise RuntimeError("LogPositions is not started.")
        return str((await self._admin.describe_cluster())["cluster_id"])

    async def are_anew(self, applied: Mapping[Partition, Applied]) -> bool:
        """Whether one of these logs was deleted and made anew since, and may have grown past where we are.

        Everything applied is at most as late as `latest`; a record before its end that is later belongs to
        another log.
        """
        if self._client is None or not applied:
            return False
        later = await self._client.offsets_for_times(
            {TopicPartition(on_wire(self._prefix, t), n): a.latest + 1 for (t, n), a in applied.items()}
        )
        return any(
            found is not None and found.offset < applied[off_wire(self._prefix, p.topic), p.partition].offset
            for p, found in later.items()
        )

    async def starts(
        self, partitions: Collection[Partition], applied: Mapping[Partition, Applied], cluster: str
    ) -> dict[Partition, int]:
        """The offset to go on from, per partition: after what is applied, or the beginning of a new log."""
        if self._client is None:
            raise RuntimeError("LogPositions is not started.")
        by_client = {
            TopicPartition(on_wire(self._prefix, topic), number): (topic, number)
            for topic, number in partitions
        }
        beginnings = await _beginnings(self._client, by_client)
        ends = await self._client.end_offsets(list(by_client))
        same_cluster = {p: a for p in partitions if (a := applied.get(p)) and a.cluster == cluster}
        later = await self._client.offsets_for_times(
            {c: same_cluster[p].latest + 1 for c, p in by_client.items() if p in same_cluster}
        )
        starts: dict[Partition, int] = {}
        for client_partition, partition in by_client.items():
            beginning = beginnings[client_partition]
            known = same_cluster.get(partition)
            first_later = later.get(client_partition)
            if known is None or ends[client_partition] < known.offset:
                starts[partition] = beginning
            elif first_later is not None and first_later.offset < known.offset:
                # Everything applied is at most as late as `latest`; an earlier offset that is later
                # belongs to a topic made anew, which has already grown past where we were.
                starts[partition] = beginning
            else:
                starts[partition] = max(beginning, known.offset)
        return starts


async def _beginnings(
    client: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where these begin; each topic is asked about apart, and all at the same time.

    Asked about many that it does not know, aiokafka (0.14) learns of one after the other, which takes it a
    tenth of a second for each.
    """
    by_topic: dict[str, list[TopicPartition]] = defaultdict(list)
    for partition in partitions:
        by_topic[partition.topic].append(partition)
    found = await asyncio.gather(*(client.beginning_offsets(of_one) for of_one in by_topic.values()))
    return {partition: offset for of_one in found for partition, offset in of_one.items()}
