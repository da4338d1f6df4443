"""Every edge that a lead's traces have, as a table: `docs/signals.md` shows it, and a real run is held to it.

Each span is the child of the one before it, also over a topic: a record is worked on alone. Only what comes
back of a lead, perhaps months later, begins a trace of its own, which names the lead's by
`leadbus.lead.trace_id`; a lead has one such trace, whoever tells what.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from leadbus import topics
from leadbus.telemetry import names

CONNECTOR = "connector-*"
"""Any service that works a kind of CRM."""
A_CALL = "{crm} {operation}"


class Trace(StrEnum):
    """In which of a lead's traces an edge is; distributions and forms are kept whatever the ratio says."""

    DISTRIBUTION = "a distribution's"
    FORM = "a form's"
    BACK = "of what comes back"


class Step(NamedTuple):
    """One span. service: a name, or `CONNECTOR`. kind: of OpenTelemetry, in capitals."""

    service: str
    span: str
    kind: str


@dataclass(frozen=True, slots=True)
class Edge:
    """before: None = the span is the first that its service makes, whatever the trace."""

    name: str
    trace: Trace
    before: Step | None
    after: Step


def _request(route: str) -> Step:
    return Step("ingest", f"POST {route}", "SERVER")


def _sent(service: str, topic: topics.Topic) -> Step:
    return Step(service, names.send_span(topic.name), "PRODUCER")


def _taken(service: str, topic: topics.Topic) -> Step:
    return Step(service, names.process_span(topic.name), "CONSUMER")


_CALL = Step(CONNECTOR, A_CALL, "CLIENT")
_HANDED = _sent("ingest", topics.LEADS_DISTRIBUTED)
_EVENT = _sent("ingest", topics.MARKETING_EVENTS)
_COUNTED = _taken("scoring", topics.MARKETING_EVENTS)
_LEAD = _taken(CONNECTOR, topics.LEADS_DISTRIBUTED)
_QUALIFIED = _taken(CONNECTOR, topics.LEADS_QUALIFIED)
_STATUS, _CLIENT, _SALE = (
    _sent(CONNECTOR, topic)
    for topic in (topics.CRM_LEAD_STATUS, topics.CRM_CONTACTS, topics.CRM_OPPORTUNITIES)
)

EDGES: tuple[Edge, ...] = (
    Edge("HTTP to topic", Trace.DISTRIBUTION, _request("/v1/distributions"), _HANDED),
    Edge("HTTP to topic", Trace.FORM, _request("/v1/events"), _EVENT),
    Edge("topic to scoring", Trace.FORM, _EVENT, _COUNTED),
    Edge("topic to connector", Trace.DISTRIBUTION, _HANDED, _LEAD),
    Edge("topic to feedback", Trace.DISTRIBUTION, _HANDED, _taken("feedback", topics.LEADS_DISTRIBUTED)),
    Edge("scoring to connector", Trace.FORM, _COUNTED, _QUALIFIED),
    Edge("connector to CRM", Trace.DISTRIBUTION, _LEAD, _CALL),
    Edge("connector to CRM", Trace.FORM, _QUALIFIED, _CALL),
    Edge("connector to feedback", Trace.DISTRIBUTION, _LEAD, _taken("feedback", topics.CRM_DELIVERIES)),
    Edge("connector to scoring", Trace.DISTRIBUTION, _LEAD, _taken("scoring", topics.CRM_DELIVERIES)),
    Edge("connector to scoring", Trace.FORM, _QUALIFIED, _taken("scoring", topics.CRM_DELIVERIES)),
    Edge("CRM to topic", Trace.BACK, None, _STATUS),
    Edge("CRM to topic", Trace.BACK, None, _CLIENT),
    Edge("CRM to topic", Trace.BACK, None, _SALE),
    Edge("topic to feedback", Trace.BACK, _STATUS, _taken("feedback", topics.CRM_LEAD_STATUS)),
    Edge("topic to feedback", Trace.BACK, _CLIENT, _taken("feedback", topics.CRM_CONTACTS)),
    Edge("topic to scoring", Trace.BACK, _SALE, _taken("scoring", topics.CRM_OPPORTUNITIES)),
)
