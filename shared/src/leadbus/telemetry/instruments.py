"""What metrics are recorded with. They are told when asked for: the SDK's own take ten times as long."""

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, NumberDataPoint, Sum
from opentelemetry.sdk.metrics.export import Histogram as HistogramData

from leadbus.telemetry.metric import Metric

_Labels = tuple[tuple[str, Any], ...]
Level = tuple[float, Mapping[str, str]]
"""A value and its labels."""


class Counter:
    """A sum per set of labels."""

    def __init__(self, meter: Meter, metric: Metric) -> None:
        self._sums: dict[_Labels, float] = {}
        self._adding = Lock()
        meter.create_observable_counter(metric.name, [self._observe], metric.unit, metric.purpose)

    def add(self, amount: float, labels: Mapping[str, str] | None = None) -> None:
        """Counts so many more; from any thread."""
        key = _key(labels)
        with self._adding:
            self._sums[key] = self._sums.get(key, 0) + amount

    def _observe(self, options: CallbackOptions) -> Iterable[Observation]:
        with self._adding:
            sums = list(self._sums.items())
        return [Observation(value, dict(key)) for key, value in sums]


class Gauge:
    """A level per set of labels, which can be forgotten again (a partition that went to another pod)."""

    def __init__(self, meter: Meter, metric: Metric) -> None:
        self._values: dict[_Labels, float] = {}
        meter.create_observable_gauge(metric.name, [self._observe], metric.unit, metric.purpose)

    def set(self, value: float, labels: Mapping[str, str] | None = None) -> None:
        """Records the level from now on."""
        self._values[_key(labels)] = value

    def forget(self, labels: Mapping[str, str] | None = None) -> None:
        """Reports nothing for these labels any more."""
        self._values.pop(_key(labels), None)

    def replace(self, levels: Iterable[Level]) -> None:
        """These and no others from now on; whoever asks meanwhile is told the ones before."""
        self._values = {_key(labels): value for value, labels in levels}

    def clear(self) -> None:
        """Forgets all."""
        self._values.clear()

    def _observe(self, options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, dict(key)) for key, value in list(self._values.items())]


@dataclass(slots=True)
class _Row:
    """One set of labels' values. counts: per bucket, the last one of what is above all bounds."""

    counts: list[int]
    sum: float = 0.0
    least: float = math.inf
    most: float = -math.inf


class Histogram:
    """How many values lie in each bucket, per set of labels.

    The SDK has no histogram that is told only when it is asked for. So to the SDK this is a counter of its
    values, and readers put the histogram into the counter's place (`instead_of`). It is told from its
    beginning, also where `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` asks for what is new only.
    """

    def __init__(self, meter: Meter, metric: Metric) -> None:
        self._bounds = metric.buckets
        self._rows: dict[_Labels, _Row] = {}
        self._recording = Lock()
        self._began = time.time_ns()
        meter.create_observable_counter(metric.name, [self._observe], metric.unit, metric.purpose)

    def record(self, value: float, labels: Mapping[str, str | int] | None = None) -> None:
        """Counts one more value; from any thread."""
        key = _key(labels)
        with self._recording:
            row = self._rows.get(key)
            if row is None:
                row = self._rows[key] = _Row([0] * (len(self._bounds) + 1))
            row.counts[bisect_left(self._bounds, value)] += 1
            row.sum += value
            row.least, row.most = min(row.least, value), max(row.most, value)

    def instead_of(self, counter: Sum) -> HistogramData:
        """What a reader tells in place of the counter."""
        with self._recording:
            points = [self._point(point) for point in counter.data_points]
        return HistogramData(points, AggregationTemporality.CUMULATIVE)

    def _point(self, counted: NumberDataPoint) -> HistogramDataPoint:
        row = self._rows[_key(counted.attributes)]
        return HistogramDataPoint(
            attributes=counted.attributes,
            start_time_unix_nano=self._began,
            time_unix_nano=counted.time_unix_nano,
            count=sum(row.counts),
            sum=row.sum,
            bucket_counts=list(row.counts),
            explicit_bounds=self._bounds,
            min=row.least,
            max=row.most,
        )

    def _observe(self, options: CallbackOptions) -> Iterable[Observation]:
        with self._recording:
            return [Observation(sum(row.counts), dict(key)) for key, row in self._rows.items()]


def _key(labels: Mapping[str, Any] | None) -> _Labels:
    return tuple(sorted(labels.items())) if labels else ()
