"""Calls at once, and none at all while the organisation asks for a pause."""

import asyncio
from dataclasses import dataclass

import pytest

from connector_dynamics.http import Reply, Request
from connector_dynamics.limiter import Limiter
from connector_dynamics.organisations import Shared
from connector_dynamics.web_api.client import MOST_URL, Api
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


@dataclass(slots=True)
class _Throttled:
    """A channel whose every answer is this one."""

    reply: Reply
    sent: int = 0

    async def send(self, request: Request) -> Reply:
        self.sent += 1
        return self.reply


_BODY = b'{"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit."}}'
_PART = b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 429 Too Many\r\nRetry-After: 35\r\n\r\n"
_THROTTLED = [
    Reply(429, _BODY, {"Retry-After": "35"}),
    Reply(503, b"<html></html>", {"Retry-After": "35"}),
    Reply(200, _PART + _BODY + b"\r\n--b--", {"Content-Type": "multipart/mixed; boundary=b"}),
]


@pytest.mark.parametrize("reply", _THROTTLED, ids=["throttled", "unavailable", "in a batch"])
async def test_whoever_is_told_to_wait_has_all_others_wait_too(reply: Reply) -> None:
    channel = _Throttled(reply)
    api = Api("https://contoso.crm.dynamics.com/api/data/v9.2/", Shared(channel, Limiter(2)))
    path = "leads?fetchXml=" + ("x" * MOST_URL if reply.status == 200 else "")
    for _ in range(2):
        with pytest.raises(RateLimited) as wait:
            await api.get("GET lead", path)
        assert 30 < wait.value.retry_after <= 35
    assert channel.sent == 1
