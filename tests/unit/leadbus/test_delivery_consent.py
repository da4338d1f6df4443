"""Whose word on mailings counts, and when a delivery owes it to the CRM."""

from facts import heard, merged, minute, unsubscribed, word

from leadbus.connector.delivering.merging import Fact
from leadbus.connector.delivering.plan import everything


def state(*facts: Fact) -> bool | None:
    return merged(facts).consent.opted_out


def test_an_opt_out_yields_to_an_opt_in_only_if_that_is_later_and_explicit() -> None:
    out = word("o5", 5, "opted_out")
    assert state() is None
    assert state(out) is True
    assert state(word("i4", 4, "opted_in", explicit=True), out) is True
    assert state(word("i5", 5, "opted_in", explicit=True), out) is True
    assert state(word("i6", 6, "opted_in"), out) is True
    assert state(word("i6", 6, "opted_in", explicit=True), out) is False
    assert state(word("i6", 6, "opted_in", explicit=True), word("i9", 9, "opted_in"), out) is False
    assert state(word("i6", 6, "opted_in")) is False


def test_whoever_unsubscribes_from_emails_is_opted_out_from_then_on() -> None:
    assert state(unsubscribed("u5", 5)) is True
    assert state(unsubscribed("u5", 5), word("i4", 4, "opted_in", explicit=True)) is True
    assert state(unsubscribed("u5", 5), word("i6", 6, "opted_in", explicit=True)) is False


def test_an_opt_out_is_due_without_the_right_to_create_until_it_is_dealt_with() -> None:
    delivery = merged([word("o5", 5, "opted_out")])
    assert (delivery.is_due, delivery.may_create) == (True, False)
    delivery.settle(everything(delivery))
    assert not delivery.is_due
    delivery.merge(word("o5", 5, "opted_out"), None, minute(6))
    assert not delivery.is_due
    assert delivery.consent.opted_out is True
    delivery.merge(word("i7", 7, "opted_in", explicit=True), None, minute(7))
    assert delivery.is_due


def test_an_opt_out_does_not_go_back_to_the_crm_it_was_made_in() -> None:
    assert not merged([heard("h1", 1, "opted_out", "acme-sugar")]).is_due
    assert merged([heard("h1", 1, "opted_out", "acme-zoho")]).is_due
    known = merged([heard("h1", 1, "opted_out", "acme-sugar"), word("i2", 2, "opted_in")])
    assert (known.consent.opted_out, known.is_due) == (True, False)
