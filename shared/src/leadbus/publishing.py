"""Publishing: confirmed by all in-sync replicas, keyed, by the one partitioner every service shares."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed
from aiokafka.partitioner import murmur2

from leadbus.brokers import Brokers
from leadbus.errors import LeadbusError, Rejected, Transient
from leadbus.messages import Message
from leadbus.topics import Topic
from leadbus.wire_names import on_wire

log = logging.getLogger(__name__)

Header = tuple[str, bytes]
TRACEPARENT = "traceparent"

LARGEST_RECORD_BYTES = 2 * 1024 * 1024
"""Twice Kafka's default for a topic: what a topic takes is the topic's own setting."""
FAREWELL_SECONDS = 2.0


class Outgoing(NamedTuple):
    """One record on its way: all that Kafka needs to know of it. headers carry transport only."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[Header, ...] = ()

    @classmethod
    def of(cls, topic: Topic, message: Message, traceparent: bytes | None = None) -> "Outgoing":
        """`message` as a record of `topic`, continuing the trace named by `traceparent`."""
        return cls.made(topic, message.key, message.to_bytes(), traceparent)

    @classmethod
    def made(cls, topic: Topic, key: str, value: bytes, traceparent: bytes | None = None) -> "Outgoing":
        """The same of a message whose value is made already (`Message.bytes_of`)."""
        headers: tuple[Header, ...] = (("content-type", b"application/json"),)
        if traceparent:
            headers += ((TRACEPARENT, traceparent),)
        return cls(topic.name, key.encode(), value, headers)


class Publisher(Protocol):
    """Hands records to the log."""

    async def publish(self, records: Sequence[Outgoing]) -> list[LeadbusError | None]:
        """Publishes all; answers per record, in order: None once every in-sync replica has it.

        Transient: not acknowledged; publish it again. Rejected: too large, and never will be.
        Records of one call and one key are never reordered, also not when what failed is published again.
        """
        ...


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key: murmur2, as Java's clients and aiokafka have it (librdkafka must be told)."""
    return _hashed(key) % partitions


@lru_cache(maxsize=30_000)
def _hashed(key: bytes) -> int:
    """Kept for the keys that came last: in Python, a key takes some 10 us."""
    return int(murmur2(key) & 0x7FFFFFFF)


class KafkaPublisher:
    """Publishes with an idempotent producer; one per service.

    A producer that has failed one record is given up and replaced by a fresh one: it has numbered that
    record, so the broker refuses whatever it sends to the same partition afterwards (aiokafka 0.14,
    `MessageAccumulator._pop_batch`: the sequence advances before the batch's fate is known).

    `max_in_flight` bounds the records awaiting an acknowledgement, so that a slow Kafka is felt by the
    caller as waiting and never as memory. `patience_seconds`: how long one call to `publish` waits; what is
    not acknowledged then is Transient. It may still have arrived, but nothing of it arrives later.
    """

    def __init__(
        self,
        bootstrap_servers: Brokers | str,
        client_id: str,
        *,
        topic_prefix: str = "",
        max_in_flight: int = 20_000,
        patience_seconds: float = 30.0,
    ) -> None:
        self._brokers = Brokers.at(bootstrap_servers)
        self._prefix = topic_prefix
        self._patience = patience_seconds
        self._client_id = client_id
        self._room = asyncio.Semaphore(max_in_flight)
        self._awaited: set[asyncio.Future[object]] = set()
        self._changing = asyncio.Lock()
        self._started = False
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects; raises KafkaError while no broker answers."""
        self._started = True
        await self._connected()

    async def stop(self) -> None:
        """Sends what is under way if Kafka takes it now, then disconnects."""
        self._started = False
        if self._producer is None:
            return
        try:
            await asyncio.wait_for(self._producer.flush(), FAREWELL_SECONDS)
        except TimeoutError:
            log.warning("Kafka has not acknowledged everything; what is owed stays in the outbox.")
        await self._give_up(self._producer)

    async def publish(self, records: Sequence[Outgoing]) -> list[LeadbusError | None]:
        """See `Publisher`. A refused record never keeps the others back."""
        sent: list[asyncio.Future[object]] = []
        producer = None
        try:
            async with asyncio.timeout(self._patience):
                producer = await self._connected()
                for record in records:  # one after the other: this is what keeps a key's records in order
                    sent.append(await self._send(producer, record))
                if sent:
                    await asyncio.wait(sent)
        except (KafkaError, TimeoutError) as error:
            log.debug("Kafka does not take records (%s).", type(error).__name__)
            failed = True
        else:
            failed = any(not f.cancelled() and isinstance(f.exception(), KafkaError) for f in sent)
        if failed and producer is not None:
            await self._give_up(producer)
        outcomes = [_outcome(future) for future in sent]
        return [*outcomes, *(_unanswered() for _ in records[len(sent) :])]

    async def _send(self, producer: AIOKafkaProducer, record: Outgoing) -> "asyncio.Future[object]":
        await self._room.acquire()
        try:
            future: asyncio.Future[object] = await producer.send(
                on_wire(self._prefix, record.topic),
                record.value,
                key=record.key,
                headers=list(record.headers),
            )
        except MessageSizeTooLargeError:
            self._room.release()
            future = asyncio.get_running_loop().create_future()
            future.set_exception(_too_large())
            return future
        except BaseException:
            self._room.release()
            raise
        self._awaited.add(future)
        future.add_done_callback(self._arrived)
        return future

    def _arrived(self, future: "asyncio.Future[object]") -> None:
        self._awaited.discard(future)
        self._room.release()

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._changing:
            if not self._started:
                raise ProducerClosed
            if self._producer is None:
                self._producer = await self._connect()
            return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._brokers.for_aiokafka(),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_batch_size=256 * 1024,
            max_request_size=LARGEST_RECORD_BYTES,
            request_timeout_ms=int(self._patience * 1000),
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """Ends a producer; all that awaits its acknowledgements learns that there will be none."""
        async with self._changing:
            is_current = self._producer is producer
            if not is_current:
                return
            self._producer = None
            # Awaited before another connects: what is on its way must not arrive after its repetition.
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer._sender.close(), FAREWELL_SECONDS)
            # aiokafka ends a producer only after all is sent, which takes as long as Kafka is away.
            producer._message_accumulator._batches.clear()
            producer._message_accumulator._pending_batches.clear()
            for future in tuple(self._awaited):
                future.cancel()
            await producer.stop()


def _outcome(future: "asyncio.Future[object]") -> LeadbusError | None:
    if not future.done() or future.cancelled():
        return _unanswered()
    match future.exception():
        case None:
            return None
        case LeadbusError() as refusal:
            return refusal
        case MessageSizeTooLargeError():
            return _too_large()
        case error:
            return Transient(f"Kafka did not acknowledge the record ({type(error).__name__}).")


def _unanswered() -> Transient:
    return Transient("Kafka has not acknowledged the record.")


def _too_large() -> Rejected:
    return Rejected("The record is larger than its topic takes.")
