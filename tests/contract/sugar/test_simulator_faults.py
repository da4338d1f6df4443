"""Each fault that can be switched on does what its name says."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from zeep.exceptions import Fault, TransportError

from sandbox.sugar import KINDS, SugarCRM

LEAD = "aaaaaaaa-0000-4000-8000-000000000001"


def test_every_kind_of_fault_has_a_test_here() -> None:
    files = Path(__file__).parent.glob("test_simulator*faults.py")
    tests = "".join(path.read_text(encoding="utf-8") for path in files)
    assert [kind for kind in KINDS if f'"{kind}"' not in tests] == []


@pytest.mark.parametrize(
    ("kind", "code"), [("http_500", "-1"), ("access_denied", "40"), ("session_lost", "11")]
)
async def test_a_soap_fault_strikes_as_often_as_told(crm: SugarCRM, sugar: Any, kind: Any, code: str) -> None:
    crm.faults.add(kind, operation="set_entry", module="Leads", skip=1, times=1)
    await sugar.set_entry("Contacts", last_name="Other module")
    await sugar.set_entry("Leads", last_name="Skipped")
    with pytest.raises(Fault) as fault:
        await sugar.set_entry("Leads", last_name="Struck")
    assert fault.value.code == code
    if kind == "session_lost":
        with pytest.raises(Fault, match="Invalid Session ID"):
            await sugar.set_entry("Leads", last_name="Still lost")
        await sugar.login()
    await sugar.set_entry("Leads", last_name="Over")
    assert sorted(lead["last_name"] for lead in sugar.leads().values()) == ["Over", "Skipped"]


async def test_a_refused_login_is_fault_10_until_it_is_switched_off(crm: SugarCRM, sugar: Any) -> None:
    rule = crm.faults.add("refused_login")
    for _ in range(2):
        with pytest.raises(Fault, match="Invalid Login"):
            await sugar.login()
    assert await sugar.service.get_user_id(sugar.session) == "1"
    crm.faults.remove(rule)
    assert await sugar.login()


@pytest.mark.parametrize(
    ("kind", "status"), [("server_error_html", 500), ("html_instead_of_xml", 200), ("forbidden", 403)]
)
async def test_html_comes_where_xml_should(crm: SugarCRM, sugar: Any, kind: Any, status: int) -> None:
    crm.faults.add(kind, times=1)
    with pytest.raises(TransportError) as error:
        await sugar.service.get_user_id(sugar.session)
    assert error.value.status_code == status
    assert await sugar.service.get_user_id(sugar.session) == "1"


async def test_a_slow_call_is_answered_late(crm: SugarCRM, sugar: Any) -> None:
    crm.faults.add("slow", seconds=0.2, times=1)
    began = time.perf_counter()
    assert await sugar.service.get_user_id(sugar.session) == "1"
    assert time.perf_counter() - began >= 0.2


async def test_a_hanging_call_is_answered_when_the_fault_is_switched_off(crm: SugarCRM, sugar: Any) -> None:
    crm.faults.add("hang", operation="set_entry")
    call = asyncio.create_task(sugar.set_entry("Leads", last_name="Late"))
    await asyncio.sleep(0.1)
    assert not call.done()
    assert sugar.leads() == {}
    crm.faults.clear()
    assert await call in sugar.leads()


async def test_a_hanging_call_ends_with_its_client_and_writes_nothing(crm: SugarCRM, sugar: Any) -> None:
    crm.faults.add("hang", operation="set_entry", times=1)
    sugar.http.timeout = httpx.Timeout(0.1)
    with pytest.raises(httpx.ReadTimeout):
        await sugar.set_entry("Leads", last_name="Nobody waits")
    sugar.http.timeout = httpx.Timeout(5)
    # The session's lock is free again.
    assert await sugar.service.get_user_id(sugar.session) == "1"
    assert sugar.leads() == {}


async def test_a_lost_reply_leaves_the_write_done_and_the_client_without_a_byte(
    crm: SugarCRM, sugar: Any
) -> None:
    crm.faults.add("lost_reply_after_write", times=1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sugar.set_entry("Leads", id=LEAD, new_with_id="1", last_name="Written")
    assert list(sugar.leads()) == [LEAD]
    assert await sugar.service.get_user_id(sugar.session) == "1"


async def test_a_refused_row_faults_and_the_rows_before_it_stay(crm: SugarCRM, sugar: Any) -> None:
    crm.faults.add("refuse_row", module="Leads", field="email1", matches=".*@refused\\.example")
    with pytest.raises(Fault, match="service died"):
        await sugar.set_entries(
            "Leads", {"last_name": "A"}, {"last_name": "B", "email1": "b@refused.example"}
        )
    with pytest.raises(Fault, match="service died"):
        await sugar.set_entry("Leads", last_name="B", email1="b@refused.example")
    assert [lead["last_name"] for lead in sugar.leads().values()] == ["A"]


async def test_rows_and_calls_cost_what_was_said(start_crm: Any, connect: Any) -> None:
    async with start_crm(cost_per_call_ms=50, cost_per_row_ms=50) as crm, connect(crm) as sugar:
        await sugar.login()
        began = time.perf_counter()
        await sugar.set_entries("Leads", {"last_name": "A"}, {"last_name": "B"})
        assert time.perf_counter() - began >= 0.15
