"""The consumer: batches from Kafka, applied exactly once in effect.

The order of things, which is the whole guarantee:

1. On assignment: take the applied offsets from the ledger and seek there (Kafka's own committed offsets
   only serve lag); publish what the outbox still owes for these partitions.
2. Decode record by record; what cannot be read becomes a dead letter, what stands on another partition
   than its key's is forwarded.
3. The handler reads and computes. One that keeps its state (`records.Keeper`) does so beside 4 and 5 of the
   batch before; should that fail, what it has computed and all that it keeps is dropped.
4. One MongoDB transaction, after 5 of the batch before: the turn of each partition number is compared and
   set; applied offsets, the effects, the outbox. No match means that another owner has moved on: drop
   everything and begin again at 1.
5. Publish the outbox and wait for the acknowledgements; its document goes with the next transaction.
6. Commit the offsets to Kafka, for lag alone.

While MongoDB or Kafka is away the consumer waits; nothing is skipped, and nothing is kept in memory beyond
the batch in hand and the one before it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from pymongo.errors import PyMongoError

from leadbus.brokers import Brokers
from leadbus.consuming.applier import Applier
from leadbus.consuming.decoding import Raw
from leadbus.consuming.ledger import Ledger, Partition
from leadbus.consuming.log_positions import LogPositions
from leadbus.consuming.positions import Start
from leadbus.consuming.progress import Progress
from leadbus.consuming.records import Effects, Handler
from leadbus.errors import Fenced
from leadbus.publishing import Publisher
from leadbus.storage.mongo import farewell
from leadbus.telemetry import Telemetry, names
from leadbus.topics import Topic
from leadbus.wire_names import off_wire, on_wire

log = logging.getLogger(__name__)

BATCH_RECORDS = 5_000
FETCH_BYTES = 1024 * 1024
"""Of one partition at a time, aiokafka's default: so much of each of a hundred partitions may lie unread."""
FETCH_WAIT_MS = 100
IDLE_MS = 20
"""How long a poll waits before it is looked how the batch under way goes on."""
FEW = 1_000
"""Fewer are no backlog, and wait as short as they can: no batch is closed before the last one is written, and
there is another look before one is. aiokafka fetches nothing while a partition's records lie unread, so what
came meanwhile would wait for one batch more."""
LOOK_MS = 10
"""For that look; an event that comes alone waits for it."""
METADATA_MS = 30_000
"""How long a topic that was made anew may go unnoticed (aiokafka's default: five minutes)."""
LOOK_SECONDS = 0.2
"""How often batches are checked against a topic made anew: less than it takes to delete and make one."""
LOOP_MUST_TURN_SECONDS = 60.0
FINISH_SECONDS = 5.0
"""For the batch in hand when told to stop; what waits for a server is dropped, and done by the next owner."""
PAUSE_SECONDS = 1.0
"""After an error that nothing here foresees, so that a batch tried for ever does not burn a processor."""


_Polled = dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]


class Consumer:
    """One service's subscription to all its topics, under one group named after the service (and prefix).

    All topics in one subscriber with the range assignor, so that one prospect's topics always meet on one
    member. A `Part` of a service.

    batch_records: at most so many at a time; fewer where what they change is large.
    fetch_bytes: of one partition at a time.
    fetch_wait_ms: how long the broker may hold back an answer with nothing in it. aiokafka has one request
    under way, without the partitions that are just being worked off: what comes to them waits as long.
    """

    def __init__(
        self,
        service: str,
        topics: Sequence[Topic],
        handler: Handler,
        *,
        bootstrap_servers: Brokers | str,
        ledger: Ledger,
        publisher: Publisher,
        telemetry: Telemetry,
        topic_prefix: str = "",
        batch_records: int = BATCH_RECORDS,
        fetch_bytes: int = FETCH_BYTES,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        self.name = "consumer"
        self._ledger = ledger
        self._prefix = topic_prefix
        self._applier = Applier(service, handler, ledger, publisher, telemetry)
        brokers = Brokers.at(bootstrap_servers)
        self._positions = LogPositions(brokers, topic_prefix)
        lag = telemetry.gauge(names.CONSUMER_LAG)
        self._progress = Progress(lag, lambda: self._applier.offsets, self._assigned_name)
        self._is_assigned = False
        self._turned = time.monotonic()
        self._looked = float("-inf")
        self._polled_in_term = 0
        self._in_hand = False
        self._backlog = min(FEW, batch_records)
        self._broker = KafkaBroker(
            brokers.servers,
            security=brokers.for_faststream(),
            client_id=service,
            logger=None,
            allow_auto_create_topics=False,
            metadata_max_age_ms=METADATA_MS,
            graceful_timeout=FINISH_SECONDS,
        )
        self._subscriber = self._broker.subscriber(
            *(on_wire(topic_prefix, topic.name) for topic in topics),
            group_id=on_wire(topic_prefix, service),
            batch=True,
            max_records=batch_records,
            batch_timeout_ms=IDLE_MS,
            max_partition_fetch_bytes=fetch_bytes,
            fetch_max_wait_ms=fetch_wait_ms,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            partition_assignment_strategy=[RangePartitionAssignor],
            listener=_Assignments(self),
            parser=_as_it_is,
            decoder=_leave_undecoded,
        )
        self._subscriber(self._on_batch)

    @property
    def partitions(self) -> set[int]:
        """The partition numbers this member owns now."""
        return {number for _, number in self._applier.offsets}

    async def start(self) -> None:
        """Joins the group; raises KafkaError or PyMongoError while a server is away."""
        await self._ledger.prepare()
        try:
            await self._positions.start()
            await self._broker.start()
        except BaseException:
            await self._broker.stop()
            await self._positions.stop()
            raise
        self._observe_polls(self._consumer)
        self._progress.start(self._consumer)

    async def stop(self) -> None:
        """Finishes the batch in hand if nothing hinders it, then leaves the group."""
        self._applier.stopping = True
        self._progress.stop()
        await self._progress.told()
        await self._broker.stop()
        await self._progress.told()
        await self._positions.stop()
        with suppress(PyMongoError), farewell():
            await self._applier.finish()

    def trouble(self) -> str | None:
        """Liveness: a sentence if the poll loop has stopped turning though nothing holds it up."""
        silent = time.monotonic() - self._turned
        if self._is_assigned and not self._applier.busy and silent > LOOP_MUST_TURN_SECONDS:
            return f"The poll loop has not turned for {silent:.0f} seconds."
        return None

    def waiting(self) -> str | None:
        """Readiness: what the consumer waits for."""
        if not self._is_assigned:
            return self._applier.waiting_for or "No partitions are assigned yet."
        return self._applier.waiting_for

    async def transact(self, partitions: Collection[int], compute: Callable[[], Awaitable[Effects]]) -> None:
        """See `Applier.transact`."""
        await self._applier.transact(partitions, compute)

    async def assigned(self) -> None:
        """The group has given us partitions, and none but these."""
        self._progress.begin()
        await self._begin()
        self._turned = time.monotonic()
        self._is_assigned = True

    def revoked(self) -> None:
        """The group is about to share out the partitions anew."""
        self._is_assigned = False

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        if consumer is None:
            raise RuntimeError("The consumer is not started.")
        return consumer

    def _observe_polls(self, consumer: AIOKafkaConsumer) -> None:
        """Notes each turn of the loop: the poll is the one call it makes also when nothing arrives."""
        poll = consumer.getmany

        async def observed(timeout_ms: int, max_records: int) -> _Polled:
            while True:
                if self._in_hand or not await self._stands():
                    # FastStream goes on after any error; that would leave this batch behind
                    await self._begin()
                    self._in_hand = False
                records: _Polled = await poll(timeout_ms=timeout_ms, max_records=max_records)
                self._turned = time.monotonic()
                self._polled_in_term = self._applier.term
                self._in_hand = bool(records)
                count = sum(map(len, records.values()))
                if 0 < count < self._backlog:
                    records = await self._with_what_came_meanwhile(records, poll, max_records - count)
                if records:  # FastStream sleeps after an empty poll
                    return records

        consumer.getmany = observed

    async def _with_what_came_meanwhile(
        self, records: _Polled, poll: Callable[..., Any], most: int
    ) -> _Polled:
        """What lies ready was fetched before the last batch was applied; one more fetch brings the rest."""
        more: _Polled = await poll(timeout_ms=LOOK_MS, max_records=most)
        if self._polled_in_term != self._applier.term:
            self._polled_in_term = self._applier.term  # the seek brings the first ones again
            self._in_hand = bool(more)
            return more
        return {p: [*records.get(p, ()), *more.get(p, ())] for p in {**records, **more}}

    async def _on_batch(self, message: KafkaMessage) -> None:
        batch = [Raw(off_wire(self._prefix, record.topic), record) for record in message.raw_message]
        try:
            ends = {(raw.topic, raw.record.partition): raw.record.offset + 1 for raw in batch}
            await self._require_same_logs(ends)
            await self._applier.apply(batch, self._polled_in_term, more=self._more_after(ends))
        except Fenced as fence:
            log.warning("%s Beginning again from the applied offsets.", fence)
        except Exception as error:
            log.warning("A batch failed (%s). Beginning again.", type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            self._in_hand = False
            self._progress.tell(self._consumer)
            if self._applier.stopping:
                await self._progress.told()

    async def _stands(self) -> bool:
        """Whether the batch under way has not failed so far; nobody may ask again for long."""
        try:
            if await self._applier.look_back():
                self._progress.tell(self._consumer)
        except Exception as error:
            log.warning("A batch under way failed (%s). Beginning again.", type(error).__name__)
            return False
        return True

    def _more_after(self, ends: Mapping[Partition, int]) -> bool:
        """Whether a backlog lies ready behind a batch that goes up to `ends`."""
        assignment = self._consumer.assignment()
        behind = sum(
            max(0, (self._consumer.highwater(assigned) or 0) - offset)
            for partition, offset in {**self._applier.taken, **ends}.items()
            if (assigned := self._assigned_name(partition)) in assignment
        )
        return behind >= self._backlog

    async def _require_same_logs(self, partitions: Iterable[Partition]) -> None:
        """Before a batch is applied that a topic made anew, and grown past our place, may have given us.

        Nothing in a fetch tells one topic from its namesake (aiokafka 0.14 has no topic ids), and afterwards
        it is too late: what lies before our place would never be read.

        Raises:
            Fenced: one of the logs is another; begin again.
        """
        if time.monotonic() < self._looked + LOOK_SECONDS:
            return
        applied = self._applier.applied
        if await self._positions.are_anew({p: applied[p] for p in partitions if p in applied}):
            raise Fenced("A topic was made anew.")
        self._looked = time.monotonic()

    async def _begin(self) -> None:
        await self._applier.begin(self._starts, self._seek)

    async def _starts(self) -> tuple[str, Mapping[Partition, Start]]:
        """Where every partition goes on that is ours now: what was ours when somebody asked may not be."""
        cluster = await self._positions.cluster()
        owned = [(off_wire(self._prefix, p.topic), p.partition) for p in self._consumer.assignment()]
        held = await self._ledger.of(owned)
        offsets = await self._positions.starts(owned, held.applied, cluster) if owned else {}
        return cluster, {
            p: Start(offset, held.applied.get(p), held.turns[p[1]]) for p, offset in offsets.items()
        }

    def _seek(self, starts: Mapping[Partition, Start]) -> Mapping[Partition, Start]:
        still_ours = self._consumer.assignment()
        ours = {p: start for p, start in starts.items() if self._assigned_name(p) in still_ours}
        for partition, start in ours.items():
            self._consumer.seek(self._assigned_name(partition), start.offset)
        return ours

    def _assigned_name(self, partition: Partition) -> TopicPartition:
        return TopicPartition(on_wire(self._prefix, partition[0]), partition[1])


class _Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """Hands the group's decisions to the consumer."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing to finish: a batch in hand either commits under its fence or is dropped by it."""
        self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._consumer.assigned()


async def _as_it_is(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """FastStream's parser reads every header as UTF-8 (0.7.8, `kafka/parser.py`): one that is not, or has no
    value, would lose the whole batch without a word; and it would answer to a header `reply_to`.
    """
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)


async def _leave_undecoded(message: KafkaMessage) -> None:
    """FastStream's decoder would fail the whole batch for one bad record; ours runs per record."""
