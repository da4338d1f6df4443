"""The span of what comes back of a lead: all in one trace, which names the one that brought the lead in."""

from opentelemetry.trace import SpanKind

from leadbus.telemetry import names
from leadbus.telemetry.propagation import context_from, traceparent_of, way_back
from leadbus.telemetry.setup import Telemetry


def coming_back(
    telemetry: Telemetry, topic: str, prospect_id: str, connection_id: str | None, lead_trace_id: str | None
) -> bytes | None:
    """The header of a record that is about to be told; None where no trace is known of how it came in."""
    if lead_trace_id is None:
        return None
    span = telemetry.tracer.start_span(
        names.send_span(topic),
        context_from(way_back(lead_trace_id)),
        SpanKind.PRODUCER,
        {
            names.ALWAYS_SAMPLED: True,
            names.CONNECTION: connection_id or "",
            names.PROSPECT: prospect_id,
            names.LEAD_TRACE: lead_trace_id,
            names.DESTINATION: topic,
        },
    )
    span.end()
    return traceparent_of(span)
