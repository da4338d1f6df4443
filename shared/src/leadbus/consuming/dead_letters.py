"""Dead letters: what lies there and why, and publishing it again once the cause is gone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from leadbus.brokers import Brokers
from leadbus.consuming.decoding import (
    ATTEMPTS,
    ERROR,
    ERROR_KIND,
    ORIGIN_OFFSET,
    ORIGIN_PARTITION,
    ORIGIN_TOPIC,
    OURS,
    Raw,
    attempts,
    key_of,
)
from leadbus.errors import Transient
from leadbus.publishing import Outgoing, Publisher
from leadbus.topics import DEAD_LETTER_PARTITIONS, Topic
from leadbus.wire_names import off_wire, on_wire

CHUNK = 500
MOST_WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter, without its content.

    at: when it became one, by the broker's clock. origin_*: where the record stood; reason: a sentence
    without personal data. attempts: how often the record has failed.
    """

    topic: str
    partition: int
    offset: int
    at: datetime
    origin_topic: str
    origin_partition: int
    origin_offset: int
    kind: str
    reason: str
    attempts: int


class DeadLetters:
    """The dead letters of one service, oldest first per topic; a replayed one is not listed again.

    How far they are replayed is kept in Kafka, as the offsets of the group `<service>.replay`.
    """

    def __init__(
        self,
        bootstrap_servers: Brokers | str,
        service: str,
        topics: Sequence[Topic],
        publisher: Publisher,
        topic_prefix: str = "",
    ) -> None:
        self._brokers = Brokers.at(bootstrap_servers)
        self._group = on_wire(topic_prefix, f"{service}.replay")
        self._publisher = publisher
        self._prefix = topic_prefix
        self._partitions = [
            TopicPartition(on_wire(topic_prefix, topic.dead_letters_of(service)), number)
            for topic in topics
            for number in range(DEAD_LETTER_PARTITIONS)
        ]

    async def list(self, limit: int) -> list[DeadLetter]:
        """Up to `limit` of those not yet replayed.

        Raises:
            KafkaError, TimeoutError: no broker answers, or a topic is not there.
        """
        found: list[DeadLetter] = []
        async with self._reading() as reader:
            while len(found) < limit and (records := await reader.next(limit - len(found))):
                found += [self._described(record) for record in records]
        return sorted(found, key=lambda letter: letter.at)

    async def replay(self, limit: int | None = None) -> int:
        """Publishes up to `limit` (None: all there are now) on the topics they came from; how many.

        A crash between publishing and remembering publishes again, which consumers count once.

        Raises:
            Transient: not all were acknowledged; go on later, nothing is lost.
            KafkaError, TimeoutError: no broker answers, or a topic is not there.
        """
        done = 0
        async with self._reading() as reader:
            while (limit is None or done < limit) and (
                records := await reader.next(CHUNK if limit is None else min(CHUNK, limit - done))
            ):
                outcomes = await self._publisher.publish([_revived(record) for record in records])
                if fault := next((fault for fault in outcomes if fault is not None), None):
                    raise Transient(f"Not every dead letter was taken: {fault}")
                await reader.remember(records)
                done += len(records)
        return done

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator["_Reader"]:
        consumer = AIOKafkaConsumer(
            **self._brokers.for_aiokafka(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        consumer.assign(self._partitions)
        async with asyncio.timeout(MOST_WAIT_SECONDS):
            await consumer.start()
        try:
            yield _Reader(consumer, await consumer.end_offsets(self._partitions))
        finally:
            await consumer.stop()

    def _described(self, record: "ConsumerRecord[bytes, bytes]") -> DeadLetter:
        headers = dict(Raw(record.topic, record).headers)
        return DeadLetter(
            topic=off_wire(self._prefix, record.topic),
            partition=record.partition,
            offset=record.offset,
            at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
            origin_topic=headers[ORIGIN_TOPIC].decode(),
            origin_partition=int(headers[ORIGIN_PARTITION]),
            origin_offset=int(headers[ORIGIN_OFFSET]),
            kind=headers[ERROR_KIND].decode(),
            reason=headers[ERROR].decode(errors="replace"),
            attempts=attempts(tuple(headers.items())),
        )


class _Reader:
    """Reads what lay there when it was opened, and no further."""

    def __init__(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        self._consumer = consumer
        self._ends = ends

    async def next(self, most: int) -> "list[ConsumerRecord[bytes, bytes]]":
        """The next records, at most so many; empty at the end."""
        async with asyncio.timeout(MOST_WAIT_SECONDS):
            while await self._is_more():
                batches = await self._consumer.getmany(timeout_ms=200, max_records=most)
                records = [r for p, batch in batches.items() for r in batch if r.offset < self._ends[p]]
                if records:
                    return records
        return []

    async def remember(self, records: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        """These are done with."""
        await self._consumer.commit(
            {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        )

    async def _is_more(self) -> bool:
        for partition, end in self._ends.items():
            if end and await self._consumer.position(partition) < end:
                return True
        return False


def _revived(record: "ConsumerRecord[bytes, bytes]") -> Outgoing:
    headers = Raw(record.topic, record).headers
    topic = dict(headers)[ORIGIN_TOPIC].decode()
    kept = tuple(header for header in headers if header[0] not in OURS or header[0] == ATTEMPTS)
    return Outgoing(topic, key_of(topic, record), record.value or b"", kept)
