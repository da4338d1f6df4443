"""What becomes of one distribution, whatever order its messages come in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken import NOON, answered, came_back, changed, distributed, said

from feedback.came_back import MOST_LETTERS
from feedback.distribution import MOST_ACTIVITIES, Distribution, Key, keys_of
from feedback.handlers import said_at
from feedback.views import DistributionView, view
from leadbus.consuming.records import Received
from leadbus.ids import prospect_id
from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    DeliveryReported,
    LeadDistributed,
    LeadStatusChanged,
    MarketingEvent,
    OpportunityChanged,
    ProspectMessage,
)

KEY = Key("acme", prospect_id("acme", email="ada@example.com"), "chipworks", "lead-1")


def told(*messages: ProspectMessage, supplier: bool = False) -> DistributionView:
    of = Distribution(KEY, 0)
    for message in messages:
        of.take(message, message.occurred_at)
    return view(of, supplier=supplier)


def test_a_distribution_is_open_until_somebody_answers() -> None:
    assert told().state == "open"
    found = told(distributed(first_name="Ada"))
    assert (found.state, found.answer, found.supplier_name) == ("open", None, "Chip Works")
    assert told(distributed(), answered("accepted", "a")).state == "accepted"
    assert told(distributed(), answered("rejected", "a")).state == "rejected"


def test_the_first_answer_counts_and_one_against_it_is_kept_beside_it() -> None:
    late, early = answered("accepted", "late", 9, by="api"), answered("rejected", "early", 3)
    again = answered("accepted", "again", 12)
    for order in ((late, early, again), (again, early, late), (early, late, again)):
        found = told(*order)
        assert found.state == "rejected"
        assert found.answer is not None
        assert (found.answer.event_id, found.answer.by) == ("early", "crm")
        assert found.contradiction is not None
        assert (found.contradiction.event_id, found.contradiction.by) == ("late", "api")


def test_answers_of_the_same_time_are_told_apart_by_event_id() -> None:
    no, yes = answered("rejected", "b"), answered("accepted", "a")
    assert told(no, yes).state == told(yes, no).state == "accepted"


def test_the_same_answer_twice_is_no_contradiction_and_no_change() -> None:
    of = Distribution(KEY, 0)
    first = answered("accepted", "a", 1)
    assert of.take(first, first.occurred_at)
    assert not of.take(first, first.occurred_at)
    assert not of.take(answered("accepted", "b", 2), NOON + timedelta(minutes=2))
    assert of.answers.contradiction is None


def test_the_newest_word_on_each_thing_is_shown_newest_thing_first() -> None:
    found = told(
        came_back(OpportunityChanged, "o2", 5, stage="Won", amount="100.50", currency="EUR"),
        came_back(OpportunityChanged, "o1", 2, stage="Offer"),
        came_back(OpportunityChanged, "o3", 9, record={"module": "Opportunities", "id": "9"}, name="More"),
        came_back(LeadStatusChanged, "s1", 1),
        came_back(LeadStatusChanged, "s2", 2, status="Converted", previous_status="Assigned"),
        came_back(LeadStatusChanged, "s3", 3, connection_id="c2", status="Dead"),
    )
    assert [(o.name, o.stage, o.amount, o.currency) for o in found.opportunities] == [
        ("More", None, None, None),
        ("Chips", "Won", "100.50", "EUR"),
    ]
    assert [(s.connection_id, s.status) for s in found.statuses] == [("c2", "Dead"), ("c1", "Converted")]


def test_of_too_many_activities_the_oldest_go() -> None:
    many = [
        came_back(CrmActivityChanged, f"a{n:03}", n, record={"module": "Calls", "id": str(n)})
        for n in range(MOST_ACTIVITIES + 20)
    ]
    found = told(*many)
    assert len(found.activities) == MOST_ACTIVITIES
    assert min(a.at for a in found.activities) == NOON + timedelta(minutes=20)
    assert told(*reversed(many)) == found


def test_fields_are_shown_that_read_otherwise_than_they_were_brought() -> None:
    theirs = {"first_name": "Ada ", "city": "Turin", "custom": {"budget_c": "high"}}
    found = told(
        distributed(first_name="Ada", city="Rome", country="Italy"),
        changed("c1", 1, **theirs),
    )
    assert {f.name: f.value for f in found.fields} == {"city": "Turin", "custom.budget_c": "high"}
    corrected = told(
        distributed(city="Rome"),
        changed("c1", 1, city="Turin"),
        changed("c2", 2, city="Rome"),
    )
    assert corrected.fields == []
    emptied = told(distributed(city="Rome"), came_back(ContactChanged, "c", changed_fields=["city"]))
    assert [(f.name, f.value) for f in emptied.fields] == [("city", "")]


def test_what_a_crm_knew_of_somebody_before_is_no_suppliers_to_read() -> None:
    """Else whoever hands over an address is told all that the tenant knows of the person."""
    known = {"phone": "1", "city": "Rome", "custom": {"budget_c": "high"}}
    found = told(distributed(), came_back(ContactChanged, "c", 1, fields=known, changed_fields=["city"]))
    assert [(f.name, f.value) for f in found.fields] == [("city", "Rome")]


def test_what_happened_in_a_crm_before_a_lead_was_handed_over_did_not_come_back_of_it() -> None:
    """It may be told late: when everything is read again, a new link shows what hangs on the record."""
    early, late = distributed("d1", 60), distributed("d2", 90)
    kinds = (CrmActivityChanged, OpportunityChanged, LeadStatusChanged)
    back = [
        *(
            came_back(kind, f"b{n}", n, record={"module": "Any", "id": f"{n}"}, connection_id=f"c{n}")
            for kind in kinds
            for n in (0, 70)
        ),
        changed("f0", 0, city="Rome"),
        changed("f70", 70, state="Lazio"),
    ]
    for order in ((early, late, *back), (late, *back, early)):
        found = told(*order)
        kept = (found.activities, found.opportunities, found.statuses, found.fields)
        assert [[word.at for word in words] for words in kept] == [[NOON + timedelta(minutes=70)]] * 4
        assert found.distributed_at == late.occurred_at


def test_long_texts_are_cut_but_compared_whole() -> None:
    text = "x" * 2_000
    same = told(distributed(comments=text), changed("c", 1, comments=text))
    assert same.fields == []
    (field,) = told(distributed(comments=text), changed("c", 1, comments=text + "y")).fields
    assert field.value == "x" * MOST_LETTERS


def test_why_a_crm_refuses_a_lead_is_told_to_the_tenant_alone() -> None:
    parked = came_back(DeliveryReported, "p", outcome="parked", reason="Needs an owner.", field="owner")
    (tenant,) = told(parked).deliveries
    (supplier,) = told(parked, supplier=True).deliveries
    assert (tenant.reason, tenant.field) == ("Needs an owner.", "owner")
    assert (supplier.outcome, supplier.reason, supplier.field) == ("parked", None, None)


def test_a_message_is_about_each_distribution_that_it_goes_back_to_once() -> None:
    two = [
        {"supplier_id": "chipworks", "distribution_id": "lead-1"},
        {"supplier_id": "other", "distribution_id": "lead-1"},
    ]
    found = list(keys_of(came_back(LeadStatusChanged, "s", origins=two * 2)))
    assert [(key.supplier_id, key.distribution_id) for key in found] == [
        ("chipworks", "lead-1"),
        ("other", "lead-1"),
    ]
    assert len({key.id for key in found}) == 2
    assert list(keys_of(came_back(LeadStatusChanged, "s", origins=[]))) == []
    assert list(keys_of(said(MarketingEvent, "e", type="email_open", email="ada@example.com"))) == []
    assert list(keys_of(distributed())) == [KEY]


_RECORDS = st.sampled_from(["1", "2", "3"])
_MINUTES = st.integers(0, 5)


@st.composite
def messages(draw: st.DrawFn) -> Sequence[ProspectMessage]:
    """Several of each kind, many at the same minute."""
    made: list[ProspectMessage] = []

    def each(make: Any) -> None:
        made.extend(make(f"{len(made)}") for _ in range(draw(st.integers(0, 4))))

    each(lambda id_: distributed(f"d{id_}", draw(_MINUTES), city=draw(_RECORDS)))
    each(lambda id_: answered(draw(st.sampled_from(["accepted", "rejected"])), f"a{id_}", draw(_MINUTES)))
    each(lambda id_: came_back(LeadStatusChanged, f"s{id_}", draw(_MINUTES), status=draw(_RECORDS)))
    each(
        lambda id_: came_back(
            ContactChanged,
            f"c{id_}",
            draw(_MINUTES),
            record={"module": "Leads", "id": draw(_RECORDS)},
            fields={"city": draw(_RECORDS), "custom": {f"f{draw(_RECORDS)}": draw(_RECORDS)}},
            changed_fields=["city", *(f"custom.f{n}" for n in "123")],
        )
    )
    each(
        lambda id_: came_back(
            OpportunityChanged,
            f"o{id_}",
            draw(_MINUTES),
            record={"module": "Opportunities", "id": draw(_RECORDS)},
            stage=draw(_RECORDS),
        )
    )
    return made


@settings(max_examples=60, deadline=None)
@given(messages(), st.randoms(use_true_random=False))
def test_any_order_and_any_repeats_end_in_the_same(said_: Sequence[ProspectMessage], chance: Any) -> None:
    shuffled = list(said_) + chance.choices(said_, k=len(said_) // 2) if said_ else []
    chance.shuffle(shuffled)
    assert told(*shuffled) == told(*said_)


def test_a_distribution_told_again_shows_its_newest_facts() -> None:
    old, new = distributed("d1", 1, city="Rome"), distributed("d2", 2, city="Turin")
    assert isinstance(old, LeadDistributed)
    assert told(new, old).distributed_at == told(old, new).distributed_at == new.occurred_at


@pytest.mark.parametrize(
    ("claimed", "taken"),
    [
        (timedelta(minutes=-90), timedelta(minutes=-90)),
        (timedelta(minutes=4), timedelta(minutes=4)),
        (timedelta(minutes=6), timedelta()),
        (timedelta(microseconds=1_234), timedelta(milliseconds=1)),
    ],
)
def test_an_answer_from_the_future_was_given_when_it_was_received(
    claimed: timedelta, taken: timedelta
) -> None:
    message = answered("accepted", "a", claimed / timedelta(minutes=1))
    record = Received("leads.answered", 0, 1, int(NOON.timestamp() * 1000), message)
    assert said_at(record) == NOON + taken
