"""What the kit notes of every call to a CRM: how long, how it ended, and for whose lead."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import uuid4

from opentelemetry.trace import SpanKind, Status, StatusCode

from leadbus.connector.connection import Connection
from leadbus.telemetry import Telemetry, context_from, is_sampled, names

OK = "ok"
MOST_SPANS = 200
"""Per call: a call shared by more sampled leads than any write carries."""


class OnCall(Protocol):
    """Told of each call; see `CallObserver`, which is the one of every service."""

    def __call__(
        self, operation: str, seconds: float, outcome: str, traceparents: Sequence[bytes | None] = ()
    ) -> None: ...


@contextmanager
def measured(on_call: OnCall | None, operation: str, traces: Sequence[bytes | None] = ()) -> Iterator[None]:
    """Tells of the call that is made within; None = nobody wants to know."""
    began, outcome = time.perf_counter(), OK
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        if on_call is not None:
            on_call(operation, time.perf_counter() - began, outcome, traces)


class CallObserver:
    """Called by the adapter's client after each call of one connection."""

    def __init__(self, crm: str, connection: Connection, telemetry: Telemetry) -> None:
        self._crm = crm
        self._connection_id = connection.id
        self._tracer = telemetry.tracer
        self._duration = telemetry.histogram(names.CRM_CALL_DURATION)
        self._calls = telemetry.counter(names.CRM_CALLS)
        self._time = telemetry.counter(names.CRM_TIME)

    def __call__(
        self, operation: str, seconds: float, outcome: str, traceparents: Sequence[bytes | None] = ()
    ) -> None:
        """operation: the vendor's word. outcome: `ok` or the error's class. traceparents: whom it carried.

        Each sampled prospect gets a client span of its own; the call's id says that they shared it.
        """
        self._duration.record(
            seconds, {names.CRM: self._crm, names.CRM_OPERATION: operation, names.OUTCOME: outcome}
        )
        connection = {names.CRM: self._crm, names.CONNECTION: self._connection_id}
        self._calls.add(1, connection | {names.OUTCOME: outcome})
        self._time.add(seconds, connection)
        sampled = {t for t in traceparents if is_sampled(t)}
        if not sampled:
            return
        ended = time.time_ns()
        started = ended - int(seconds * 1e9)
        call = uuid4().hex
        for traceparent in list(sampled)[:MOST_SPANS]:
            span = self._tracer.start_span(
                f"{self._crm} {operation}",
                context_from(traceparent),
                SpanKind.CLIENT,
                {
                    names.CRM: self._crm,
                    names.CRM_OPERATION: operation,
                    names.CRM_CALL: call,
                    names.CONNECTION: self._connection_id,
                    names.MESSAGE_COUNT: len(traceparents),
                },
                start_time=started,
            )
            if outcome != OK:
                span.set_attribute(names.ERROR_TYPE, outcome)
                span.set_status(Status(StatusCode.ERROR))
            span.end(ended)
