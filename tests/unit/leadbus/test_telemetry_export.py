"""Spans and metrics really leave the process, by OpenTelemetry's own variables."""

import asyncio
import json
import socket
import time

from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadbus.server import HttpServer
from leadbus.telemetry import Telemetry, names


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_spans_and_metrics_reach_an_otlp_endpoint_at_the_latest_on_shutdown() -> None:
    port = free_port()
    async with OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port)) as tap:
        told = asyncio.gather(
            tap.await_trace(lambda s: s.name == "send marketing.events", 5),
            tap.await_metric(lambda m: m.name == names.MESSAGES_SENT.name, 5),
            tap.await_metric(lambda m: m.name == names.BATCH_SIZE.name, 5),
        )
        telemetry = Telemetry("exporting", {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}/"})
        telemetry.tracer.start_span("send marketing.events").end()
        telemetry.counter(names.MESSAGES_SENT).add(1)
        telemetry.histogram(names.BATCH_SIZE).record(7)
        await asyncio.to_thread(telemetry.shutdown)
        span, metric, sizes = await told
    assert len(span.trace_id) == 16
    assert metric.unit == "{message}"
    [point] = sizes.histogram.data_points
    assert (point.count, point.sum, point.min, point.max) == (1, 7, 7, 7)
    assert dict(zip(point.explicit_bounds, point.bucket_counts, strict=False))[10] == 1
    assert point.start_time_unix_nano < point.time_unix_nano


async def test_spans_reach_zipkin_with_the_service_named() -> None:
    received: list[dict[str, object]] = []

    async def spans(request: Request) -> Response:
        received.extend(json.loads(await request.body()))
        return Response(status_code=202)

    server = HttpServer(Starlette(routes=[Route("/api/v2/spans", spans, methods=["POST"])]), "127.0.0.1", 0)
    await server.start()
    telemetry = Telemetry(
        "exporting",
        {"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{server.url}/api/v2/spans"},
    )
    telemetry.tracer.start_span("process leads.qualified").end()
    await asyncio.to_thread(telemetry.shutdown)
    await server.stop()
    assert [span["name"] for span in received] == ["process leads.qualified"]
    assert received[0]["localEndpoint"] == {"serviceName": "exporting"}


async def test_a_collector_that_is_away_does_not_keep_a_service_from_stopping() -> None:
    telemetry = Telemetry("exporting", {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"})
    telemetry.tracer.start_span("x").end()
    began = time.monotonic()
    await asyncio.to_thread(telemetry.shutdown)
    assert time.monotonic() - began < 5
