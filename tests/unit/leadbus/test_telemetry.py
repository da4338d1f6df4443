"""Telemetry: own providers per service, traces that can be relied on, names declared once."""

import asyncio
import gc
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.trace import Tracer

from leadbus.telemetry import Telemetry, context_from, is_sampled, names, traceparent_of
from leadbus.telemetry.logs import JsonFormatter, PlainFormatter
from leadbus.telemetry.propagation import trace_id_of, way_back, well_formed

NEVER = {"OTEL_TRACES_SAMPLER": "always_off"}
SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = SAMPLED[:-1] + b"0"


def recorded(tracer: Tracer, parent: bytes | None, always: bool) -> bool:
    attributes = {names.ALWAYS_SAMPLED: True} if always else {}
    span = tracer.start_span("x", context_from(parent), attributes=attributes)
    span.end()
    return span.is_recording() or is_sampled(traceparent_of(span))


@pytest.mark.parametrize("parent", [None, UNSAMPLED, SAMPLED])
@pytest.mark.parametrize("sampler", ["always_off", "parentbased_traceidratio", "traceidratio"])
def test_what_must_be_followable_is_always_sampled(sampler: str, parent: bytes | None) -> None:
    tracer = Telemetry("t", {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0"}).tracer
    assert recorded(tracer, parent, always=True)


def test_the_rest_follows_the_standard_variables() -> None:
    assert recorded(Telemetry("t", {}).tracer, None, always=False)
    assert not recorded(Telemetry("t", {}).tracer, UNSAMPLED, always=False)
    assert not recorded(Telemetry("t", NEVER).tracer, None, always=False)
    none_by_ratio = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    assert not recorded(Telemetry("t", none_by_ratio).tracer, None, always=False)
    assert recorded(Telemetry("t", none_by_ratio).tracer, SAMPLED, always=False)


def test_a_trace_goes_on_through_a_header() -> None:
    span = Telemetry("t", {}).tracer.start_span("x", context_from(SAMPLED))
    header = traceparent_of(span)
    assert header is not None
    assert trace_id_of(header) == trace_id_of(SAMPLED)
    assert header != SAMPLED
    assert is_sampled(header)


def test_an_unsampled_trace_is_handed_on_as_unsampled() -> None:
    span = Telemetry("t", NEVER).tracer.start_span("x", context_from(UNSAMPLED))
    header = traceparent_of(span)
    assert trace_id_of(header) == trace_id_of(UNSAMPLED)
    assert not is_sampled(header)


@pytest.mark.parametrize("header", [None, b"", b"rubbish", SAMPLED + b"0", b"\xff" * 55, SAMPLED.upper()])
def test_a_header_that_is_none_begins_a_new_trace(header: bytes | None) -> None:
    span = Telemetry("t", {}).tracer.start_span("x", context_from(header))
    assert span.get_span_context().is_valid
    assert trace_id_of(header) is None


def test_disabled_telemetry_does_nothing_and_breaks_nothing() -> None:
    telemetry = Telemetry("t", {"OTEL_SDK_DISABLED": "true"})
    span = telemetry.tracer.start_span("x")
    telemetry.counter(names.MESSAGES_SENT).add(1)
    telemetry.gauge(names.CONSUMER_LAG).set(1)
    assert traceparent_of(span) is None
    assert telemetry.exposition() == b""
    telemetry.shutdown()


def test_each_service_exposes_its_own_metrics_only() -> None:
    one, other = Telemetry("one", {}), Telemetry("other", {})
    one.counter(names.MESSAGES_SENT).add(3, {names.DESTINATION: "marketing.events", names.OUTCOME: "ok"})
    assert b'messaging_destination_name="marketing.events"} 3.0' in one.exposition()
    assert b"messaging_client_sent_messages" not in other.exposition()
    assert b'service_name="one"' in one.exposition()


def test_a_counter_adds_up_per_set_of_labels_however_they_are_ordered_and_from_any_thread() -> None:
    telemetry = Telemetry("t", {})
    sent = telemetry.counter(names.MESSAGES_SENT)
    ok = {names.DESTINATION: "marketing.events", names.OUTCOME: "ok"}
    failed = {names.OUTCOME: "failed", names.DESTINATION: "marketing.events"}
    sent.add(2, dict(reversed(ok.items())))
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(lambda: [sent.add(1, ok) for _ in range(5_000)])
    sent.add(3, failed)
    told = telemetry.exposition().decode()
    assert [
        line.rpartition(" ")[2] for line in told.splitlines() if line.startswith("messaging_client_sent")
    ] == [
        "20002.0",
        "3.0",
    ]
    assert "# TYPE messaging_client_sent_messages_total counter" in told


def test_a_histogram_says_per_set_of_labels_how_many_values_lie_below_each_bound() -> None:
    telemetry = Telemetry("t", {})
    took = telemetry.histogram(names.HTTP_DURATION)
    ok = {names.HTTP_METHOD: "POST", names.HTTP_ROUTE: "/v1/events", names.HTTP_STATUS: 202}
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(lambda: [took.record(0.0025, ok) for _ in range(1_000)])
    took.record(0.3, dict(reversed(ok.items())))
    took.record(99.0, ok)
    took.record(0.0, ok | {names.HTTP_STATUS: 503})
    for _ in range(2):  # as often as it is asked for
        told = dict(
            line.removeprefix("http_server_request_duration_seconds_").rsplit(" ", 1)
            for line in telemetry.exposition().decode().splitlines()
            if line.startswith("http_server_request_duration_seconds_")
        )
    labels = 'http_request_method="POST",http_response_status_code="202",http_route="/v1/events"'
    below = {bound: told[f'bucket{{{labels},le="{bound}"}}'] for bound in ("0.001", "0.0025", "0.25", "0.5")}
    assert below == {"0.001": "0.0", "0.0025": "4000.0", "0.25": "4000.0", "0.5": "4001.0"}
    assert told[f'bucket{{{labels},le="+Inf"}}'] == told[f"count{{{labels}}}"] == "4002.0"
    assert float(told[f"sum{{{labels}}}"]) == pytest.approx(10 + 0.3 + 99)
    assert told[f"count{{{labels.replace('202', '503')}}}"] == "1.0"
    assert b"# TYPE http_server_request_duration_seconds histogram" in telemetry.exposition()


def test_a_gauge_forgets_what_went_elsewhere() -> None:
    telemetry = Telemetry("t", {})
    lag = telemetry.gauge(names.CONSUMER_LAG)
    lag.set(4, {names.PARTITION: "1"})
    lag.set(5, {names.PARTITION: "2"})
    assert telemetry.exposition().count(b"leadbus_consumer_lag{") == 2
    lag.forget({names.PARTITION: "1"})
    assert telemetry.exposition().count(b"leadbus_consumer_lag{") == 1
    lag.clear()
    assert telemetry.exposition().count(b"leadbus_consumer_lag{") == 0


def test_a_metric_is_recorded_as_what_it_is_declared() -> None:
    with pytest.raises(TypeError, match="gauge"):
        Telemetry("t", {}).counter(names.CONSUMER_LAG)


def test_levels_are_replaced_all_at_once() -> None:
    telemetry = Telemetry("t", {})
    lag = telemetry.gauge(names.CONSUMER_LAG)
    lag.set(4, {names.PARTITION: "1"})
    lag.replace([(7, {names.PARTITION: "2"})])
    told = [line for line in telemetry.exposition().decode().splitlines() if line.startswith("leadbus_")]
    assert told == ['leadbus_consumer_lag{messaging_destination_partition_id="2"} 7.0']


def test_every_metric_says_what_it_tells_by_labels_that_are_bounded() -> None:
    spans_only = {name for name, purpose in names.ATTRIBUTES.items() if purpose.startswith("Spans only")}
    assert names.PROSPECT in spans_only
    for metric in names.METRICS:
        assert metric.purpose.endswith("."), metric.name
        assert set(metric.labels) <= names.ATTRIBUTES.keys() - spans_only, metric.name
    assert len({metric.name for metric in names.METRICS}) == len(names.METRICS)


def test_logs_are_one_json_object_per_line_with_the_trace() -> None:
    telemetry = Telemetry("t", {})
    record = logging.makeLogRecord(
        {"name": "n", "levelname": "WARNING", "msg": "two\nlines %d", "args": (1,), "topic": "x"}
    )
    with telemetry.tracer.start_as_current_span("s") as span:
        line = JsonFormatter().format(record)
    told = json.loads(line)
    assert "\n" not in line
    assert (told["message"], told["level"], told["topic"]) == ("two\nlines 1", "warning", "x")
    assert told["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert "two\nlines 1" in PlainFormatter().format(record)


def _typed(value: str) -> None:
    try:
        int(value)
    except ValueError as error:
        raise ExceptionGroup(f"about {value}", [error, KeyError(value)]) from error


def test_a_log_tells_of_an_exception_where_it_came_from_and_never_its_text() -> None:
    try:
        _typed("+44 7700 900777")
    except ExceptionGroup as error:
        caught = (type(error), error, error.__traceback__)
    line = JsonFormatter().format(logging.makeLogRecord({"msg": "It failed.", "exc_info": caught}))
    told = json.loads(line)["exception"]
    assert [each["class"] for each in told] == ["ValueError", "KeyError", "ExceptionGroup"]
    lines = [line for line in told[-1]["frames"] if __file__ in line]
    assert [line.rpartition(" in ")[2] for line in lines] == [
        "test_a_log_tells_of_an_exception_where_it_came_from_and_never_its_text",
        "_typed",
    ]
    assert all(re.fullmatch(r".+\.py:\d+ in \S+", frame) for each in told for frame in each["frames"])
    assert "900777" not in line
    assert "It failed." in line


async def test_a_log_of_a_forgotten_task_does_not_tell_its_exceptions_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise ValueError("somebody@example.com")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    gc.collect()
    (record,) = [record for record in caplog.records if record.name == "asyncio"]
    assert "somebody@example.com" in record.getMessage()
    line = JsonFormatter().format(record)
    assert "somebody" not in line
    assert json.loads(line)["message"] == "Task exception was never retrieved"
    assert json.loads(line)["exception"][0]["class"] == "ValueError"


def test_all_that_comes_back_of_a_lead_is_one_kept_trace_and_not_the_one_that_brought_it_in() -> None:
    lead, other = "0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c"
    assert way_back(lead) == way_back(lead)
    assert well_formed(way_back(lead))
    assert is_sampled(way_back(lead))
    assert len({trace_id_of(way_back(lead)), trace_id_of(way_back(other)), lead, other}) == 4
