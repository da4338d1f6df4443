"""Every edge of a lead's traces, on one trace each, of a run with every CRM and protocol."""

import pytest
from rig.edges import LEADS
from rig.story import FOLLOWED, REPLAYED
from rig.watched import Watched

from leadbus.telemetry import names
from leadbus.telemetry.edges import EDGES, Edge, Step, Trace
from leadbus.telemetry.propagation import way_back
from leadbus.topics import LEADS_DISTRIBUTED

SPOKEN = {
    "aurora": ("SOAP", "sugar set_entries"),
    "borealis": ("REST", "sugar POST bulk"),
    "corona": ("REST", "zoho POST Leads/upsert"),
    "delphi": ("SOAP", "dynamics ExecuteMultiple"),
    "europa": ("Web API", "dynamics create lead"),
}
"""By whose CRM: the protocol, and the call that brings a new lead."""
pytestmark = pytest.mark.timeout(300)  # the first of a worker waits for the run
TENANTS = pytest.mark.parametrize(
    "tenant", SPOKEN, ids=lambda tenant: f"{FOLLOWED[tenant].id} {SPOKEN[tenant][0]}"
)


def named(edge: Edge) -> str:
    return f"{edge.name}: {edge.before.span if edge.before else edge.trace} -> {edge.after.span}"


@pytest.mark.parametrize("edge", EDGES, ids=named)
@TENANTS
def test_an_edge_is_there_in_the_leads_own_trace(watched: Watched, tenant: str, edge: Edge) -> None:
    traces = watched.story.traces(tenant)
    pairs = list(traces.of(edge))
    assert pairs, f"no {edge.after.span} in traces {traces.ids(edge.trace)}"
    for before, after in pairs:
        if before is None:
            lead = traces.ids(edge.trace)[after.trace]
            assert after.attributes[names.LEAD_TRACE] == lead
            assert way_back(lead).decode() == f"00-{after.trace}-{after.parent}-01"


@pytest.mark.parametrize("trace", LEADS)
@TENANTS
def test_a_lead_is_written_by_its_crms_protocol_within_its_trace(
    watched: Watched, tenant: str, trace: Trace
) -> None:
    edges = [edge for edge in EDGES if edge.trace is trace and edge.after.kind == "CLIENT"]
    calls = [after for edge in edges for _, after in watched.story.traces(tenant).of(edge)]
    assert SPOKEN[tenant][1] in {call.name for call in calls}
    assert {call.attributes[names.CONNECTION] for call in calls} == {FOLLOWED[tenant].id}


@TENANTS
def test_a_call_that_is_tried_again_is_a_second_span_beside_the_failed_one(
    watched: Watched, tenant: str
) -> None:
    edges = [edge for edge in EDGES if edge.trace is Trace.DISTRIBUTION and edge.after.kind == "CLIENT"]
    calls = [after for edge in edges for _, after in watched.story.traces(tenant).of(edge)]
    calls.sort(key=lambda call: call.began)
    failed = [call for call in calls if call.failed]
    assert len(failed) == 1, "as often as the CRM was told to fail"
    assert failed[0].attributes[names.ERROR_TYPE] in {"OutcomeUnknown", "Transient", "DiedWriting"}
    again = [call for call in calls if call.name == failed[0].name and call.began > failed[0].began]
    assert again
    assert {call.parent for call in again} == {failed[0].parent}
    assert not any(names.ERROR_TYPE in call.attributes for call in again)


def test_a_replayed_dead_letter_goes_on_in_the_trace_that_it_came_with(watched: Watched) -> None:
    traces = watched.story.traces(REPLAYED)
    (edge,) = [
        edge
        for edge in EDGES
        if edge.after == Step("connector-*", names.process_span(LEADS_DISTRIBUTED.name), "CONSUMER")
    ]
    taken = {after.attributes[names.MESSAGE_ID]: after for _, after in traces.of(edge)}
    assert taken.keys() == {f"handed-{REPLAYED}", "replayed"}
    assert len({(span.trace, span.parent) for span in taken.values()}) == 1
    calls = [span for span in watched.collector.spans if span.parent == taken["replayed"].id]
    assert "CLIENT" in {call.kind for call in calls}


def test_distributions_and_forms_are_always_kept_and_of_the_rest_what_the_ratio_says(
    watched: Watched,
) -> None:
    kept = {s.attributes.get(names.MESSAGE_ID) for s in watched.collector.spans if s.kind == "PRODUCER"}
    for tenant in FOLLOWED:
        assert {f"{name}-{tenant}" for name in ("handed", "refused", "form")} <= kept
        assert not {f"form-{tenant}-called", f"form-{tenant}-viewed"} & kept
    routes = {s.name for s in watched.collector.spans if s.kind == "SERVER"}
    assert routes == {"POST /v1/distributions", "POST /v1/events"}, "the ratio is 0"
