"""Calls at once, and none at all while the organisation asks for a pause."""

import asyncio

import pytest

from connector_dynamics.limiter import Limiter
from leadbus.errors import RateLimited


async def test_no_more_calls_are_under_way_than_the_organisation_bears():
    limiter, under_way, most = Limiter(3), 0, 0

    async def call():
        nonlocal under_way, most
        async with limiter.slot():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001)
            under_way -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


async def test_after_a_refusal_nobody_calls_before_its_time():
    now = 100.0
    limiter = Limiter(3, lambda: now)
    with pytest.raises(RateLimited):
        async with limiter.slot():
            raise RateLimited("Fewer.", 30.0)
    now = 120.0
    with pytest.raises(RateLimited) as refused:
        async with limiter.slot():
            pytest.fail("It was let in.")
    assert refused.value.retry_after == 10.0
    now = 131.0
    async with limiter.slot():
        pass


async def test_who_waited_for_a_place_is_told_of_the_pause_too():
    limiter = Limiter(1)

    async def call(error=None):
        async with limiter.slot():
            await asyncio.sleep(0.001)
            if error:
                raise error

    results = await asyncio.gather(
        call(RateLimited("Fewer.", 30.0)), *(call() for _ in range(5)), return_exceptions=True
    )
    assert [type(result) for result in results] == [RateLimited] * 6


async def test_a_longer_pause_is_not_shortened_by_a_shorter_one():
    now = 100.0
    limiter = Limiter(1, lambda: now)
    limiter.pause(RateLimited("Fewer.", 60.0))
    limiter.pause(RateLimited("Fewer.", 5.0))
    with pytest.raises(RateLimited) as refused:
        async with limiter.slot():
            pass
    assert refused.value.retry_after == 60.0
