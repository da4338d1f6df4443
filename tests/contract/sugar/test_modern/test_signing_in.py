"""One session for all calls: tokens that rotate, are saved first, and are renewed by one caller only."""

import asyncio
from typing import Any

import pytest

from leadbus.errors import AuthRefused, LeadbusError, Transient
from sandbox.sugar import SugarCRM, desk


def refresh_tokens(crm: SugarCRM) -> list[str]:
    """Those that are good for one use more."""
    return [row["refresh"] for row in crm.store.rows("SELECT refresh FROM oauth_sessions")]


async def read(site: Any, key: str = "x") -> None:
    assert await site.by_id("Leads", [key], ()) == []


async def test_one_sign_in_serves_calls_that_begin_together(site: Any, grants: Any) -> None:
    await asyncio.gather(*(read(site, str(at)) for at in range(30)))
    assert grants() == 1


async def test_a_session_that_ended_under_thirty_calls_is_renewed_once(
    crm: SugarCRM, site: Any, grants: Any, keeper: Any
) -> None:
    await site.by_id("Leads", ["x"], ())
    desk.expire_access(crm.store, desk.ADMIN)
    await asyncio.gather(
        *(site.linked("Leads", "none", "calls", at) for at in range(30)), return_exceptions=True
    )
    assert grants() == 2
    assert refresh_tokens(crm) == keeper.all("refresh_token")[-1:]
    assert len(keeper.kept) == 2


async def test_the_rotated_refresh_token_is_saved_before_its_access_token_is_used(
    crm: SugarCRM, open_site: Any, keeper: Any
) -> None:
    site = open_site(crm.url)
    await read(site)
    desk.expire_access(crm.store, desk.ADMIN)
    keeper.broken = RuntimeError("killed between")
    reads = crm.calls["rest POST Leads/filter"]
    with pytest.raises(RuntimeError):
        await read(site)
    assert crm.calls["rest POST Leads/filter"] == reads + 1, "only the call that found the session ended"
    keeper.broken = None
    # The process that comes after it has a token that is dead, and signs in once.
    again = open_site(crm.url)
    await read(again)
    assert refresh_tokens(crm) == keeper.all("refresh_token")[-1:]


async def test_after_a_restart_the_saved_tokens_are_used_and_no_password(
    crm: SugarCRM, open_site: Any, grants: Any
) -> None:
    first = open_site(crm.url)
    await read(first)
    await first.close()
    desk.set_password(crm.store, desk.ADMIN, "changed meanwhile")
    await read(open_site(crm.url))
    assert grants() == 1, "the session goes on"
    desk.expire_access(crm.store, desk.ADMIN)
    await read(open_site(crm.url))
    assert grants() == 2, "it is renewed"


async def test_a_sign_in_elsewhere_on_our_platform_costs_one_sign_in_of_ours(
    crm: SugarCRM, open_site: Any, site: Any, grants: Any, keeper: Any
) -> None:
    await read(site)
    await read(open_site(crm.url, tokens=type(keeper)()))
    asked = grants()
    await asyncio.gather(*(read(site, str(at)) for at in range(5)))
    assert grants() == asked + 2, "the dead refresh token, then the password"


async def test_a_wrong_password_is_tried_once_and_never_again(
    crm: SugarCRM, open_site: Any, grants: Any
) -> None:
    site = open_site(crm.url, password="wrong")
    for _ in range(3):
        with pytest.raises(AuthRefused, match="password") as refused:
            await site.sign_in()
        assert "wrong" not in str(refused.value)
    results = await asyncio.gather(*(read(site) for _ in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {AuthRefused}
    assert grants() == 1


async def test_a_wrong_password_after_a_dead_refresh_token_is_tried_once(
    crm: SugarCRM, site: Any, grants: Any
) -> None:
    await read(site)
    desk.set_password(crm.store, desk.ADMIN, "other")
    desk.end_sessions(crm.store, desk.ADMIN)
    asked = grants()
    for _ in range(3):
        with pytest.raises(AuthRefused):
            await read(site)
    assert grants() == asked + 2


async def test_an_unregistered_platform_is_refused_by_name_and_with_the_steps(
    crm: SugarCRM, open_site: Any, grants: Any
) -> None:
    from connector_sugar import faults

    site = open_site(crm.url, platform="unheard-of")
    for _ in range(2):
        with pytest.raises(faults.PlatformUnknown, match="platform") as refused:
            await site.sign_in()
    assert isinstance(refused.value, AuthRefused)
    assert "Admin > API Platforms" in faults.advice(refused.value)
    assert grants() == 1


async def test_a_refused_oauth_key_is_told_apart_from_a_wrong_password(crm: SugarCRM, open_site: Any) -> None:
    from connector_sugar import faults

    with pytest.raises(faults.KeyRefused):
        await open_site(crm.url, client_id="ours", client_secret="x").sign_in()
    desk.add_oauth_key(crm.store, "ours", "x")
    await open_site(crm.url, client_id="ours", client_secret="x").sign_in()


async def test_sessions_that_never_hold_are_trouble_and_no_endless_signing_in(
    crm: SugarCRM, site: Any, grants: Any
) -> None:
    crm.faults.add("session_lost")
    with pytest.raises(Transient, match="ends each session"):
        await site.by_id("Leads", ["x"], ())
    assert grants() <= 3


async def test_a_caller_that_gives_up_does_not_take_the_renewal_with_it(
    crm: SugarCRM, site: Any, grants: Any, keeper: Any
) -> None:
    crm.faults.add("slow", operation="rest POST oauth2/token", seconds=0.2, times=1)
    impatient = asyncio.create_task(site.sign_in())
    await asyncio.sleep(0.05)
    impatient.cancel()
    await site.sign_in()
    assert grants() == 1
    assert refresh_tokens(crm) == keeper.all("refresh_token")


async def test_trouble_while_signing_in_is_tried_again(crm: SugarCRM, site: Any) -> None:
    crm.faults.add("http_500", operation="rest POST oauth2/token", times=1)
    with pytest.raises(Transient):
        await site.sign_in()
    await site.sign_in()


async def test_no_secret_and_no_id_is_told_to_the_observer(site: Any, calls: Any, keeper: Any) -> None:
    with pytest.raises(LeadbusError):
        await site.linked("Leads", "4711", "calls", 0)
    await read(site, "4711")
    told = " ".join(operation for operation, _, _ in calls.seen)
    assert "POST Leads/filter" in told
    assert "4711" not in told
    assert not any(token in told for token in keeper.all("refresh_token") + keeper.all("access_token"))
