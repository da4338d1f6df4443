"""The check can fail: each way in which counting once has ever been lost is found within a few schedules."""

from collections.abc import Collection

import pytest
from exactly.member import FatedLedger, Handler
from exactly.stage import Stage

from leadbus.consuming.ledger import OutboxDocument, Step
from leadbus.consuming.records import Effects
from scoring.history import History

TRIED = 80
AT_A_TIME = 10


async def nothing(*_: object) -> list[OutboxDocument]:
    return []


async def without_fence(self: FatedLedger, step: Step, session: object) -> None:
    for (topic, number), applied in step.after.items():
        row = {"topic": topic, "partition": number, "offset": applied.offset}
        row |= {"latest": applied.latest, "cluster": applied.cluster}
        await self._applied.replace_one(
            {"_id": f"{topic}/{number}"},
            row,
            upsert=True,
            session=session,  # type: ignore[arg-type]
        )


async def without_offsets(self: FatedLedger, step: Step, session: object) -> None:
    """All is read again after each crash, and nothing tells."""


async def outside_of_the_transaction(
    self: FatedLedger, step: Step, effects: Effects, published: Collection[object]
) -> list[OutboxDocument]:
    async with self._client.start_session() as session:
        await effects.write(session)
    effects = Effects(publish=effects.publish)
    return await FAITHFUL_COMMIT(self, step, effects, published)


FAITHFUL_COMMIT = FatedLedger.commit

BROKEN = {
    "an owner that was overtaken writes all the same": (FatedLedger, "_advance", without_fence),
    "offsets are not kept": (FatedLedger, "_advance", without_offsets),
    "prospects are written outside of the transaction": (FatedLedger, "commit", outside_of_the_transaction),
    "what a dead member owed is not published": (FatedLedger, "owed", nothing),
    "what was computed for a lost batch is kept": (Handler, "forget", lambda *_: None),
    "an event that is held counts again": (History, "holds", lambda *_: False),
}


@pytest.mark.parametrize(("number", "how"), list(enumerate(BROKEN)))
async def test_a_broken_member_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, number: int, how: str
) -> None:
    monkeypatch.setattr(*BROKEN[how])
    first = 1_000 * (number + 1)
    for begin in range(first, first + TRIED, AT_A_TIME):
        if (await stage.run(range(begin, begin + AT_A_TIME))).wrong:
            return
    raise AssertionError(f"{how}, and nobody finds it")
