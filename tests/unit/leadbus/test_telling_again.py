"""What is told of a record of which something was told before: as of later, and its end to who had it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from paper import CRM, connection

from leadbus.connector.contract import Opportunity, Person, Row
from leadbus.connector.link import Link, LinkState
from leadbus.connector.mapping import FieldMap
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known, Taken
from leadbus.connector.taking.table import take
from leadbus.ids import prospect_id
from leadbus.messages import ContactChanged, OpportunityChanged, Record

ANN, BOB = "ann@example.com", "bob@example.com"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONTACT, DEAL = Record(module="Contacts", id="c1"), Record(module="Deals", id="d1")
WITH_DEALS = replace(CRM, modules={**CRM.modules, "opportunity": ("Deals",)})


def known(*rows: MirrorRow | None, **facts: object) -> Known:
    mirrored = {row.record: row for row in rows if row is not None}
    people = {row.record.id: row for row in mirrored.values() if row.kind == "contact"}
    one = connection()
    fields = FieldMap.of(one.settings, WITH_DEALS)
    values = {"mirrored": mirrored, "people": people} | facts
    return Known(one, WITH_DEALS, fields, AT + timedelta(hours=1), **values)


def person(email: str | None = ANN, at: int = 0, **values: object) -> Person:
    changed = AT + timedelta(seconds=at)
    return Person(CONTACT, kind="contact", email=email, owner_id="u", changed_at=changed, **values)


def contacts(taken: Taken) -> list[ContactChanged]:
    return [event for _, event in taken.events if isinstance(event, ContactChanged)]


def deals(taken: Taken) -> list[tuple[str, bool]]:
    """Whom it was told to, and whether as gone."""
    told = [event for _, event in taken.events if isinstance(event, OpportunityChanged)]
    return [(event.email or event.prospect_id, event.deleted) for event in told]


def test_changes_within_one_second_of_the_crms_clock_are_told_in_the_order_in_which_they_were_read() -> None:
    row, told = None, []
    for status in ("New", "Warm", "Hot"):
        taken = take("contact", person(status=status), known(row))
        row, told = taken.row, told + contacts(taken)
    taken = take("contact", person(at=1, status="Won"), known(row))
    told += contacts(taken)
    assert [event.status for event in told] == ["New", "Warm", "Hot", "Won"]
    times = [event.occurred_at for event in told]
    assert times == sorted(set(times))
    assert times[-1] == AT + timedelta(seconds=1)
    assert "told_at" not in taken.row.details


def test_a_page_that_was_long_on_its_way_keeps_its_own_time() -> None:
    row = take("contact", person(at=9, status="Hot"), known()).row
    (late,) = contacts(take("contact", person(at=5, status="Cold"), known(row)))
    assert late.occurred_at == AT + timedelta(seconds=5)


def test_a_record_that_can_be_seen_again_unchanged_is_told_after_its_end() -> None:
    first = take("contact", person(), known())
    gone = take("contact", Row(CONTACT, deleted=True), known(first.row))
    back = take("contact", person(), known(gone.row))
    (was,), (end,), (now,) = contacts(first), contacts(gone), contacts(back)
    assert (end.deleted, now.deleted) == (True, False)
    assert was.occurred_at < end.occurred_at < now.occurred_at
    assert was.event_id != now.event_id
    assert contacts(take("contact", person(), known(gone.row))) == [now], "a repeat after a crash is the same"


def test_whoever_a_record_was_hears_that_it_is_so_no_longer_even_if_it_is_nobody_now() -> None:
    row = take("contact", person(), known()).row
    for email in (None, "none"):
        (end,) = contacts(take("contact", person(email, at=1), known(row)))
        assert (end.prospect_id, end.deleted) == (prospect_id("acme", email=ANN), True)


def test_a_record_that_is_held_back_and_then_deleted_is_told_as_deleted() -> None:
    row = take("contact", person(), known()).row
    twin = Person(Record(module="Contacts", id="c0"), kind="contact", email=ANN, created_at=AT)
    held = take(
        "contact", person(at=1), known(row, twins={ANN: [twin]}, links={"c0": [link("somebody else")]})
    )
    assert held.row.problem.blocking
    (end,) = contacts(take("contact", Row(CONTACT, deleted=True), known(held.row)))
    assert end.deleted


def test_a_record_that_turns_out_to_be_another_prospects_is_told_to_both() -> None:
    row = take("contact", person(), known()).row
    told = contacts(take("contact", person(at=1), known(row, links={"c1": [link("somebody else")]})))
    assert {(event.prospect_id, event.deleted) for event in told} == {
        (prospect_id("acme", email=ANN), True),
        ("somebody else", False),
    }


def link(prospect: str) -> Link:
    linked = (CONTACT, LinkState.LINKED, AT, "matched", "acme-paper")
    return Link("org", prospect, "acme", *linked, connections={"acme-paper"})


def test_an_opportunity_that_is_held_back_and_then_deleted_is_told_as_deleted() -> None:
    first = with_people(ANN)
    orphaned = MirrorRow("acme-paper", Record(module="Accounts", id="a1"), "account", deleted=True)
    row = Opportunity(DEAL, name="200", owner_id="u", contact_emails=(ANN,), account_id="a1", changed_at=AT)
    held = take("opportunity", row, known(first.row, accounts={"a1": orphaned}))
    assert held.row.problem.blocking
    gone = take("opportunity", Row(DEAL, deleted=True), known(held.row))
    assert deals(gone) == [(prospect_id("acme", email=ANN), True)]


def with_people(*emails: str, before: MirrorRow | None = None) -> Taken:
    row = Opportunity(DEAL, name="200 engines", owner_id="u", contact_emails=emails, changed_at=AT)
    linked = {who: link(who) for who in (prospect_id("acme", email=email) for email in (ANN, BOB))}
    return take("opportunity", row, known(before, linked=linked))


def test_whoever_is_taken_off_an_opportunity_hears_so_and_hears_of_it_again_when_put_back() -> None:
    first = with_people(ANN, BOB)
    off = with_people(ANN, before=first.row)
    again = with_people(ANN, BOB, before=off.row)
    assert sorted(deals(first)) == [(ANN, False), (BOB, False)]
    assert deals(off) == [(prospect_id("acme", email=BOB), True)]
    assert deals(again) == [(BOB, False)]
    times = [taken.events[-1][1].occurred_at for taken in (first, off, again)]
    assert times == sorted(set(times))
