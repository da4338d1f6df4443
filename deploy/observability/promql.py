"""Queries, put together from declared metrics: one that is not there, or lacks a label, is an error here."""

from collections.abc import Collection, Mapping

from leadbus.telemetry.metric import Metric, exposed_label

OF_PROMETHEUS = frozenset({"job", "instance", "namespace", "pod", "le"})
"""Labels that Prometheus adds itself."""
_OPERATORS = ("=~", "!~", "!=")

Labels = Mapping[str, str]


def of(metric: Metric, labels: Labels | None = None, *, part: str = "") -> str:
    """A metric's series. labels: values by attribute, `=~…`, `!~…` or `!=…` in place of a value. part: of a
    histogram, `_bucket`, `_sum` or `_count`.

    Raises:
        KeyError: it has no such label, or no such part.
    """
    matching = ",".join(_match(metric, name, value) for name, value in (labels or {}).items())
    return _series(metric, part) + (f"{{{matching}}}" if matching else "")


def total(
    metric: Metric,
    labels: Labels | None = None,
    *,
    by: Collection[str] = (),
    window: str = "",
    part: str = "",
) -> str:
    """The sum, by attributes; of a counter, per second within `window`."""
    series = of(metric, labels, part=part)
    return f"sum{_by(metric, by)}({f'rate({series}[{window}])' if window else series})"


def highest(metric: Metric, labels: Labels | None = None, *, by: Collection[str]) -> str:
    """The highest of several pods', by attributes."""
    return f"max{_by(metric, by)}({of(metric, labels)})"


def quantile(
    share: float, metric: Metric, labels: Labels | None = None, *, by: Collection[str] = (), window: str
) -> str:
    """Of a histogram."""
    buckets = total(metric, labels, by=(*by, "le"), window=window, part="_bucket")
    return f"histogram_quantile({share:g}, {buckets})"


def _series(metric: Metric, part: str) -> str:
    for series in metric.series:
        if series.endswith(part):
            return series
    raise KeyError(f"{metric.name} has no {part}")


def _match(metric: Metric, name: str, value: str) -> str:
    operator = value[:2] if value[:2] in _OPERATORS else "="
    return f'{_label(metric, name)}{operator}"{value.removeprefix(operator)}"'


def _by(metric: Metric, names: Collection[str]) -> str:
    return f" by ({', '.join(_label(metric, name) for name in names)}) " if names else ""


def _label(metric: Metric, name: str) -> str:
    if name not in metric.labels and name not in OF_PROMETHEUS:
        raise KeyError(f"{metric.name} has no label {name}")
    return exposed_label(name)
