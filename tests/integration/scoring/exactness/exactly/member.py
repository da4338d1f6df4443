"""A member of scoring as it runs, its parts on real servers, that dies, hangs or is let down at any step."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import AutoReconnect

from leadbus.consuming.applier import Applier
from leadbus.consuming.decoding import Raw
from leadbus.consuming.ledger import Ledger, OutboxDocument, Partition, Step
from leadbus.consuming.positions import Start
from leadbus.consuming.records import Effects, Received
from leadbus.erasing.tombstones import Tombstones
from leadbus.errors import Fenced, LeadbusError, Transient
from leadbus.publishing import Outgoing, Publisher
from leadbus.telemetry import Telemetry
from scoring.connections import Connections
from scoring.cooler import Cooler
from scoring.handlers import ScoringHandler
from scoring.rules_store import MongoRules
from scoring.store import MongoProspects

IN_TRANSACTION = frozenset({"offsets set", "prospects written"})
"""Whoever hangs here holds locks; MongoDB ends that by itself, but not within a test."""


class Crashed(BaseException):
    """The member is dead: nothing of it runs any more."""


@dataclass
class Fate:
    """What befalls a member. fuse: how many more steps it takes until something does; None = nothing will.

    befell: what has befallen members at which step, over all schedules.
    """

    random: Random
    befell: Counter[str]
    fuse: int | None = None
    dead: bool = False
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.light()

    def light(self) -> None:
        """Something will befall it."""
        self.fuse = self.random.randint(1, 30)

    async def step(self, name: str) -> str | None:
        """The member gets to a step; `let down` if a server lets it down there.

        Raises:
            Crashed: it does not survive.
        """
        if self.dead:
            raise Crashed
        if self.fuse is None:
            return None
        self.fuse -= 1
        if self.fuse:
            return None
        self.fuse = None
        what = self.random.choices(("killed", "hung", "let down"), (5, 3, 2))[0]
        if what == "hung" and name in IN_TRANSACTION:
            what = "killed"
        self.befell[f"{what}: {name}"] += 1
        if what == "killed":
            self.dead = True
            raise Crashed
        if what == "hung":
            self.hanging.set()
            await self.freed.wait()
            self.hanging.clear()
            return await self.step(name)
        return "let down"

    async def with_server(self, name: str) -> None:
        """The same, where MongoDB is asked.

        Raises:
            AutoReconnect: it does not answer.
        """
        if await self.step(name):
            raise AutoReconnect(f"It does not answer: {name}.")


class Handler(ScoringHandler):
    """Scoring's own, and its fate."""

    fate: Fate

    async def handle(self, batch: Sequence[Received]) -> Effects:
        await self.fate.with_server("batch read")
        effects = await super().handle(batch)
        await self.fate.step("batch computed")
        return effects


class FatedLedger(Ledger):
    """The consumer's own, and its fate."""

    fate: Fate

    async def commit(
        self, step: Step, effects: Effects, published: Collection[object]
    ) -> list[OutboxDocument]:
        await self.fate.with_server("transaction begun")
        write = effects.write

        async def fated(session: AsyncClientSession) -> None:
            await self.fate.with_server("offsets set")
            await write(session)
            await self.fate.with_server("prospects written")

        owed = await super().commit(step, Effects(fated, effects.publish), published)  # type: ignore[arg-type]
        # Let down = committed, and the answer is lost.
        await self.fate.with_server("committed")
        return owed

    async def owed(self, numbers: Collection[int]) -> list[OutboxDocument]:
        await self.fate.with_server("outbox read")
        return await super().owed(numbers)

    async def settle(self, published: Iterable[object]) -> None:
        await self.fate.with_server("outbox settled")
        await super().settle(published)  # type: ignore[arg-type]


class FatedPublisher:
    """The service's, shared by all; each member has its fate."""

    def __init__(self, publisher: Publisher, fate: Fate) -> None:
        self._publisher = publisher
        self._fate = fate

    async def publish(self, records: Sequence[Outgoing]) -> list[LeadbusError | None]:
        if await self._fate.step("publishing begun"):
            return [Transient("Kafka does not answer.") for _ in records]
        middle = self._fate.random.randint(0, len(records))
        first = await self._publisher.publish(records[:middle])
        if await self._fate.step("half published"):
            # The first half has arrived, and nobody knows.
            return [Transient("Kafka did not acknowledge.") for _ in records]
        outcomes = first + await self._publisher.publish(records[middle:])
        if await self._fate.step("published"):
            return [Transient("Kafka did not acknowledge.") for _ in records]
        return outcomes


@dataclass
class Parts:
    """What members are made of; a class may be replaced by a broken one."""

    prospects: MongoProspects
    rules: MongoRules
    connections: Connections
    telemetry: Telemetry
    publisher: Publisher
    tombstones: Tombstones
    ledger: Callable[[], FatedLedger]
    handler: type[Handler] = Handler
    applier: type[Applier] = Applier


class Member:
    """Polls from a log in memory, as Kafka would give it, and applies. mine: partitions it is told to own.

    What it does between polls is what `leadbus.consuming.Consumer` does.
    """

    def __init__(
        self, parts: Parts, log: Mapping[Partition, Sequence[Raw]], fate: Fate, topics: Sequence[str]
    ) -> None:
        self.fate = fate
        self.mine: set[int] = set()
        self.must_begin = True
        self._log = log
        self._topics = topics
        self._places: dict[Partition, int] = {}
        self._ledger = parts.ledger()
        self._ledger.fate = fate
        handler = parts.handler(
            parts.prospects, parts.rules, parts.connections, parts.telemetry, parts.tombstones
        )
        handler.fate = fate
        self.applier = parts.applier(
            "scoring", handler, self._ledger, FatedPublisher(parts.publisher, fate), parts.telemetry
        )
        self._parts = parts

    @property
    def partitions(self) -> set[int]:
        """As `Consumer.partitions`."""
        return {number for _, number in self.applier.offsets}

    async def transact(self, partitions: Collection[int], compute: Callable[[], Awaitable[Effects]]) -> None:
        """As `Consumer.transact`."""
        await self.applier.transact(partitions, compute)

    async def turn(self, random: Random) -> None:
        """One turn of the poll loop.

        Raises:
            Crashed: it is dead.
        """
        if self.partitions != self.mine and random.random() < 0.3:
            self.must_begin = True  # the news has reached it
        try:
            if self.must_begin or await self._has_failed():
                await self._begin()
            elif batch := self._poll(random):
                term = self.applier.term
                if random.random() < 0.1:
                    await self._begin()  # assigned anew between poll and batch
                self.must_begin = True
                await self.applier.apply(batch, term, more=random.random() < 0.7)
                self.must_begin = False
        except Fenced:
            self.must_begin = True

    async def look(self, now: int) -> None:
        """The cooler's round, at this time by the clock."""
        rounds = Cooler(
            self, self._parts.prospects, self._parts.rules, self._parts.connections, lambda: now / 1_000
        )
        with suppress(Fenced, AutoReconnect):
            await rounds.look()

    async def bury(self) -> None:
        """Nothing of it goes on."""
        self.fate.dead = True
        self.fate.freed.set()
        if (under_way := self.applier._under_way) is not None:
            under_way.task.cancel()
            await asyncio.gather(under_way.task, return_exceptions=True)

    def is_done(self) -> bool:
        """Whether all that it owns is committed."""
        offsets = self.applier.offsets
        return not self.must_begin and all(
            not records or offsets.get(partition, 0) > records[-1].record.offset
            for partition, records in self._log.items()
            if partition[1] in self.mine
        )

    async def _has_failed(self) -> bool:
        try:
            await self.applier.look_back()
        except Exception:  # as `Consumer._stands`
            return True
        return False

    async def _begin(self) -> None:
        async def starts() -> tuple[str, Mapping[Partition, Start]]:
            mine = [(topic, number) for topic in self._topics for number in sorted(self.mine)]
            await self.fate.with_server("offsets read")
            held = await self._ledger.of(mine)
            known = {p: held.applied.get(p) for p in mine}
            return "cluster", {p: Start(a.offset if a else 0, a, held.turns[p[1]]) for p, a in known.items()}

        def seek(found: Mapping[Partition, Start]) -> Mapping[Partition, Start]:
            ours = {p: start for p, start in found.items() if p[1] in self.mine}
            self._places = {p: start.offset for p, start in ours.items()}
            return ours

        self.must_begin = True
        await self.applier.begin(starts, seek)
        self.must_begin = False

    def _poll(self, random: Random) -> list[Raw]:
        """Some of some partitions, as fetches bring them."""
        batch: list[Raw] = []
        for partition, place in list(self._places.items()):
            if random.random() < 0.3:
                continue
            records = [raw for raw in self._log.get(partition, ()) if raw.record.offset >= place]
            taken = records[: random.choice([1, 3, 10, 40])]
            if taken:
                batch += taken
                self._places[partition] = taken[-1].record.offset + 1
        return batch
