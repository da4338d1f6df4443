"""Two contestants on the same events in turn; each round gives a ratio, and the median counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contest.arena import Arena
from bench.contest.contestants import SERVICE, Contestant, Run
from bench.figure import Reading

Telling = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Duel:
    """Leadbus's runs and the other's, round by round; their results are the same."""

    ours: Sequence[Run]
    theirs: Sequence[Run]

    @property
    def rate(self) -> Reading:
        """Events a second."""
        return _reading([run.rate for run in self.ours], [run.rate for run in self.theirs])

    @property
    def cpu(self) -> Reading:
        """Microseconds of CPU an event; the memory that it took is told beside it."""
        return _reading([run.cpu for run in self.ours], [run.cpu for run in self.theirs]).telling(
            peak_mib=median(run.peak for run in self.ours),
            against_mib=median(run.peak for run in self.theirs),
        )


async def duel(arena: Arena, other: Contestant, rounds: int, telling: Telling) -> Duel:
    """The rounds, and whether all of them gave the same results.

    Raises:
        RuntimeError: they did not.
    """
    ours: list[Run] = []
    theirs: list[Run] = []
    for number in range(rounds):
        for contestant, runs in ((other, theirs), (SERVICE, ours)):
            runs.append(await arena.run(contestant))
            telling(f"Round {number + 1}, {contestant.name}: {runs[-1]}")
    arena.judge(*ours, *theirs)
    return Duel(ours, theirs)


def _reading(ours: Sequence[float], theirs: Sequence[float]) -> Reading:
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Reading(median(ours), median(theirs), median(ratios))
