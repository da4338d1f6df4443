"""Applies batches: decode, handle, one transaction, publish. See `consumer` for the order of things."""

import asyncio
import logging
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from bson import ObjectId
from pymongo.errors import PyMongoError

from leadbus.consuming.decoding import Raw, dead_letter, decode
from leadbus.consuming.ledger import Applied, Ledger, OutboxDocument, Partition, Step
from leadbus.consuming.records import Effects, Handler, Received
from leadbus.errors import Fenced, LeadbusError, Rejected, Transient, Undecodable
from leadbus.patience import patiently
from leadbus.publishing import Outgoing, Publisher
from leadbus.storage.mongo import passes_by_itself
from leadbus.telemetry import Telemetry, names

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """Where one partition goes on. offset: of the next record to take; remembered: what the ledger holds."""

    offset: int
    remembered: Applied | None


class Applier:
    """Holds the partitions a member owns and moves them forward, one batch at a time.

    Every public method but the properties takes the lock: batches, sweeps and assignments never mix.

    term: counts the assignments taken over. A batch that was polled in an earlier term may begin anywhere
    (aiokafka fetches from Kafka's committed offsets until it is told where to go on), so it is dropped; the
    seek that began the term brings its records again.
    """

    def __init__(
        self, service: str, handler: Handler, ledger: Ledger, publisher: Publisher, telemetry: Telemetry
    ) -> None:
        self._service = service
        self._handler = handler
        self._ledger = ledger
        self._publisher = publisher
        self._consumed = telemetry.counter(names.MESSAGES_CONSUMED)
        self._dead = telemetry.counter(names.MESSAGES_DEAD)
        self._duration = telemetry.histogram(names.BATCH_DURATION)
        self._size = telemetry.histogram(names.BATCH_SIZE)
        self._remembered: dict[Partition, Applied | None] = {}
        self._next: dict[Partition, int] = {}
        self._cluster = ""
        self._published: list[ObjectId] = []
        self._lock = asyncio.Lock()
        self.term = 0
        self.stopping = False
        self.waiting_for: str | None = None

    @property
    def busy(self) -> bool:
        """Whether a batch, a sweep or an assignment is under way."""
        return self._lock.locked()

    @property
    def offsets(self) -> dict[Partition, int]:
        """The next offset of every partition owned."""
        return dict(self._next)

    @property
    def applied(self) -> dict[Partition, Applied]:
        """How far the logs are applied that go on from there; not those that begin anew."""
        return {p: a for p, a in self._remembered.items() if a is not None and a.offset == self._next[p]}

    async def begin(
        self,
        starts: Callable[[], Awaitable[tuple[str, Mapping[Partition, Start]]]],
        seek: Callable[[Mapping[Partition, Start]], Mapping[Partition, Start]],
    ) -> None:
        """Takes over partitions, and none but these, however long a server is away.

        starts: finds out the cluster, and where each goes on. seek: goes there, and says which were still
        ours to do so with. What is owed for them is published in between.

        Raises:
            PyMongoError, KafkaError, Transient: `stopping` was set while a server was away.
        """
        async with self._lock:
            await self._patiently("Kafka or MongoDB", self._begin, starts, seek)

    async def apply(self, batch: list[Raw], term: int) -> None:
        """Applies a batch that was polled in `term`, however long a server is away.

        Raises:
            Fenced: another owner has moved on; `begin` again.
            PyMongoError, Transient: `stopping` was set while a server was away.
        """
        started = time.monotonic()
        async with self._lock:
            if term != self.term:
                return
            await self._patiently("MongoDB", self._apply_fresh, batch)
        self._duration.record(time.monotonic() - started)
        self._size.record(len(batch))

    async def transact(self, partitions: Collection[int], compute: Callable[[], Awaitable[Effects]]) -> None:
        """Applies effects that no record caused, under the same fence and outbox as a batch.

        Raises:
            Fenced: one of the partitions is not owned (any more); nothing was changed.
            PyMongoError: a server is away; nothing was changed.
        """
        async with self._lock:
            if not set(partitions) <= {number for _, number in self._next}:
                raise Fenced("The partition has moved to another owner.")
            effects = await compute()
            await self._commit(self._turn(partitions, {}), effects)

    async def finish(self) -> None:
        """Lets go of everything; what was published is not left to the next owner to publish again.

        Raises:
            PyMongoError: MongoDB is away; then it is published again.
        """
        async with self._lock:
            self._remembered, self._next = {}, {}
            await self._settle()

    async def _patiently(self, what: str, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        await patiently(log, what, self._is_worth_waiting, until=lambda: self.stopping)(work, *arguments)
        self.waiting_for = None

    def _is_worth_waiting(self, error: BaseException) -> bool:
        """Whatever MongoDB or Kafka says: a batch is never left behind."""
        if isinstance(error, PyMongoError | KafkaError | Transient):
            self.waiting_for = f"A server is away ({type(error).__name__})."
            return True
        return False

    async def _begin(
        self,
        starts: Callable[[], Awaitable[tuple[str, Mapping[Partition, Start]]]],
        seek: Callable[[Mapping[Partition, Start]], Mapping[Partition, Start]],
    ) -> None:
        self._remembered, self._next = {}, {}
        await self._settle()
        cluster, found = await starts()
        await self._publish(await self._ledger.owed(list(found)))
        await self._settle()
        # From here nothing is awaited: a poll sees the old term and the old place, or both new.
        found = seek(found)
        self.term += 1
        self._cluster = cluster
        self._remembered = {partition: start.remembered for partition, start in found.items()}
        self._next = {partition: start.offset for partition, start in found.items()}

    async def _settle(self) -> None:
        await self._ledger.settle(self._published)
        self._published = []

    async def _apply_fresh(self, batch: list[Raw]) -> None:
        await self._apply(self._fresh(batch))

    def _fresh(self, batch: Iterable[Raw]) -> list[Raw]:
        """Without what is applied already. A lower offset with a later time is a log made anew."""
        following = dict(self._next)
        fresh: list[Raw] = []
        for raw in batch:
            partition = (raw.topic, raw.record.partition)
            if partition not in following:
                continue
            remembered = self._remembered[partition]
            is_new_log = remembered is not None and raw.record.timestamp > remembered.latest
            if raw.record.offset >= following[partition] or is_new_log:
                fresh.append(raw)
                following[partition] = raw.record.offset + 1
        return fresh

    async def _apply(self, batch: list[Raw]) -> None:
        if not batch:
            return
        received, returned = self._decode(batch)
        try:
            effects = await self._handler.handle(received) if received else Effects()
            effects.publish = [*effects.publish, *returned]
            await self._commit(self._steps(batch), effects)
        except (Fenced, Transient):
            raise
        except Exception as error:
            if isinstance(error, PyMongoError) and passes_by_itself(error):
                raise
            await self._find_the_bad_one(batch, error)

    async def _find_the_bad_one(self, batch: list[Raw], error: Exception) -> None:
        """Halves the batch until only the record that the handler fails on becomes a dead letter."""
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._apply(batch[:middle])
            await self._apply(batch[middle:])
            return
        (raw,) = batch
        where = "".join(traceback.format_tb(error.__traceback__))  # without its text: it may quote the record
        log.error("The handler failed on a record of %s (%s).\n%s", raw.topic, type(error).__name__, where)
        self._dead.add(1, {names.DESTINATION: raw.topic, names.ERROR_TYPE: type(error).__name__})
        await self._commit(self._steps(batch), Effects(publish=[dead_letter(raw, self._service, error)]))

    def _decode(self, batch: list[Raw]) -> tuple[list[Received], list[Outgoing]]:
        """The readable records, and what goes back to Kafka: dead letters and misplaced records."""
        received: list[Received] = []
        returned: list[Outgoing] = []
        for raw in batch:
            try:
                decoded = decode(raw)
            except Undecodable as error:
                self._dead.add(1, {names.DESTINATION: raw.topic, names.ERROR_TYPE: error.kind})
                returned.append(dead_letter(raw, self._service, error))
                continue
            if isinstance(decoded, Received):
                received.append(decoded)
            else:
                returned.append(decoded)
        for topic, count in Counter(raw.topic for raw in batch).items():
            self._consumed.add(count, {names.DESTINATION: topic})
        return received, returned

    def _steps(self, batch: Iterable[Raw]) -> dict[Partition, Step]:
        ends: dict[Partition, tuple[int, int]] = {}
        for raw in batch:
            partition = (raw.topic, raw.record.partition)
            before = self._remembered[partition]
            _, latest = ends.get(partition, (0, before.latest if before else 0))
            ends[partition] = (raw.record.offset + 1, max(raw.record.timestamp, latest))
        return self._turn({number for _, number in ends}, ends)

    def _turn(
        self, numbers: Collection[int], ends: Mapping[Partition, tuple[int, int]]
    ) -> dict[Partition, Step]:
        """One turn of these partitions on every topic, since records of all of them change one document.

        ends: the next offset and the latest time of those that move on.
        """
        steps: dict[Partition, Step] = {}
        for partition, before in self._remembered.items():
            if partition[1] in numbers:
                where = ends.get(partition, (self._next[partition], before.latest if before else 0))
                steps[partition] = Step.to(before, *where, self._cluster)
        return steps

    async def _commit(self, steps: Mapping[Partition, Step], effects: Effects) -> None:
        owed = await self._ledger.commit(steps, effects, self._published)
        self._remembered.update({partition: step.after for partition, step in steps.items()})
        self._next.update({partition: step.after.offset for partition, step in steps.items()})
        self._published = []
        await self._publish(owed)

    async def _publish(self, owed: Iterable[OutboxDocument]) -> None:
        """Publishes and awaits every acknowledgement, however long Kafka is away."""
        for document in owed:
            left = document.records

            async def rest() -> None:
                nonlocal left
                outcomes = list(zip(left, await self._publisher.publish(left), strict=True))
                for record, fault in outcomes:
                    if isinstance(fault, Rejected):
                        self._refused(record, fault)
                left = [record for record, fault in outcomes if isinstance(fault, Transient)]
                if left:
                    self.waiting_for = "Kafka is away."
                    raise Transient("Kafka does not acknowledge.")

            await patiently(log, "Kafka", _is_transient, until=lambda: self.stopping)(rest)
            self._published.append(document.id)
        self.waiting_for = None

    def _refused(self, record: Outgoing, fault: LeadbusError) -> None:
        """A record that Kafka will never take holds up nobody; what caused it is on its own topic."""
        log.error("A record for %s is lost to its readers: %s", record.topic, fault)
        self._dead.add(1, {names.DESTINATION: record.topic, names.ERROR_TYPE: type(fault).__name__})


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, Transient)
