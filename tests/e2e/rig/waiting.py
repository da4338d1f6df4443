"""Waiting for what comes about by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = 100.0
"""Seconds. Only what hangs takes so long: a machine may be loaded, and a failing test may take its time."""


async def eventually(
    holds: Callable[[], Any] | Callable[[], Awaitable[Any]], what: str = "it", within: float = PATIENCE
) -> Any:
    """What `holds` answers as soon as that is true."""
    last: Any = None
    try:
        async with asyncio.timeout(within):
            while True:
                last = holds()
                if asyncio.iscoroutine(last):
                    last = await last
                if last:
                    return last
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what} did not come about within {within} s, last: {last!r}") from None
