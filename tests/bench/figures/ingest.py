"""Events taken in over HTTP, against a bare ASGI application with the same validation and acknowledgement."""

from collections.abc import Mapping
from functools import partial
from statistics import median

from bench.edge.contest import Run
from bench.figure import Figure, Goal, Measurement, Reading
from bench.stage import Stage

SECONDS, ROUNDS = 3.0, 7
ARRAY = 100
_CONNECTIONS = {1: 32, ARRAY: 8}
"""By events per request."""


async def _contest(figure: str, items: int, stage: Stage) -> Mapping[str, Reading]:
    runs: dict[str, list[Run]] = {}
    async with stage.edge() as servers:
        for number in range(stage.rounds(ROUNDS)):
            for server in servers:
                run = await server.run(items, _CONNECTIONS[items], max(0.5, SECONDS * min(1, stage.size)))
                runs.setdefault(server.name, []).append(run)
                stage.progress(f"Round {number + 1}, {server.name}: {run}")
    theirs, ours = runs.values()
    ratios = [one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]
    reading = Reading(
        median(run.rate for run in ours), median(run.rate for run in theirs), median(ratios)
    ).telling(
        cpu_us=median(run.cpu for run in ours),
        against_cpu_us=median(run.cpu for run in theirs),
        p99_ms=median(run.p99 for run in ours),
        against_p99_ms=median(run.p99 for run in theirs),
        load_cores=max(run.load for run in (*ours, *theirs)),
    )
    return {figure: reading}


def _measurement(name: str, items: int, goal: float, what: str) -> Measurement:
    figure = Figure(name, "events/s", Goal(">=", goal), f"{what}, against ASGI by hand")
    return Measurement((figure,), partial(_contest, name, items))


MEASUREMENTS = (
    _measurement("ingest_single_vs_asgi", 1, 0.6, "events posted one by one over 32 connections"),
    _measurement("ingest_array_vs_asgi", ARRAY, 0.5, f"arrays of {ARRAY} events over 8 connections"),
)
