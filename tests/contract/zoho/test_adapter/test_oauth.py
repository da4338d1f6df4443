"""Signing in to Zoho's accounts server: for all pods once, never too often, and as nobody else."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest

from connector_zoho import checking, oauth, refusals
from connector_zoho.client import ZohoClient
from connector_zoho.oauth import Kept, Session
from connector_zoho.organisations import Organisations
from connector_zoho.settings import ZohoConnection
from connector_zoho.signing_in import SCOPES, ZohoSignIn
from connector_zoho.wire import Wire
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.stores.tokens import Tokens
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import AuthRefused, RateLimited
from leadbus.security.secrets import SecretBox
from leadbus.storage.mongo import connect as connect_to
from sandbox.servers import MongoDB
from sandbox.zoho import Zoho

BACK = "http://127.0.0.1:8083/v1/sign-in"
KEY = base64.urlsafe_b64encode(bytes(32)).decode()
Settings = Callable[..., ZohoConnection]


def stored(settings: ZohoConnection) -> Connection:
    health = Health(HealthState.WELL, "", datetime.now(UTC))
    return Connection(settings, settings.organisation_id, on=True, revision=1, health=health)


@pytest.fixture
def settings(crm: Zoho) -> Settings:
    """Of a connection to the simulator; keywords are parts of its access."""

    def make(**access: Any) -> ZohoConnection:
        known = {
            "user": "api@example.test",
            "organisation": "20000000001",
            "data_centre": crm.url,
            "client_id": "1000.LEADBUS",
            "client_secret": "secret",
        }
        return ZohoConnection.model_validate(
            {"connection_id": "one", "tenant_id": "acme", "access": known | access}
        )

    return make


@dataclass
class Pods:
    """Processes of the connector on one database: each finds what another has kept."""

    client: Any
    database: str
    opened: list[ZohoClient] = field(default_factory=list)

    def keeper(self, settings: ZohoConnection, *, anew: bool = False) -> TokenKeeper:
        tokens = Tokens(self.client, self.database, "connector-zoho", SecretBox(KEY))
        return (tokens.anew if anew else tokens.of)(stored(settings))

    def pod(self, settings: ZohoConnection, *, anew: bool = False) -> ZohoClient:
        client = ZohoClient(settings, self.keeper(settings, anew=anew), Organisations())
        self.opened.append(client)
        return client


@pytest.fixture
async def pods(mongodb: MongoDB) -> AsyncIterator[Pods]:
    client = connect_to(mongodb.url, app_name="tests")
    found = Pods(client, f"zoho_{uuid4().hex}")
    yield found
    for opened in found.opened:
        await opened.close()
    await client.drop_database(found.database)
    await client.close()


async def ask(client: ZohoClient) -> int:
    return (await client.call("GET Leads", "GET", "/Leads", params={"fields": "Email"})).status


# One token for all ------------------------------------------------------------------------------------


async def test_a_grant_token_is_exchanged_once_by_whichever_pod_comes_first(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    both = [pods.pod(known), pods.pod(known)]
    assert await asyncio.gather(*(ask(client) for client in both for _ in range(10))) == [204] * 20
    assert crm.logins == 1
    assert crm.refused_logins == 0


async def test_a_token_that_ended_is_renewed_by_one_pod_for_all(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    both = [pods.pod(known), pods.pod(known)]
    await asyncio.gather(*(ask(client) for client in both))
    crm.desk.expire_access()
    assert await asyncio.gather(*(ask(client) for client in both for _ in range(10))) == [204] * 20
    assert crm.logins == 2


async def test_what_was_kept_serves_after_a_restart(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant())
    await ask(pods.pod(known))
    await ask(pods.pod(known))
    assert crm.logins == 1


async def test_a_token_whose_time_is_over_is_not_used(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant())
    await ask(pods.pod(known))
    keeper = pods.keeper(known)
    kept = Kept.of(await keeper.get())
    assert kept is not None
    await keeper.put(oauth.replace(kept, until=0.0).text())
    await ask(pods.pod(known))
    assert crm.logins == 2


async def test_a_caller_who_gives_up_takes_no_grant_with_it(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    client = pods.pod(settings(grant_token=crm.grant()))
    crm.faults.add("slow", operation="token", seconds=0.3, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await ask(client)
    assert await ask(client) == 204
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
            await ask(client)
        except RateLimited as error:
            pauses.append(error.retry_after)
    assert crm.logins == oauth.MOST_REQUESTS
    assert crm.refused_logins == 0
    assert 500 < min(pauses) <= max(pauses) <= 600


async def test_a_refusal_for_too_many_requests_is_heeded_by_all_pods(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    await ask(pods.pod(known))
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
            await ask(pods.pod(known))
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
    assert await ask(pods.pod(known)) == 204
    assert crm.logins == oauth.MOST_FOR_TESTS


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
        await ask(pods.pod(known))
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
        await ask(pods.pod(known))
    assert crm.logins == 1


# Refused ------------------------------------------------------------------------------------------------


async def test_a_wrong_secret_is_tried_once(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known = settings(grant_token=crm.grant(), client_secret="wrong")
    for _ in range(3):
        with pytest.raises(refusals.ClientRefused, match="secret"):
            await ask(pods.pod(known))
    assert crm.logins == 1


async def test_a_revoked_sign_in_is_noticed_once_and_a_test_looks_again(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    client = pods.pod(known)
    await ask(client)
    crm.desk.revoke()
    for one in (client, client, pods.pod(known)):
        with pytest.raises(refusals.SignInRefused, match="revoked"):
            await ask(one)
    assert crm.logins == 2
    (finding,) = await checking.findings(pods.pod(known, anew=True), known)
    assert finding.refused
    assert crm.logins == 3


async def test_a_secret_that_changed_at_zoho_serves_again_once_a_person_tests(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known = settings(grant_token=crm.grant())
    await ask(pods.pod(known))
    crm.desk.set_client_secret("new")
    crm.desk.expire_access()
    with pytest.raises(refusals.ClientRefused):
        await ask(pods.pod(known))
    crm.desk.set_client_secret("secret")
    with pytest.raises(refusals.ClientRefused):
        await ask(pods.pod(known))
    assert all(f.ok for f in await checking.findings(pods.pod(known, anew=True), known))
    assert await ask(pods.pod(known)) == 204


async def test_a_user_who_was_deactivated_is_asked_to_sign_in_again(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    crm.desk.add_user("jan@example.test")
    client = pods.pod(settings(grant_token=crm.grant("jan@example.test"), user="jan@example.test"))
    await ask(client)
    jan = next(user.id for user in crm.site.users if user.email == "jan@example.test")
    crm.desk.deactivate_user(jan)
    with pytest.raises(AuthRefused, match="sign in again"):
        await ask(client)


async def test_a_sign_in_without_all_scopes_is_refused_and_not_repeated(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    scopes = ",".join(scope for scope in SCOPES if "modules" not in scope)
    client = pods.pod(settings(grant_token=crm.grant(scope=scopes)))
    with pytest.raises(AuthRefused, match="allow all of it"):
        await ask(client)
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
    came = await back_from(sign_in.page(stored(known), "state one", BACK))
    assert came.pop("state") == "state one"
    assert came.keys() == {"code", "location", "accounts-server"}
    transport = httpx.AsyncHTTPTransport()
    found = await sign_in.finish(stored(known), came, BACK, pods.keeper(known), transport)
    assert [finding.ok for finding in found] == [True]
    assert "api@example.test" in found[0].what
    assert await ask(pods.pod(known)) == 204
    again = await sign_in.finish(stored(known), came, BACK, pods.keeper(known), transport)
    assert [finding.refused for finding in again] == [True]
    assert await ask(pods.pod(known)) == 204


async def test_somebody_else_at_the_browser_takes_nothing_away(
    crm: Zoho, settings: Settings, pods: Pods
) -> None:
    known, sign_in, transport = settings(), ZohoSignIn(Organisations()), httpx.AsyncHTTPTransport()
    right = await back_from(sign_in.page(stored(known), "s", BACK))
    await sign_in.finish(stored(known), right, BACK, pods.keeper(known), transport)
    kept = await pods.keeper(known).get()
    crm.desk.add_user("jan@example.test")
    crm.oauth.signs_in = "jan@example.test"
    wrong = await back_from(sign_in.page(stored(known), "s", BACK))
    (finding,) = await sign_in.finish(stored(known), wrong, BACK, pods.keeper(known), transport)
    assert not finding.ok
    assert "jan@example.test" in finding.what
    assert "api@example.test" in finding.what
    assert await pods.keeper(known).get() == kept
    assert await ask(pods.pod(known)) == 204


async def test_a_person_who_declines_is_told_so(crm: Zoho, settings: Settings, pods: Pods) -> None:
    known, sign_in = settings(), ZohoSignIn(Organisations())
    crm.oauth.consents = False
    came = await back_from(sign_in.page(stored(known), "s", BACK))
    (finding,) = await sign_in.finish(
        stored(known), came, BACK, pods.keeper(known), httpx.AsyncHTTPTransport()
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
            stored(known), forged, BACK, pods.keeper(known), httpx.AsyncHTTPTransport()
        )
        assert not finding.ok
        assert "neither Zoho's nor the connection's" in finding.what
    assert elsewhere.calls.total() == crm.logins == 0
    await elsewhere.stop()


async def test_the_data_centre_of_the_answer_counts_where_the_settings_name_another(
    crm: Zoho, everywhere: Any, settings: Settings, pods: Pods
) -> None:
    known, sign_in = settings(data_centre="com"), ZohoSignIn(Organisations())
    page = urlsplit(sign_in.page(stored(known), "s", BACK))
    assert page.netloc == "accounts.zoho.com"
    came = await back_from(page._replace(scheme="http", netloc=urlsplit(crm.url).netloc).geturl())
    crm.site.url = "https://www.zohoapis.eu"
    found = await sign_in.finish(
        stored(known),
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
