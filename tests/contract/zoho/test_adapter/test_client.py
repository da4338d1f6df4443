"""Calls to Zoho: where they go, how many at once, and what becomes of answers that are none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector_zoho import faults
from connector_zoho.client import ZohoClient
from connector_zoho.data_centres import DATA_CENTRES
from connector_zoho.organisations import Organisations
from connector_zoho.settings import ZohoConnection
from connector_zoho.wire import Answer, Wire, decode, outcomes
from leadbus.connector.contract import Limits
from leadbus.errors import (
    AddressRefused,
    AuthRefused,
    Gone,
    LeadbusError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)
from sandbox.zoho import Zoho

LEAD = {"Last_Name": "Nowak", "Company": "Example"}


class Keeper:
    anew = False

    def __init__(self) -> None:
        self.kept: str | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> str | None:
        return self.kept

    async def put(self, token: str) -> None:
        self.kept = token

    def alone(self) -> asyncio.Lock:
        return self._lock


async def read(client: ZohoClient, **params: str) -> Answer:
    return await client.call("GET Leads", "GET", "/Leads", params={"fields": "Last_Name,Email"} | params)


async def insert(client: ZohoClient, *rows: Mapping[str, Any]) -> Answer:
    return await client.call("POST Leads", "POST", "/Leads", body={"data": list(rows)}, writing=True)


def settings_of(crm: Zoho, connect: Callable[..., ZohoConnection], **access: Any) -> ZohoConnection:
    """Of a connection to that simulator; keywords are parts of the access."""
    secrets = {"client_secret": "secret", "grant_token": crm.grant()}
    known = connect().access.model_dump() | {"data_centre": crm.url} | secrets | access
    return connect(access=known)


@pytest.fixture
async def opened(
    crm: Zoho, connect: Callable[..., ZohoConnection]
) -> AsyncIterator[Callable[..., ZohoClient]]:
    """Clients; keywords are parts of the access."""
    clients: list[ZohoClient] = []

    def make(
        organisations: Organisations | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **access: Any,
    ) -> ZohoClient:
        settings = settings_of(crm, connect, **access)
        client = ZohoClient(settings, Keeper(), organisations or Organisations(), transport=transport)
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


# Where calls go -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("centre", DATA_CENTRES, ids=lambda centre: centre.name)
@pytest.mark.parametrize(
    ("environment", "prefix"), [("production", "www."), ("sandbox", "sandbox."), ("developer", "developer.")]
)
async def test_in_every_data_centre_and_environment(
    centre: Any, environment: str, prefix: str, crm: Zoho, everywhere: Any, opened: Callable[..., ZohoClient]
) -> None:
    client = opened(transport=everywhere, data_centre=centre.name, environment=environment)
    crm.site.url = f"https://{centre.api}"
    await read(client)
    accounts, *api = everywhere.hosts
    assert accounts == f"https://{centre.accounts}/"
    assert set(api) == {f"https://{prefix}{centre.api.removeprefix('www.')}/"}


async def test_calls_go_to_the_host_that_the_last_token_answer_named(
    tmp_path: Path, connect: Callable[..., ZohoConnection], start_zoho: Any
) -> None:
    database = str(tmp_path / "zoho")
    async with start_zoho(database=database) as first, start_zoho(database=database) as other:
        client = ZohoClient(settings_of(first, connect), Keeper(), Organisations())
        await read(client)
        assert (first.calls["list"], other.calls["list"]) == (1, 0)
        first.site.url = other.url
        first.desk.expire_access()
        await read(client)
        await read(client)
        assert (first.calls["list"], other.calls["list"]) == (2, 2)
        assert (first.logins, other.logins) == (2, 0)
        await client.close()


# Answers --------------------------------------------------------------------------------------------------


async def test_answers_with_and_without_rows(crm: Zoho, client: ZohoClient) -> None:
    empty = await read(client)
    assert (empty.status, empty.body, outcomes(empty)) == (204, None, [])
    made = await insert(client, LEAD | {"Annual_Revenue": 10})
    assert (made.status, outcomes(made)[0]["status"]) == (201, "success")
    there = await client.call("GET", "GET", "/Leads", params={"fields": "Last_Name"})
    assert [row["Last_Name"] for row in outcomes(there)] == ["Nowak"]
    later = {"If-Modified-Since": "2100-01-01T00:00:00+00:00"}
    nothing = await client.call("GET", "GET", "/Leads", params={"fields": "Last_Name"}, headers=later)
    assert (nothing.status, nothing.body) == (304, None)
    assert abs((nothing.at - crm.site.store.clock()).total_seconds()) < 5


async def test_rows_decide_and_not_the_status(client: ZohoClient) -> None:
    mixed = await insert(client, LEAD, {"Company": "Nameless"})
    assert [row["status"] for row in outcomes(mixed)] == ["success", "error"]
    bad = await insert(client, {"Company": "Nameless"})
    assert bad.status == 400
    error = faults.of_row(outcomes(bad)[0])
    assert isinstance(error, Rejected)
    assert error.field == "Last_Name"


async def test_refused_calls_are_errors(client: ZohoClient) -> None:
    with pytest.raises(Unsupported):
        await client.call("GET", "GET", "/Leads")  # no fields
    with pytest.raises(Unsupported):
        await client.call("GET", "GET", "/Nothings", params={"fields": "id"})
    body = {"data": [{}]}
    with pytest.raises(Gone):
        await client.call("POST", "POST", "/Leads/1/actions/convert", body=body, writing=True)


def test_amounts_are_read_as_they_were_written() -> None:
    assert decode(b'{"Amount": 1234567.10}') == {"Amount": Decimal("1234567.10")}
    assert decode(b"") is None
    with pytest.raises(ValueError, match="Expecting"):
        decode(b"<html>")


async def test_a_token_that_ended_costs_one_repeat_and_no_second_record(
    crm: Zoho, client: ZohoClient, calls: Any
) -> None:
    await read(client)
    crm.desk.expire_access()
    made = await insert(client, LEAD)
    assert made.status == 201
    assert len(crm.records("Leads")) == 1
    assert calls.of("POST Leads") == ["AuthExpired", "ok"]
    assert crm.logins == 2


async def test_a_crm_that_ends_every_token_is_left_alone(crm: Zoho, client: ZohoClient) -> None:
    crm.faults.add("expire_session", operation="list")
    with pytest.raises(Transient):
        await read(client)
    assert crm.calls["list"] == 2


# No answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reading", "writing"),
    [
        ("error", Transient, OutcomeUnknown),
        ("html", faults.NotServed, OutcomeUnknown),
        ("forbid", AddressRefused, AddressRefused),
        ("rate_limit", Transient, Transient),
    ],
)
async def test_trouble_of_zohos_own(
    fault: Any, reading: type[Exception], writing: type[Exception], crm: Zoho, client: ZohoClient
) -> None:
    await client.session.access()
    crm.faults.add(fault)
    with pytest.raises(reading) as read_error:
        await read(client)
    with pytest.raises(writing) as write_error:
        await insert(client, LEAD)
    assert type(read_error.value) is reading
    assert type(write_error.value) is writing
    assert crm.records("Leads") == []


async def test_a_write_whose_answer_was_lost_may_have_been_carried_out(crm: Zoho, client: ZohoClient) -> None:
    crm.faults.add("lose_reply", of="writes", times=1)
    with pytest.raises(OutcomeUnknown):
        await insert(client, LEAD)
    assert len(crm.records("Leads")) == 1


async def test_a_call_that_hangs_is_given_up(crm: Zoho) -> None:
    wire = Wire(None)
    crm.faults.add("hang", operation="token")
    for writing, error in ((False, Transient), (True, OutcomeUnknown)):
        with pytest.raises(error, match="in time"):
            await wire.exchange("POST", f"{crm.url}/oauth/v2/token", writing=writing, seconds=0.1)
    crm.faults.clear()
    await wire.close()


async def test_nobody_there(connect: Callable[..., ZohoConnection], start_zoho: Any) -> None:
    async with start_zoho() as crm:
        client = ZohoClient(settings_of(crm, connect), Keeper(), Organisations())
        await read(client)
    with pytest.raises(faults.NotReached):
        await insert(client, LEAD)
    await client.close()


async def test_trouble_of_the_accounts_server_is_no_refusal(crm: Zoho, client: ZohoClient) -> None:
    for fault in ("error", "html"):
        crm.faults.add(fault, operation="token", times=1)
        with pytest.raises(Transient):
            await read(client)
    assert (await read(client)).status == 204


# How many ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("edition", "most"), [("free", 5), ("standard", 10), ("ultimate", 10)])
async def test_no_more_calls_at_once_than_the_edition_bears_and_never_more_than_ten(
    edition: str, most: int, connect: Callable[..., ZohoConnection], start_zoho: Any
) -> None:
    async with asyncio.timeout(30), start_zoho(edition=edition, call_seconds=0.05) as crm:
        organisations, keeper, settings = Organisations(), Keeper(), settings_of(crm, connect)
        two = [ZohoClient(settings, keeper, organisations) for _ in range(2)]
        for client in two:
            await client.limits()
        heavy = {"sort_by": "Modified_Time"}
        await asyncio.gather(*(read(client, **heavy) for client in two for _ in range(20)))
        assert most // 2 < crm.most_heavy_at_once <= crm.most_at_once <= most
        for client in two:
            await client.close()


async def test_after_a_429_fewer_are_in_flight_for_all_of_the_organisation(
    crm: Zoho, connect: Callable[..., ZohoConnection], opened: Callable[..., ZohoClient]
) -> None:
    organisations = Organisations()
    client, limiter = opened(organisations), organisations.join(connect().organisation_id).limiter
    assert limiter.allowed == 5  # what every edition bears
    await client.limits()
    assert limiter.allowed == 10
    crm.faults.add("rate_limit", operation="list", times=1)
    with pytest.raises(Transient) as refused:
        await read(client)
    assert not isinstance(refused.value, RateLimited)
    assert limiter.allowed == 5


async def test_what_is_left_of_the_credits_is_known_after_a_refusal_that_does_not_tell_it(
    connect: Callable[..., ZohoConnection], start_zoho: Any
) -> None:
    async with start_zoho(credits=12) as crm:
        client = ZohoClient(settings_of(crm, connect), Keeper(), Organisations())
        for _ in range(8):
            await read(client)
        left = (await client.limits()).credits_left
        assert left is not None
        for fault in ("rate_limit", "error", "forbid"):
            crm.faults.add(fault, operation="list", times=1)
            with pytest.raises(LeadbusError):
                await read(client)
            assert (await client.limits()).credits_left == left
        await client.close()


async def test_a_new_sign_in_while_others_work_goes_beyond_no_limit(
    connect: Callable[..., ZohoConnection], start_zoho: Any
) -> None:
    async with asyncio.timeout(30), start_zoho(edition="free", call_seconds=0.05) as crm:
        organisations = Organisations()
        clients = [ZohoClient(settings_of(crm, connect), Keeper(), organisations) for _ in range(4)]
        busy, *new = clients
        await busy.limits()
        work = [asyncio.create_task(read(busy)) for _ in range(30)]
        await asyncio.sleep(0.02)
        await asyncio.gather(*(client.limits() for client in new), *work)
        assert crm.most_at_once == 5
        assert organisations.join(connect().organisation_id).limiter.allowed == 5
        for client in clients:
            await client.close()


async def test_credits_that_are_gone_are_waited_for(
    connect: Callable[..., ZohoConnection], start_zoho: Any
) -> None:
    async with start_zoho(credits=12) as crm:
        settings, organisations = settings_of(crm, connect), Organisations()
        client = ZohoClient(settings, Keeper(), organisations)
        assert await client.limits() == Limits(10, 51_000, None)
        told = []
        while crm.site.limits.remaining:
            await read(client)
            left = crm.site.limits.remaining
            told.append((await client.limits()).credits_left)
            assert told[-1] == (left if left * 2 < 12 else None)
        assert told[-1] == 0
        with pytest.raises(RateLimited, match="credits") as pause:
            await read(client)
        assert pause.value.retry_after == 900
        assert organisations.join(settings.organisation_id).limiter.allowed == 10
        assert crm.calls["org"] == 1
        await client.close()


async def test_the_organisation_is_asked_for_now_and_then(crm: Zoho, client: ZohoClient) -> None:
    first = await client.organisation()
    assert (first.zgid, first.edition, first.time_zone) == ("20000000001", "enterprise", "Europe/Warsaw")
    assert (first.currency, first.user_email) == ("PLN", "api@example.test")
    asked = crm.calls["org"]
    assert await asyncio.gather(*(client.organisation() for _ in range(5))) == [first] * 5
    assert crm.calls["org"] == asked


# Files --------------------------------------------------------------------------------------------------


async def _job(client: ZohoClient) -> str:
    query = {"query": {"module": {"api_name": "Leads"}, "fields": ["Last_Name"]}}
    made = await client.call("POST read", "POST", "/crm/bulk/v8/read", body=query)
    job = str(outcomes(made)[0]["details"]["id"])
    for _ in range(100):
        state = outcomes(await client.call("GET read", "GET", f"/crm/bulk/v8/read/{job}"))[0]["state"]
        if state == "COMPLETED":
            return job
        await asyncio.sleep(0.05)
    pytest.fail("the job is not done")


async def test_a_file_comes_in_parts_also_after_the_token_ended(crm: Zoho, client: ZohoClient) -> None:
    crm.desk.load("Leads", [LEAD | {"Email": f"p{n}@example.test"} for n in range(100)])
    job = await _job(client)
    crm.desk.expire_access()
    content = b""
    async with client.download("GET result", f"/crm/bulk/v8/read/{job}/result") as parts:
        async for part in parts:
            content += part
    assert content.startswith(b"PK")
    assert (await read(client)).status == 200


async def test_too_many_files_are_waited_for_and_slow_nothing_else(
    crm: Zoho, connect: Callable[..., ZohoConnection], opened: Callable[..., ZohoClient]
) -> None:
    organisations = Organisations()
    client = opened(organisations)
    await client.limits()
    crm.faults.add("rate_limit", times=1)
    with pytest.raises(RateLimited) as pause:
        async with client.download("GET result", "/crm/bulk/v8/read/1/result"):
            pytest.fail("there is no file")
    assert pause.value.retry_after == 60
    assert organisations.join(connect().organisation_id).limiter.allowed == 10


async def test_a_file_that_is_not_there_is_an_error(client: ZohoClient) -> None:
    with pytest.raises((Unsupported, Gone, Transient)):
        async with client.download("GET result", "/crm/bulk/v8/read/1/result"):
            pytest.fail("there is no file")


async def test_a_client_that_is_not_allowed_in_says_so_on_a_file_too(
    crm: Zoho, opened: Callable[..., ZohoClient]
) -> None:
    client = opened(grant_token=crm.grant(scope="ZohoCRM.org.READ,ZohoCRM.users.READ"))
    with pytest.raises(AuthRefused):
        async with client.download("GET result", "/crm/bulk/v8/read/1/result"):
            pytest.fail("there is no file")
