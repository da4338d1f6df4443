"""Calls side by side."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from leadbus.errors import LeadbusError

Item = TypeVar("Item")
Result = TypeVar("Result")


async def together(calls: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Their results in order; if one fails the others are called off."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except* LeadbusError as failed:
        raise _first(failed) from None
    return [task.result() for task in tasks]


def _first(failed: BaseExceptionGroup[Any]) -> BaseException:
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def chunks(items: Collection[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, at most `size` at a time."""
    listed = list(items)
    return (listed[at : at + size] for at in range(0, len(listed), size))
