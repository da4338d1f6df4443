"""The simulator's sign-in service, and what Dynamics says to whoever comes without a good token."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest


async def test_a_token_opens_the_organisation_for_an_hour(start_dynamics: Any, connect_dynamics: Any) -> None:
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    async with start_dynamics(clock=lambda: clock[0]) as crm, connect_dynamics(crm) as api:
        assert (await api.ask("GET", "WhoAmI")).status_code == 200
        clock[0] += timedelta(hours=1)
        assert (await api.ask("GET", "WhoAmI")).status_code == 401


@pytest.mark.parametrize(
    ("tenant", "form", "status", "number"),
    [
        (None, {"client_secret": "wrong"}, 401, 7000215),
        (None, {"client_id": "33333333-cccc-4ccc-8ccc-333333333333"}, 400, 700016),
        ("44444444-dddd-4ddd-8ddd-444444444444", {}, 400, 90002),
        (None, {"scope": "https://other.crm.dynamics.com/.default"}, 400, 500011),
        (None, {"scope": "user_impersonation"}, 400, 1002012),
        (None, {"grant_type": "password"}, 400, 70003),
        (None, {"scope": ""}, 400, 900144),
    ],
)
async def test_a_wrong_request_is_refused_with_its_number(
    api: Any, crm: Any, tenant: str | None, form: dict[str, str], status: int, number: int
) -> None:
    answer = await api.token(tenant=tenant, **form)
    body = answer.json()
    assert (answer.status_code, body["error_codes"]) == (status, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert crm.refused_logins == 1


async def test_a_secret_expires_and_is_set_anew(api: Any, crm: Any) -> None:
    crm.desk.expire_client_secret()
    assert (await api.token()).json()["error_codes"] == [7000222]
    crm.desk.set_client_secret("other")
    assert (await api.token()).json()["error_codes"] == [7000215]
    assert (await api.token(client_secret="other")).status_code == 200


async def test_the_tenants_own_domain_and_a_slash_too_many_are_good(api: Any, crm: Any) -> None:
    named = await api.token(tenant="contoso.onmicrosoft.com", scope=f"{crm.url}//.default")
    assert named.status_code == 200


async def test_without_a_good_token_dynamics_says_where_to_get_one(api: Any, crm: Any) -> None:
    crm.desk.expire_access()
    answer = await api.ask("GET", "WhoAmI")
    assert (answer.status_code, answer.content) == (401, b"")
    place = f"authorization_uri={crm.url}/{crm.site.settings.tenant}/oauth2/authorize"
    assert answer.headers["WWW-Authenticate"] == f"Bearer {place}, resource_id={crm.url}/"


async def test_an_application_without_a_user_or_with_a_disabled_one_is_kept_out(api: Any, crm: Any) -> None:
    crm.desk.drop_application_user()
    assert await api.refused("GET", "WhoAmI") == (403, "0x80072560")
    crm.desk.drop_application_user(dropped=False)
    crm.desk.disable_user(crm.user_id)
    assert await api.refused("GET", "WhoAmI") == (403, "0x8004A112")
    crm.desk.disable_user(crm.user_id, disabled=False)
    crm.desk.take_roles()
    assert await api.refused("GET", "WhoAmI") == (403, "0x80042F09")
    crm.desk.take_roles(taken=False)
    crm.desk.disable_organisation()
    assert await api.refused("GET", "WhoAmI") == (403, "0x8004A104")


async def test_on_premises_a_token_is_no_use(start_dynamics: Any) -> None:
    async with start_dynamics(version="9.1") as crm:
        assert crm.web_api_url == f"{crm.url}/contoso/api/data/v9.1"
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{crm.web_api_url}/WhoAmI", headers={"Authorization": "Bearer x"})
        assert (answer.status_code, answer.headers.get_list("WWW-Authenticate")) == (
            401,
            ["Negotiate", "NTLM"],
        )
