"""What a metric is, and what Prometheus makes of its name."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric is recorded."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


_UNITS = {"s": "_seconds"}
"""UCUM to what the exporter appends; units in braces are notes and are left out."""
_SERIES = {Kind.COUNTER: ("_total",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.GAUGE: ("",)}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. unit: UCUM. labels: the attributes it is recorded with. buckets: of a histogram."""

    name: str
    kind: Kind
    unit: str
    purpose: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """Names at `/metrics` (and of OTLP metrics in a Prometheus): a histogram has three."""
        stem = self.name.replace(".", "_") + _UNITS.get(self.unit, "")
        return tuple(stem + suffix for suffix in _SERIES[self.kind])

    @property
    def exposed_labels(self) -> tuple[str, ...]:
        """The labels' names there; `le` of a histogram's buckets comes beside."""
        return tuple(map(exposed_label, self.labels))


def exposed_label(attribute: str) -> str:
    """An attribute as Prometheus names it."""
    return attribute.replace(".", "_")
