"""The simulator's limits and faults: credits, calls at once, and what goes wrong on demand."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

COUNT = "/Leads/actions/count"
ROWS = [{"Last_Name": f"Kot {number}", "Email": f"kot{number}@example.test"} for number in range(25)]
SORTED = "/Leads?fields=Email&sort_by=Modified_Time"


async def test_calls_cost_credits_by_what_they_do(api: Any, crm: Any) -> None:
    async def cost(*call: Any) -> int:
        before = crm.credits_used
        assert (await api.ask(*call)).status_code < 300
        return int(crm.credits_used - before)

    assert await cost("POST", "/Leads/upsert", {"data": ROWS}) == 3
    assert await cost("POST", "/Leads", {"data": ROWS[:10]}) == 1
    assert await cost("GET", "/Leads?fields=Email") == 1
    assert await cost("GET", "/Leads/search?word=Kot") == 3
    query = "select id from Leads where Last_Name like 'Kot%' limit "
    assert [
        await cost("POST", "/coql", {"select_query": f"{query}{rows}"}) for rows in (200, 1000, 2000)
    ] == [
        1,
        2,
        3,
    ]


async def test_credits_are_told_after_half_of_them_and_come_back_after_a_day(
    start_zoho: Any, connect_zoho: Any
) -> None:
    clock = [datetime(2026, 5, 1, 12, 0, tzinfo=UTC)]
    async with start_zoho(credits=10, clock=lambda: clock[0]) as crm, connect_zoho(crm) as api:
        told = [(await api.ask("GET", COUNT)).headers.get("X-API-CREDITS-REMAINING") for _ in range(10)]
        assert told == [None] * 5 + ["4", "3", "2", "1", "0"]
        refused = await api.ask("GET", COUNT)
        assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        assert "credits" in refused.json()["message"]
        assert "Retry-After" not in refused.headers
        assert crm.credits_used == 10
        clock[0] += timedelta(days=1)
        await api.sign_in()
        assert (await api.ask("GET", COUNT)).status_code == 200


@pytest.mark.parametrize(("edition", "total"), [("free", 5_000), ("standard", 50_500), ("ultimate", 54_000)])
async def test_an_editions_credits_grow_with_its_users(start_zoho: Any, edition: str, total: int) -> None:
    async with start_zoho(edition=edition) as crm:
        crm.desk.add_user("jan@example.test")
        crm.site.limits.users = len(crm.site.users)
        assert crm.site.limits.total == total


async def refused_at_once(crm: Any, refused: int, *calls: Any) -> list[bool]:
    """Which of the calls are refused, when all of them are there together."""
    crm.faults.add("hang")
    tasks = [asyncio.ensure_future(call) for call in calls]
    async with asyncio.timeout(30):
        while sum(task.done() for task in tasks) < refused or crm.calls.total() <= len(calls):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    crm.faults.clear()
    return [answer.status_code == 429 for answer in await asyncio.gather(*tasks)]


async def test_calls_at_once_are_counted_and_limited_by_edition(start_zoho: Any, connect_zoho: Any) -> None:
    async with start_zoho(edition="free") as crm, connect_zoho(crm) as api:
        refused = await refused_at_once(crm, 2, *(api.ask("GET", COUNT) for _ in range(7)))
        assert sum(refused) == 2
        assert crm.most_at_once == 5
        assert (await api.ask("GET", COUNT)).status_code == 200


async def test_heavy_calls_have_a_limit_of_their_own(start_zoho: Any, connect_zoho: Any) -> None:
    async with start_zoho(edition="ultimate") as crm, connect_zoho(crm) as api:
        heavy = [api.ask("POST", "/Leads/upsert", {"data": ROWS[:11]}) for _ in range(6)]
        heavy += [api.ask("GET", SORTED) for _ in range(6)]
        light = [api.ask("POST", "/Leads/upsert", {"data": ROWS[:10]}) for _ in range(8)]
        refused = await refused_at_once(crm, 2, *heavy, *light)
        assert (sum(refused[:12]), sum(refused[12:])) == (2, 0)
        assert crm.most_heavy_at_once == 10
        assert crm.most_at_once == 18


async def test_costs_run_side_by_side(start_zoho: Any, connect_zoho: Any) -> None:
    async with start_zoho(call_seconds=0.4, row_seconds=0.002) as crm, connect_zoho(crm) as api:
        begun = time.monotonic()
        await asyncio.gather(*(api.do("POST", "/Leads/upsert", {"data": ROWS}) for _ in range(8)))
        took = time.monotonic() - begun
    assert 0.4 <= took < 3.2


async def test_an_upsert_of_a_hundred_rows_is_cheap(api: Any) -> None:
    rows = [{"Last_Name": "Kot", "Email": f"kot{number}@example.test", "City": "x"} for number in range(100)]
    await api.do("POST", "/Leads/upsert", {"data": rows})
    begun = time.process_time()
    for _ in range(3):
        await api.do("POST", "/Leads/upsert", {"data": rows})
    assert (time.process_time() - begun) / 3 < 0.1


async def test_faults_strike_what_they_are_for_and_count(api: Any, crm: Any) -> None:
    crm.faults.add("error", of="writes", times=1)
    crm.faults.add("rate_limit", of="reads", times=1, skip=1)
    assert (await api.ask("GET", COUNT)).status_code == 200
    limited = await api.ask("GET", COUNT)
    assert (limited.status_code, "Retry-After" in limited.headers) == (429, False)
    assert await api.refused("POST", "/Leads", {"data": ROWS[:1]}) == (500, "INTERNAL_ERROR")
    assert (await api.ask("POST", "/Leads", {"data": ROWS[:1]})).status_code == 201
    assert (crm.reads, crm.writes, crm.calls["count"]) == (2, 2, 2)


@pytest.mark.parametrize(("fault", "status"), [("html", 200), ("forbid", 403)])
async def test_pages_stand_where_data_should_be(api: Any, crm: Any, fault: str, status: int) -> None:
    crm.faults.add(fault, times=1)
    answer = await api.ask("GET", COUNT)
    assert (answer.status_code, answer.text[:15]) == (status, "<!DOCTYPE html>")


async def test_an_expired_session_stays_expired(api: Any, crm: Any) -> None:
    crm.faults.add("expire_session", times=1)
    assert await api.refused("GET", COUNT) == (401, "INVALID_TOKEN")
    assert await api.refused("GET", COUNT) == (401, "INVALID_TOKEN")
    await api.sign_in()
    assert (await api.ask("GET", COUNT)).status_code == 200


async def test_a_lost_reply_has_written(api: Any, crm: Any) -> None:
    crm.faults.add("lose_reply", times=1)
    with pytest.raises(httpx.TransportError):
        await api.ask("POST", "/Leads", {"data": ROWS[:1]})
    assert len(crm.records("Leads")) == 1


async def test_what_hangs_is_answered_when_the_faults_are_cleared(api: Any, crm: Any) -> None:
    crm.faults.add("hang", times=1)
    waiting = asyncio.create_task(api.ask("GET", COUNT))
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    crm.faults.clear()
    assert (await waiting).status_code == 200


async def test_the_clock_of_the_answer_is_the_crms(start_zoho: Any) -> None:
    moment = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    async with (
        start_zoho(clock=lambda: moment) as crm,
        httpx.AsyncClient(base_url=crm.url, trust_env=False) as http,
    ):
        assert (await http.get("/crm/v8/org")).headers["Date"] == "Fri, 01 May 2026 12:00:00 GMT"


async def test_the_desk_can_be_used_over_http(api: Any, crm: Any) -> None:
    made = (await api.http.post("/_sandbox/create", json={"module": "Leads", "fields": ROWS[0]})).json()
    change = {"module": "Leads", "id": made["id"], "fields": {"City": "Gdynia"}}
    await api.http.post("/_sandbox/change", json=change)
    await api.http.post("/_sandbox/desk/tag", json={"module": "Leads", "key": made["id"], "name": "vip"})
    [row] = (await api.http.get("/_sandbox/records?module=Leads")).json()
    assert (row["City"], row["Tag"], row["traceparent"]) == ("Gdynia", ["vip"], None)
    assert (await api.http.post("/_sandbox/desk/_stored", json={})).status_code == 400
    counters = (await api.http.get("/_sandbox/counters")).json()
    assert counters["logins"] == crm.logins == 1
