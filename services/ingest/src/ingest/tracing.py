"""The trace of a request: begun only after its items are known, because they decide whether it is kept."""

from collections.abc import Iterable, Sequence

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from ingest.stamping import Stamped
from leadbus.errors import LeadbusError
from leadbus.telemetry import context_from, names, traceparent_of


class RequestTrace:
    """A SERVER span for the request (for each chunk of a stream), a PRODUCER span below it per kept item.

    Where the ratio keeps the request, all its items have one; else those that are always kept, and the
    others hand on an unsampled parent and cost no span.
    """

    def __init__(
        self, tracer: Tracer, route: str, arrived: int, traceparent: bytes | None, tenant_id: str
    ) -> None:
        self._tracer = tracer
        self._name = f"POST {route}"
        self._arrived = arrived
        self._parent = context_from(traceparent)
        self._attributes = {names.HTTP_METHOD: "POST", names.HTTP_ROUTE: route, names.TENANT: tenant_id}
        self._by_ratio: Span | None = None
        self._always: Span | None = None
        self._sending: list[tuple[int, Span]] = []

    def begin(self, items: Sequence[Stamped]) -> list[bytes | None]:
        """Starts the spans; answers with the `traceparent` of each item's record."""
        self._by_ratio = self._server({names.MESSAGE_COUNT: len(items)})
        if self._by_ratio.is_recording():
            self._always = self._by_ratio
        elif any(item.always_sampled for item in items):
            self._always = self._server({names.MESSAGE_COUNT: len(items), names.ALWAYS_SAMPLED: True})
        handed_on = traceparent_of(self._by_ratio)
        kept = self._by_ratio.is_recording()
        return [
            self._producer(position, item) if kept or item.always_sampled else handed_on
            for position, item in enumerate(items)
        ]

    def end(self, outcomes: Iterable[LeadbusError | None]) -> None:
        """Ends the spans, once it is known per item whether it was acknowledged."""
        errors = list(outcomes)
        for position, span in self._sending:
            if error := errors[position]:
                span.set_status(Status(StatusCode.ERROR, str(error)))
                span.set_attribute(names.ERROR_TYPE, type(error).__name__)
            span.end()
        if self._always is not None:
            if any(errors):
                self._always.set_status(Status(StatusCode.ERROR))
            self._always.end()

    def _server(self, more: dict[str, int | bool]) -> Span:
        return self._tracer.start_span(
            self._name,
            self._parent,
            SpanKind.SERVER,
            {**self._attributes, **more},
            start_time=self._arrived,
        )

    def _producer(self, position: int, item: Stamped) -> bytes | None:
        assert self._always is not None  # noqa: S101 - begin has made it for such items
        topic = item.input.topic.name
        attributes: dict[str, str | bool] = {
            names.MESSAGING_SYSTEM: "kafka",
            names.OPERATION_NAME: "send",
            names.OPERATION_TYPE: "send",
            names.DESTINATION: topic,
            names.MESSAGE_ID: item.event_id,
            names.MESSAGE_KEY: item.key,
            names.TENANT: item.tenant_id,
        }
        if item.prospect_id:
            attributes[names.PROSPECT] = item.prospect_id
        if item.distribution_id:
            attributes[names.DISTRIBUTION] = item.distribution_id
        if item.always_sampled:
            attributes[names.ALWAYS_SAMPLED] = True
        span = self._tracer.start_span(
            names.send_span(topic), set_span_in_context(self._always), SpanKind.PRODUCER, attributes
        )
        self._sending.append((position, span))
        return traceparent_of(span)
