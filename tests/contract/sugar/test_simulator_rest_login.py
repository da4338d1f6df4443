"""OAuth2 of modern REST: grants, platforms, sessions that end, users that are locked."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.sugar import Settings, SugarCRM, desk
from sandbox.sugar import site as sites


async def test_a_refresh_token_is_good_once(site: SugarCRM, rest: Any) -> None:
    old = dict(rest.tokens)
    refresh = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
    await rest.login(**refresh)
    assert rest.tokens["refresh_token"] != old["refresh_token"]
    assert await rest.do("GET", "/ping") == "pong"
    again = await rest.grant(**refresh)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_grant")


async def test_a_second_login_on_a_platform_ends_the_first_other_platforms_go_on(
    site: SugarCRM, rest: Any, speak_rest: Any
) -> None:
    for platform, answer in (("mobile", 200), ("base", 401)):
        other = speak_rest(site)
        async with other.http:
            await other.login(platform=platform)
        assert (await rest.ask("GET", "/ping")).status_code == answer
    assert await rest.refused("GET", "/ping") == (401, "invalid_grant")


async def test_an_unknown_platform_is_refused_until_it_is_registered(site: SugarCRM, rest: Any) -> None:
    answer = await rest.grant(platform="acme_sync")
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "invalid_parameter", "error_message": "EXCEPTION_INVALID_PLATFORM"},
    )
    desk.register_platform(site.store, "acme_sync")
    assert (await rest.grant(platform="acme_sync")).status_code == 200
    with pytest.raises(ValueError, match="no name"):
        desk.register_platform(site.store, "acme sync")


async def test_old_sites_take_any_platform(start_crm: Any, speak_rest: Any) -> None:
    async with start_crm(settings=Settings(disable_unknown_platforms=False)) as crm:
        rest = speak_rest(crm)
        async with rest.http:
            await rest.login(platform="whatever")


async def test_without_a_token_and_with_an_expired_one_a_login_is_needed(site: SugarCRM, rest: Any) -> None:
    desk.expire_access(site.store, desk.ADMIN)
    assert await rest.refused("GET", "/me") == (401, "need_login")
    await rest.login(grant_type="refresh_token", refresh_token=rest.tokens["refresh_token"])
    assert await rest.do("GET", "/ping") == "pong"
    del rest.http.headers["OAuth-Token"]
    assert await rest.refused("GET", "/me") == (401, "need_login")
    bearer = {"Authorization": f"Bearer {rest.tokens['access_token']}"}
    assert await rest.do("GET", "/ping", headers=bearer) == "pong"


async def test_tokens_are_over_after_their_time(start_crm: Any, speak_rest: Any) -> None:
    now = datetime(2026, 1, 12, 10, 0, tzinfo=UTC)
    async with start_crm(clock=lambda: now) as crm:
        rest = speak_rest(crm)
        async with rest.http:
            await rest.login()
            now += timedelta(seconds=3601)
            assert await rest.refused("GET", "/ping") == (401, "need_login")
            await rest.login(grant_type="refresh_token", refresh_token=rest.tokens["refresh_token"])
            now += timedelta(days=15)
            late = await rest.grant(grant_type="refresh_token", refresh_token=rest.tokens["refresh_token"])
            assert late.json()["error"] == "invalid_grant"


async def test_logout_and_the_administrator_end_a_session(site: SugarCRM, rest: Any) -> None:
    assert await rest.do("POST", "/oauth2/logout") == {"success": True}
    assert await rest.refused("GET", "/ping") == (401, "invalid_grant")
    await rest.login()
    desk.end_sessions(site.store, desk.ADMIN)
    assert await rest.refused("GET", "/ping") == (401, "invalid_grant")
    dead = await rest.grant(grant_type="refresh_token", refresh_token=rest.tokens["refresh_token"])
    assert dead.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("how", "status", "label"),
    [
        ({"password": "wrong"}, 401, "need_login"),
        ({"username": "nobody"}, 401, "need_login"),
        ({"client_id": "mine"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 422, "missing_parameter"),
    ],
)
async def test_bad_grants_are_refused(site: SugarCRM, rest: Any, how: Any, status: int, label: str) -> None:
    answer = await rest.grant(**how)
    assert (answer.status_code, answer.json()["error"]) == (status, label)


async def test_a_client_may_have_a_key_of_its_own(site: SugarCRM, rest: Any) -> None:
    desk.add_oauth_key(site.store, "acme", "s3")
    assert (await rest.grant(client_id="acme")).status_code == 401
    assert (await rest.grant(client_id="acme", client_secret="s3")).status_code == 200


async def test_wrong_passwords_lock_a_user_for_every_protocol_until_unlocked(
    start_crm: Any, connect: Any, speak_rest: Any, speak_legacy: Any
) -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    async with start_crm(settings=Settings(lock_after=2)) as crm:
        user = desk.add_user(crm.store, "sync", "right", last_name="Sync")
        rest, legacy = speak_rest(crm), speak_legacy(crm)
        async with rest.http, legacy.http, connect(crm) as sugar:
            assert (await rest.grant(username="sync", password="wrong")).status_code == 401
            assert (await legacy.login("sync", md5("wrong")))["number"] == 10
            assert (await rest.grant(username="sync", password="right")).status_code == 401
            assert (await legacy.login("sync", md5("right")))["number"] == 1009
            with pytest.raises(Exception, match="Password Expired"):
                await sugar.login("sync", md5("right"))
            desk.unlock(crm.store, user)
            assert (await rest.grant(username="sync", password="right")).status_code == 200
            desk.set_password(crm.store, user, "other")
            assert (await rest.grant(username="sync", password="right")).status_code == 401
            assert (await legacy.login("sync", md5("other")))["id"]


async def test_a_site_speaks_what_it_speaks(start_crm: Any, speak_rest: Any, speak_legacy: Any) -> None:
    async with start_crm(protocols=sites.SUGAR_12) as crm:
        rest, legacy, young = speak_rest(crm, "v11_16"), speak_legacy(crm), speak_rest(crm, "v11_17")
        async with rest.http, legacy.http, young.http:
            await rest.login()
            info = (await rest.do("GET", "/metadata?type_filter=server_info"))["server_info"]
            assert (info["flavor"], info["version"]) == ("ENT", "12.0.0")
            assert (await legacy.ask("get_server_info")).status_code == 404
            assert (await rest.http.get(f"{crm.endpoint_url()}?wsdl")).status_code == 404
            assert await young.refused("GET", "/ping") == (301, "incorrect_version")
    async with start_crm(protocols=sites.SUITECRM_7) as crm:
        rest, legacy = speak_rest(crm), speak_legacy(crm)
        async with rest.http, legacy.http:
            answer = await rest.grant()
            assert (answer.status_code, answer.headers["content-type"][:9]) == (404, "text/html")
            assert (await legacy.call("get_server_info"))["flavor"] == "CE"
            await legacy.login()
            modules = (await legacy.do("get_available_modules", "all"))["modules"]
            assert not {"Teams", "WebLogicHooks"} & {module["module_key"] for module in modules}


async def test_routes_that_do_not_exist_are_no_methods(site: SugarCRM, rest: Any) -> None:
    for method, path in (("GET", "/leads"), ("GET", "/Leads/1/2/3"), ("DELETE", "/Leads"), ("PUT", "/me")):
        assert await rest.refused(method, path) == (404, "no_method")
    assert (
        await rest.ask("POST", "/Leads", headers={"content-type": "text/plain"}, content=b"{")
    ).status_code == 422
