"""The handler on a real MongoDB: each case that the issue names."""

from typing import Any

import pytest

from leadbus.event_types import EventType
from leadbus.ids import derived_id, prospect_id
from scoring.fading import Terms
from scoring.rules import RulesBody

ADA = prospect_id("acme", email="ada@example.com")
SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def test_each_type_of_event_is_counted_and_stored(scoring: Any) -> None:
    await scoring.feed(*(scoring.event(type_, type_) for type_ in EventType))
    prospect = await scoring.prospect()
    assert (len(prospect.history), prospect.version) == (13, 13)
    assert (
        prospect.score
        == 2 * 1000 + 5000 - 20000 + 3000 + 4000 + 20000 + 30000 + 0 + 5000 + 10000 + 15000 - 5000
    )
    assert len(prospect.recent) == 11


async def test_a_stored_prospect_reads_back_as_it_was(scoring: Any) -> None:
    scoring.connect(threshold=10, lead_distribution=True)
    batch = [
        scoring.event(
            "1", fields={"phone": "1", "custom": {"size": "XL"}}, subject="Form", url="https://a.example/b"
        ),
        scoring.event("2", "email_sent", at=401 * 86_400),
        scoring.distribution("d1", traceparent=SAMPLED),
        scoring.delivery("created"),
    ]
    effects = await scoring.handler.handle(batch)
    await scoring.apply(effects)
    prospect = await scoring.prospect()
    assert prospect.recent[0][1:] == ("1", "form_submission", "Form", "https://a.example/b")
    assert {name: said.value for name, said in prospect.fields.items()} == {"phone": "1", "custom.size": "XL"}
    assert prospect.handed[0].trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert (list(prospect.qualified), list(prospect.linked)) == (["c1"], ["c1"])
    assert [(key, s.count) for key, s in prospect.history.sums.items()] == [((6, 30, 0), 1)]
    assert prospect.history.score(prospect.at, Terms()) == prospect.score


async def test_crossing_the_threshold_says_so_once_with_recent_activities_and_fields(scoring: Any) -> None:
    scoring.connect()
    first = await scoring.feed(scoring.event("1", "web_view", subject="Home", fields={"first_name": "Ada"}))
    assert (first.qualified, first.activities) == ([], [])
    told = await scoring.feed(
        scoring.event("2", "telequalification", at=1),
        scoring.event("3", "form_submission", at=2, subject="Price list", fields={"phone": "1"}),
    )
    (message,) = told.qualified
    assert message.event_id == derived_id(ADA, "c1", "qualified")
    assert (message.connection_id, message.threshold, message.score, message.version) == ("c1", 50, 53, 3)
    assert message.fields.flat() == {"first_name": "Ada", "phone": "1"}
    assert [(a.event_id, a.subject) for a in message.activities] == [
        ("1", "Home"),
        ("2", None),
        ("3", "Price list"),
    ]
    assert told.activities == []
    assert (await scoring.feed(scoring.event("4", at=3))).qualified == []


async def test_the_threshold_gates_activities_and_fields_also_of_a_record_the_crm_had_before(
    scoring: Any,
) -> None:
    scoring.connect()
    told = await scoring.feed(scoring.delivery("matched"))
    assert [m.connections for m in told.scored] == [["c1"]]
    told = await scoring.feed(scoring.event("1", fields={"phone": "1"}))
    assert (told.qualified, told.activities) == ([], [])
    told = await scoring.feed(scoring.event("2", at=1), scoring.event("3", at=2))
    assert [m.fields.phone for m in told.qualified] == ["1"]


async def test_a_synced_prospect_stays_synced_when_its_score_falls(scoring: Any) -> None:
    scoring.connect(threshold=10)
    await scoring.feed(scoring.event("1"))
    await scoring.feed(scoring.event("2", "email_unsubscribe", at=1))
    told = await scoring.feed(scoring.event("3", "web_view", at=2, fields={"city": "Rome"}))
    (message,) = told.activities
    assert message.score == 3
    assert (message.connections, message.fields.flat()) == (["c1"], {"city": "Rome"})
    assert [a.event_id for a in message.activities] == ["3"]


async def test_a_changed_score_is_told_with_every_linked_connection_whatever_the_threshold(
    scoring: Any,
) -> None:
    scoring.connect("c1", threshold=900)
    scoring.connect("c2", threshold=900)
    told = await scoring.feed(scoring.event("1"))
    assert [(m.score, m.connections) for m in told.scored] == [(20, [])]
    await scoring.feed(scoring.delivery("created", "c1"), scoring.delivery("updated", "c2"))
    told = await scoring.feed(scoring.event("2", "web_view", at=1))
    assert [(m.score, m.connections) for m in told.scored] == [(23, ["c1", "c2"])]
    told = await scoring.feed(scoring.delivery("unlinked", "c2"))
    assert [(m.score, m.connections) for m in told.scored] == [(23, ["c1"])]


async def test_a_score_that_rounds_to_the_same_is_not_told_again(scoring: Any) -> None:
    await scoring.feed(scoring.event("1"))
    assert (await scoring.feed(scoring.event("2", "email_sent", at=60))).scored == []
    assert (await scoring.prospect()).version == 2


async def test_a_distributed_lead_hears_of_its_activities_whatever_its_score(scoring: Any) -> None:
    scoring.connect("c1", lead_distribution=True, threshold=900)
    scoring.connect("c2", lead_distribution=True, on=False, threshold=900)
    scoring.connect("c3", lead_distribution=True, supplier_id="other", threshold=900)
    scoring.connect("c4", threshold=900)
    await scoring.feed(scoring.event("1", "web_view", subject="Home"))
    told = await scoring.feed(scoring.distribution("d1", at=1))
    assert [(m.connections, [a.event_id for a in m.activities]) for m in told.activities] == [
        (["c1", "c2"], ["1"])
    ]
    told = await scoring.feed(scoring.event("2", "email_open", at=2), scoring.event("3", "email_sent", at=3))
    assert [(m.connections, [a.event_id for a in m.activities]) for m in told.activities] == [
        (["c1", "c2"], ["2"])
    ]
    assert told.qualified == []


async def test_a_distribution_and_events_of_one_batch_are_told_once(scoring: Any) -> None:
    scoring.connect("c1", lead_distribution=True)
    told = await scoring.feed(
        scoring.event("1", "web_view"), scoring.distribution("d1"), scoring.event("2", at=1)
    )
    assert [[a.event_id for a in m.activities] for m in told.activities] == [["1", "2"]]
    assert (await scoring.feed(scoring.distribution("d1", at=9))).records == []


async def test_a_second_supplier_tells_only_its_connection_what_was_before(scoring: Any) -> None:
    scoring.connect("c1", lead_distribution=True, supplier_id="s1")
    scoring.connect("c2", lead_distribution=True, supplier_id="s2")
    await scoring.feed(scoring.event("1", "web_view"), scoring.distribution("d1", "s1"))
    told = await scoring.feed(scoring.distribution("d2", "s2", at=1), scoring.event("2", "web_view", at=2))
    heard = {tuple(m.connections): [a.event_id for a in m.activities] for m in told.activities}
    assert heard == {("c2",): ["1", "2"], ("c1",): ["2"]}
    assert len({m.event_id for m in told.activities}) == 2


async def test_a_visitor_without_an_email_is_scored_and_sent_nowhere(scoring: Any) -> None:
    scoring.connect(threshold=1)
    told = await scoring.feed(scoring.event("1", email=None, visitor_id="v1"))
    assert [(m.score, m.email) for m in told.scored] == [(20, None)]
    assert (told.qualified, told.activities) == ([], [])


async def test_a_connection_of_another_tenant_hears_nothing(scoring: Any) -> None:
    scoring.connect(threshold=1, tenant_id="umbrella", lead_distribution=True)
    told = await scoring.feed(scoring.event("1"), scoring.distribution("d1"))
    assert (told.qualified, told.activities) == ([], [])


async def test_a_forged_prospect_id_of_another_tenant_reaches_nothing(scoring: Any) -> None:
    await scoring.feed(scoring.event("1"))
    honest = scoring.event("2", tenant_id="umbrella")
    forged = honest.message.model_copy(update={"prospect_id": ADA})
    await scoring.feed(type(honest)(honest.topic, 0, 2, honest.at, forged))
    assert (await scoring.prospect()).version == 1


async def test_a_whole_batch_again_after_its_transaction_writes_and_says_nothing(scoring: Any) -> None:
    scoring.connect(threshold=10, lead_distribution=True)
    batch = [scoring.event("1"), scoring.distribution("d1"), scoring.delivery("created")]
    first = await scoring.feed(*batch)
    before = await scoring.prospect()
    again = await scoring.feed(*batch)
    assert len(first.qualified) == 1
    assert again.records == []
    assert await scoring.prospect() == before


async def test_a_batch_whose_transaction_was_lost_says_the_same_again(scoring: Any) -> None:
    scoring.connect(threshold=10, lead_distribution=True)
    batch = [scoring.event("1", fields={"phone": "1"}), scoring.distribution("d1"), scoring.event("2", at=1)]
    lost = await scoring.handler.handle(batch)
    scoring.handler.forget()
    told = await scoring.feed(*batch)
    assert told.records == lost.publish
    assert len(told.records) == 2


async def test_a_qualification_is_remembered_across_batches_of_duplicates(scoring: Any) -> None:
    scoring.connect(threshold=10)
    ids = {m.event_id for m in (await scoring.feed(scoring.event("1"))).qualified}
    for batch in ([scoring.event("1", at=5)], [scoring.event("2", at=6), scoring.event("1", at=7)]):
        assert (await scoring.feed(*batch)).qualified == []
    assert len(ids) == 1


async def test_more_new_activities_than_a_qualification_carries_are_not_lost(scoring: Any) -> None:
    scoring.connect(threshold=10, lead_distribution=True)
    told = await scoring.feed(
        scoring.distribution("d1"), *(scoring.event(f"{n:02}", "web_view", at=n) for n in range(40))
    )
    heard = {a.event_id for m in [*told.qualified, *told.activities] for a in m.activities}
    assert len(told.qualified[0].activities) == 25
    assert len(heard) == 40


async def test_versions_and_their_ids_grow_with_each_batch(scoring: Any) -> None:
    told = [await scoring.feed(scoring.event(str(n), at=n)) for n in range(3)]
    messages = [m for t in told for m in t.scored]
    assert [m.version for m in messages] == [1, 2, 3]
    assert len({m.event_id for m in messages}) == 3


async def test_a_qualification_continues_the_trace_of_the_event_that_crossed(scoring: Any) -> None:
    scoring.connect(threshold=30)
    told = await scoring.feed(
        scoring.event("1", traceparent=UNSAMPLED),
        scoring.event("2", at=1, traceparent=SAMPLED),
        scoring.event("3", "web_view", at=2, traceparent=UNSAMPLED),
    )
    (span,) = scoring.spans.get_finished_spans()
    assert span.name == "process marketing.events"
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.attributes["messaging.message.id"] == "2"
    (traceparent,) = told.traceparents("leads.qualified")
    assert traceparent == b"00-0af7651916cd43dd8448eb211c80319c-%016x-01" % span.context.span_id
    assert told.traceparents("leads.scored") == [UNSAMPLED]


async def test_no_span_is_made_for_what_causes_nothing(scoring: Any) -> None:
    await scoring.feed(scoring.event("1", "email_sent", traceparent=SAMPLED))
    assert scoring.spans.get_finished_spans() == ()


@pytest.mark.parametrize("type_", ["email_open", "form_submission"])
async def test_new_rules_hold_for_the_events_to_come(scoring: Any, type_: str) -> None:
    await scoring.feed(scoring.event("1", type_))
    before = (await scoring.prospect()).score
    await scoring.rules.replace("acme", RulesBody(points={type_: 1}))
    await scoring.feed(scoring.event("2", type_))
    assert (await scoring.prospect()).score == before + 1_000


async def test_one_batch_is_one_read_and_one_write_however_many_prospects(scoring: Any, many: Any) -> None:
    told = await scoring.feed(*many(scoring, 2_500))
    assert len(told.scored) == 2_500
    assert await scoring.database["scoring.prospects"].count_documents({}) == 2_500
