"""Access tokens: one for all pods, got from Zoho's accounts server never too often."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connector_zoho import checking, oauth
from connector_zoho.oauth import Kept, Session
from connector_zoho.settings import ZohoConnection
from connector_zoho.wire import Wire
from leadbus.errors import RateLimited
from sandbox.zoho import Zoho

Settings = Callable[..., ZohoConnection]
Pods = Any
"""See `conftest`."""


# One token for all ------------------------------------------------------------------------------------


async def test_a_grant_token_is_exchanged_once_by_whichever_pod_comes_first(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    both = [pods.pod(known), pods.pod(known)]
    assert await asyncio.gather(*(pods.ask(client) for client in both for _ in range(10))) == [204] * 20
    assert crm.logins == 1
    assert crm.refused_logins == 0


async def test_a_token_that_ended_is_renewed_by_one_pod_for_all(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    both = [pods.pod(known), pods.pod(known)]
    await asyncio.gather(*(pods.ask(client) for client in both))
    crm.desk.expire_access()
    assert await asyncio.gather(*(pods.ask(client) for client in both for _ in range(10))) == [204] * 20
    assert crm.logins == 2


async def test_what_was_kept_serves_after_a_restart(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant())
    await pods.ask(pods.pod(known))
    await pods.ask(pods.pod(known))
    assert crm.logins == 1


async def test_a_token_whose_time_is_over_is_not_used(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant())
    await pods.ask(pods.pod(known))
    keeper = pods.keeper(known)
    kept = Kept.of(await keeper.get())
    assert kept is not None
    await keeper.put(oauth.replace(kept, until=0.0).text())
    await pods.ask(pods.pod(known))
    assert crm.logins == 2


async def test_a_caller_who_gives_up_takes_no_grant_with_it(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    client = pods.pod(settings(grant_token=crm.grant()))
    crm.faults.add("slow", operation="token", seconds=0.3, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await pods.ask(client)
    assert await pods.ask(client) == 204
    assert crm.logins == 1


# Never too many -----------------------------------------------------------------------------------------


@dataclass
class Clock:
    """The same time for the simulator and for us."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


class Memory:
    anew = False

    def __init__(self) -> None:
        self.kept: str | None = None
        self.lock = asyncio.Lock()

    async def get(self) -> str | None:
        return self.kept

    async def put(self, token: str) -> None:
        self.kept = token

    def alone(self) -> contextlib.AbstractAsyncContextManager[Any]:
        return self.lock


async def test_a_hundred_expiries_never_reach_zohos_limit_of_token_requests(settings: Settings) -> None:
    clock, keeper, wire = Clock(), Memory(), Wire(None)
    crm = Zoho(clock=clock)
    await crm.start()
    known = settings(data_centre=crm.url, grant_token=crm.grant())

    async def anybody(access: oauth.Access) -> None:
        return None

    async def answers(token: str) -> bool:
        signed = {"Authorization": f"Zoho-oauthtoken {token}"}
        return (await wire.exchange("GET", f"{crm.url}/crm/v8/org", headers=signed)).status == 200

    two = [Session(known.access, keeper, wire, anybody, clock.seconds) for _ in range(2)]
    waited: list[float] = []
    for expiry in range(100):
        session, token = two[expiry % 2], ""
        while not token or not await answers(token):
            session.distrust(token)
            try:
                token = (await session.access()).token
            except RateLimited as pause:
                waited.append(pause.retry_after)
                clock.now += timedelta(seconds=pause.retry_after)
        crm.desk.expire_access()
        clock.now += timedelta(seconds=20)
    assert crm.logins == 100
    assert crm.refused_logins == 0
    assert len(waited) > 5
    assert 0 < min(waited) <= max(waited) <= 600
    await wire.close()
    await crm.stop()


async def test_expiries_one_after_the_other_end_in_a_pause_and_not_in_a_refusal(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    client = pods.pod(settings(grant_token=crm.grant()))
    pauses = []
    for _ in range(100):
        crm.faults.add("expire_session", operation="list", times=1)
        try:
            await pods.ask(client)
        except RateLimited as error:
            pauses.append(error.retry_after)
    assert crm.logins == oauth.MOST_REQUESTS
    assert crm.refused_logins == 0
    assert 500 < min(pauses) <= max(pauses) <= 600


async def test_a_refusal_for_too_many_requests_is_heeded_by_all_pods(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    await pods.ask(pods.pod(known))
    kept = Kept.of(await pods.keeper(known).get())
    assert kept is not None
    async with httpx.AsyncClient() as somebody:
        for _ in range(9):
            form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
            secrets = {"client_id": "1000.LEADBUS", "client_secret": "secret"}
            await somebody.post(f"{crm.url}/oauth/v2/token", data=form | secrets)
    crm.desk.expire_access()
    logins = crm.logins
    for _ in range(3):
        with pytest.raises(RateLimited) as pause:
            await pods.ask(pods.pod(known))
        assert 590 < pause.value.retry_after <= 600
    assert crm.logins == logins + 1


async def test_a_test_renews_the_token_unless_that_would_come_near_the_limit(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    for _ in range(10):
        findings = await checking.findings(pods.pod(known, anew=True), known)
        assert all(finding.ok for finding in findings)
    assert crm.logins == oauth.MOST_FOR_TESTS
    assert await pods.ask(pods.pod(known)) == 204
    assert crm.logins == oauth.MOST_FOR_TESTS
