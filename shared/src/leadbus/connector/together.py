"""Calls side by side, and how rows are spread over them; for adapters."""

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from leadbus.connector.capabilities import Capabilities
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


def rows_per_call(capabilities: Capabilities, rows: int, *, step: int = 1) -> int:
    """How so many rows to write are spread: over several calls side by side, none of them with few rows.

    step: a call's rows are a multiple of it.
    """
    most_calls = capabilities.calls_per_verb or capabilities.concurrent_calls
    size = max(_stepped(rows, most_calls, step), capabilities.fewest_rows_per_write)
    calls = _stepped(rows, min(size, capabilities.rows_per_write), 1)
    return _stepped(rows, max(1, calls), step) or step


def _stepped(rows: int, parts: int, step: int) -> int:
    """The smallest multiple of step with which so many parts hold all rows."""
    return -(-rows // (parts * step)) * step
