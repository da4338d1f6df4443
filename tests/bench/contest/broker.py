"""What the arena does at Kafka: events and connections in, announcements out, groups away."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
)
from confluent_kafka.admin import AdminClient

from bench.contest.marketing import PARTITIONS, TENANTS, THRESHOLD, Event, connection_of
from leadbus.messages import ConnectionChanged, LeadQualified
from leadbus.publishing import partition_for
from leadbus.topics import CRM_CONNECTIONS, MARKETING_EVENTS, Topic
from leadbus.wire_names import on_wire

_POLL_EVERY = 1_000
_WITHIN_SECONDS = 60.0
_TICK_SECONDS = 0.005

Ends = dict[TopicPartition, int]


class Announced(NamedTuple):
    """A qualified event. caused, at: when its cause, and it itself, came to the broker (ms)."""

    id: str
    caused: int
    at: int


async def publish_connections(environment: Mapping[str, str]) -> None:
    """One for each tenant, on."""
    await asyncio.to_thread(_publish_connections, environment)


def _publish_connections(environment: Mapping[str, str]) -> None:
    topic = on_wire(environment["LEADBUS_TOPIC_PREFIX"], CRM_CONNECTIONS.name)
    producer = _producer(environment)
    for connection in map(_connection, TENANTS):
        producer.produce(topic, connection.to_bytes(), connection.key.encode())
    _finish(producer)


def _connection(tenant: str) -> ConnectionChanged:
    return ConnectionChanged(
        event_id=f"{tenant}-connected",
        tenant_id=tenant,
        occurred_at=datetime.now(UTC),
        connection_id=connection_of(tenant),
        crm="sugar",
        revision=1,
        on=True,
        marketing_automation=True,
        lead_distribution=False,
        threshold=THRESHOLD,
    )


async def publish_events(environment: Mapping[str, str], events: Iterable[Event]) -> int:
    """All of them, with their own times; how many came twice."""
    return await asyncio.to_thread(_publish, environment, events)


def _publish(environment: Mapping[str, str], events: Iterable[Event]) -> int:
    topic = on_wire(environment["LEADBUS_TOPIC_PREFIX"], MARKETING_EVENTS.name)
    producer = _producer(environment)
    repeated = 0
    for number, event in enumerate(events):
        _produce(producer, topic, event)
        repeated += event.repeated
        if number % _POLL_EVERY == 0:
            producer.poll(0)
    _finish(producer)
    return repeated


async def publish_at_rate(environment: Mapping[str, str], events: Sequence[Event], per_second: float) -> None:
    """Publishes by the clock, whatever becomes of it."""
    topic = on_wire(environment["LEADBUS_TOPIC_PREFIX"], MARKETING_EVENTS.name)
    producer = _producer(environment, linger_ms=0)
    began, sent = time.monotonic(), 0
    while sent < len(events):
        due = min(len(events), int((time.monotonic() - began) * per_second) + 1)
        for event in events[sent:due]:
            _produce(producer, topic, event)
        sent = due
        producer.poll(0)
        await asyncio.sleep(_TICK_SECONDS)
    await asyncio.to_thread(_finish, producer)


def _produce(producer: Producer, topic: str, event: Event) -> None:
    producer.produce(
        topic,
        event.value,
        event.key,
        partition_for(event.key, PARTITIONS),
        timestamp=event.at,
        headers=[("content-type", b"application/json"), ("traceparent", event.traceparent)],
    )


def _producer(environment: Mapping[str, str], linger_ms: int = 20) -> Producer:
    return Producer(
        {
            "bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"],
            "enable.idempotence": True,
            "linger.ms": linger_ms,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1_048_576,
            "log_level": 3,  # a broker that has just started is asked twice
        }
    )


def _finish(producer: Producer) -> None:
    if left := producer.flush(60):
        raise RuntimeError(f"Kafka has not taken {left} records.")


async def delete_group(admin: AdminClient, group: str) -> None:
    """Returns when the group is gone with its offsets; members that were ended may take a moment to leave.

    Raises:
        TimeoutError: somebody stays in it.
    """
    async with asyncio.timeout(_WITHIN_SECONDS):
        while True:
            try:
                await asyncio.wrap_future(admin.delete_consumer_groups([group])[group])
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return
                await asyncio.sleep(0.2)
            else:
                return


async def joined(admin: AdminClient, group: str, members: int) -> None:
    """Returns when so many members of the group have partitions.

    Raises:
        TimeoutError: they have none.
    """
    async with asyncio.timeout(_WITHIN_SECONDS):
        while True:
            told = await asyncio.wrap_future(admin.describe_consumer_groups([group])[group])
            having = [member for member in told.members if member.assignment.topic_partitions]
            if len(having) == members and told.state == ConsumerGroupState.STABLE:
                return
            await asyncio.sleep(0.2)


async def committed(admin: AdminClient, group: str, topic: str) -> int:
    """How many records of the topic the group has behind it."""
    try:
        answers = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        found = await asyncio.wrap_future(answers[group])
    except KafkaException:  # it has no coordinator yet
        return 0
    return sum(place.offset for place in found.topic_partitions if place.topic == topic and place.offset > 0)


async def ends(environment: Mapping[str, str], topic: Topic) -> Ends:
    """Where the topic's partitions end now."""
    async with _reader(environment) as consumer:
        name = on_wire(environment["LEADBUS_TOPIC_PREFIX"], topic.name)
        found: Ends = await consumer.end_offsets([TopicPartition(name, n) for n in range(PARTITIONS)])
        return found


async def announced(environment: Mapping[str, str], since: Ends) -> list[Announced]:
    """The qualified events after these ends."""
    async with _reader(environment) as consumer:
        places = list(since)
        consumer.assign(places)
        until = await consumer.end_offsets(places)
        for place, offset in since.items():
            consumer.seek(place, offset)
        found: list[Announced] = []
        while any([await consumer.position(place) < until[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += map(_announced, records)
        return found


def _announced(record: "ConsumerRecord[bytes, bytes]") -> Announced:
    message = LeadQualified.model_validate_json(record.value)
    return Announced(message.event_id, round(message.occurred_at.timestamp() * 1000), record.timestamp)


def _reader(environment: Mapping[str, str]) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
