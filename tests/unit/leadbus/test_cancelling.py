"""Who is cancelled while he waits for MongoDB takes no lock of the driver's along."""

import asyncio

import pytest
from pymongo.lock import _async_cond_wait, _async_create_condition, _async_create_lock

from leadbus.storage.cancelling import cancel_in_order


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_cancelled_twice_as_another_has_the_lock_leaves_it_to_him(turns: int) -> None:
    cancel_in_order()
    lock = _async_create_lock()
    condition = _async_create_condition(lock)

    async def waiting() -> None:
        async with lock:
            await _async_cond_wait(condition, 30)

    waiter = asyncio.create_task(waiting())
    await asyncio.sleep(0.01)
    async with lock:
        waiter.cancel()
        await asyncio.sleep(0.01)
        waiter.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        assert lock.locked()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    async with asyncio.timeout(5), lock:
        pass


async def test_a_wait_ends_when_its_time_is_over() -> None:
    cancel_in_order()
    lock = _async_create_lock()
    condition = _async_create_condition(lock)
    async with lock:
        assert await _async_cond_wait(condition, 0.01) is False
    assert not lock.locked()
