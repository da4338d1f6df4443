"""What goes wrong on the way: sessions, lost replies, refused rows, broken versions, web pages, slowness."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from typing import Any

import pytest

from connector_sugar import http as http_module
from connector_sugar.connector import SugarAdapter
from connector_sugar.faults import NotServed
from connector_sugar.legacy import client as client_module
from leadbus.connector.contract import PersonChange
from leadbus.errors import (
    AddressRefused,
    AuthRefused,
    Conflict,
    LeadbusError,
    OutcomeUnknown,
    Rejected,
    Transient,
    Unsupported,
)
from leadbus.messages import Record
from sandbox.sugar import SugarCRM

EMAIL = "ann@example.com"


def kinds(outcomes: Sequence[LeadbusError | str | None]) -> list[type | None]:
    """Classes of errors, None for what was done."""
    return [type(outcome) if isinstance(outcome, LeadbusError) else None for outcome in outcomes]


DONE = None


async def test_a_lost_session_is_renewed_and_the_call_repeated_once(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any, counted: Any
) -> None:
    await adapter.find_by_email([EMAIL])
    logins = counted("login")
    crm.faults.add("session_lost", operation="set_entries", times=1)
    new = person(EMAIL)
    assert await adapter.create([new]) == [new.id]
    assert stored().keys() == {new.id}
    assert counted("login") == logins + 1


async def test_sessions_that_never_hold_are_trouble_and_no_endless_signing_in(
    crm: SugarCRM, adapter: SugarAdapter, counted: Any
) -> None:
    crm.faults.add("session_lost", operation="get_entry_list")
    with pytest.raises(Transient):
        await adapter.read([Record(module="Leads", id="x")])
    assert counted("login") == 2


async def test_refused_credentials_are_tried_once_and_never_on_another_version(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, counted: Any
) -> None:
    crm.faults.add("refused_login")
    with pytest.raises(AuthRefused) as refused:
        await adapter.read([Record(module="Leads", id="x")])
    assert counted("login") == 1
    assert "admin" not in str(refused.value)
    with pytest.raises(AuthRefused):
        await adapter.create([person(EMAIL)])


@pytest.mark.parametrize("rows", [1, 30])
async def test_a_reply_lost_after_the_write_is_looked_up_and_nothing_is_written_twice(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any, rows: int
) -> None:
    crm.faults.add("lost_reply_after_write", times=2)
    people = [person(f"p{at}@example.com") for at in range(rows)]
    assert await adapter.create(people) == [p.id for p in people]
    assert len(stored()) == rows
    assert len(await adapter.find_by_email([p.email for p in people])) == rows


async def test_a_lost_reply_to_an_update_is_repeated(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any, lead: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(3)]
    await adapter.create(people)
    crm.faults.add("lost_reply_after_write", times=1)
    outcomes = await adapter.update(
        [PersonChange(lead(p.id), {"primary_address_city": "Rome"}) for p in people]
    )
    assert outcomes == [None] * 3
    assert {row["primary_address_city"] for row in stored().values()} == {"Rome"}


async def test_a_write_that_stays_without_a_reply_is_unknown_not_failed(
    crm: SugarCRM, adapter: SugarAdapter, person: Any
) -> None:
    crm.faults.add("server_error_html", operation="set_entries")
    with pytest.raises(OutcomeUnknown):
        await adapter.create([person(EMAIL)])


async def test_a_lost_write_that_cannot_be_looked_up_is_unknown(
    crm: SugarCRM, adapter: SugarAdapter, person: Any
) -> None:
    crm.faults.add("lost_reply_after_write", times=1)
    crm.faults.add("http_500", operation="get_entry_list")
    with pytest.raises(OutcomeUnknown):
        await adapter.create([person(EMAIL)])


async def test_only_the_refused_row_among_many_is_rejected(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    names = {7: "bad", 8: "bad", 50: "bad"}
    people = [person(f"p{at}@example.com", last_name=names.get(at, "good")) for at in range(60)]
    await adapter.create(people[9:10])
    crm.faults.add("refuse_row", field="last_name", matches="bad")
    outcomes = await adapter.create(people)
    refused = {at: kind for at, kind in enumerate(kinds(outcomes)) if kind is not None}
    assert refused == {7: Rejected, 8: Rejected, 9: Conflict, 50: Rejected}
    assert stored().keys() == {p.id for at, p in enumerate(people) if at not in names}


async def test_only_the_refused_change_among_many_is_rejected(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any, lead: Any
) -> None:
    people = [person(f"p{at}@example.com") for at in range(6)]
    await adapter.create(people)
    crm.faults.add("refuse_row", field="id", matches=people[2].id)
    outcomes = await adapter.update(
        [PersonChange(lead(p.id), {"primary_address_city": "Rome"}) for p in people]
    )
    assert kinds(outcomes) == [DONE, DONE, Rejected, DONE, DONE, DONE]
    assert sum(row["primary_address_city"] == "Rome" for row in stored().values()) == 5


async def test_a_service_that_dies_once_costs_no_row(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    crm.faults.add("http_500", operation="set_entries", times=1)
    new = person(EMAIL)
    assert await adapter.create([new]) == [new.id]
    assert stored().keys() == {new.id}


async def test_a_service_that_dies_on_everything_is_not_the_rows_fault(
    crm: SugarCRM, adapter: SugarAdapter, person: Any
) -> None:
    await adapter.find_by_email([EMAIL])
    crm.faults.add("http_500")
    with pytest.raises(OutcomeUnknown):
        await adapter.create([person(EMAIL)])
    with pytest.raises(Transient):
        await adapter.find_by_email([EMAIL])


async def test_a_part_that_fails_leaves_the_others_their_outcomes(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, stored: Any
) -> None:
    people = [person(f"p{at}@example.com", kind=("lead", "contact")[at % 2]) for at in range(4)]
    crm.faults.add("html_instead_of_xml", operation="set_entries", module="Contacts")
    assert kinds(await adapter.create(people)) == [DONE, NotServed, DONE, NotServed]
    assert stored().keys() == {people[0].id, people[2].id}


async def test_denied_access_parks_writes_with_a_reason_and_is_unsupported_for_reads(
    crm: SugarCRM, adapter: SugarAdapter, person: Any
) -> None:
    crm.faults.add("access_denied", operation="set_entries")
    (outcome,) = await adapter.create([person(EMAIL)])
    assert isinstance(outcome, Rejected)
    assert "administrator" in str(outcome)
    crm.faults.add("access_denied", operation="get_entry_list")
    with pytest.raises(Unsupported):
        await adapter.find_by_email([EMAIL])


@pytest.fixture
async def unwell(start_crm: Any) -> Any:
    """Starts sites on which versions of both services die at sign-in."""
    async with AsyncExitStack() as stack:

        async def start(*versions: str) -> SugarCRM:
            dies = ["v4_1.set_entry", *(f"{version}.login" for version in versions)]
            crm: SugarCRM = await stack.enter_async_context(start_crm(dies=dies))
            return crm

        yield start


@pytest.mark.parametrize("broken", [(), ("v4_1",), ("v4_1", "v2"), ("v4_1", "v4")])
async def test_the_first_version_that_lets_us_in_does_everything(
    unwell: Any, speaking: Any, open_adapter: Any, person: Any, broken: tuple[str, ...]
) -> None:
    crm = await unwell(*broken)
    order = ("v4_1", "v2", "v4") if speaking.encoding == "soap" else ("v4_1", "v4", "v2")
    version = next(version for version in order if version not in broken)
    adapter: SugarAdapter = open_adapter(crm.url, score_field="lead_score_c")
    new = replace(person(EMAIL), score=3)
    assert await adapter.create([new]) == [new.id]
    change = PersonChange(Record(module="Leads", id=new.id), {"primary_address_city": "Rome"})
    assert await adapter.update([change]) == [None]
    found = await adapter.find_by_email([EMAIL])
    assert [p.record.id for p in found[EMAIL]] == [new.id]
    findings = await adapter.sign_in()
    assert all(finding.ok for finding in findings), findings
    assert f"service {version} is used" in findings[-1].what


async def test_a_crm_that_dies_at_every_sign_in_is_trouble_with_advice(
    unwell: Any, open_adapter: Any, person: Any
) -> None:
    crm = await unwell("v4_1", "v2", "v4")
    adapter: SugarAdapter = open_adapter(crm.url)
    with pytest.raises(Transient):
        await adapter.create([person(EMAIL)])
    finding = (await adapter.sign_in())[-1]
    assert not finding.ok
    assert "PHP" in finding.advice


@pytest.mark.parametrize("verb", ["find_by_email", "read", "create"])
async def test_a_web_page_instead_of_soap_is_trouble_in_words(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, verb: str
) -> None:
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "find_by_email": lambda: adapter.find_by_email([EMAIL]),
        "read": lambda: adapter.read([Record(module="Leads", id="x")]),
        "create": lambda: adapter.create([person(EMAIL)]),
    }
    crm.faults.add("html_instead_of_xml")
    with pytest.raises(Transient, match="web page"):
        await calls[verb]()
    crm.faults.clear()
    await calls[verb]()


async def test_a_hanging_server_is_given_up_and_its_session_not_used_again(
    crm: SugarCRM, open_adapter: Any, person: Any, stored: Any
) -> None:
    adapter: SugarAdapter = open_adapter(crm.url, read_timeout=0.4)
    await adapter.find_by_email([EMAIL])
    crm.faults.add("hang", operation="get_entry_list", times=2)
    began = time.monotonic()
    with pytest.raises(Transient, match="in time"):
        await adapter.find_by_email([EMAIL])
    assert time.monotonic() - began < 20
    assert await adapter.find_by_email([EMAIL]) == {}
    crm.faults.add("hang", operation="set_entries")
    with pytest.raises(OutcomeUnknown):
        await adapter.create([person(EMAIL)])
    assert stored() == {}


async def test_a_slow_server_is_waited_for(crm: SugarCRM, adapter: SugarAdapter, person: Any) -> None:
    crm.faults.add("slow", operation="set_entries", seconds=0.3)
    new = person(EMAIL)
    assert await adapter.create([new]) == [new.id]


async def test_an_address_where_nothing_listens_is_trouble(
    crm: SugarCRM, open_adapter: Any, person: Any
) -> None:
    adapter: SugarAdapter = open_adapter("http://127.0.0.1:1")
    with pytest.raises(Transient, match="cannot be reached"):
        await adapter.create([person(EMAIL)])
    findings = await adapter.sign_in()
    assert [finding.ok for finding in findings] == [False]


async def test_eight_calls_run_side_by_side_and_no_more(
    start_crm: Any, speaking: Any, open_adapter: Any
) -> None:
    async with start_crm(protocols=speaking.protocols) as crm:
        adapter: SugarAdapter = open_adapter(crm.url)
        reads = [adapter.read([Record(module="Leads", id="x")]) for _ in range(24)]
        await asyncio.gather(*reads[:8])
        assert crm.calls[speaking.operation("login")] == 8, "one session for each"
        hang = crm.faults.add("hang")
        reading = asyncio.gather(*reads[8:])
        async with asyncio.timeout(20):
            while hang.struck < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert hang.struck == 8, "no more at a time"
        crm.faults.clear()
        await reading
        assert crm.calls[speaking.operation("login")] == 8, "sessions are kept"


async def test_an_answer_longer_than_we_accept_is_not_read_to_its_end(
    adapter: SugarAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "MOST_BYTES", 300)
    with pytest.raises(Unsupported, match="longer"):
        await adapter.read([Record(module="Leads", id="x")])


async def test_closing_ends_the_sessions_and_survives_a_server_that_is_gone(
    start_crm: Any, speaking: Any, open_adapter: Any
) -> None:
    async with start_crm(protocols=speaking.protocols) as crm:
        adapter: SugarAdapter = open_adapter(crm.url)
        await asyncio.gather(*(adapter.find_by_email([f"p{at}@example.com"]) for at in range(2)))
        await adapter.close()
        assert crm.calls[speaking.operation("logout")] == crm.calls[speaking.operation("login")] > 0
        other: SugarAdapter = open_adapter(crm.url)
        await other.find_by_email([EMAIL])
    await other.close()


async def test_closing_waits_for_nobody_who_does_not_answer(
    crm: SugarCRM, adapter: SugarAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LONGEST_FAREWELL", 1.0)
    await adapter.find_by_email([EMAIL])
    hang = crm.faults.add("hang", operation="logout", seconds=300)
    async with asyncio.timeout(20):
        await adapter.close()
    assert hang.struck


class Raw:
    """A server that answers every request with the same bytes."""

    def __init__(self, status: str, headers: str, body: bytes) -> None:
        self._answer = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.requests: list[bytes] = []

    async def __aenter__(self) -> "Raw":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self._answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            await writer.drain()


@pytest.mark.parametrize(
    ("status", "headers", "body", "error"),
    [
        ("302 Found", "Location: http://127.0.0.1:1/\r\n", b"", Transient),
        ("403 Forbidden", "Content-Type: text/html\r\n", b"no", AddressRefused),
        ("200 OK", "Content-Type: text/xml\r\n", b"", Transient),
        ("200 OK", "Content-Type: text/xml\r\n", b"<a><b></a>", Transient),
        ("200 OK", "Content-Type: text/xml\r\n", b"<a/>", Transient),
        ("200 OK", "Content-Type: text/xml\r\n", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', Transient),
        ("500 Oops", "Content-Type: text/xml\r\n", b"<a/>", Transient),
    ],
)
async def test_answers_that_are_no_soap_are_errors_of_ours(
    open_adapter: Any, status: str, headers: str, body: bytes, error: type[LeadbusError]
) -> None:
    async with Raw(status, headers, body) as server:
        adapter: SugarAdapter = open_adapter(server.url)
        with pytest.raises(error):
            await adapter.find_by_email([EMAIL])
        finding = (await adapter.sign_in())[0]
        assert (finding.ok, finding.blocked) == (False, error is AddressRefused)


async def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused(
    open_adapter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "MOST_BYTES", 1_000_000)
    body = gzip.compress(b"<a>" + b" " * (http_module.MOST_BYTES + 1) + b"</a>", compresslevel=9)
    headers = "Content-Type: text/xml\r\nContent-Encoding: gzip\r\n"
    async with Raw("200 OK", headers, body) as server:
        adapter: SugarAdapter = open_adapter(server.url)
        with pytest.raises(Unsupported, match="longer"):
            await adapter.find_by_email([EMAIL])
