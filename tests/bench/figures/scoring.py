"""Scoring a backlog: against a reference by hand, in writes, and when everything is delivered again."""

from collections.abc import Mapping

from bench.contest.contestants import REFERENCE, SERVICE
from bench.contest.duel import duel
from bench.figure import Figure, Goal, Measurement, Reading
from bench.stage import Stage

EVENTS, PROSPECTS, ROUNDS = 200_000, 20_000, 3


async def _duel(stage: Stage) -> Mapping[str, Reading]:
    async with stage.arena(stage.count(EVENTS), stage.count(PROSPECTS)) as arena:
        told = await duel(arena, REFERENCE, stage.rounds(ROUNDS), stage.progress)
        differing = await arena.kept.differing(told.ours[0].database, told.theirs[0].database)
        if differing:
            raise RuntimeError(f"The reference keeps another document than scoring: {sorted(differing)}")
    return {"scoring_vs_reference": told.rate, "scoring_cpu_vs_reference": told.cpu}


async def _again(stage: Stage) -> Mapping[str, Reading]:
    async with stage.arena(stage.count(EVENTS), stage.count(PROSPECTS)) as arena:
        first = await arena.run(SERVICE)
        stage.progress(f"First pass: {first}")
        before = await arena.kept.copy(first.database)
        await arena.kept.forget_offsets(first.database)
        again = await arena.run(SERVICE, database=first.database)
        stage.progress(f"All again: {again}")
        arena.judge(first)
        changed = await arena.kept.differing(first.database, before)
        anew = again.announced - first.announced
        if changed or anew:
            raise RuntimeError(f"Read again, {sorted(changed)} changed; {len(anew)} were announced anew.")
    return {
        "scoring_writes_per_event": Reading(first.writes, 1.0),
        "scoring_redelivery": Reading(again.rate, first.rate).telling(writes_per_event=again.writes),
    }


MEASUREMENTS = (
    Measurement(
        (
            Figure(
                "scoring_vs_reference",
                "events/s",
                Goal(">=", 1.3),
                f"{EVENTS:,} events of {PROSPECTS:,} prospects scored, against a reference by hand",
            ),
            Figure(
                "scoring_cpu_vs_reference",
                "us/event",
                Goal("<=", 1.3),
                "the process's CPU for an event, against the reference's",
            ),
        ),
        _duel,
    ),
    Measurement(
        (
            Figure(
                "scoring_writes_per_event",
                "writes/event",
                Goal("<=", 0.45),
                "documents written to MongoDB for an event of a backlog, against one",
            ),
            Figure(
                "scoring_redelivery",
                "events/s",
                Goal(">=", 3),
                "all of it delivered again, against the first time; nothing may count twice",
            ),
        ),
        _again,
    ),
)
