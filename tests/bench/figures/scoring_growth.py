"""What scoring costs as it grows: with prospects that are stored, and with a second process."""

from collections.abc import Mapping

from bench.contest.arena import Arena
from bench.contest.contestants import SERVICE, Run
from bench.figure import Figure, Goal, Measurement, Reading
from bench.figures.scoring import EVENTS, PROSPECTS
from bench.stage import Stage

STORED = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
OF_GROWTH = 100_000
"""Events of a run: there are six."""
_SMALLEST_SHARE = 0.3


async def _stored(stage: Stage) -> Mapping[str, Reading]:
    active: dict[str, Run] = {}
    spread: dict[str, Run] = {}
    count = stage.count(OF_GROWTH)
    async with stage.arena(count, stage.count(PROSPECTS)) as arena:
        for name, stored in STORED.items():
            active[name] = await _beside(arena, stage, name, stage.count(stored))
        arena.judge(*active.values())
    for name, stored in STORED.items():
        async with stage.arena(count, stage.count(stored), evenly=True) as arena:
            spread[name] = await _beside(arena, stage, f"{name}, all active", stage.count(stored))
            arena.judge(spread[name])
    least, most = active["10k"], active["1m"]
    worst = max(ratio for run in active.values() for ratio in (run.cpu / least.cpu, run.peak / least.peak))
    return {
        "scoring_growth": Reading(most.cpu, least.cpu, worst).telling(
            **{f"cpu_us_{name}": run.cpu for name, run in active.items()},
            **{f"mib_{name}": run.peak for name, run in active.items()},
            **{f"cpu_us_{name}_all_active": run.cpu for name, run in spread.items()},
            **{f"mib_{name}_all_active": run.peak for name, run in spread.items()},
        )
    }


async def _beside(arena: Arena, stage: Stage, name: str, others: int) -> Run:
    run = await arena.run(SERVICE, database=await arena.kept.with_others(others))
    stage.progress(f"Beside {name} stored: {run}, {run.peak:.0f} MiB")
    return run


async def _two(stage: Stage) -> Mapping[str, Reading]:
    runs: list[Run] = []
    for processes in (1, 2):
        async with stage.arena(stage.count(EVENTS), stage.count(PROSPECTS), later=True) as arena:
            runs.append(await arena.run(SERVICE, processes=processes))
            stage.progress(f"Processes: {processes}: {runs[-1]}")
            arena.judge(*runs)
    one, two = runs
    if stage.size >= 1 and min(two.shares) < _SMALLEST_SHARE:
        raise RuntimeError("The second process had next to nothing to do.")
    more = {"events_per_s": two.rate, "of_one": one.rate, "smaller_share": min(two.shares)}
    return {"scoring_two_processes": Reading(two.cpu, one.cpu).telling(**more)}


MEASUREMENTS = (
    Measurement(
        (
            Figure(
                "scoring_growth",
                "us/event",
                Goal("<=", 1.15),
                f"CPU (ratio: or memory) beside 1 M stored prospects, against 10 k; {PROSPECTS:,} are active",
            ),
        ),
        _stored,
    ),
    Measurement(
        (
            Figure(
                "scoring_two_processes",
                "us/event",
                Goal("<=", 1.1),
                "CPU for an event in two processes, against one; the results are the same",
            ),
        ),
        _two,
    ),
)
