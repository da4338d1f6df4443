"""Scoring a backlog, against the same job in other frameworks.

Where a peer works through each event by itself, its results are the same, and its messages are more: one for
each change of a score.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from bench.contest.contestants import BYTEWAX, FASTSTREAM, QUIX, SERVICE, Contestant
from bench.contest.duel import duel
from bench.figure import Figure, Goal, Measurement, Reading
from bench.figures.scoring import EVENTS, PROSPECTS
from bench.peers import environment
from bench.stage import Stage

OF_PEERS, ROUNDS = 100_000, 3
MESSAGES = 2_000
_A_PROSPECT = EVENTS // PROSPECTS
_WHAT = f"{OF_PEERS:,} events scored, against"


async def _against(figure: str, peer: Contestant, stage: Stage) -> Mapping[str, Reading]:
    peer = replace(peer, python=await environment.python(stage.progress))
    count = stage.count(OF_PEERS)
    async with stage.arena(count, count // _A_PROSPECT) as arena:
        told = await duel(arena, peer, stage.rounds(ROUNDS), stage.progress)
    return {figure: told.rate}


async def _against_messages(stage: Stage) -> Mapping[str, Reading]:
    """The peer is too slow for as many events as ours needs to show what it can: they get fewer."""
    few, many = stage.count(MESSAGES), stage.count(OF_PEERS)
    async with stage.arena(few, few // _A_PROSPECT) as arena:
        told = await duel(arena, FASTSTREAM, 1, stage.progress)
    async with stage.arena(many, many // _A_PROSPECT) as arena:
        ours = await arena.run(SERVICE)
        stage.progress(f"{SERVICE.name}: {ours}")
        arena.judge(ours)
    return {"scoring_vs_faststream_per_message": Reading(ours.rate, told.rate.against)}


MEASUREMENTS = (
    Measurement(
        (Figure("scoring_vs_quix", "events/s", Goal(">=", 4), f"{_WHAT} Quix Streams and its MongoDB sink"),),
        partial(_against, "scoring_vs_quix", QUIX),
    ),
    Measurement(
        (Figure("scoring_vs_bytewax", "events/s", Goal(">=", 2.5), f"{_WHAT} Bytewax"),),
        partial(_against, "scoring_vs_bytewax", BYTEWAX),
    ),
    Measurement(
        (
            Figure(
                "scoring_vs_faststream_per_message",
                "events/s",
                Goal(">=", 50),
                f"{_WHAT} FastStream with a handler per message ({MESSAGES:,} events)",
            ),
        ),
        _against_messages,
    ),
)
