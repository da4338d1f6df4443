"""Where programs score the same events one after the other, and are held to the same results.

An arena has topics of its own; a contestant is one process or several, with a database and a group that are
empty. The clock starts when the first share of the events is applied, so that nobody's start counts; it stops
when all are. Events bear the times they were made with (`CreateTime`), so that all give the same scores.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psutil
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pymongo import AsyncMongoClient

from bench.contest.broker import (
    Ends,
    announced,
    committed,
    delete_group,
    ends,
    joined,
    publish_connections,
    publish_events,
)
from bench.contest.collector import collector
from bench.contest.contestants import Contestant, Run
from bench.contest.kept import Kept
from bench.contest.marketing import PARTITIONS, Event, events
from leadbus.provisioning import provision
from leadbus.topics import LEADS_QUALIFIED, MARKETING_EVENTS, Topic
from leadbus.wire_names import on_wire
from sandbox.servers.process import Process, free_port
from scoring.service import READS, TABLES, WRITES

_TESTS = Path(__file__).parents[2]
_PATH = (_TESTS, _TESTS.parent / "shared" / "src")
"""`shared` for peers, whose environment has none of our packages."""
_WARM = 0.05
"""Of the events: the clock starts then."""
_TICK_SECONDS = 0.02
_WITHIN = 600.0
_LATE_SECONDS = 5.0


class _Sample(NamedTuple):
    at: float
    applied: int
    cpu: Sequence[float]
    writes: int


@dataclass
class Arena:
    """Events in their topic, and whatever runs on them. repeated: how many came twice.

    coming: published when all processes of the one run have their partitions, so that no rebalance counts.
    """

    environment: Mapping[str, str]
    folder: Path
    kept: Kept
    admin: AdminClient
    count: int
    repeated: int = 0
    coming: Iterable[Event] | None = None

    @property
    def prefix(self) -> str:
        """Of the topics."""
        return self.environment["LEADBUS_TOPIC_PREFIX"]

    async def run(self, contestant: Contestant, *, database: str | None = None, processes: int = 1) -> Run:
        """One run over all events. database: one that is there already.

        Raises:
            ServerError: it ended by itself.
        """
        await delete_group(self.admin, self.prefix + contestant.group)
        since = await self.ends()
        own = database or await self.kept.database()
        async with self.started(contestant, own, processes) as running:
            if self.coming is not None:
                await joined(self.admin, self.prefix + contestant.group, processes)
                self.repeated = await publish_events(self.environment, self.coming)
            began = await self._sample(contestant, running, own, 0)
            warmed = await self._sample(contestant, running, own, _WARM * self.count)
            last = await self._sample(contestant, running, own, self.count)
            peak = sum(map(_peak_mib, running))
            outcome = await self.kept.outcome(own)
            ids = await self._announced(since, outcome.crossings)
        # So few events that one batch took them all: then the start counts, and the figure says nothing.
        first = warmed if warmed.applied < last.applied else began
        spent = [after - before for after, before in zip(last.cpu, first.cpu, strict=True)]
        applied = last.applied - first.applied
        return Run(
            rate=applied / (last.at - first.at),
            cpu=1e6 * sum(spent) / applied,
            writes=(last.writes - first.writes) / applied,
            peak=peak,
            shares=[each / max(1e-9, sum(spent)) for each in spent],
            outcome=outcome,
            announced=ids,
            database=own,
        )

    def judge(self, *runs: Run) -> None:
        """Ratios count only of runs that agree, with each other and with the events.

        Raises:
            RuntimeError: they do not.
        """
        wanted = self.count - self.repeated
        outcomes = {run.outcome for run in runs}
        if len(outcomes) > 1 or any(outcome.counted != wanted for outcome in outcomes):
            raise RuntimeError(f"Not the same results of {wanted} different events: {outcomes}")
        (outcome,) = outcomes
        if len({run.announced for run in runs}) > 1 or len(runs[0].announced) != outcome.crossings:
            told = [len(run.announced) for run in runs]
            raise RuntimeError(f"There were {outcome.crossings} crossings, and announced were {told}.")

    @asynccontextmanager
    async def started(
        self, contestant: Contestant, database: str, processes: int = 1
    ) -> AsyncIterator[list[Process]]:
        """Its processes, stopped in the end."""
        told = {
            **self.environment,
            "MONGODB_DATABASE": database,
            "BENCH_GROUP": self.prefix + contestant.group,
        }
        async with AsyncExitStack() as stack:
            running = []
            for number in range(processes):
                each = told | {"SCORING_PORT": str(free_port())}
                command = ["/usr/bin/env", *(f"{name}={value}" for name, value in each.items())]
                program = [contestant.python or sys.executable, *contestant.command]
                log = self.folder / f"{database}-{number}.log"
                process = Process(contestant.name, [*command, *program], log)
                stack.push_async_callback(process.stop)
                await process.start()
                running.append(process)
            yield running

    async def until(self, contestant: Contestant, running: Sequence[Process], wanted: float) -> int:
        """How many events are applied, once it is so many."""
        return await self._until(contestant, running, "", wanted)

    async def ends(self) -> Ends:
        """Where the qualified events end now."""
        return await ends(self.environment, LEADS_QUALIFIED)

    async def _until(
        self, contestant: Contestant, running: Sequence[Process], database: str, wanted: float
    ) -> int:
        async with asyncio.timeout(_WITHIN):
            while (applied := await self._applied(contestant, database)) < wanted:
                for process in running:
                    process.check()
                await asyncio.sleep(_TICK_SECONDS)
        return applied

    async def _sample(
        self, contestant: Contestant, running: Sequence[Process], database: str, wanted: float
    ) -> _Sample:
        applied = await self._until(contestant, running, database, wanted)
        at, cpu = time.monotonic(), list(map(_cpu_seconds, running))
        return _Sample(at, applied, cpu, await self.kept.writes())

    async def _applied(self, contestant: Contestant, database: str) -> int:
        if contestant.tells == "MongoDB":
            return await self.kept.progress(database)
        topic = on_wire(self.prefix, MARKETING_EVENTS.name)
        return await committed(self.admin, self.prefix + contestant.group, topic)

    async def _announced(self, since: Ends, crossings: int) -> frozenset[str]:
        """The ids of qualified events; a peer may tell of them a little later than it is done."""
        until = time.monotonic() + _LATE_SECONDS
        while True:
            ids = frozenset(one.id for one in await announced(self.environment, since))
            if len(ids) >= crossings or time.monotonic() > until:
                return ids
            await asyncio.sleep(_TICK_SECONDS)


@asynccontextmanager
async def arena(
    kafka: str,
    mongodb: str,
    folder: Path,
    count: int,
    prospects: int,
    *,
    evenly: bool = False,
    live: bool = False,
    later: bool = False,
) -> AsyncIterator[Arena]:
    """A new one with so many events of so many people. live: with none, and the broker's own times.

    later: they come when the run's processes have their partitions.
    """
    async with AsyncExitStack() as stack:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb)
        await stack.enter_async_context(client)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "MONGODB_URL": mongodb,
            "LEADBUS_TOPIC_PREFIX": f"arena-{uuid4().hex[:8]}.",
            "LEADBUS_OPERATOR_TOKEN": "an operator's token",
            "PYTHONPATH": os.pathsep.join(map(str, _PATH)),
            # As in deploy/k8s/base/settings.env.
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.05",
            "OTEL_EXPORTER_OTLP_ENDPOINT": await stack.enter_async_context(collector()),
        }
        admin = AdminClient({"bootstrap.servers": kafka, "client.id": "bench", "log_level": 0})
        own = Arena(environment, folder, Kept(client), admin, count)
        stack.push_async_callback(own.kept.drop)
        stack.push_async_callback(_delete_topics, own)
        await _make_topics(own, live=live)
        await publish_connections(environment)
        if later:
            own.coming = events(count, prospects, evenly=evenly)
        elif not live:
            own.repeated = await publish_events(environment, events(count, prospects, evenly=evenly))
        yield own


async def _make_topics(own: Arena, *, live: bool) -> None:
    if not live:
        settings = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        name = on_wire(own.prefix, MARKETING_EVENTS.name)
        made = own.admin.create_topics([NewTopic(name, PARTITIONS, 1, config=settings)])
        await asyncio.wrap_future(made[name])
    topics = [_narrow(topic) for topic in (*READS, *WRITES, *TABLES)]
    await provision(own.environment["KAFKA_BOOTSTRAP_SERVERS"], topics, prefix=own.prefix)


def _narrow(topic: Topic) -> Topic:
    return topic if topic.partitions == 1 else replace(topic, partitions=PARTITIONS)


async def _delete_topics(own: Arena) -> None:
    there = await asyncio.to_thread(own.admin.list_topics, timeout=10)
    gone = own.admin.delete_topics([name for name in there.topics if own.prefix in name])
    await asyncio.gather(*map(asyncio.wrap_future, gone.values()))


def _cpu_seconds(process: Process) -> float:
    spent = psutil.Process(process.pid).cpu_times()
    return float(spent.user + spent.system)


def _peak_mib(process: Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
