"""Signing in to Zoho's accounts server: as the user of the settings, and as nobody else."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from connector_zoho import checking, refusals
from connector_zoho.oauth import Kept
from connector_zoho.organisations import Organisations
from connector_zoho.settings import ZohoConnection
from connector_zoho.signing_in import SCOPES, ZohoSignIn
from leadbus.errors import AuthRefused
from sandbox.zoho import Zoho

BACK = "http://127.0.0.1:8083/v1/sign-in"
Settings = Callable[..., ZohoConnection]
Pods = Any
"""See `conftest`."""


# As nobody else ---------------------------------------------------------------------------------------


async def test_what_signing_in_finds(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant())
    said = await checking.findings(pods.pod(known, anew=True), known)
    assert all(finding.ok for finding in said)
    text = " ".join(finding.what for finding in said)
    assert crm.url in text
    assert "api@example.test" in text
    assert "20000000001" in text
    assert "Enterprise: 51000 API credits" in text
    assert "10 calls at once" in text
    assert "Europe/Warsaw, the connection's is UTC" in text
    assert "No hook_url" in text
    assert "keys create acme --scope hook --connection one" in said[-1].advice


async def test_nobody_has_signed_in_yet(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings()
    (finding,) = await checking.findings(pods.pod(known, anew=True), known)
    assert not finding.ok
    assert finding.refused
    assert "leadbus connections sign-in" in finding.advice
    assert crm.logins == 0


@pytest.mark.parametrize(
    ("wrong", "both"),
    [
        ({"user": "jan@example.test"}, ("jan@example.test", "api@example.test")),
        ({"organisation": "20000000009"}, ("20000000009", "20000000001")),
    ],
)
async def test_another_user_or_organisation_is_refused_in_words_that_name_both_and_nothing_is_kept(
    wrong: dict[str, str], both: tuple[str, str], crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant(), **wrong)
    (*_, finding) = await checking.findings(pods.pod(known, anew=True), known)
    assert not finding.ok
    assert finding.refused
    assert all(name in finding.what for name in both)
    kept = Kept.of(await pods.keeper(known).get())
    assert kept is not None
    assert not kept.refresh_token
    assert not kept.access_token
    with pytest.raises(AuthRefused) as refused:
        await pods.ask(pods.pod(known))
    assert "@" not in str(refused.value)
    assert crm.logins == 1


async def test_who_signed_in_is_looked_at_again_if_there_was_no_answer(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant(), user="jan@example.test")
    crm.faults.add("error", operation="org", times=1)
    (finding,) = await checking.findings(pods.pod(known, anew=True), known)
    assert not finding.refused
    with pytest.raises(refusals.Mismatch):
        await pods.ask(pods.pod(known))
    assert crm.logins == 1


# Refused ------------------------------------------------------------------------------------------------


async def test_a_wrong_secret_is_tried_once(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant(), client_secret="wrong")
    for _ in range(3):
        with pytest.raises(refusals.ClientRefused, match="secret"):
            await pods.ask(pods.pod(known))
    assert crm.logins == 1


async def test_a_revoked_sign_in_is_noticed_once_and_a_test_looks_again(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    client = pods.pod(known)
    await pods.ask(client)
    crm.desk.revoke()
    for one in (client, client, pods.pod(known)):
        with pytest.raises(refusals.SignInRefused, match="revoked"):
            await pods.ask(one)
    assert crm.logins == 2
    (finding,) = await checking.findings(pods.pod(known, anew=True), known)
    assert finding.refused
    assert crm.logins == 3


async def test_a_secret_that_changed_at_zoho_serves_again_once_a_person_tests(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    await pods.ask(pods.pod(known))
    crm.desk.set_client_secret("new")
    crm.desk.expire_access()
    with pytest.raises(refusals.ClientRefused):
        await pods.ask(pods.pod(known))
    crm.desk.set_client_secret("secret")
    with pytest.raises(refusals.ClientRefused):
        await pods.ask(pods.pod(known))
    assert all(f.ok for f in await checking.findings(pods.pod(known, anew=True), known))
    assert await pods.ask(pods.pod(known)) == 204


async def test_a_user_who_was_deactivated_is_asked_to_sign_in_again(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    crm.desk.add_user("jan@example.test")
    client = pods.pod(settings(grant_token=crm.grant("jan@example.test"), user="jan@example.test"))
    await pods.ask(client)
    jan = next(user.id for user in crm.site.users if user.email == "jan@example.test")
    crm.desk.deactivate_user(jan)
    with pytest.raises(AuthRefused, match="sign in again"):
        await pods.ask(client)


async def test_a_sign_in_without_all_scopes_is_refused_and_not_repeated(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    scopes = ",".join(scope for scope in SCOPES if "modules" not in scope)
    client = pods.pod(settings(grant_token=crm.grant(scope=scopes)))
    with pytest.raises(AuthRefused, match="allow all of it"):
        await pods.ask(client)
    assert crm.logins == 1


# With the browser -----------------------------------------------------------------------------------------


async def back_from(page: str) -> dict[str, str]:
    """What Zoho sends a person back with."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(page)
    assert answer.status_code == 302, answer.text
    where = answer.headers["location"]
    assert where.startswith(BACK)
    return dict(parse_qsl(urlsplit(where).query))


async def test_a_person_signs_in_with_the_browser(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings()
    sign_in = ZohoSignIn(Organisations())
    came = await back_from(sign_in.page(pods.connection(known), "state one", BACK))
    assert came.pop("state") == "state one"
    assert came.keys() == {"code", "location", "accounts-server"}
    transport = httpx.AsyncHTTPTransport()
    found = await sign_in.finish(pods.connection(known), came, BACK, pods.keeper(known), transport)
    assert [finding.ok for finding in found] == [True]
    assert "api@example.test" in found[0].what
    assert await pods.ask(pods.pod(known)) == 204
    again = await sign_in.finish(pods.connection(known), came, BACK, pods.keeper(known), transport)
    assert [finding.refused for finding in again] == [True]
    assert await pods.ask(pods.pod(known)) == 204


async def test_somebody_else_at_the_browser_takes_nothing_away(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known, sign_in, transport = settings(), ZohoSignIn(Organisations()), httpx.AsyncHTTPTransport()
    right = await back_from(sign_in.page(pods.connection(known), "s", BACK))
    await sign_in.finish(pods.connection(known), right, BACK, pods.keeper(known), transport)
    kept = await pods.keeper(known).get()
    crm.desk.add_user("jan@example.test")
    crm.oauth.signs_in = "jan@example.test"
    wrong = await back_from(sign_in.page(pods.connection(known), "s", BACK))
    (finding,) = await sign_in.finish(pods.connection(known), wrong, BACK, pods.keeper(known), transport)
    assert not finding.ok
    assert "jan@example.test" in finding.what
    assert "api@example.test" in finding.what
    assert await pods.keeper(known).get() == kept
    assert await pods.ask(pods.pod(known)) == 204


async def test_a_person_who_declines_is_told_so(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known, sign_in = settings(), ZohoSignIn(Organisations())
    crm.oauth.consents = False
    came = await back_from(sign_in.page(pods.connection(known), "s", BACK))
    (finding,) = await sign_in.finish(
        pods.connection(known), came, BACK, pods.keeper(known), httpx.AsyncHTTPTransport()
    )
    assert not finding.ok
    assert "declined" in finding.what
    assert crm.logins == 0


async def test_a_forged_answer_sends_our_secret_nowhere_else(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known, sign_in, elsewhere = settings(), ZohoSignIn(Organisations()), Zoho()
    await elsewhere.start()
    for said in (
        elsewhere.url,
        "https://accounts.zoho.eu.example.test",
        f"http://accounts.zoho.eu@{crm.url[7:]}",
    ):
        forged = {"code": "x", "location": "eu", "accounts-server": said}
        (finding,) = await sign_in.finish(
            pods.connection(known), forged, BACK, pods.keeper(known), httpx.AsyncHTTPTransport()
        )
        assert not finding.ok
        assert "neither Zoho's nor the connection's" in finding.what
    assert elsewhere.calls.total() == crm.logins == 0
    await elsewhere.stop()


async def test_the_data_centre_of_the_answer_counts_where_the_settings_name_another(
    crm: Zoho, everywhere: Any, settings: Settings, pods: Pods
) -> None:
    known, sign_in = settings(data_centre="com"), ZohoSignIn(Organisations())
    page = urlsplit(sign_in.page(pods.connection(known), "s", BACK))
    assert page.netloc == "accounts.zoho.com"
    came = await back_from(page._replace(scheme="http", netloc=urlsplit(crm.url).netloc).geturl())
    crm.site.url = "https://www.zohoapis.eu"
    found = await sign_in.finish(
        pods.connection(known),
        came | {"accounts-server": "https://accounts.zoho.eu"},
        BACK,
        pods.keeper(known),
        everywhere,
    )
    assert all(finding.ok for finding in found)
    assert "lives in the data centre eu, not in com" in found[-1].what
    kept = Kept.of(await pods.keeper(known).get())
    assert kept is not None
    assert kept.accounts == "https://accounts.zoho.eu"
    assert set(everywhere.hosts) == {"https://accounts.zoho.eu/", "https://www.zohoapis.eu/"}
