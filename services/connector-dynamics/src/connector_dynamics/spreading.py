"""Rows of one verb over several calls side by side; each row keeps an outcome of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from connector_dynamics.settling import answered
from leadbus.connector.contract import Outcome
from leadbus.errors import LeadbusError

FEWEST_ROWS, MOST_ROWS = 10, 100
"""In a call: as many as the calls at once leave, within these."""


async def spread(
    rows: int, calls: int, send: Callable[[slice], Awaitable[Sequence[Outcome]]]
) -> list[Outcome]:
    """Outcomes in order. calls: at once. send: some of the rows.

    A call that failed as a whole is the outcome of its rows. Raises as `answered`.
    """
    size = min(max(-(-rows // calls), FEWEST_ROWS), MOST_ROWS)
    parts = [slice(at, min(at + size, rows)) for at in range(0, rows, size)]
    results = await asyncio.gather(*(_settled(send(part)) for part in parts))
    outcomes: list[Outcome] = []
    for part, result in zip(parts, results, strict=True):
        outcomes += [result] * (part.stop - part.start) if isinstance(result, LeadbusError) else result
    return answered(outcomes)


async def _settled(work: Awaitable[Sequence[Outcome]]) -> Sequence[Outcome] | LeadbusError:
    try:
        return await work
    except LeadbusError as error:
        return error
