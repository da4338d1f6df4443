"""How long one event takes from its topic to `leads.qualified`, at a tenth of what scoring can take.

Both times are the broker's own (`LogAppendTime`). Every crossing of a threshold is one sample.
"""

import time
from collections.abc import Mapping
from statistics import median, quantiles

from bench.contest.broker import announced, publish_at_rate
from bench.contest.contestants import SERVICE
from bench.contest.marketing import events
from bench.figure import Figure, Goal, Measurement, Reading
from bench.figures.scoring import EVENTS, PROSPECTS
from bench.stage import Stage

OF_CAPACITY, SECONDS = 100_000, 30
SHARE = 0.1
GOAL_MS = 100.0
WARM_SECONDS = 5
"""Before what counts: programs have just started, and the producer brings what came while it connected."""


async def _latency(stage: Stage) -> Mapping[str, Reading]:
    count = stage.count(OF_CAPACITY)
    async with stage.arena(count, count * PROSPECTS // EVENTS) as arena:
        rate = (await arena.run(SERVICE)).rate * SHARE
    count = stage.count(round(rate * (WARM_SECONDS + SECONDS)))
    people = max(1, count * PROSPECTS // EVENTS)
    async with (
        stage.arena(0, people, live=True) as arena,
        arena.started(SERVICE, await arena.kept.database()) as running,
    ):
        stage.progress(f"{rate:.0f} events/s, {count:,} in all")
        since, counts_from = await arena.ends(), 1000 * (time.time() + WARM_SECONDS)
        await publish_at_rate(arena.environment, list(events(count, people)), rate)
        await arena.until(SERVICE, running, count)
        everything = await announced(arena.environment, since)
        found = [one.at - one.caused for one in everything if one.caused > counts_from]
    p99 = quantiles(found, n=100)[-1]
    more = {"median_ms": median(found), "events_per_s": rate, "samples": len(found)}
    return {"scoring_latency_p99": Reading(p99, GOAL_MS).telling(**more)}


MEASUREMENTS = (
    Measurement(
        (
            Figure(
                "scoring_latency_p99",
                "ms",
                Goal("<=", 1),
                f"p99 from topic to leads.qualified at a tenth of capacity, against {GOAL_MS:g} ms",
            ),
        ),
        _latency,
    ),
)
