"""The span of a record that a handler has taken in."""

from collections.abc import Mapping

from opentelemetry.trace import SpanKind

from leadbus.consuming.records import Received
from leadbus.telemetry import Telemetry, context_from, is_sampled, names, traceparent_of
from leadbus.telemetry.propagation import well_formed


def taken_in(telemetry: Telemetry, received: Received, facts: Mapping[str, str]) -> bytes | None:
    """The traceparent for what follows from a record: of a span for a sampled one, else handed on as it came.

    facts: attributes besides the record's place.
    """
    given = received.traceparent
    if not is_sampled(given):
        return given if given and well_formed(given) else None
    span = telemetry.tracer.start_span(
        names.process_span(received.topic),
        context_from(given),
        SpanKind.CONSUMER,
        {
            names.MESSAGING_SYSTEM: "kafka",
            names.OPERATION_NAME: "process",
            names.OPERATION_TYPE: "process",
            names.DESTINATION: received.topic,
            names.PARTITION: str(received.partition),
            names.OFFSET: received.offset,
            names.GROUP: telemetry.service,
            names.MESSAGE_ID: received.message.event_id,
            **facts,
        },
    )
    span.end()
    return traceparent_of(span)
