"""Cancelling what waits for MongoDB leaves the driver's locks in order.

The driver waits for a server by `wait_for(condition.wait())`. Up to Python 3.11 that is a task of its own,
which is left behind when whoever waits is cancelled twice, or just as his time is over; then he gives back a
lock that another one has, and in the end it is nobody's to release: every later call of that client waits for
ever, and so does the loop when it ends. From Python 3.12 on there is no such task:
https://docs.python.org/3/whatsnew/3.12.html#asyncio
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

Result = TypeVar("Result")


async def wait_for(awaitable: Awaitable[Result], timeout: float | None) -> Result:
    """What Python 3.12 has. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        return await awaitable


def cancel_in_order() -> None:
    """Has the driver wait like this, where Python does not yet."""
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = wait_for  # type: ignore[assignment, attr-defined]
