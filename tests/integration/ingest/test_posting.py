"""What is accepted is in Kafka, once, on its person's partition, under its tenant."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from ingest.inputs import INPUTS, Input
from leadbus.ids import prospect_id
from leadbus.publishing import partition_for
from leadbus.topics import MARKETING_EVENTS, PROSPECTS_UPDATED

if TYPE_CHECKING:
    from conftest import Edge

EVENT = {"type": "web_view", "email": "ada@example.com"}
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.mark.parametrize("input", INPUTS, ids=lambda i: i.name)
async def test_every_input_reaches_its_topic(edge: "Edge", tenant: str, input: Input) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post(input.path, json=input.example)
    assert answer.status_code == 202, answer.text
    [result] = answer.json()["results"]
    assert result["status"] == "accepted"
    [record] = await edge.records(input.topic, tenant)
    assert record.value["event_id"] == result["event_id"]
    assert record.value.get("prospect_id") == result.get("prospect_id")
    assert record.key == input.topic.message.model_validate(record.value).key
    assert record.partition == partition_for(record.key.encode(), input.topic.partitions)
    assert "@" not in record.key
    assert not any(b"@" in value for value in record.headers.values())


async def test_a_batch_is_answered_item_by_item(edge: "Edge", tenant: str) -> None:
    batch = [
        EVENT | {"event_id": "1"},
        EVENT | {"event_id": "1"},
        {"type": "nonsense", "email": "ada@example.com"},
        EVENT | {"event_id": "2", "tenant_id": "other"},
        EVENT | {"event_id": "3", "fields": {"nickname": "x"}},
        {"type": "web_view"},
        EVENT | {"event_id": "4", "email": "no email"},
    ]
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/events", json=batch)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [r["index"] for r in results] == list(range(7))
    assert [r["status"] for r in results] == ["accepted", "duplicate", *["rejected"] * 5]
    assert [r["errors"][0]["field"] for r in results[2:]] == [
        "type",
        "tenant_id",
        "fields.nickname",
        "",
        "email",
    ]
    assert all(r["errors"][0]["reason"] and r["errors"][0]["code"] for r in results[2:])
    assert [r.value["event_id"] for r in await edge.records(MARKETING_EVENTS, tenant)] == ["1"]


async def test_a_form_that_asks_to_sync_is_an_event_and_a_request_beside_it(
    edge: "Edge", tenant: str
) -> None:
    terms = {"record_as": "contact", "task": {"kind": "call", "subject": "Call {name}"}}
    form = EVENT | {
        "type": "form_submission",
        "event_id": "f-1",
        "fields": {"company": "Acme"},
        "sync": terms,
    }
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/events", json=[EVENT, form, form])
    assert [r["status"] for r in answer.json()["results"]] == ["accepted", "accepted", "duplicate"]
    events = await edge.records(MARKETING_EVENTS, tenant)
    assert len(events) == 2
    assert not any("sync" in record.value for record in events)
    [asked] = await edge.records(PROSPECTS_UPDATED, tenant)
    assert asked.value["sync"]["record_as"] == "contact"
    assert asked.value["fields"]["company"] == "Acme"
    assert asked.key == events[0].key


async def test_a_campaigns_action_is_an_array_of_requests_one_for_each_who_takes_part(
    edge: "Edge", tenant: str
) -> None:
    branch = {"lead_source": "Trade Show", "update_existing": True}
    asked = [
        {"email": f"p{n}@example.com", "campaigns": [{"campaign_id": "c-1"}], "sync": branch if n % 2 else {}}
        for n in range(40)
    ]
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/prospects", json=asked)
    assert answer.status_code == 202, answer.text
    records = await edge.records(PROSPECTS_UPDATED, tenant)
    sources = {record.value["email"]: record.value["sync"].get("lead_source") for record in records}
    assert sources == {f"p{n}@example.com": "Trade Show" if n % 2 else None for n in range(40)}


async def test_a_repeated_request_names_the_same_events(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant), **{"Idempotency-Key": "order-7"}) as client:
        answers = [await client.post("/v1/events", json=[EVENT, EVENT]) for _ in range(2)]
    first, second = [[r["event_id"] for r in answer.json()["results"]] for answer in answers]
    assert first == second
    assert len(set(first)) == 2


async def test_a_stream_is_answered_line_by_line_and_all_of_it_is_there(edge: "Edge", tenant: str) -> None:
    lines = [
        json.dumps(EVENT | {"event_id": str(n), "email": f"p{n % 97}@example.com"}) for n in range(1_200)
    ]
    lines[700] = "{not json"
    lines[701] = lines[699]
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/events", content="\n".join(lines), headers=NDJSON)
    assert answer.status_code == 200
    *results, last = [json.loads(line) for line in answer.text.splitlines()]
    assert last == {"done": True, "accepted": 1_198, "duplicate": 1, "rejected": 1, "failed": 0}
    assert [r["index"] for r in results] == list(range(1_200))
    assert (results[700]["status"], results[701]["status"]) == ("rejected", "duplicate")
    records = await edge.records(MARKETING_EVENTS, tenant)
    assert {r.value["event_id"] for r in records} == {str(n) for n in range(1_200)} - {"700", "701"}
    assert len(records) == 1_198
    by_person: dict[str, list[int]] = {}
    for record in records:
        by_person.setdefault(record.key, []).append(int(record.value["event_id"]))
    assert all(ids == sorted(ids) for ids in by_person.values()), "one person's events are in order"


async def test_a_brief_answer_to_a_stream_tells_only_what_was_not_accepted(edge: "Edge", tenant: str) -> None:
    body = f"{json.dumps(EVENT)}\n" * 50 + "7\n"
    async with edge.client(await edge.key(tenant), prefer="return=minimal", **NDJSON) as client:
        answer = await client.post("/v1/events", content=body)
    only, last = [json.loads(line) for line in answer.text.splitlines()]
    assert (only["index"], only["status"]) == (50, "rejected")
    assert (last["accepted"], last["rejected"]) == (50, 1)


def cloud_event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "/shop",
        "type": "leadbus.marketing.event",
        "time": "2026-11-20T10:15:00Z",
        "data": EVENT,
    } | changes


async def test_cloud_events_arrive_in_all_three_modes(edge: "Edge", tenant: str) -> None:
    one, many = "application/cloudevents+json", "application/cloudevents-batch+json; charset=utf-8"
    listed = cloud_event(5, type="leadbus.list.changed", data={"list_id": "l", "name": "n"})
    binary = {
        "ce-specversion": "1.0",
        "ce-id": "4",
        "ce-source": "/shop",
        "ce-type": "leadbus.marketing.event",
        "content-type": "application/json",
    }
    async with edge.client(await edge.key(tenant)) as client:
        answers = [
            await client.post("/v1/events", json=cloud_event(1), headers={"content-type": one}),
            await client.post(
                "/v1/cloudevents",
                json=[cloud_event(2), cloud_event(2), listed],
                headers={"content-type": many},
            ),
            await client.post("/v1/events", json=[cloud_event(3)], headers={"content-type": many}),
            await client.post("/v1/cloudevents", json=EVENT, headers=binary),
        ]
        wrong = [
            await client.post("/v1/events", json=listed, headers={"content-type": one}),
            await client.post(
                "/v1/cloudevents", json=cloud_event(9, type="x"), headers={"content-type": one}
            ),
            await client.post("/v1/cloudevents", json=[1, None], headers={"content-type": many}),
            await client.post("/v1/cloudevents", json=EVENT),
        ]
    assert [answer.status_code for answer in answers] == [202] * 4
    assert [r["status"] for r in answers[1].json()["results"]] == ["accepted", "duplicate", "accepted"]
    assert [answer.status_code for answer in wrong] == [422] * 4
    records = await edge.records(MARKETING_EVENTS, tenant)
    assert sorted(r.value["event_id"] for r in records) == [f"/shop#{n}" for n in (1, 2, 3, 4)]
    assert all(
        r.value["occurred_at"] == "2026-11-20T10:15:00Z" for r in records if r.value["event_id"] != "/shop#4"
    )


@pytest.mark.parametrize(
    "email",
    ["o'neil+tag@example.com", "Ümläut@exämple.com", "a!#$%&'*+/=?^_`{|}~-b@example.co.uk", "用户@例子.广告"],
)
async def test_odd_but_legal_emails_are_people(edge: "Edge", tenant: str, email: str) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        answer = await client.post("/v1/events", json=EVENT | {"email": f" {email.upper()} "})
    assert answer.status_code == 202, answer.text
    [record] = await edge.records(MARKETING_EVENTS, tenant)
    assert record.key == prospect_id(tenant, email=record.value["email"])
    assert record.value["email"] == email.upper().lower()


async def test_the_api_describes_itself(edge: "Edge") -> None:
    async with edge.client() as client:
        document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert {i.path for i in INPUTS} | {"/v1/cloudevents", "/v1/api-keys"} <= set(document["paths"])
    for i in INPUTS:
        body = document["paths"][i.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["oneOf"][0]["$ref"].rsplit("/", 1)[1] in schemas
        assert "tenant_id" not in schemas[i.body.__name__]["properties"]
        assert schemas[i.body.__name__]["additionalProperties"] is False
    text = json.dumps(document)
    for reference in set(_references(document)):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference
    assert "202" in text


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [r for value in node.values() for r in _references(value)]
    return [r for value in node for r in _references(value)] if isinstance(node, list) else []


async def test_what_happened_is_counted_without_naming_anybody(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant)) as client:
        await client.post("/v1/events", json=[EVENT, {"type": "x"}])
        metrics = (await client.get("/metrics")).text
    assert 'leadbus_ingest_items_total{leadbus_input="events",leadbus_outcome="accepted"}' in metrics
    assert 'leadbus_ingest_items_total{leadbus_input="events",leadbus_outcome="rejected"}' in metrics
    assert 'http_route="/v1/events"' in metrics
    assert "leadbus_ingest_in_flight 0.0" in metrics
    assert "@" not in metrics
    assert tenant not in metrics
