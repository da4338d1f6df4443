"""The simulator's accounts server: consent, grant codes, tokens and their limits; by the contract notes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

REDIRECT = "http://127.0.0.1:1/v1/sign-in"


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **how: float) -> None:
        self.now += timedelta(**how)


class Accounts:
    """A client of the accounts server."""

    def __init__(self, crm: Any, http: httpx.AsyncClient) -> None:
        self.crm, self.http = crm, http

    async def token(self, **form: str) -> httpx.Response:
        known = {"client_id": self.crm.client_id, "client_secret": "secret"}
        return await self.http.post("/oauth/v2/token", data=known | form)

    async def exchange(self, code: str, **form: str) -> Any:
        return (await self.token(grant_type="authorization_code", code=code, **form)).json()

    async def refresh(self, token: str, **form: str) -> Any:
        return (await self.token(grant_type="refresh_token", refresh_token=token, **form)).json()

    async def consent(self, **more: str) -> httpx.Response:
        params = {
            "response_type": "code",
            "client_id": self.crm.client_id,
            "redirect_uri": REDIRECT,
            "scope": "ZohoCRM.modules.ALL,ZohoCRM.users.READ",
            "access_type": "offline",
            "prompt": "consent",
            "state": "abc",
        }
        return await self.http.get("/oauth/v2/auth", params=params | more)

    async def status(self, access: str, path: str = "/users?type=CurrentUser") -> tuple[int, str]:
        answer = await self.http.get(f"/crm/v8{path}", headers={"Authorization": f"Zoho-oauthtoken {access}"})
        return answer.status_code, answer.json().get("code", "")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def accounts(start_zoho: Any, time: Time) -> Any:
    async with start_zoho(clock=time) as crm, httpx.AsyncClient(base_url=crm.url, trust_env=False) as http:
        yield Accounts(crm, http)


async def test_a_self_clients_grant_is_good_once(accounts: Accounts) -> None:
    code = accounts.crm.grant()
    token = await accounts.exchange(code)
    assert token["api_domain"] == accounts.crm.url
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert await accounts.status(token["access_token"]) == (200, "")
    assert await accounts.exchange(code) == {"error": "invalid_code"}
    renewed = await accounts.refresh(token["refresh_token"])
    assert "refresh_token" not in renewed
    assert await accounts.status(renewed["access_token"]) == (200, "")


async def test_a_grant_code_is_over_after_three_minutes(accounts: Accounts, time: Time) -> None:
    code = accounts.crm.grant()
    time.pass_(minutes=3)
    assert await accounts.exchange(code) == {"error": "invalid_code"}


async def test_consent_sends_the_browser_back_with_code_and_place(accounts: Accounts) -> None:
    accounts.crm.desk.add_user("ewa@example.test", last_name="Kot")
    accounts.crm.oauth.signs_in = "ewa@example.test"

    answer = await accounts.consent()

    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT)
    back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert (back["state"], back["location"], back["accounts-server"]) == ("abc", "eu", accounts.crm.url)
    assert await accounts.exchange(back["code"], redirect_uri="http://x") == {"error": "invalid_redirect_uri"}
    token = await accounts.exchange(back["code"], redirect_uri=REDIRECT)
    headers = {"Authorization": f"Zoho-oauthtoken {token['access_token']}"}
    me = (await accounts.http.get("/crm/v8/users?type=CurrentUser", headers=headers)).json()
    assert me["users"][0]["email"] == "ewa@example.test"


async def test_who_does_not_consent_goes_back_without_a_code(accounts: Accounts) -> None:
    accounts.crm.oauth.consents = False
    answer = await accounts.consent()
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {
        "state": ["abc"],
        "error": ["access_denied"],
    }


async def test_only_registered_addresses_are_gone_back_to(accounts: Accounts) -> None:
    accounts.crm.desk.register_redirect("https://crm.example.test/back")
    answer = await accounts.consent()
    assert (answer.status_code, "invalid_redirect_uri" in answer.text) == (400, True)


async def test_without_offline_access_there_is_no_refresh_token(accounts: Accounts) -> None:
    answer = await accounts.consent(access_type="online")
    [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
    token = await accounts.exchange(code, redirect_uri=REDIRECT)
    assert "refresh_token" not in token
    assert await accounts.status(token["access_token"]) == (200, "")


async def test_refusals_come_with_status_200_and_are_counted_in_a_row(accounts: Accounts) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    for given, error in (
        ({"client_id": "1000.OTHER"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client_secret"),
        ({}, "invalid_code"),
    ):
        answer = await accounts.token(**form | given)
        assert (answer.status_code, answer.json()) == (200, {"error": error})
    assert accounts.crm.refused_logins == 3
    await accounts.exchange(accounts.crm.grant())
    assert (accounts.crm.refused_logins, accounts.crm.logins) == (0, 4)


async def test_ten_access_tokens_in_ten_minutes_and_no_more(accounts: Accounts, time: Time) -> None:
    first = await accounts.exchange(accounts.crm.grant())
    for _ in range(9):
        assert "access_token" in await accounts.refresh(first["refresh_token"])
    denied = await accounts.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (denied.status_code, denied.json()["error"]) == (400, "Access Denied")
    time.pass_(minutes=10)
    assert "access_token" in await accounts.refresh(first["refresh_token"])


async def test_the_sixteenth_live_token_kills_the_oldest(accounts: Accounts, time: Time) -> None:
    first = await accounts.exchange(accounts.crm.grant())
    second = await accounts.refresh(first["refresh_token"])
    for _ in range(14):
        time.pass_(minutes=2)
        await accounts.refresh(first["refresh_token"])
    assert await accounts.status(first["access_token"]) == (401, "INVALID_TOKEN")
    assert await accounts.status(second["access_token"]) == (200, "")


async def test_an_access_token_lives_an_hour(accounts: Accounts, time: Time) -> None:
    token = await accounts.exchange(accounts.crm.grant())
    time.pass_(hours=1)
    assert await accounts.status(token["access_token"]) == (401, "INVALID_TOKEN")
    assert "access_token" in await accounts.refresh(token["refresh_token"])


async def test_a_revoked_token_and_a_new_secret_end_the_sign_in(accounts: Accounts) -> None:
    token = await accounts.exchange(accounts.crm.grant())
    accounts.crm.desk.set_client_secret("other")
    assert await accounts.refresh(token["refresh_token"]) == {"error": "invalid_client_secret"}
    assert "access_token" in await accounts.refresh(token["refresh_token"], client_secret="other")
    answer = await accounts.http.post(f"/oauth/v2/token/revoke?token={token['refresh_token']}")
    assert answer.json() == {"status": "success"}
    assert await accounts.status(token["access_token"]) == (401, "INVALID_TOKEN")
    assert await accounts.refresh(token["refresh_token"], client_secret="other") == {"error": "invalid_code"}


async def test_tokens_open_only_what_was_granted(accounts: Accounts) -> None:
    code = accounts.crm.grant(scope="ZohoCRM.modules.leads.READ")
    token = (await accounts.exchange(code))["access_token"]
    assert await accounts.status(token, "/Leads/actions/count") == (200, "")
    assert await accounts.status(token, "/Contacts/actions/count") == (401, "OAUTH_SCOPE_MISMATCH")
    assert await accounts.status(token, "/org") == (401, "OAUTH_SCOPE_MISMATCH")


async def test_a_missing_header_and_a_user_who_left_are_no_sign_in(accounts: Accounts) -> None:
    token = (await accounts.exchange(accounts.crm.grant()))["access_token"]
    bearer = await accounts.http.get("/crm/v8/org", headers={"Authorization": f"Bearer {token}"})
    assert (bearer.status_code, bearer.json()["code"]) == (401, "AUTHENTICATION_FAILURE")
    accounts.crm.desk.deactivate_user(accounts.crm.site.primary.id)
    assert await accounts.status(token) == (401, "AUTHENTICATION_FAILURE")


async def test_twenty_refresh_tokens_of_a_user_and_the_first_is_dead(accounts: Accounts, time: Time) -> None:
    made = []
    for _ in range(21):
        made.append((await accounts.exchange(accounts.crm.grant()))["refresh_token"])
        time.pass_(minutes=2)
    assert await accounts.refresh(made[0]) == {"error": "invalid_code"}
    assert "access_token" in await accounts.refresh(made[1])
