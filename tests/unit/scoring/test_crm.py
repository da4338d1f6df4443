"""What is kept of a CRM's side: the same whatever order facts come in, and bounded."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.crm import LONGEST, MOST, CrmSide
from scoring.prospect_documents import from_document, to_document

STAGES = ("New", "Won", "Lost")
facts = st.lists(
    st.tuples(st.integers(0, MOST + 10), st.integers(0, 30), st.sampled_from(STAGES), st.booleans()),
    max_size=60,
    unique_by=lambda fact: fact[:2],
)


@settings(deadline=None)  # how long it takes says how busy the machine is
@given(facts, st.randoms())
def test_any_order_and_any_repetition_keeps_the_same(new_scene: Any, told: Any, random: Any) -> None:
    scene = new_scene()
    records = [
        scene.opportunity(f"o-{key}", at=at, stage=stage, deleted=deleted) for key, at, stage, deleted in told
    ]
    some = random.sample(records, len(records) // 2)
    one = scene.turns([records])
    other = scene.turns([random.sample(records, len(records)), some])
    assert one.crm == other.crm
    assert len(one.crm.opportunities) <= MOST


def test_only_what_is_new_is_a_change(scene: Any) -> None:
    turn = scene.turn([newer := scene.contact(at=5, status="Hot")])
    assert (turn.changed, turn.prospect.version) == (True, 1)
    again = scene.turn([newer, scene.contact(at=4, status="Cold")], turn.prospect)
    assert (again.changed, again.prospect.version) == (False, 1)
    assert again.prospect.crm.live_records[0].status == "Hot"


def test_a_deleted_record_is_not_brought_back_by_what_was_said_before(scene: Any) -> None:
    prospect = scene.turns([[scene.contact(at=5, deleted=True), scene.contact(at=4)]])
    assert prospect.crm.live_records == []


def test_a_lead_that_became_a_contact_is_in_the_crm_as_a_contact_alone(scene: Any) -> None:
    became = {"module": "Contacts", "id": "9"}
    lead = scene.contact("1", "lead", at=1, converted_to=became)
    prospect = scene.turns([[scene.contact("1", "lead"), lead, scene.contact("9", at=1)]])
    assert [(row.record_id, row.kind) for row in prospect.crm.live_records] == [("9", "contact")]


def test_who_is_known_from_the_crm_alone_has_its_email_and_no_points(scene: Any) -> None:
    prospect = scene.turns([[scene.contact()]])
    assert (prospect.email, prospect.score, len(prospect.history)) == ("ada@example.com", 0, 0)


def test_texts_are_cut(scene: Any) -> None:
    prospect = scene.turns([[scene.contact(status="x" * 900)]])
    assert prospect.crm.records[0].status == "x" * LONGEST


def test_a_document_holds_a_side_only_where_there_is_one(scene: Any) -> None:
    assert "crm" not in to_document(scene.turns([[scene.event("1")]]))
    prospect = scene.turns([[scene.contact(status="Hot"), scene.opportunity(amount="1.5", probability=5)]])
    assert from_document(to_document(prospect)) == prospect


def test_a_document_from_before_there_were_sides_is_read(scene: Any) -> None:
    row = to_document(scene.turns([[scene.event("1"), scene.delivery("created")]]))
    del row["standing"], row["linked"][0]["kind"]
    assert from_document(row).crm == CrmSide()
