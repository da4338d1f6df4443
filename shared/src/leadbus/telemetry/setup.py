"""A service's own providers. Nothing global: several services may share one process.

Exporters, by OpenTelemetry's own variables and no others: OTLP over HTTP where an endpoint is set, Zipkin
where `OTEL_TRACES_EXPORTER=zipkin`, else none; `OTEL_TRACES_EXPORTER=none` turns tracing off. Batching,
headers and resource attributes follow the standard variables as the SDK reads them.
"""

import os
import time
from collections.abc import Mapping
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.metrics import Meter, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NoOpTracerProvider, Tracer
from prometheus_client import CollectorRegistry, generate_latest

from leadbus.telemetry.instruments import Counter, Gauge, Histogram
from leadbus.telemetry.metric import Kind, Metric
from leadbus.telemetry.readers import PeriodicReader, PrometheusReader
from leadbus.telemetry.sampling import AlwaysSampledOr, standard_sampler

FAREWELL_SECONDS = 3.0
_SCOPE = "leadbus"
_ZIPKIN = "http://127.0.0.1:9411/api/v2/spans"


class Telemetry:
    """One service's tracer and instruments; `counter`, `histogram` and `gauge` take a metric of `names`."""

    def __init__(self, service: str, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.service = service
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._gauges: dict[str, Gauge] = {}
        self._traces: TracerProvider | None = None
        self._metrics: MeterProvider | None = None
        if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            self.tracer: Tracer = NoOpTracerProvider().get_tracer(_SCOPE)
            self._meter: Meter = NoOpMeterProvider().get_meter(_SCOPE)
            return
        resource = Resource.create({"service.name": service})
        self._traces = TracerProvider(
            sampler=AlwaysSampledOr(standard_sampler(environ)), resource=resource, shutdown_on_exit=False
        )
        for exporter in _span_exporters(environ):
            self._traces.add_span_processor(BatchSpanProcessor(exporter))
        self._metrics = MeterProvider(self._readers(environ), resource, shutdown_on_exit=False)
        untraced = environ.get("OTEL_TRACES_EXPORTER") == "none"
        self.tracer = (NoOpTracerProvider() if untraced else self._traces).get_tracer(_SCOPE)
        self._meter = self._metrics.get_meter(_SCOPE)

    def counter(self, metric: Metric) -> Counter:
        """The counter of a metric of that kind; the same one each time."""
        if metric.name not in self._counters:
            _expect(metric, Kind.COUNTER)
            self._counters[metric.name] = Counter(self._meter, metric)
        return self._counters[metric.name]

    def histogram(self, metric: Metric) -> Histogram:
        """The histogram of a metric of that kind; the same one each time."""
        if metric.name not in self._histograms:
            _expect(metric, Kind.HISTOGRAM)
            self._histograms[metric.name] = Histogram(self._meter, metric)
        return self._histograms[metric.name]

    def gauge(self, metric: Metric) -> Gauge:
        """The gauge of a metric of that kind; the same one each time."""
        if metric.name not in self._gauges:
            _expect(metric, Kind.GAUGE)
            self._gauges[metric.name] = Gauge(self._meter, metric)
        return self._gauges[metric.name]

    def exposition(self) -> bytes:
        """This service's own metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def shutdown(self) -> None:
        """Sends what is waiting to be sent, then ends; blocks for at most 3 s.

        A collector that does not answer would be tried for 10 s for each signal; a service that is told
        to stop has no time for that.
        """
        ending = [
            Thread(target=provider.shutdown, daemon=True)
            for provider in (self._traces, self._metrics)
            if provider is not None
        ]
        for thread in ending:
            thread.start()
        deadline = time.monotonic() + FAREWELL_SECONDS
        for thread in ending:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _readers(self, environ: Mapping[str, str]) -> list[MetricReader]:
        scraped = PrometheusReader(self._histograms, scope_info_enabled=False, registry=self._registry)
        endpoint = _otlp_endpoint(environ, "metrics")
        if endpoint is None:
            return [scraped]
        return [scraped, PeriodicReader(self._histograms, OTLPMetricExporter(endpoint=endpoint))]


def _span_exporters(environ: Mapping[str, str]) -> list[SpanExporter]:
    if environ.get("OTEL_TRACES_EXPORTER") == "zipkin":
        return [ZipkinExporter(endpoint=environ.get("OTEL_EXPORTER_ZIPKIN_ENDPOINT") or _ZIPKIN)]
    endpoint = _otlp_endpoint(environ, "traces")
    return [OTLPSpanExporter(endpoint=endpoint)] if endpoint else []


def _otlp_endpoint(environ: Mapping[str, str], signal: str) -> str | None:
    """By the standard: a signal's own endpoint as it is, the common one with the signal's path."""
    if environ.get(f"OTEL_{signal.upper()}_EXPORTER") == "none":
        return None
    if own := environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"):
        return own
    common = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return f"{common.rstrip('/')}/v1/{signal}" if common else None


def _expect(metric: Metric, kind: Kind) -> None:
    if metric.kind is not kind:
        raise TypeError(f"{metric.name} is declared as a {metric.kind}, not as a {kind}")
