"""Random schedules: whatever befalls scoring, it holds and says what a plain recomputation of the log says.

One is told again by its seed: SCHEDULES=137:138 runs that one alone, SCHEDULES=0:5000 so many.
"""

import os

import pytest
from exactly.stage import Stage

FIRST, END = map(int, os.environ.get("SCHEDULES", "0:200").split(":"))
TOGETHER = 50


@pytest.mark.parametrize("begin", range(FIRST, END, TOGETHER))
async def test_whatever_befalls_members_everything_counts_once(stage: Stage, begin: int) -> None:
    outcome = await stage.run(range(begin, min(begin + TOGETHER, END)))
    print(f"{outcome.crossings} crossings; {outcome.again} of {outcome.records} records published again")
    print(dict(sorted(outcome.befell.items())))
    for seed, wrong in sorted(outcome.wrong.items()):
        print(f"SCHEDULES={seed}:{seed + 1} tells this again:", *wrong[:6], sep="\n  ")
    assert not outcome.wrong
    assert outcome.crossings > 0
