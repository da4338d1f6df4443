"""A call that many people share carries one trace; each of them has a span of it in its own trace."""

from collections import Counter
from types import SimpleNamespace

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import NewActivity, PersonChange
from leadbus.connector.observing import CallObserver
from leadbus.messages import Record
from leadbus.telemetry import Telemetry, names

PEOPLE = 30


async def test_everybody_in_a_shared_call_has_a_client_span_in_its_own_trace(crm, connect, person):
    telemetry, spans = Telemetry("connector-dynamics", {}), InMemorySpanExporter()
    telemetry._traces.add_span_processor(SimpleSpanProcessor(spans))
    observer = CallObserver("dynamics", SimpleNamespace(id="one"), telemetry)
    connection = connect()
    probing = Probing(connection, Organisations(), observer)
    verbs = Verbs.of(await probing.open(), connection)
    people = [person(f"p{n}@example.com") for n in range(PEOPLE)]
    traces = {one.traceparent.split(b"-")[1].decode() for one in people}

    def shared(calls: int) -> None:
        """By spans since the last time; each call's id stands in those of all whom it carried."""
        found = spans.get_finished_spans()
        assert Counter(f"{span.context.trace_id:032x}" for span in found) == Counter(traces)
        parents = {one.traceparent.split(b"-")[2].decode() for one in people}
        assert {f"{span.parent.span_id:016x}" for span in found} == parents
        in_call = Counter(span.attributes[names.CRM_CALL] for span in found)
        assert 1 <= len(in_call) == calls < PEOPLE
        assert {s.attributes[names.MESSAGE_COUNT] for s in found} == set(in_call.values())
        spans.clear()

    async def calls(work) -> int:
        before = crm.writes
        assert not any(isinstance(one, Exception) for one in await work)
        return crm.writes - before

    try:
        await verbs.metadata.shapes("lead")
        spans.clear()
        shared(await calls(verbs.writing.create(people)))
        records = [Record(module="lead", id=one.id) for one in people]
        changes = [
            PersonChange(record, {"jobtitle": "CEO"}, traceparent=one.traceparent)
            for record, one in zip(records, people, strict=True)
        ]
        shared(await calls(verbs.writing.update(changes)))
        notes = [
            NewActivity(one.id, record, "note", "Opened", traceparent=one.traceparent)
            for record, one in zip(records, people, strict=True)
        ]
        shared(await calls(verbs.writing.add_activities(notes)))
    finally:
        await probing.close()
        telemetry.shutdown()
