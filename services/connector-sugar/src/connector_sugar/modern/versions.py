"""Which version of modern REST a site speaks: the newest that it knows of those that we do.

A newer site goes on answering older versions, so that those it knows come before those it does not.
"""

from collections.abc import Awaitable, Callable, Sequence

from connector_sugar.modern import faults

KNOWN: Sequence[str] = ("v10", "v11", *(f"v11_{minor}" for minor in range(1, 28)))
"""Oldest first: 7.0 to 26.1."""


async def newest(speaks: Callable[[str], Awaitable[bool]]) -> str:
    """The newest version known to both sides, found by halving.

    Raises:
        WrongVersion: it speaks none of them.
    """
    if await speaks(KNOWN[-1]):
        return KNOWN[-1]
    known, unknown = -1, len(KNOWN) - 1
    while unknown - known > 1:
        middle = (known + unknown) // 2
        if await speaks(KNOWN[middle]):
            known = middle
        else:
            unknown = middle
    if known < 0:
        raise faults.LABELS["incorrect_version"].error(writing=False)
    return KNOWN[known]
