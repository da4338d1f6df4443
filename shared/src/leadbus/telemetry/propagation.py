"""W3C trace context as the one header that records carry; mostly handed on without being read."""

import hashlib
import re

from opentelemetry.context import Context
from opentelemetry.trace import Span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_LENGTH = 55
_SAMPLED_DIGITS = b"13579bdf"
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(span: Span) -> bytes | None:
    """The header's value that makes what follows a child of `span`, sampled or not.

    An unsampled span's is handed on too, so that the decision is the same everywhere. None: tracing is off.
    """
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return b"00-%032x-%016x-%02x" % (context.trace_id, context.span_id, context.trace_flags & 0xFF)


def context_from(traceparent: bytes | None) -> Context:
    """The context to start spans in: the one named, or an empty one (absent, malformed)."""
    if not traceparent or not well_formed(traceparent):
        return Context()
    return _PROPAGATOR.extract({"traceparent": traceparent.decode("ascii")}, Context())


def well_formed(traceparent: bytes) -> bool:
    """Whether a stranger's header may be handed on as it is."""
    return len(traceparent) == _LENGTH and _TRACEPARENT.fullmatch(traceparent) is not None


def is_sampled(traceparent: bytes | None) -> bool:
    """Whether the trace is kept; a glance at one byte, cheap enough for every record."""
    return traceparent is not None and len(traceparent) == _LENGTH and traceparent[-1] in _SAMPLED_DIGITS


def way_back(lead_trace_id: str) -> bytes:
    """The header of the one trace in which all is told that comes back of a lead, whenever, by whichever pod.

    lead_trace_id: of the trace that brought the lead in.
    """
    derived = hashlib.sha256(f"the way back of {lead_trace_id}".encode()).hexdigest()
    return f"00-{derived[:32]}-{derived[32:48]}-01".encode("ascii")


def trace_id_of(traceparent: bytes | None) -> str | None:
    """The trace's id in hexadecimal, as trace viewers and `lead_trace_id` have it."""
    if not traceparent or not well_formed(traceparent):
        return None
    return traceparent[3:35].decode("ascii")
