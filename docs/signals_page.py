"""Every metric, span and log field, as a page of documentation: what `leadbus.telemetry` declares."""

from promises_page import table

from leadbus.telemetry import names
from leadbus.telemetry.edges import EDGES, Step

_HEAD = """# Signals

Generated from `shared/src/leadbus/telemetry` (`make docs`). Nothing else is told: no email, name, phone or
secret, and no prospect or tenant as a metric's label.

**How metrics are taken.** Every pod answers `/metrics` on the port of its API, and Prometheus asks each pod
(`deploy/k8s/components/prometheus`). That needs nothing between the two, and a pod that is away is seen to
be. The label `job` is the service. A collector that takes them by OTLP (`OTEL_EXPORTER_OTLP_ENDPOINT`) hands
the same names and `job` on; where both are there, `OTEL_METRICS_EXPORTER=none` leaves OTLP to traces.

**What is built on them**: dashboards (`deploy/k8s/components/grafana`), service levels and alerts
(`deploy/k8s/components/prometheus/rules.yaml`), each alert with a page in [runbook](runbook).
"""
_EDGES = """## Edges

Each span is the child of the one before it, also over a topic. Only what comes back of a lead, perhaps months
later, has a trace of its own, one for each lead, which names the lead's by `leadbus.lead.trace_id`. A call
that is tried again is a second span beside the failed one, which has an `error.type`; a replayed dead letter
goes on in the trace that it came with. Traces of distributions and forms are always kept, and what comes
back of them; the rest by `OTEL_TRACES_SAMPLER`. `tests/e2e/test_trace_edges.py` looks for each edge in a run
with every CRM and protocol.
"""
_LOGS = """## Logs

One JSON object per line on stderr (plain lines at a terminal): `time`, `level`, `logger`, `message` and
`service`; within a span `trace_id` and `span_id`; `exception` where there is one: of it and of its causes
the `class` and the `frames`, never the text, which may repeat what somebody has typed.
"""


def signals_page() -> str:
    """Markdown: a table each of metrics, attributes and spans."""
    metrics = [
        (
            f"`{metric.name}`<br>`{metric.series[0]}`",
            f"{metric.kind}, {metric.unit.strip('{}')}",
            "<br>".join(f"`{label}`" for label in metric.exposed_labels),
            metric.purpose,
        )
        for metric in sorted(names.METRICS, key=lambda metric: metric.name)
    ]
    attributes = [(f"`{name}`", purpose) for name, purpose in names.ATTRIBUTES.items()]
    spans = [(f"`{name}`", purpose) for name, purpose in names.SPANS.items()]
    edges = [(edge.name, edge.trace, _step(edge.before), _step(edge.after)) for edge in EDGES]
    return "\n".join(
        (
            _HEAD,
            "## Metrics\n\nBy its name in OpenTelemetry, and in Prometheus.\n",
            table(("metric", "kind, unit", "labels", "what it tells"), metrics),
            "## Spans\n",
            table(("name", "what it covers"), spans),
            _EDGES,
            table(("edge", "in which trace", "from", "to"), edges),
            "## Attributes of spans, and labels\n",
            table(("attribute", "what it says"), attributes),
            _LOGS,
        )
    )


def _step(step: Step | None) -> str:
    return f"{step.service}: `{step.span}`, {step.kind.lower()}" if step else ""
