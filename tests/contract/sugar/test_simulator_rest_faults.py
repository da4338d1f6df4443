"""Each fault that can be switched on, in the words of modern and of legacy REST."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.sugar import SugarCRM, desk


@pytest.fixture(autouse=True)
def no_faults(site: SugarCRM) -> Iterator[None]:
    yield
    site.faults.clear()


def names(site: SugarCRM, prefix: str) -> list[str]:
    rows = desk.records(site.store, "Leads")
    return sorted(row["last_name"] for row in rows if (row["last_name"] or "").startswith(prefix))


def bulk(*last_names: str) -> dict[str, Any]:
    made = [{"url": "/v11_12/Leads", "method": "POST", "data": {"last_name": name}} for name in last_names]
    return {"requests": made}


@pytest.mark.parametrize(
    ("kind", "status", "label"),
    [
        ("http_500", 500, "fatal_error"),
        ("maintenance", 503, "maintenance"),
        ("access_denied", 403, "not_authorized"),
        ("session_lost", 401, "invalid_grant"),
        ("token_expired", 401, "need_login"),
    ],
)
async def test_a_call_is_refused_in_modern_words(
    site: SugarCRM, rest: Any, kind: Any, status: int, label: str
) -> None:
    site.faults.add(kind, operation="rest POST Leads", times=1)
    assert (await rest.ask("GET", "/ping")).status_code == 200
    assert await rest.refused("POST", "/Leads", {"last_name": "Refused"}) == (status, label)
    if kind == "token_expired":
        assert await rest.refused("GET", "/ping") == (401, "need_login")
        await rest.login(grant_type="refresh_token", refresh_token=rest.tokens["refresh_token"])
    if kind == "session_lost":
        dead = await rest.grant(grant_type="refresh_token", refresh_token=rest.tokens["refresh_token"])
        assert dead.json()["error"] == "invalid_grant"
        await rest.login()
    assert (await rest.do("POST", "/Leads", {"last_name": "Taken"}))["last_name"] == "Taken"
    assert names(site, "Refused") == []


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("http_500", 500, ""),
        ("maintenance", 503, "<!DOCTYPE"),
        ("access_denied", 200, '{"name":"Access Denied"'),
        ("session_lost", 200, '{"name":"Invalid Session'),
        ("html_instead_of_json", 200, "<!DOCTYPE"),
        ("server_error_html", 500, "<!DOCTYPE"),
        ("too_many_requests", 429, "<!DOCTYPE"),
    ],
)
async def test_a_call_is_refused_in_legacy_words(
    site: SugarCRM, legacy: Any, kind: Any, status: int, body: str
) -> None:
    site.faults.add(kind, operation="set_entry", times=1)
    answer = await legacy.ask("set_entry", legacy.session, "Leads", {"last_name": "Refused"})
    assert answer.status_code == status
    assert answer.text.startswith(body)
    assert names(site, "Refused") == []


async def test_too_many_requests_may_say_when_to_come_back(site: SugarCRM, rest: Any) -> None:
    site.faults.add("too_many_requests", seconds=7, times=1)
    site.faults.add("too_many_requests", times=1)
    told, untold = await rest.ask("GET", "/ping"), await rest.ask("GET", "/ping")
    assert (told.status_code, untold.status_code) == (429, 429)
    assert (told.headers.get("retry-after"), untold.headers.get("retry-after")) == ("7", None)


@pytest.mark.parametrize("kind", ["html_instead_of_json", "server_error_html"])
async def test_html_comes_where_json_should(site: SugarCRM, rest: Any, kind: Any) -> None:
    site.faults.add(kind, times=1)
    assert (await rest.ask("GET", "/ping")).headers["content-type"].startswith("text/html")
    assert await rest.do("GET", "/ping") == "pong"


async def test_a_login_is_refused(site: SugarCRM, rest: Any, legacy: Any) -> None:
    site.faults.add("refused_login")
    assert (await rest.grant()).json()["error"] == "need_login"
    assert (await legacy.login())["number"] == 10
    assert await rest.do("GET", "/ping") == "pong"


async def test_a_refused_row_of_a_bulk_leaves_the_others(site: SugarCRM, rest: Any) -> None:
    site.faults.add("refuse_row", module="Leads", skip=1, times=1, message="No more of these")
    answers = await rest.do("POST", "/bulk", bulk("Bulk 1", "Bulk 2", "Bulk 3"))
    assert [answer["status"] for answer in answers] == [200, 422, 200]
    assert answers[1]["contents"] == {"error": "invalid_parameter", "error_message": "No more of these"}
    assert names(site, "Bulk") == ["Bulk 1", "Bulk 3"]


async def test_a_row_may_be_refused_for_its_value_also_its_address(site: SugarCRM, rest: Any) -> None:
    site.faults.add("refuse_row", field="email1", matches=".*@refused\\.test")
    email = [{"email_address": "a@refused.test", "primary_address": True}]
    refused = await rest.refused("POST", "/Leads", {"last_name": "By address", "email": email})
    assert refused == (422, "invalid_parameter")
    assert names(site, "By address") == []


async def test_a_server_that_dies_writing_leaves_the_rows_before(
    site: SugarCRM, rest: Any, legacy: Any
) -> None:
    site.faults.add("died_writing", skip=1, times=1)
    assert await rest.refused("POST", "/bulk", bulk("Died 1", "Died 2", "Died 3")) == (500, "fatal_error")
    assert names(site, "Died") == ["Died 1", "Died 2"]
    site.faults.add("died_writing", skip=1, times=1)
    rows = [{"last_name": f"Dead {at}"} for at in range(3)]
    assert (await legacy.ask("set_entries", legacy.session, "Leads", rows)).text == ""
    assert names(site, "Dead") == ["Dead 0", "Dead 1"]


async def test_a_lost_reply_leaves_the_write_done(site: SugarCRM, rest: Any, legacy: Any) -> None:
    site.faults.add("lost_reply_after_write", times=2)
    assert await rest.do("GET", "/ping") == "pong"
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await rest.ask("POST", "/bulk", bulk("Lost 1", "Lost 2"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await legacy.do("set_entry", "Leads", {"last_name": "Lost 3"})
    assert names(site, "Lost") == ["Lost 1", "Lost 2", "Lost 3"]


async def test_a_slow_and_a_hanging_call_hold_up_nobody_else(site: SugarCRM, rest: Any) -> None:
    site.faults.add("slow", operation="rest GET me", seconds=0.1)
    site.faults.add("hang", operation="rest POST Leads")
    began = time.perf_counter()
    hanging = asyncio.create_task(rest.do("POST", "/Leads", {"last_name": "Hung"}))
    slow = asyncio.create_task(rest.do("GET", "/me"))
    assert await rest.do("GET", "/ping") == "pong"
    await slow
    assert time.perf_counter() - began >= 0.1
    assert not hanging.done()
    site.faults.clear()
    assert (await hanging)["last_name"] == "Hung"


async def test_costs_are_taken_per_call_and_row_side_by_side_only_with_modern_tokens(
    start_crm: Any, speak_rest: Any, speak_legacy: Any
) -> None:
    async with start_crm(cost_per_call_ms=150, cost_per_row_ms=20) as crm:
        rest, legacy = speak_rest(crm), speak_legacy(crm)
        async with rest.http, legacy.http:
            await rest.login()
            await legacy.login()

            async def took(*calls: Any) -> float:
                began = time.perf_counter()
                await asyncio.gather(*calls)
                return time.perf_counter() - began

            assert await took(rest.do("POST", "/bulk", bulk("A", "B", "C"))) >= 0.21
            rest_seconds = await took(*(rest.do("GET", "/ping") for _ in range(8)))
            assert await took(*(legacy.do("get_user_id") for _ in range(8))) >= 1.2
            assert 0.15 <= rest_seconds < 1.2


async def test_every_call_is_counted_once_and_all_have_a_total(
    start_crm: Any, connect: Any, speak_rest: Any, speak_legacy: Any
) -> None:
    async with start_crm() as crm, connect(crm) as sugar:
        rest, legacy = speak_rest(crm), speak_legacy(crm)
        async with rest.http, legacy.http:
            await rest.login()
            await legacy.login()
            await sugar.login()
            await legacy.do("set_entries", "Leads", [{"last_name": "A"}, {"last_name": "B"}])
            lead = await rest.do("POST", "/Leads", {"last_name": "C"})
            await rest.do("PUT", f"/Leads/{lead['id']}", {"status": "New"})
            await rest.do("POST", "/bulk", bulk("D", "E"))
            assert crm.calls == {
                "rest POST oauth2/token": 1,
                "legacy login": 1,
                "login": 1,
                "legacy set_entries": 1,
                "rest POST Leads": 1,
                "rest PUT Leads/:record": 1,
                "rest POST bulk": 1,
            }
            assert crm.calls.total() == 7
