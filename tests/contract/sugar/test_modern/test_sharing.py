"""Several adapters with one user on one platform: SugarCRM keeps one session for all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from connector_sugar.connector import SugarAdapter
from connector_sugar.modern.sessions import CALLS, Sessions
from connector_sugar.probing import Probing
from connector_sugar.settings import SugarConnection
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import AuthRefused
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk


@dataclass
class Testing:
    """What a test of settings is given: the work's keeper, and the order to try the password."""

    work: TokenKeeper
    anew: bool = True
    __test__ = False

    async def get(self) -> str | None:
        return await self.work.get()

    async def put(self, token: str) -> None:
        await self.work.put(token)


@dataclass
class Process:
    """A process with adapters; closed as a whole at the end."""

    url: str
    keeper: Any
    sessions: Sessions = field(default_factory=Sessions)
    adapters: list[SugarAdapter] = field(default_factory=list)

    def adapter(self, *, anew: bool = False, transport: Any = None, **access: Any) -> SugarAdapter:
        given = {"url": self.url, "user": "admin", "password": "admin"} | access
        name = f"connection-{len(self.adapters)}"
        known = SugarConnection.model_validate(
            {"connection_id": name, "tenant_id": name, "access": given, "teams": []}
        )
        keeper = Testing(self.keeper) if anew else self.keeper
        probing = Probing(known.access, keeper, self.sessions, read_timeout=5.0, transport=transport)
        self.adapters.append(SugarAdapter(known, probing.open, probing.leave))
        return self.adapters[-1]


@pytest.fixture
async def start_process(crm: SugarCRM, keeper: Any) -> AsyncIterator[Callable[[], Process]]:
    """Starts processes beside each other, with one durable place."""
    processes: list[Process] = []

    def start() -> Process:
        processes.append(Process(crm.url, keeper))
        return processes[-1]

    yield start
    for process in processes:
        for adapter in process.adapters:
            await adapter.close()


@pytest.fixture
def process(start_process: Callable[[], Process]) -> Process:
    return start_process()


@pytest.fixture
def logins(crm: SugarCRM, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the grants that the CRM was asked for."""
    from sandbox.sugar.rest.oauth import OAuth

    asked: list[str] = []
    answer = OAuth.token

    def noted(self: OAuth, given: Any) -> dict[str, Any]:
        asked.append(given["grant_type"])
        return answer(self, given)

    monkeypatch.setattr(OAuth, "token", noted)
    return asked


async def read(adapter: SugarAdapter, key: str = "x") -> None:
    assert await adapter.read([Record(module="Leads", id=key)]) == {}


async def work(*adapters: SugarAdapter, calls: int = 30) -> None:
    """Calls of each, side by side; every one must succeed."""
    reads = (read(adapter, str(at)) for at in range(calls) for adapter in adapters)
    assert set(await asyncio.gather(*reads, return_exceptions=True)) == {None}


async def test_two_adapters_sign_in_once_and_no_call_of_either_fails(
    process: Process, logins: list[str]
) -> None:
    one, two = process.adapter(), process.adapter()
    await work(one, two)
    await work(one, two)
    assert logins == ["password"]


async def test_a_session_that_ends_under_both_is_renewed_once(
    crm: SugarCRM, process: Process, logins: list[str]
) -> None:
    one, two = process.adapter(), process.adapter()
    await work(one, two, calls=1)
    desk.expire_access(crm.store, desk.ADMIN)
    await work(one, two)
    assert logins == ["password", "refresh_token"]


async def test_an_adapter_that_closes_leaves_the_session_to_the_other(
    process: Process, logins: list[str]
) -> None:
    one, two = process.adapter(), process.adapter()
    await work(one, two)
    await one.close()
    await work(two, process.adapter())
    assert logins == ["password"]


async def test_after_a_restart_whoever_comes_first_finds_the_session(
    start_process: Callable[[], Process], logins: list[str]
) -> None:
    before = start_process()
    one, two = before.adapter(), before.adapter()
    await work(one, two)
    await asyncio.gather(one.close(), two.close())
    after = start_process()
    await work(after.adapter(), after.adapter())
    assert logins == ["password"]


async def test_a_test_beside_the_work_signs_in_once_and_both_go_on_with_that(
    process: Process, logins: list[str]
) -> None:
    worker = process.adapter()
    await work(worker)
    working = asyncio.create_task(work(worker, calls=100))
    test = process.adapter(anew=True)
    assert all(finding.ok for finding in await test.sign_in())
    await work(test, calls=10)
    await test.close()
    await working
    await work(worker)
    assert logins == ["password", "password"]


async def test_a_test_in_another_process_costs_its_own_sign_in_and_nothing_else(
    start_process: Callable[[], Process], logins: list[str]
) -> None:
    worker = start_process().adapter()
    await work(worker)
    test = start_process().adapter(anew=True)
    assert all(finding.ok for finding in await test.sign_in())
    for _ in range(5):
        await work(worker, test, calls=3)
    await test.close()
    await work(worker)
    assert logins == ["password", "password"]


async def test_the_work_waits_for_what_a_test_elsewhere_is_about_to_keep(
    start_process: Callable[[], Process], logins: list[str], keeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start_process().adapter()
    await work(worker)
    put, putting = type(keeper).put, asyncio.Event()

    async def slowly(self: Any, token: str) -> None:
        putting.set()
        for _ in range(500):
            if "refresh_token" in logins:
                break
            await asyncio.sleep(0.01)
        await put(self, token)

    monkeypatch.setattr(type(keeper), "put", slowly)
    testing = asyncio.create_task(start_process().adapter(anew=True).sign_in())
    await putting.wait()
    await work(worker)
    assert all(finding.ok for finding in await testing)
    assert logins == ["password", "password", "refresh_token"], "the dead one's, which is refused"


async def test_a_refusal_is_remembered_for_all_who_come_until_a_test_goes_well(
    crm: SugarCRM, process: Process, logins: list[str]
) -> None:
    desk.set_password(crm.store, desk.ADMIN, "other")
    one, two = process.adapter(), process.adapter()
    for adapter in (one, two, one, process.adapter()):
        with pytest.raises(AuthRefused):
            await read(adapter)
    assert logins == ["password"]
    desk.set_password(crm.store, desk.ADMIN, "admin")
    assert all(finding.ok for finding in await process.adapter(anew=True).sign_in())
    await work(process.adapter(), process.adapter())
    assert logins == ["password"] * 2


async def test_a_refusal_is_forgotten_once_all_who_met_it_are_closed(
    crm: SugarCRM, process: Process, logins: list[str]
) -> None:
    desk.set_password(crm.store, desk.ADMIN, "other")
    one, two = process.adapter(), process.adapter()
    for adapter in (one, two):
        with pytest.raises(AuthRefused):
            await read(adapter)
    await asyncio.gather(one.close(), two.close())
    desk.set_password(crm.store, desk.ADMIN, "admin")
    await work(process.adapter())
    assert logins == ["password"] * 2


async def test_another_user_of_the_site_has_a_session_of_its_own_and_shares_the_calls_in_flight(
    crm: SugarCRM, process: Process, logins: list[str]
) -> None:
    import httpx

    class Watching(httpx.AsyncHTTPTransport):
        now = most = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            Watching.now += 1
            Watching.most = max(Watching.most, Watching.now)
            try:
                response = await super().handle_async_request(request)
                await response.aread()
                return response
            finally:
                Watching.now -= 1

    desk.add_user(crm.store, "second", "s2", last_name="Second", is_admin=True)
    one = process.adapter(transport=Watching())
    same = process.adapter(transport=Watching())
    other = process.adapter(transport=Watching(), user="second", password="s2")
    await work(one, same, other, calls=1)
    Watching.most = 0
    await asyncio.gather(*(a.changed("lead", None, None) for a in (one, same, other) for _ in range(10)))
    assert Watching.most == CALLS
    assert logins == ["password"] * 2
