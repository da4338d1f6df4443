"""The SDK's readers, with our histograms in the place of the counters that they are to the SDK."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
    Sum,
)

from leadbus.telemetry.instruments import Histogram


class _Reader(MetricReader):
    def __init__(self, histograms: Mapping[str, Histogram], *given: Any, **more: Any) -> None:
        """histograms: by name of their metric, those to come included. The rest is the SDK's reader's."""
        self._ours = histograms
        super().__init__(*given, **more)

    def _receive_metrics(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **more: Any
    ) -> None:
        resources = [
            replace(
                resource,
                scope_metrics=[
                    replace(scope, metrics=[self._told(metric) for metric in scope.metrics])
                    for scope in resource.scope_metrics
                ],
            )
            for resource in metrics_data.resource_metrics
        ]
        super()._receive_metrics(MetricsData(resources), timeout_millis, **more)  # type: ignore[safe-super]

    def _told(self, metric: Metric) -> Metric:
        ours = self._ours.get(metric.name)
        if ours is None or not isinstance(metric.data, Sum):
            return metric
        return replace(metric, data=ours.instead_of(metric.data))


class PrometheusReader(_Reader, PrometheusMetricReader):
    """For whoever scrapes."""


class PeriodicReader(_Reader, PeriodicExportingMetricReader):
    """Sends to a collector, every minute unless the standard's variable says otherwise."""
