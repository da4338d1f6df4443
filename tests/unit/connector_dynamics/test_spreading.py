"""Rows over several calls."""

import pytest

from connector_dynamics.spreading import spread
from leadbus.errors import OutcomeUnknown, Transient


@pytest.mark.parametrize(
    ("rows", "calls", "sizes"),
    [
        (0, 8, []),
        (1, 8, [1]),
        (10, 8, [10]),
        (25, 8, [10, 10, 5]),
        (160, 8, [20] * 8),
        (1_000, 8, [100] * 10),
        (1_000, 52, [20] * 50),
    ],
)
async def test_calls_are_as_many_as_there_may_be_and_none_too_small_or_large(rows, calls, sizes):
    parts = []

    async def send(part):
        parts.append(part)
        return [None] * (part.stop - part.start)

    assert await spread(rows, calls, send) == [None] * rows
    assert [part.stop - part.start for part in parts] == sizes


async def test_a_call_that_failed_is_the_outcome_of_its_rows_alone():
    async def send(part):
        if part.start == 10:
            raise OutcomeUnknown("Lost.")
        return [None] * (part.stop - part.start)

    outcomes = await spread(25, 8, send)
    assert [isinstance(outcome, OutcomeUnknown) for outcome in outcomes] == [False] * 10 + [True] * 10 + [
        False
    ] * 5


async def test_where_every_call_failed_the_verb_has():
    async def send(part):
        raise Transient("Down.")

    with pytest.raises(Transient):
        await spread(25, 8, send)
