"""Looking again and again, for what arrives by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_SECONDS = 30.0
_BETWEEN_LOOKS = 0.3

Seen = TypeVar("Seen")


async def once(good: Callable[[Seen], bool], look: Callable[[], Awaitable[Seen]]) -> Seen:
    """What `look` answers as soon as that is good, or the last of it when patience is at its end."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        seen = await look()
        if good(seen) or time.monotonic() > until:
            return seen
        await asyncio.sleep(_BETWEEN_LOOKS)
