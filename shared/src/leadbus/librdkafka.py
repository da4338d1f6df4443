"""Publishing by librdkafka: for ingest, where a record costs aiokafka more than everything else together.

Its promises are those of `leadbus.publishing.Publisher`. librdkafka retries by itself, keeps order while it
does (idempotence), and answers for every record within `patience_seconds`, give or take the second in which
it looks; what it gave up it never sends afterwards. While no broker is there at all, nobody waits for that.

Only a record with an offset is acknowledged. When a batch was refused and the one behind it was taken,
librdkafka concludes that the broker has the first one, too (2.16, `rd_kafka_dr_implicit_ack`), and reports it
without an offset. A broker that knows the producer would have refused both; in a topic that was just made
anew it knows nobody, takes the second one, and the first one is nowhere.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Record

from leadbus.brokers import Brokers
from leadbus.errors import LeadbusError, Rejected, Transient
from leadbus.publishing import LARGEST_RECORD_BYTES, Outgoing
from leadbus.wire_names import on_wire

log = logging.getLogger(__name__)

POLL_SECONDS = 0.001
"""Acknowledgements are fetched by the loop that waits for them: to be woken by a thread for each would cost
more than the record does."""
IDLE_POLL_SECONDS = 1.0
START_SECONDS = 5.0
FAREWELL_SECONDS = 2.0
LOOK_SECONDS = 0.2
MOST_HELD_KIB = 256 * 1024


class LibrdkafkaPublisher:
    """Publishes with an idempotent producer; one per service.

    max_in_flight: how many records may await an acknowledgement, which hold 256 MB at most; what is beyond
    is Transient at once, so that Kafka's absence is never felt as memory.
    """

    def __init__(
        self,
        bootstrap_servers: Brokers | str,
        client_id: str,
        *,
        topic_prefix: str = "",
        max_in_flight: int = 50_000,
        patience_seconds: float = 30.0,
    ) -> None:
        self._settings: dict[str, str | int | float | bool] = {
            **Brokers.at(bootstrap_servers).for_librdkafka(),
            "client.id": client_id,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # as aiokafka and Java's client have it; random without a key
            "linger.ms": 1,
            # A broker refuses a batch as a whole: below what a topic takes, none suffers for its neighbour.
            "batch.size": 256 * 1024,
            "message.max.bytes": LARGEST_RECORD_BYTES,
            "message.timeout.ms": int(patience_seconds * 1000),
            "queue.buffering.max.messages": max_in_flight,
            "queue.buffering.max.kbytes": MOST_HELD_KIB,
            "reconnect.backoff.max.ms": 1_000,
            "log_level": 2,  # to it, each attempt to connect is an error; ours tells once
            "socket.nagle.disable": True,
        }
        self._prefix = topic_prefix
        self._producer: Producer | None = None
        self._next_poll: asyncio.TimerHandle | None = None
        self._awaited = 0
        self._broken = False
        self._away = False
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connects; raises Transient while no broker answers."""
        producer = self._producer = self._producer or self._made()
        try:
            await asyncio.to_thread(producer.list_topics, timeout=START_SECONDS)
        except KafkaException as error:
            raise Transient(f"Kafka does not answer ({error.args[0].name()}).") from None
        self._poll_after(IDLE_POLL_SECONDS)

    async def stop(self) -> None:
        """Sends what is under way if Kafka takes it now, then disconnects."""
        producer = self._producer
        if producer is None:
            return
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                while self._awaited:  # noqa: ASYNC110 - polling is what it is
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            log.warning("Kafka has not acknowledged everything; senders were told so.")
        for ending in (self._next_poll, self._looking):
            if ending is not None:
                ending.cancel()
        self._producer = None
        _give_up(producer)

    async def publish(self, records: Sequence[Outgoing]) -> list[LeadbusError | None]:
        """See `Publisher`."""
        if self._producer is None:
            return [Transient("Nothing is published any more: the service stops.") for _ in records]
        if absence := self.waiting():
            return [Transient(absence) for _ in records]
        answers = _Answers(len(records))
        was_idle = not self._awaited
        for index, record in enumerate(records):
            try:
                self._producer.produce(
                    on_wire(self._prefix, record.topic),
                    record.value,
                    record.key,
                    headers=list(record.headers),
                    on_delivery=partial(self._delivered, answers, index),
                )
            except BufferError:
                answers.settle(index, Transient("Too much awaits Kafka's acknowledgement."))
            except KafkaException as error:
                answers.settle(index, _told(error.args[0]))
            else:
                self._awaited += 1
        if was_idle and self._awaited:
            self._poll_after(POLL_SECONDS)
        return await answers.complete

    def waiting(self) -> str | None:
        """A sentence while no broker is there: nothing is published meanwhile."""
        return "No broker of Kafka is there." if self._away else None

    def _made(self) -> Producer:
        return Producer(self._settings, error_cb=self._told_of, logger=log)

    def _told_of(self, error: KafkaError) -> None:
        """Called by `poll`, so in the loop."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._looking is None and self._producer:
            self._looking = asyncio.create_task(self._look(self._producer), name="whether Kafka is there")

    async def _look(self, producer: Producer) -> None:
        """Until a broker answers, which may be at once: they hang up on whoever has been silent for long."""
        while True:
            try:
                await asyncio.to_thread(producer.list_topics, timeout=LOOK_SECONDS)
            except KafkaException:
                if not self._away:
                    log.warning("No broker is there; nothing is published until one is.")
                self._away = True
                await asyncio.sleep(LOOK_SECONDS)
            else:
                break
        if self._away:
            log.info("A broker is there again.")
        self._away, self._looking = False, None

    def _delivered(self, answers: "_Answers", index: int, error: KafkaError | None, record: Record) -> None:
        self._awaited -= 1
        if error is not None:
            answers.settle(index, _told(error))
        elif record.offset() is None:
            answers.settle(index, Transient("Kafka did not say where the record lies."))
        else:
            answers.settle(index, None)
        if error is not None and error.fatal():
            self._broken = True

    def _poll_after(self, seconds: float) -> None:
        if self._next_poll is not None:
            self._next_poll.cancel()
        self._next_poll = asyncio.get_running_loop().call_later(seconds, self._poll)

    def _poll(self) -> None:
        if self._producer is None:
            return
        self._producer.poll(0)
        if self._broken:
            log.warning("The producer has broken down and is replaced.")
            _give_up(self._producer)
            self._producer, self._broken = self._made(), False
        self._poll_after(POLL_SECONDS if self._awaited else IDLE_POLL_SECONDS)


class _Answers:
    """What became of the records of one call; `complete` once it is known of all."""

    def __init__(self, count: int) -> None:
        self._outcomes: list[LeadbusError | None] = [None] * count
        self._left = count
        self.complete: asyncio.Future[list[LeadbusError | None]] = asyncio.get_running_loop().create_future()
        if not count:
            self.complete.set_result(self._outcomes)

    def settle(self, index: int, error: LeadbusError | None) -> None:
        self._outcomes[index] = error
        self._left -= 1
        if not self._left and not self.complete.done():  # whoever waited may be gone
            self.complete.set_result(self._outcomes)


def _give_up(producer: Producer) -> None:
    """All that awaits this producer's acknowledgements learns that there will be none."""
    producer.purge()
    producer.flush(FAREWELL_SECONDS)  # takes as long as its threads need to say so


def _told(error: KafkaError) -> LeadbusError:
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return Rejected("The record is larger than its topic takes.")
    return Transient(f"Kafka did not acknowledge the record ({error.name()}).")
