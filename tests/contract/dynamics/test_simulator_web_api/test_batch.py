"""`$batch` of the simulator's Web API: each part has its own status."""

import re
from typing import Any

import httpx
import pytest

STATUS = re.compile(r"HTTP/1\.1 (\d+)")


def part(method: str, address: str, body: str = "", *headers: str, name: str = "") -> str:
    outer = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    outer += [f"Content-ID: {name}"] if name else []
    inner = [f"{method} {address} HTTP/1.1", "Content-Type: application/json", *headers]
    return "\r\n".join([*outer, "", *inner, "", body])


def multipart(parts: list[str], boundary: str = "batch_1") -> str:
    return "".join(f"--{boundary}\r\n{one}\r\n" for one in parts) + f"--{boundary}--\r\n"


def change_set(*parts: str) -> str:
    return f"Content-Type: multipart/mixed; boundary=changes_1\r\n\r\n{multipart(list(parts), 'changes_1')}"


@pytest.fixture
def send(api: Any, crm: Any) -> Any:
    async def sent(*parts: str, **headers: str) -> httpx.Response:
        kind = {"Content-Type": 'multipart/mixed; boundary="batch_1"'}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = multipart(list(parts))
        address = f"{crm.web_api_url}/$batch"
        return await api.http.post(address, content=body.encode(), headers=kind | named)

    return sent


LEADS = "/api/data/v9.2/leads"
GOOD, BAD = part("POST", LEADS, '{"lastname": "Doe"}'), part("POST", LEADS, '{"leadsourcecode": 99}')


async def test_it_ends_at_the_first_error_with_that_errors_status(send: Any, crm: Any) -> None:
    answer = await send(GOOD, BAD, GOOD)
    assert (answer.status_code, STATUS.findall(answer.text)) == (400, ["204", "400"])
    assert len(crm.records("lead")) == 1


async def test_it_carries_on_if_that_is_preferred(send: Any, crm: Any) -> None:
    answer = await send(GOOD, BAD, GOOD, Prefer="odata.continue-on-error")
    assert (answer.status_code, STATUS.findall(answer.text)) == (200, ["204", "400", "204"])
    assert '"code":"0x8004431A"' in answer.text
    assert (crm.calls["batch"], crm.operations["create"], crm.writes) == (1, 2, 1)


async def test_a_change_set_is_all_or_nothing_and_may_name_its_own(send: Any, crm: Any) -> None:
    about = '{"subject": "Call", "regardingobjectid_lead_task@odata.bind": "$1"}'
    lead = part("POST", LEADS, '{"lastname": "Doe"}', name="1")
    good = change_set(lead, part("POST", "/api/data/v9.2/tasks", about, name="2"))
    answer = await send(good)
    assert STATUS.findall(answer.text) == ["204", "204"]
    assert crm.records("task")[0]["regardingobjectid"] == crm.records("lead")[0]["id"]
    failed = await send(change_set(GOOD, BAD), GOOD, Prefer="odata.continue-on-error")
    assert STATUS.findall(failed.text) == ["400", "204"]
    assert len(crm.records("lead")) == 2
    assert STATUS.findall((await send(change_set(part("GET", LEADS)))).text) == ["400"]


async def test_conditions_and_queries_are_each_parts_own(send: Any, crm: Any) -> None:
    key = crm.desk.create("lead", {"lastname": "Doe"})
    answer = await send(
        part("PATCH", f"{LEADS}({key})", '{"jobtitle": "x"}', "If-None-Match: *"),
        part("PATCH", f"{crm.web_api_url}/leads({key})", '{"jobtitle": "CEO"}', "If-Match: *"),
        part("GET", f"{LEADS}?$select=jobtitle&$filter=lastname%20eq%20'Doe'"),
        part("GET", "leads/$count"),
        part("GET", "/other/leads"),
        Prefer="odata.continue-on-error",
    )
    assert STATUS.findall(answer.text) == ["412", "204", "200", "200", "404"]
    assert '"jobtitle":"CEO"' in answer.text


async def test_what_is_no_batch_is_refused(send: Any, api: Any) -> None:
    too_many = await send(*[part("GET", LEADS)] * 1001)
    assert (too_many.status_code, too_many.json()["error"]["code"]) == (400, "0x80060888")
    bare = await api.ask("POST", "$batch", {})
    assert bare.status_code == 400
    assert (await send(part("GET", LEADS).replace("HTTP/1.1", "HTTP/2"))).status_code == 400


async def test_reading_alone_is_no_write(send: Any, crm: Any) -> None:
    await send(part("GET", LEADS))
    assert (crm.reads, crm.writes) == (1, 0)
