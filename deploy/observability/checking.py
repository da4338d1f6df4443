"""Whether queries ask for what is there: by the declared metrics, or by what a running service exposes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from leadbus.telemetry import names
from observability.promql import OF_PROMETHEUS

Known = Mapping[str, frozenset[str]]
"""Labels by series."""

OF_PROMETHEUS_ITSELF: Known = {"up": frozenset(), "ALERTS": frozenset({"alertname", "alertstate"})}

_GROUPINGS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "offset", "bool"}
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*")|(?P<window>\[[^]]*\])|(?P<number>\d[\w.]*)|(?P<name>[a-zA-Z_:][\w:]*)
    |(?P<sign>[^\s])""",
    re.VERBOSE,
)


def declared() -> Known:
    """What `leadbus.telemetry` declares."""
    return {series: frozenset(metric.exposed_labels) for metric in names.METRICS for series in metric.series}


def exposed(text: str) -> Known:
    """What a service's `/metrics` tells; several may stand one after the other."""
    found: dict[str, frozenset[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys()
    return found


def unknown_in(query: str, known: Known) -> set[str]:
    """Series and labels of a query that are not known; none = all that it asks for is there.

    known: also what recording rules keep, and `OF_PROMETHEUS_ITSELF`, if they may be asked for.
    """
    series, labels = _asked_for(query)
    told = OF_PROMETHEUS.union(*(known.get(name, frozenset()) for name in series))
    return {name for name in series if name not in known} | {label for label in labels if label not in told}


def series_in(query: str) -> set[str]:
    """The series that a query asks for."""
    return _asked_for(query)[0]


def queries_of(dashboard: Mapping[str, Any]) -> Iterator[str]:
    """Of each panel, and of each variable: `label_values(series, label)` as `sum by (label) (series)`."""
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            series, label = variable["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
            yield f"sum by ({label}) ({series})"


def _asked_for(query: str) -> tuple[set[str], set[str]]:
    found = [(each.lastgroup, each.group()) for each in _TOKEN.finditer(query)]
    words = [word for _, word in found]
    series: set[str] = set()
    labels: set[str] = set()
    in_braces = in_grouping = False
    for before, (kind, word), after in zip(["", *words], found, [*words[1:], ""], strict=False):
        if kind == "sign":
            in_braces = word == "{" or (in_braces and word != "}")
            in_grouping = (word == "(" and before in _GROUPINGS) or (in_grouping and word != ")")
        elif kind == "name" and (in_braces or in_grouping):
            labels.add(word)
        elif kind == "name" and after != "(" and after not in _GROUPINGS and word not in _WORDS:
            series.add(word)
    return series, labels
