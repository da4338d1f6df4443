"""Edges of `leadbus.telemetry.edges` among the spans of a run."""

from collections.abc import Iterator

from leadbus.telemetry.edges import A_CALL, CONNECTOR, EDGES, Edge, Step, Trace
from leadbus.telemetry.propagation import trace_id_of, way_back
from rig.collector import Collector, Span

LEADS = {Trace.DISTRIBUTION: "handed", Trace.FORM: "form"}
"""What brought a lead in, and what the story calls it."""


class Traces:
    """The traces of one tenant's leads. connector: the service that works its CRM."""

    def __init__(self, collector: Collector, tenant: str, connector: str) -> None:
        self._collector = collector
        self._tenant = tenant
        self._connector = connector

    def sent(self, trace: Trace) -> Span | None:
        """Where ingest sends a lead on its way."""
        wanted = ("PRODUCER", f"{LEADS[trace]}-{self._tenant}")
        spans = list(self._collector.spans)
        return next((s for s in spans if (s.kind, s.attributes.get("messaging.message.id")) == wanted), None)

    def ids(self, trace: Trace) -> dict[str, str]:
        """Of traces, each with the id of the lead's."""
        leads = [span.trace for kind in LEADS if (span := self.sent(kind)) and trace in (kind, Trace.BACK)]
        if trace is not Trace.BACK:
            return {lead: lead for lead in leads}
        return {trace_id_of(way_back(lead)) or "": lead for lead in leads}

    def of(self, edge: Edge) -> Iterator[tuple[Span | None, Span]]:
        """Every parent and child of one trace that are this edge; the parent is None if there is none."""
        ids = self.ids(edge.trace)
        spans = [span for span in list(self._collector.spans) if span.trace in ids]
        before = {span.id: span for span in spans if edge.before and self._is(edge.before, span)}
        for span in spans:
            if self._is(edge.after, span) and (edge.before is None or span.parent in before):
                yield before.get(span.parent), span

    def missing(self, *traces: Trace) -> list[Edge]:
        """Edges of such traces that are not there, or not yet."""
        return [edge for edge in EDGES if edge.trace in traces and not any(self.of(edge))]

    def _is(self, step: Step, span: Span) -> bool:
        service = self._connector if step.service == CONNECTOR else step.service
        crm = self._connector.removeprefix("connector-")
        name = span.name.startswith(f"{crm} ") if step.span == A_CALL else span.name == step.span
        return (span.service, span.kind) == (service, step.kind) and name
