"""Which records carry which trace, and what is recorded of it."""

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from ingest.service import build
from leadbus.telemetry import is_sampled
from leadbus.telemetry.propagation import trace_id_of
from leadbus.topics import LEADS_DISTRIBUTED, MARKETING_EVENTS

if TYPE_CHECKING:
    from conftest import Edge, Environ

VIEW = {"type": "web_view", "email": "ada@example.com"}
FORM = {"type": "form_submission", "email": "ada@example.com"}
LEAD = {"distribution_id": "d-1", "supplier_id": "s", "email": "ada@example.com"}
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
SAMPLED = UNSAMPLED[:-1] + "1"


async def test_only_what_must_be_followable_is_sampled_under_an_unsampled_parent(
    edge: "Edge", tenant: str
) -> None:
    async with edge.client(await edge.key(tenant), traceparent=UNSAMPLED) as client:
        await client.post("/v1/events", json=[VIEW | {"event_id": "view"}, FORM | {"event_id": "form"}])
        await client.post("/v1/distributions", json=LEAD)
    carried = {
        r.value["event_id"]: r.headers["traceparent"] for r in await edge.records(MARKETING_EVENTS, tenant)
    }
    [lead] = await edge.records(LEADS_DISTRIBUTED, tenant)
    assert not is_sampled(carried["view"])
    assert is_sampled(carried["form"])
    assert is_sampled(lead.headers["traceparent"])
    assert {trace_id_of(value) for value in [*carried.values(), lead.headers["traceparent"]]} == {
        UNSAMPLED[3:35]
    }


@pytest.mark.parametrize("header", ["", "rubbish", SAMPLED.upper(), SAMPLED + "-x"])
async def test_a_traceparent_that_is_none_begins_a_new_trace(edge: "Edge", tenant: str, header: str) -> None:
    async with edge.client(await edge.key(tenant), traceparent=header) as client:
        answer = await client.post("/v1/distributions", json=LEAD)
    [record] = await edge.records(LEADS_DISTRIBUTED, tenant)
    assert answer.status_code == 202
    assert is_sampled(record.headers["traceparent"])
    assert trace_id_of(record.headers["traceparent"]) != SAMPLED[3:35]


async def test_the_request_and_each_kept_item_are_spans_of_one_trace(
    ingest_environ: "Environ", edge: "Edge", tenant: str
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port)) as tap:
        service = build(
            ingest_environ(
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
                OTEL_TRACES_SAMPLER="parentbased_traceidratio",
                OTEL_TRACES_SAMPLER_ARG="0",
            )
        )
        await service.start()
        traced = type(edge)(service, edge.kafka, "")
        async with traced.client(await traced.key(tenant), traceparent=UNSAMPLED) as client:
            answer = await client.post("/v1/distributions", json=LEAD)
        spans = []

        def both(span) -> bool:  # type: ignore[no-untyped-def]
            spans.append(span)
            return len(spans) == 2

        told = asyncio.create_task(tap.await_trace(both, 10))
        await asyncio.sleep(0)
        await service.stop()
        await told
    server, producer = sorted(spans, key=lambda s: s.start_time_unix_nano)
    assert answer.status_code == 202
    assert (server.name, producer.name) == ("POST /v1/distributions", "send leads.distributed")
    assert (server.kind, producer.kind) == (2, 4)
    assert server.trace_id.hex() == producer.trace_id.hex() == UNSAMPLED[3:35]
    assert server.parent_span_id.hex() == UNSAMPLED[36:52]
    assert producer.parent_span_id == server.span_id
    assert server.start_time_unix_nano < producer.start_time_unix_nano < producer.end_time_unix_nano
    attributes = {a.key: a.value.string_value for s in spans for a in s.attributes}
    assert attributes["leadbus.distribution.id"] == "d-1"
    assert not any("@" in value for value in attributes.values())
