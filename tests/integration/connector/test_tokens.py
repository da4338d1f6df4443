"""Renewable tokens outlive a restart, are unreadable at rest, and never serve other credentials."""

import asyncio
import base64
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connector_sugar.settings import SugarConnection
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.stores import tokens as module
from leadbus.connector.stores.leases import take_if_free
from leadbus.connector.stores.tokens import Tokens
from leadbus.errors import Transient
from leadbus.security.secrets import SecretBox

KEY, OTHER_KEY = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def connection(name="one", **access):
    settings = SugarConnection.model_validate(
        {
            "connection_id": name,
            "tenant_id": "acme",
            "access": {"url": "https://crm.example.com", "user": "u", "password": "p"} | access,
        }
    )
    health = Health(HealthState.WELL, "", datetime.now(UTC))
    return Connection(settings, settings.organisation_id, on=True, revision=1, health=health)


def tokens(bench, key=KEY):
    return Tokens(bench.client, bench.database.name, "connector-any", SecretBox(key))


async def test_a_token_outlives_a_restart_and_the_latest_one_counts(bench):
    keeper = tokens(bench).of(connection())
    assert await keeper.get() is None
    await keeper.put("first token")
    await keeper.put("second token")
    assert await tokens(bench).of(replace(connection(), revision=7)).get() == "second token"


async def test_connections_that_sign_in_alike_find_what_another_kept_and_no_others_do(bench):
    await tokens(bench).of(connection()).put("token")
    assert await tokens(bench).of(connection("two")).get() == "token"
    await tokens(bench).of(connection("two", platform="own")).put("of the other platform")
    assert await tokens(bench).of(connection()).get() == "token"


async def test_a_token_serves_only_the_access_it_was_got_with(bench):
    await tokens(bench).of(connection()).put("token")
    for access in ({"password": "new"}, {"user": "other"}, {"platform": "own"}):
        assert await tokens(bench).of(connection(**access)).get() is None


async def test_a_token_is_unreadable_at_rest_and_lost_with_its_key(bench):
    await tokens(bench).of(connection()).put("plain token")
    rows = [row async for row in bench.database["connector-any.tokens"].find()]
    assert len(rows) == 1
    assert "plain token" not in repr(rows)
    assert await tokens(bench, OTHER_KEY).of(connection()).get() is None


async def test_a_test_signs_in_anew_and_leaves_its_token_to_the_work(bench):
    await tokens(bench).of(connection()).put("of the work")
    keeper = tokens(bench).anew(connection())
    assert keeper.anew
    assert not tokens(bench).of(connection()).anew
    await keeper.put("of the test")
    assert await tokens(bench).of(connection()).get() == "of the test"


async def test_only_one_of_all_pods_renews_and_the_others_find_what_it_kept(bench):
    pods = [tokens(bench), tokens(bench)]
    inside = most = renewals = 0

    async def renewed(pod):
        nonlocal inside, most, renewals
        keeper = pod.of(connection())
        async with keeper.alone():
            inside += 1
            most = max(most, inside)
            if await keeper.get() is None:
                renewals += 1
                await asyncio.sleep(0.02)
                await keeper.put("renewed")
            inside -= 1
        return await keeper.get()

    found = await asyncio.gather(*(renewed(pod) for pod in pods * 50))
    assert (most, renewals, set(found)) == (1, 1, {"renewed"})


async def test_other_accesses_and_organisations_are_not_waited_for(bench):
    kept = tokens(bench)
    other = kept.of(connection(user="other"))
    async with asyncio.timeout(30), kept.of(connection()).alone(), other.alone():
        await other.put("token")
    assert await other.get() == "token"


async def test_who_keeps_a_token_stays_alone_until_it_leaves(bench, monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.3)
    owner, other = tokens(bench).of(connection()), tokens(bench).of(connection())
    async with owner.alone():
        await owner.put("kept inside")
        assert await other.get() == "kept inside"
        with pytest.raises(Transient):
            async with other.alone():
                pytest.fail("two are inside")
    async with other.alone():
        assert await other.get() == "kept inside"


async def test_within_one_process_too_nobody_waits_for_ever(bench, monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    keeper = tokens(bench).of(connection())
    async with keeper.alone():
        with pytest.raises(Transient):
            async with keeper.alone():
                pytest.fail("two are inside")


async def test_a_pod_that_died_inside_keeps_others_out_until_its_lease_runs_out(bench):
    kept = tokens(bench)
    keeper = kept.of(connection())
    await keeper.put("of the dead pod")
    rows = bench.database["connector-any.tokens"]
    place = (await rows.find_one())["_id"]
    assert await take_if_free(rows, place, "the dead pod", 1.0)
    began = time.monotonic()
    async with keeper.alone():
        assert time.monotonic() - began > 0.9
        assert await keeper.get() == "of the dead pod"
    assert not {"owner", "until"} & (await rows.find_one()).keys()


async def test_who_fails_or_is_cancelled_inside_lets_the_next_one_in_at_once(bench):
    kept = tokens(bench)
    keeper, entered = kept.of(connection()), asyncio.Event()

    async def hanging():
        async with keeper.alone():
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hanging())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError, match="of its own"):
        async with keeper.alone():
            raise TimeoutError("of its own")
    async with asyncio.timeout(30), tokens(bench).of(connection()).alone():
        pass


async def test_who_stays_longer_than_the_lease_is_put_out(bench, monkeypatch):
    monkeypatch.setattr(module, "ALONE_SECONDS", 1.3)
    with pytest.raises(Transient, match="half a minute"):
        async with tokens(bench).of(connection()).alone():
            await asyncio.sleep(30)
