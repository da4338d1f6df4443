"""Whatever is posted: a clear answer, never a 500, and nothing of it in Kafka."""

import json
from typing import TYPE_CHECKING

import pytest

from leadbus.topics import MARKETING_EVENTS

if TYPE_CHECKING:
    from conftest import Edge

EVENT = {"type": "web_view", "email": "ada@example.com"}


def event(extra: str) -> bytes:
    return b'{"type":"web_view","email":"ada@example.com",' + extra.encode() + b"}"


BAD: dict[str, bytes] = {
    "nothing": b"",
    "malformed": b'{"type":',
    "invalid utf-8": b'{"type":"web_view","email":"\xff@example.com"}',
    "a lone surrogate": b'{"type":"web_view","email":"\\ud800@example.com"}',
    "utf-16": json.dumps(EVENT).encode("utf-16"),
    "a number": b"7",
    "null": b"null",
    "a string": b'"event"',
    "an array in an array": b"[[]]",
    "an empty object": b"{}",
    "an unknown type": b'{"type":"nonsense","email":"ada@example.com"}',
    "a type of the wrong type": b'{"type":{"a":1},"email":"ada@example.com"}',
    "an email of the wrong type": b'{"type":"web_view","email":["ada@example.com"]}',
    "no person": b'{"type":"web_view"}',
    "a tenant": event('"tenant_id":"other"'),
    "a tenant twice": event('"tenant_id":"other","tenant_id":"another"'),
    "an email twice": event('"email":"eve@example.com"'),
    "a nested stranger": event('"network":{"owner":"x","secret":1}'),
    "a nested name twice": event('"fields":{"title":"a","title":"b"}'),
    "a date that is none": event('"occurred_at":"2026-02-30T00:00:00Z"'),
    "a time that is none": event('"occurred_at":{}'),
    "a time beyond the calendar": event('"occurred_at":1e300'),
    "a time before the calendar": event('"occurred_at":"0001-01-01T00:00:00+14:00"'),
    "a huge integer": event('"properties":{"n":' + "9" * 5_000 + "}"),
    "an integer beyond 64 bits": event('"properties":{"n":18446744073709551616}'),
    "a huge exponent": event('"properties":{"n":1e999}'),
    "not a number": event('"properties":{"n":NaN}'),
    "nul": event('"title":"a\\u0000b"'),
    "nul in a name": event('"properties":{"a\\u0000":1}'),
    "deep nesting": event('"properties":' + '{"a":' * 300 + "1" + "}" * 300),
    "very deep nesting": b'{"a":' * 100_000,
    "very deep arrays": b"[" * 200_000,
    "a long id": event('"event_id":"' + "x" * 257 + '"'),
    "an empty id": event('"event_id":"  "'),
    "a long name": event('"' + "n" * 10_000 + '":1'),
    "too many properties": event('"properties":' + json.dumps({str(n): n for n in range(51)})),
    "a huge item": event('"fields":{"custom":' + json.dumps({f"f{n}": "x" * 9_999 for n in range(99)}) + "}"),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
async def test_bad_input_is_refused_with_a_reason(edge: "Edge", tenant: str, body: bytes) -> None:
    async with edge.client(await edge.key(tenant), **{"content-type": "application/json"}) as client:
        answer = await client.post("/v1/events", content=body)
        again = await client.post("/v1/events", json=EVENT)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    errors = problem["results"][0]["errors"] if "results" in problem else problem["errors"]
    assert errors
    assert all(error["reason"] and error["code"] for error in errors)
    assert len(answer.content) < 10_000
    assert again.status_code == 202
    assert len(await edge.records(MARKETING_EVENTS, tenant)) == 1


async def test_a_bad_item_costs_no_other_item(edge: "Edge", tenant: str) -> None:
    bad = [
        body for name, body in BAD.items() if body[:1] == b"{" and body[-1:] == b"}" and b"\xff" not in body
    ]
    good = json.dumps(EVENT).encode()
    batch = b"[" + b",".join(part for body in bad for part in (good, body)) + b"]"
    async with edge.client(await edge.key(tenant), **{"content-type": "application/json"}) as client:
        answer = await client.post("/v1/events", content=batch)
    assert answer.status_code == 207, answer.text
    statuses = [r["status"] for r in answer.json()["results"]]
    assert statuses == ["accepted", "rejected"] * len(bad)
    assert len(bad) > 20
    assert len(await edge.records(MARKETING_EVENTS, tenant)) == len(bad)


async def test_bad_lines_of_a_stream_cost_no_other_line(edge: "Edge", tenant: str) -> None:
    bad = [body for name, body in BAD.items() if body and name != "utf-16"]
    good = json.dumps(EVENT).encode()
    body = b"\n".join(part for line in bad for part in (good, line))
    async with edge.client(await edge.key(tenant), **{"content-type": "application/x-ndjson"}) as client:
        answer = await client.post("/v1/events", content=body)
    *results, last = [json.loads(line) for line in answer.text.splitlines()]
    assert [r["status"] for r in results] == ["accepted", "rejected"] * len(bad)
    assert last["accepted"] == last["rejected"] == len(bad)


@pytest.mark.parametrize(
    "occurred_at", ["2026-11-20T10:00:00", "2026-11-20T10:00:00Z", "2026-11-20T12:00:00+02:00", 1_795_168_800]
)
async def test_times_with_and_without_offset_are_the_same_moment(
    edge: "Edge", tenant: str, occurred_at: str | int
) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/events", json=EVENT | {"occurred_at": occurred_at})
    assert answer.status_code == 202, answer.text
    [record] = await edge.records(MARKETING_EVENTS, tenant)
    assert record.value["occurred_at"] == "2026-11-20T10:00:00Z"


async def test_ten_megabytes_are_refused_announced_or_not(edge: "Edge", tenant: str) -> None:
    async def unannounced():  # type: ignore[no-untyped-def]
        for _ in range(160):
            yield b" " * 65_536

    async with edge.client(await edge.key(tenant), **{"content-type": "application/json"}) as client:
        announced = await client.post("/v1/events", content=b" " * 10_485_760)
        counted = await client.post("/v1/events", content=unannounced())
        after = await client.post("/v1/events", json=EVENT)
    assert (announced.status_code, counted.status_code, after.status_code) == (413, 413, 202)
    assert "5 MB" in announced.json()["detail"]


async def test_too_many_items_are_refused_and_none_is_taken(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/events", json=[EVENT] * 1_001)
    assert answer.status_code == 413
    assert await edge.records(MARKETING_EVENTS, tenant) == []


@pytest.mark.parametrize(
    "headers", [{"content-type": "text/csv"}, {"content-type": ""}, {"content-encoding": "gzip"}]
)
async def test_another_content_type_is_refused_with_those_there_are(
    edge: "Edge", tenant: str, headers: dict[str, str]
) -> None:
    async with edge.client(await edge.key(tenant), **{"content-type": "application/json"}) as client:
        answer = await client.post("/v1/events", content=json.dumps(EVENT), headers=headers)
    assert answer.status_code == 415
    assert answer.json()["detail"]


async def test_a_rejected_value_is_in_no_log(
    edge: "Edge", tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with edge.client(await edge.key(tenant)) as client:
        for body in BAD.values():
            await client.post("/v1/events", content=body, headers={"content-type": "application/json"})
    assert "ada@example.com" not in caplog.text
