"""Waiting for what comes about by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

Found = TypeVar("Found")

PATIENCE = 100.0
"""Seconds. Far more than is ever needed: a machine may be loaded, and a failing test may take its time."""


@overload
async def until(look: Callable[[], Awaitable[Found | None]], what: str, within: float = ...) -> Found: ...
@overload
async def until(look: Callable[[], Found | None], what: str, within: float = ...) -> Found: ...
async def until(look: Callable[[], Any], what: str, within: float = PATIENCE) -> Any:
    """The first result of `look` that is true.

    Raises:
        AssertionError: there was none; says `what` was waited for, and the last result.
    """
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + within, 0.01
    while True:
        looked = look()
        result = await looked if isinstance(looked, Awaitable) else looked
        if result:
            return result
        if loop.time() > deadline:
            raise AssertionError(f"waited {within:g} s in vain for: {what}; last seen: {result!r}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)
