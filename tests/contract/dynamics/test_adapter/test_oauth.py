"""Tokens of Dynamics 365: one for all, renewed once."""

import asyncio
from uuid import uuid4

import pytest

from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from leadbus.errors import AuthRefused, RateLimited, Transient

pytestmark = pytest.mark.parametrize("version", ["9.2"])


def nobody(organisation):
    return organisation.retrieve("lead", [str(uuid4())], ["lastname"])


@pytest.fixture
async def two(crm, connect):
    """Two adapters of one access."""
    organisations, connection = Organisations(), connect()
    probings = [Probing(connection, organisations) for _ in range(2)]
    yield [await probing.open() for probing in probings]
    for probing in probings:
        await probing.close()


async def test_adapters_of_one_access_have_one_token(crm, two):
    await asyncio.gather(*(nobody(one) for one in two * 10))
    assert crm.calls["token"] == 1


async def test_thirty_calls_that_meet_the_token_s_end_renew_it_once(crm, two):
    crm.oauth.expire()
    found = await asyncio.gather(*(nobody(one) for one in two * 15))
    assert found == [[]] * 30
    assert crm.calls["token"] == 2


async def test_a_token_is_renewed_before_its_end(crm, two, monkeypatch):
    channel = next(iter(two))._api.shared.channel
    left = channel._token.until - channel._clock()
    assert 3_400 < left < 3_599
    monkeypatch.setattr(channel, "_clock", lambda: channel._token.until if channel._token else 0.0)
    await nobody(two[0])
    assert crm.calls["token"] == 2


async def test_a_caller_that_gives_up_takes_no_token_with_it(crm, two):
    crm.oauth.expire()
    first = asyncio.create_task(nobody(two[0]))
    await asyncio.sleep(0)
    first.cancel()
    assert await nobody(two[1]) == []
    assert crm.calls["token"] <= 3


@pytest.mark.parametrize(
    ("access", "word"),
    [
        ({"client_secret": "wrong"}, "not its id"),
        ({"client_id": "22222222-2222-4222-8222-222222222222"}, "no such app registration"),
        ({"tenant": "nobody.example"}, "no such directory"),
    ],
)
async def test_what_is_refused_is_said_and_tried_once(crm, connect, access, word):
    whole = connect().access.model_dump() | {"client_secret": "secret"} | access
    whole.pop("password")
    probing = Probing(connect(access=whole), Organisations())
    for _ in range(3):
        with pytest.raises(AuthRefused, match=word):
            await probing.open()
    assert crm.calls["token"] == 1
    await probing.close()


async def test_an_expired_secret_is_told_from_a_wrong_one(crm, connect):
    crm.oauth.expired.add(crm.site.settings.client_id)
    probing = Probing(connect(), Organisations())
    with pytest.raises(AuthRefused, match="has expired"):
        await probing.open()
    await probing.close()


async def test_a_test_asks_again_after_a_refusal(crm, connect):
    organisations, connection = Organisations(), connect()
    crm.oauth.expired.add(crm.site.settings.client_id)
    working = Probing(connection, organisations)
    with pytest.raises(AuthRefused):
        await working.open()
    crm.oauth.expired.clear()
    with pytest.raises(AuthRefused):
        await working.open()
    testing = Probing(connection, organisations, anew=True)
    await testing.open()
    await working.open()
    assert crm.calls["token"] == 2
    await testing.close()
    await working.close()


async def test_a_directory_that_is_down_is_no_refusal(crm, connect):
    crm.faults.add("unavailable", operation="token", times=1, retry_after=1)
    probing = Probing(connect(), Organisations())
    with pytest.raises(RateLimited) as limited:
        await probing.open()
    assert limited.value.retry_after == 1
    await asyncio.sleep(1)
    await probing.open()
    await probing.close()


async def test_a_token_that_is_never_taken_is_not_asked_for_for_ever(crm, two):
    crm.faults.add("expire_session")
    with pytest.raises(Transient):
        await nobody(two[0])
    assert crm.calls["token"] <= 3
    crm.faults.clear()
    assert await nobody(two[0]) == []


async def test_after_a_429_nobody_calls_before_its_time(crm, two):
    crm.faults.add("rate_limit", times=1, retry_after=30)
    with pytest.raises(RateLimited) as first:
        await nobody(two[0])
    assert first.value.retry_after == 30
    before = crm.calls.total()
    with pytest.raises(RateLimited) as second:
        await nobody(two[1])
    assert 29 < second.value.retry_after <= 30
    assert crm.calls.total() == before
