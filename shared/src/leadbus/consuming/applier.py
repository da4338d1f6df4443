"""Applies batches: decode, handle, one transaction, publish. See `consumer` for the order of things."""

import asyncio
import logging
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from bson import ObjectId
from pymongo.errors import PyMongoError

from leadbus.consuming.decoding import Raw, dead_letter, decode
from leadbus.consuming.ledger import Applied, Ledger, OutboxDocument, Partition, Step
from leadbus.consuming.positions import Positions, Start
from leadbus.consuming.records import Effects, Handler, Keeper, Received
from leadbus.errors import Fenced, LeadbusError, Rejected, Transient, Undecodable
from leadbus.patience import patiently
from leadbus.publishing import Outgoing, Publisher
from leadbus.storage.mongo import passes_by_itself
from leadbus.telemetry import Telemetry, names

log = logging.getLogger(__name__)

BREATH = 250
"""Records decoded at a stretch (some 3 ms), so that the batch being written gets on meanwhile."""
FAREWELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A batch whose transaction and messages are under way in `task`, and where that leads its partitions."""

    batch: list[Raw]
    step: Step
    task: asyncio.Task[None]


class Applier:
    """Holds the partitions a member owns and moves them forward, one batch at a time.

    Every public method but the properties takes the lock: batches, sweeps and assignments never mix.

    The transaction of one batch may run while the next batch is computed, if the handler keeps its state
    (`Keeper`): never two transactions at once, and the next one begins only when the last one is committed
    and its messages are acknowledged. If that one fails, what was computed since is dropped, and all that
    the handler keeps. `offsets` and the like tell what is committed, and nothing else.

    term: counts the assignments taken over. A batch that was polled in an earlier term may begin anywhere
    (aiokafka fetches from Kafka's committed offsets until it is told where to go on), so it is dropped; the
    seek that began the term brings its records again.
    """

    def __init__(
        self, service: str, handler: Handler, ledger: Ledger, publisher: Publisher, telemetry: Telemetry
    ) -> None:
        self._service = service
        self._handler = handler
        self._keeper = handler if isinstance(handler, Keeper) else None
        self._under_way: _UnderWay | None = None
        self._ledger = ledger
        self._publisher = publisher
        self._consumed = telemetry.counter(names.MESSAGES_CONSUMED)
        self._dead = telemetry.counter(names.MESSAGES_DEAD)
        self._duration = telemetry.histogram(names.BATCH_DURATION)
        self._size = telemetry.histogram(names.BATCH_SIZE)
        self._commits = telemetry.counter(names.COMMITS)
        self._sent = telemetry.counter(names.MESSAGES_SENT)
        self._positions = Positions()
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
        """The next offset of every partition owned: what is committed."""
        return self._positions.offsets

    @property
    def taken(self) -> dict[Partition, int]:
        """The same, as if the batch under way were committed."""
        return self.offsets | {partition: applied.offset for partition, applied in self._ahead.items()}

    @property
    def applied(self) -> dict[Partition, Applied]:
        """See `Positions`."""
        return self._positions.applied

    @property
    def _ahead(self) -> Mapping[Partition, Applied]:
        return self._under_way.step.after if self._under_way is not None else {}

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
            await self._drop()
            await self._patiently("Kafka or MongoDB", self._begin, starts, seek)

    async def apply(self, batch: list[Raw], term: int, *, more: bool = False) -> None:
        """Applies a batch that was polled in `term`, however long a server is away.

        more: the next batch lies ready. Then this one may still be under way on return, as may be told by
        `offsets`; how it ends is found out by the next call of anything here.

        Raises:
            Fenced: another owner has moved on; `begin` again.
            PyMongoError, Transient: `stopping` was set while a server was away.
        """
        started = time.monotonic()
        async with self._lock:
            if term != self.term:
                return
            if self._keeper is not None:
                await self._overlap(batch, started)
                if not more:
                    await self._join()
                return
            await self._patiently("MongoDB", self._apply_fresh, batch)
        self._measure(started, batch)

    async def look_back(self) -> bool:
        """Finds out how the batch under way has ended; False at once if it has not, or there is none.

        Raises:
            As `apply`.
        """
        if self._under_way is None or not self._under_way.task.done():
            return False
        async with self._lock:
            await self._join()
        return True

    async def transact(self, partitions: Collection[int], compute: Callable[[], Awaitable[Effects]]) -> None:
        """Applies effects that no record caused, under the same fence and outbox as a batch.

        They are computed from what is stored; what they make stale of what the handler keeps is dropped.

        Raises:
            Fenced: one of the partitions is not owned (any more); nothing was changed.
            PyMongoError: a server is away; nothing was changed.
        """
        async with self._lock:
            await self._join()
            if not set(partitions) <= self._positions.numbers:
                raise Fenced("The partition has moved to another owner.")
            effects = await compute()
            if not effects:
                return
            try:
                await self._commit(Step(self._positions.turns(partitions), {}), effects)
            except BaseException:
                self._forget(partitions)
                raise
            self._forget(partitions, effects.stale)

    async def finish(self) -> None:
        """Lets go of everything; what was published is not left to the next owner to publish again.

        Raises:
            PyMongoError: MongoDB is away; then it is published again.
        """
        async with self._lock:
            await self._drop(within=FAREWELL_SECONDS)
            self._positions = Positions()
            await self._settle()

    def _measure(self, started: float, batch: list[Raw]) -> None:
        self._duration.record(time.monotonic() - started)
        self._size.record(len(batch))

    async def _overlap(self, batch: list[Raw], started: float) -> None:
        """Computes a batch beside the transaction of the one before, then lets its own run."""
        fresh = self._positions.fresh(batch, self._ahead)
        effects: Effects | None = None
        try:
            effects = await self._compute(fresh)
        except Exception as error:
            # The batch before is no part of this; whatever is wrong here shows again below, by itself.
            log.debug("A batch could not be computed at once (%s).", type(error).__name__)
        stands = await self._join()
        if effects is None or not stands:
            self._forget()
            await self._patiently("MongoDB", self._apply_fresh, batch)
            self._measure(started, batch)
        elif fresh:
            step = self._positions.step(fresh)
            writing = self._write(step, effects, started, batch)
            self._under_way = _UnderWay(fresh, step, asyncio.create_task(writing, name="a batch under way"))

    async def _write(self, step: Step, effects: Effects, started: float, batch: list[Raw]) -> None:
        await self._patiently("MongoDB", self._commit, step, effects)
        self._measure(started, batch)

    async def _join(self) -> bool:
        """Waits for the batch under way; False if what was computed on top of it cannot stand.

        A batch that MongoDB will not take as it is, is applied anew, record by record where it must be.

        Raises:
            Fenced, PyMongoError, Transient: it was dropped. So it will be said again, until `begin`.
        """
        if self._under_way is None:
            return True
        batch, task = self._under_way.batch, self._under_way.task
        await asyncio.wait([task])  # our being cancelled must not cut off a transaction
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._under_way = None
            return True
        self._forget()
        if not isinstance(error, Exception) or not _is_its_own_fault(error):
            raise error
        self._under_way = None
        await self._patiently("MongoDB", self._find_the_bad_one, batch, error)
        return False

    async def _drop(self, within: float | None = None) -> None:
        """Ends with the batch under way, however it ends (the ledger knows), and drops all that is kept."""
        if self._under_way is not None:
            task = self._under_way.task
            await asyncio.wait([task], timeout=within)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._under_way = None
        self._forget()

    def _forget(
        self, partitions: Collection[int] | None = None, keys: Collection[Hashable] | None = None
    ) -> None:
        if self._keeper is not None:
            self._keeper.forget(partitions, keys)

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
        self._positions = Positions()
        await self._settle()
        cluster, found = await starts()
        await self._publish(await self._ledger.owed({number for _, number in found}))
        await self._settle()
        # From here nothing is awaited: a poll sees the old term and the old place, or both new.
        found = seek(found)
        self.term += 1
        self._positions.begin(cluster, found)

    async def _settle(self) -> None:
        await self._ledger.settle(self._published)
        self._published = []

    async def _apply_fresh(self, batch: list[Raw]) -> None:
        await self._apply(self._positions.fresh(batch, {}))

    async def _apply(self, batch: list[Raw]) -> None:
        if not batch:
            return
        try:
            await self._commit(self._positions.step(batch), await self._compute(batch))
        except Exception as error:
            self._forget()
            if not _is_its_own_fault(error):
                raise
            await self._find_the_bad_one(batch, error)

    async def _compute(self, batch: list[Raw]) -> Effects:
        received, returned = await self._decode(batch)
        effects = await self._handler.handle(received) if received else Effects()
        effects.publish = [*effects.publish, *returned]
        return effects

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
        await self._commit(
            self._positions.step(batch), Effects(publish=[dead_letter(raw, self._service, error)])
        )

    async def _decode(self, batch: list[Raw]) -> tuple[list[Received], list[Outgoing]]:
        """The readable records, and what goes back to Kafka: dead letters and misplaced records."""
        received: list[Received] = []
        returned: list[Outgoing] = []
        for begin in range(0, len(batch), BREATH):
            for raw in batch[begin : begin + BREATH]:
                if self._keeper is not None and self._keeper.knows(raw.topic, raw.record.value or b""):
                    continue
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
            await asyncio.sleep(0)
        for topic, count in Counter(raw.topic for raw in batch).items():
            self._consumed.add(count, {names.DESTINATION: topic})
        return received, returned

    async def _commit(self, step: Step, effects: Effects) -> None:
        owed = await self._ledger.commit(step, effects, self._published)
        self._positions.advance(step)
        self._published = []
        await self._publish(owed)
        for topic, partition in step.after:
            self._commits.add(1, {names.DESTINATION: topic, names.PARTITION: str(partition)})

    async def _publish(self, owed: Iterable[OutboxDocument]) -> None:
        """Publishes and awaits every acknowledgement, however long Kafka is away."""
        for document in owed:
            left = document.records

            async def rest() -> None:
                nonlocal left
                outcomes = list(zip(left, await self._publisher.publish(left), strict=True))
                self._count(outcomes)
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

    def _count(self, outcomes: Iterable[tuple[Outgoing, LeadbusError | None]]) -> None:
        counts = Counter((record.topic, "failed" if fault else "ok") for record, fault in outcomes)
        for (topic, outcome), count in counts.items():
            self._sent.add(count, {names.DESTINATION: topic, names.OUTCOME: outcome})

    def _refused(self, record: Outgoing, fault: LeadbusError) -> None:
        """A record that Kafka will never take holds up nobody; what caused it is on its own topic."""
        log.error("A record for %s is lost to its readers: %s", record.topic, fault)
        self._dead.add(1, {names.DESTINATION: record.topic, names.ERROR_TYPE: type(fault).__name__})


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, Transient)


def _is_its_own_fault(error: Exception) -> bool:
    """Whether what a batch holds is the reason: then it fails however often it is tried."""
    if isinstance(error, Fenced | Transient):
        return False
    return not (isinstance(error, PyMongoError) and passes_by_itself(error))
