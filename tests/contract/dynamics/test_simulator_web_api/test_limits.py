"""The simulator's limits and faults: what Dynamics 365 allows in five minutes, what goes wrong on demand."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"requests": 3}, "0x80072322"), ({"seconds": 0.02, "call_seconds": 0.01}, "0x80072321")],
)
async def test_five_minutes_have_their_measure(
    start_dynamics: Any, connect_dynamics: Any, limit: dict[str, Any], code: str
) -> None:
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    async with start_dynamics(clock=lambda: clock[0], **limit) as crm, connect_dynamics(crm) as api:
        answers = [await api.ask("GET", "WhoAmI") for _ in range(4)]
        refused = answers[-1]
        assert answers[0].status_code == 200
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, code)
        assert (int(refused.headers["Retry-After"]), crm.throttled >= 1) == (301, True)
        clock[0] += timedelta(seconds=301)
        assert (await api.ask("GET", "WhoAmI")).status_code == 200


async def test_so_many_calls_may_run_at_once(start_dynamics: Any, connect_dynamics: Any) -> None:
    async with start_dynamics(at_once=4, call_seconds=0.4) as crm, connect_dynamics(crm) as api:
        answers = await asyncio.gather(*(api.ask("GET", "WhoAmI") for _ in range(10)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert (crm.most_at_once, len(refused)) == (4, 6)
        assert {answer.json()["error"]["code"] for answer in refused} == {"0x80072326"}
        assert {answer.headers["Retry-After"] for answer in refused} == {"5"}


async def test_headers_tell_what_is_left(start_dynamics: Any, connect_dynamics: Any) -> None:
    async with start_dynamics(requests=10) as crm, connect_dynamics(crm) as api:
        name = "x-ms-ratelimit-burst-remaining-xrm-requests"
        assert [(await api.ask("GET", "WhoAmI")).headers[name] for _ in range(2)] == ["9", "8"]


async def test_calls_and_rows_take_their_time_side_by_side(
    start_dynamics: Any, connect_dynamics: Any
) -> None:
    async with start_dynamics(call_seconds=0.05, row_seconds=0.05) as crm, connect_dynamics(crm) as api:
        began = time.monotonic()
        await asyncio.gather(*(api.create("leads", {"lastname": "Doe"}) for _ in range(5)))
        assert time.monotonic() - began >= 0.1


async def test_faults_answer_as_their_kind_does(api: Any, crm: Any) -> None:
    expected = {"error": 500, "html": 200, "forbid": 403, "unavailable": 503, "rate_limit": 429}
    for kind, status in expected.items():
        crm.faults.add(kind, times=1, retry_after=3)
        answer = await api.ask("GET", "WhoAmI")
        assert answer.status_code == status, kind
        assert ("json" in answer.headers["content-type"]) == (kind in {"error", "rate_limit"})
        assert answer.headers.get("Retry-After") == ("3" if status in {429, 503} else None)
    crm.faults.add("expire_session", times=1)
    assert (await api.ask("GET", "WhoAmI")).status_code == 401
    assert (await api.ask("GET", "WhoAmI")).status_code == 401
    await api.sign_in()
    assert (await api.ask("GET", "WhoAmI")).status_code == 200


async def test_a_lost_reply_has_done_its_work(api: Any, crm: Any) -> None:
    crm.faults.add("lose_reply", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.create("leads", {"lastname": "Doe"})
    assert len(crm.records("lead")) == 1


async def test_a_hanging_call_is_let_go_of_and_does_nothing(api: Any, crm: Any) -> None:
    crm.faults.add("hang", of="writes", seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.create("leads", {"lastname": "Doe"})
    crm.faults.clear()
    assert crm.records("lead") == []
    crm.faults.add("slow", operation="create", seconds=0.05)
    assert await api.create("leads", {"lastname": "Doe"})


async def test_a_fault_strikes_the_calls_it_names(api: Any, crm: Any) -> None:
    crm.faults.add("error", operation="who_am_i", skip=1, times=1)
    answers = [(await api.ask("GET", "WhoAmI")).status_code for _ in range(3)]
    assert answers == [200, 500, 200]
    with pytest.raises(ValueError, match="no such fault"):
        crm.faults.add("explode")


async def test_on_premises_nobody_is_limited(start_dynamics: Any) -> None:
    async with start_dynamics(version="9.1", requests=1) as crm:
        assert crm.site.limits.requests is None


async def test_the_desk_is_open_over_http_too(api: Any, crm: Any) -> None:
    place = f"{crm.url}/_sandbox"
    made = await api.http.post(f"{place}/create", json={"module": "lead", "fields": {"lastname": "Doe"}})
    await api.http.post(
        f"{place}/change", json={"module": "lead", "id": made.json()["id"], "fields": {"jobtitle": "x"}}
    )
    [row] = (await api.http.get(f"{place}/records?module=lead")).json()
    assert (row["lastname"], row["jobtitle"], row["traceparent"]) == ("Doe", "x", None)
    sold = await api.http.post(f"{place}/desk/qualify", json={"lead": row["id"]})
    assert sold.json()["result"] == crm.records("contact")[0]["id"]
    wrong = await api.http.post(f"{place}/create", json={"module": "lead", "fields": {"nosuch": 1}})
    assert wrong.status_code == 400
    assert (await api.http.get(f"{place}/counters")).json()["writes"] == 0
