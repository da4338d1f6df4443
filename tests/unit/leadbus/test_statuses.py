"""Lead statuses both ways, and what a status or a field of the CRM answers: all without a CRM."""

from dataclasses import replace
from typing import Any

import pytest
from paper import CRM, RECORD, connection, delivery, distributed, minute, person, updated
from pydantic import ValidationError

from leadbus.connector.contract import Person
from leadbus.connector.delivering import plan, plan_status
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.plan_fields import Present
from leadbus.connector.link import Link, LinkState
from leadbus.connector.mapping import FieldMap
from leadbus.connector.statuses import answer_of, in_our_words, in_the_crm, recommended_way
from leadbus.connector.stores.mirror import STATUS, MirrorRow
from leadbus.connector.taking import statuses
from leadbus.connector.taking.known import Known
from leadbus.messages import LeadAnswered, LeadStatusChanged, Origin

RULES = [
    {"ours": "Working", "theirs": "In Process", "answer": "accepted"},
    {"ours": "Working", "theirs": "Assigned", "direction": "from_crm", "answer": "accepted"},
    {"ours": "Lost", "theirs": "Dead", "answer": "rejected"},
    {"ours": "Won", "theirs": "Done", "direction": "to_crm"},
]
FIELD = {"crm_field": "Answer", "accepted": "Yes", "rejected": "No"}


def mapped(**settings: Any) -> Any:
    return connection(**{"statuses": RULES} | settings)


def said(value: str, at: int = 5) -> Delivery:
    return delivery(distributed(), updated("u", at, lead_status=value))


# Words -------------------------------------------------------------------------------------------------


def test_our_words_are_found_whatever_their_capitals_and_each_direction_alone() -> None:
    settings = mapped().settings
    assert [in_the_crm(settings, word) for word in ("working ", "WON", "new")] == ["In Process", "Done", None]
    assert [in_our_words(settings, word) for word in ("Assigned", "Done", None)] == ["Working", None, None]
    assert [answer_of(settings, word) for word in ("Assigned", "Dead", "Done")] == [
        "accepted",
        "rejected",
        None,
    ]


@pytest.mark.parametrize(
    ("settings", "at", "said"),
    [
        ({"statuses": [RULES[0], {**RULES[0], "theirs": "Other"}]}, "statuses.1.ours", "from_crm"),
        ({"statuses": [RULES[0], {**RULES[0], "ours": "Other"}]}, "statuses.1.theirs", "to_crm"),
        ({"statuses": [{**RULES[0], "direction": "to_crm"}]}, "statuses.0.answer", "only written"),
        ({"statuses": RULES[:1], "schedules": {"lead": None}}, "statuses.0.theirs", "schedules.lead"),
        ({"answer_field": {**FIELD, "rejected": "Yes"}}, "answer_field.rejected", "same value"),
        (
            {"answer_field": {**FIELD, "of": "contact"}, "schedules": {"contact": None}},
            "answer_field.of",
            "schedules.contact",
        ),
    ],
)
def test_what_would_mean_two_things_or_never_be_heard_is_refused(
    settings: dict[str, Any], at: str, said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        connection(**settings)
    (fault,) = refused.value.errors()
    assert ".".join(map(str, fault["loc"])) == at
    assert said in fault["msg"]


def test_the_crm_is_recommended_only_where_something_there_says_an_answer() -> None:
    assert recommended_way(connection().settings) == "email"
    assert recommended_way(mapped().settings) == "crm"
    assert recommended_way(connection(answer_field=FIELD).settings) == "crm"
    assert recommended_way(mapped(answer_by="api").settings) == "api"


# Into the CRM ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "present", "row", "matched", "written"),
    [
        ("working", "New", None, False, "In Process"),
        ("working", "In Process", None, False, None),
        ("unheard of", "New", None, False, None),
        # The CRM's was given later, as the mirror has seen, or must have been since the mirror saw another.
        ("lost", "New", {"values": {STATUS: "New"}, "changed": {STATUS: minute(9)}}, False, None),
        ("lost", "New", {"values": {STATUS: "New"}, "changed": {STATUS: minute(1)}}, False, "Dead"),
        ("lost", "New", {"values": {STATUS: "Assigned"}}, False, None),
        # What we wrote ourselves is not theirs.
        ("lost", "New", {"values": {STATUS: "Assigned"}, "ours": {STATUS: "New"}}, False, "Dead"),
        ("lost", "New", {"values": {STATUS: "New"}}, False, "Dead"),
        # Found just now: since when it has its status is not known.
        ("lost", "New", {"ours": {STATUS: "New"}}, True, None),
    ],
)
def test_a_status_is_written_unless_the_crms_is_newer(
    value: str, present: str, row: dict[str, Any] | None, matched: bool, written: str | None
) -> None:
    record = Present(person(status=present, changed_at=minute(9)), **(row or {}))
    found, _ = plan_status.status_of(said(value), mapped(), "lead", record, matched=matched)
    assert found == written


def test_a_contact_has_no_status_and_the_journey_says_so() -> None:
    found, reason = plan_status.status_of(
        said("lost"), mapped(), "contact", Present(person(kind="contact")), matched=False
    )
    assert (found, reason) == (None, "status kept here (only leads have one in the CRM)")


def test_the_newest_status_counts_and_is_dealt_with_once() -> None:
    owed = delivery(updated("b", 7, lead_status="Lost"), updated("a", 5, lead_status="Working"))
    assert owed.lead_status is not None
    assert owed.lead_status.value == "Lost"
    assert owed.is_due  # for whatever record there is, without a right to create one
    owed.settle(plan.record_part(owed, set()))
    assert not owed.is_due
    owed.merge(distributed(9), None, minute(9))  # now there is to be a record, which is to have it
    assert owed.lead_status.value == "Lost"
    assert plan_status.wanted(owed, mapped()) == "Dead"
    owed.settle(plan.record_part(owed, set()))
    owed.merge(distributed(10).model_copy(update={"distribution_id": "d2"}), None, minute(10))
    assert plan_status.wanted(owed, mapped()) is None  # a second one does not say it again


def test_a_status_without_a_mapping_costs_no_call() -> None:
    owed = said("unheard of")
    owed.settle(replace(plan.everything(owed), lead_status=None))
    assert owed.lead_status is not None
    assert owed.lead_status.pending
    assert plan.asks_nothing(owed, mapped(), FieldMap.of(mapped().settings, CRM))
    owed = said("lost")
    owed.settle(replace(plan.everything(owed), lead_status=None))
    assert not plan.asks_nothing(owed, mapped(), FieldMap.of(mapped().settings, CRM))


def test_the_field_of_the_answer_is_read_of_its_kind_alone() -> None:
    fields = FieldMap.of(connection(answer_field=FIELD).settings, CRM)
    assert "Answer" in fields.crm_fields("lead")
    assert "Answer" not in fields.crm_fields("contact")


# Out of the CRM ----------------------------------------------------------------------------------------


def taken(
    row: Person, before: dict[str, Any] | None, *, made: str = "matched", **settings: Any
) -> list[tuple[str, Any]]:
    there = mapped(**settings)
    link = Link(
        *("org", "p1", "acme", RECORD, LinkState.LINKED, minute(0), made, "acme-paper"),  # type: ignore[arg-type]
        origins=[Origin(supplier_id=who, distribution_id=f"d-{who}") for who in ("globex", "initech")],
        lead_trace_id="t" * 32,
    )
    known = Known(
        connection=there,
        capabilities=CRM,
        fields=FieldMap.of(there.settings, CRM),
        at=minute(9),
        links={RECORD.id: [link]},
    )
    mirrored = MirrorRow("acme-paper", RECORD, **before) if before is not None else None
    return [(topic.name, event) for topic, event in statuses.take(row, known, mirrored)]


@pytest.mark.parametrize("says", [{"accepted": "true", "rejected": "false"}, {"accepted": "false"}])
def test_a_box_that_nobody_has_ticked_yet_answers_nothing(says: dict[str, str]) -> None:
    """Every lead is made with an empty one."""
    field = {"crm_field": "Answer", **says}
    row = person(values={"Answer": "false"})
    assert answers(taken(row, {"ours": {STATUS: "New"}}, made="created", answer_field=field)) == []
    assert answers(taken(row, {"kind": "lead", "values": {"Answer": ""}}, answer_field=field)) == []
    cleared = taken(row, {"kind": "lead", "values": {"Answer": "true"}}, answer_field=field)
    (said,) = (answer for answer, value in says.items() if value == "false")
    assert {answer for _, answer in answers(cleared)} == {said}


def answers(told: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(e.distribution_id, e.answer) for _, e in told if isinstance(e, LeadAnswered)]


def test_a_status_is_told_in_our_word_with_an_answer_for_each_distribution() -> None:
    before = {"kind": "lead", "values": {STATUS: "New"}}
    told = taken(person(status="Assigned"), before)
    assert [topic for topic, _ in told] == ["crm.lead-status", "leads.answered", "leads.answered"]
    status = told[0][1]
    assert isinstance(status, LeadStatusChanged)
    assert (status.status, status.lead_status, status.previous_status) == ("Assigned", "Working", "New")
    assert answers(told) == [("d-globex", "accepted"), ("d-initech", "accepted")]
    assert {(e.by, e.connection_id, e.lead_trace_id) for _, e in told[1:]} == {
        ("crm", "acme-paper", "t" * 32)
    }
    again = taken(person(status="Assigned"), before)
    assert [e.event_id for _, e in again] == [e.event_id for _, e in told]
    later = taken(person(status="Assigned", changed_at=minute(8)), before)
    assert {e.event_id for _, e in later}.isdisjoint(e.event_id for _, e in told)


def test_a_supplier_of_another_connection_gets_no_answer_from_this_one() -> None:
    told = taken(person(status="Dead"), {"kind": "lead", "values": {STATUS: "New"}}, supplier_id="initech")
    assert answers(told) == [("d-initech", "rejected")]


def test_what_we_wrote_ourselves_answers_nothing() -> None:
    before = {"kind": "lead", "values": {STATUS: "New"}, "ours": {STATUS: "Dead"}}
    assert taken(person(status="Dead"), before) == []


@pytest.mark.parametrize(
    ("value", "before", "made", "said"),
    [
        ("Yes", {"kind": "lead", "values": {"Answer": ""}}, "matched", "accepted"),
        ("No", {"kind": "lead", "values": {"Answer": "Yes"}}, "matched", "rejected"),
        ("Yes", {"kind": "lead", "values": {"Answer": "Yes"}}, "matched", None),
        ("Perhaps", {"kind": "lead", "values": {"Answer": "Yes"}}, "matched", None),
        # Read for the first time since the field is named in the settings: it may be old.
        ("Yes", {"kind": "lead", "values": {}}, "created", None),
        # Made by us without it, and never read since: a salesperson was quick.
        ("Yes", {"ours": {STATUS: "New"}}, "created", "accepted"),
        ("Yes", {"ours": {STATUS: "New"}}, "matched", None),
        ("Yes", {"ours": {"Answer": ""}}, "matched", "accepted"),
        ("Yes", {"ours": {"Answer": "Yes"}}, "matched", None),
        ("Yes", None, "matched", None),
    ],
)
def test_a_field_answers_when_it_changes(
    value: str, before: dict[str, Any] | None, made: str, said: str | None
) -> None:
    told = taken(person(values={"Answer": value}), before, made=made, statuses=[], answer_field=FIELD)
    assert {answer for _, answer in answers(told)} == ({said} if said else set())
