"""The daily calls of an organisation: a part is kept for new leads, and an hour counts for a whole day."""

from datetime import UTC, datetime, timedelta

import pytest

from leadbus.connector.budget import Urgency
from leadbus.connector.contract import Limits
from leadbus.connector.credits import HELD_BACK, LONGEST_WAIT, USED_UP, CreditLedger, HeldBack
from leadbus.errors import RateLimited

NEW_LEADS, DELIVERING, PULLING, SCORES = Urgency
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ledger(spent: int, at: datetime = NOON, a_day: int | None = 1_000) -> CreditLedger:
    made = CreditLedger(a_day)
    made.hours = {at: spent}
    return made


def takes(made: CreditLedger, cost: int, urgency: Urgency, now: datetime = NOON) -> RateLimited | None:
    try:
        made.take(cost, urgency, now)
    except RateLimited as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    ("urgency", "spendable"), [(NEW_LEADS, 1_000), (DELIVERING, 900), (PULLING, 800), (SCORES, 700)]
)
def test_each_may_use_the_allowance_down_to_what_is_kept_for_those_before_it(
    urgency: Urgency, spendable: int
) -> None:
    made = ledger(0)
    for _ in range(spendable // 10):
        assert takes(made, 10, urgency) is None
    assert takes(made, 1, urgency) is not None
    assert made.left(NOON) == 1_000 - spendable


def test_who_is_refused_reads_why_and_how_long_to_wait() -> None:
    made = ledger(1_000, NOON - 24 * HOUR)  # its last minute was 23 h ago
    new, update, pull, score = (takes(made, 1, urgency) for urgency in Urgency)
    assert (str(new), type(new)) == (USED_UP, RateLimited)
    assert (str(update), type(update)) == (HELD_BACK[DELIVERING], HeldBack)
    assert (str(pull), type(pull)) == (HELD_BACK[PULLING], HeldBack)
    assert (str(score), type(score)) == (HELD_BACK[SCORES], HeldBack)
    assert {refusal.retry_after for refusal in (new, update, pull, score) if refusal} == {3_600}
    assert made.left(NOON) == 0  # what was refused was not spent


def test_the_wait_is_until_enough_has_fallen_out_of_the_day_but_at_least_a_minute() -> None:
    made = CreditLedger(100, {NOON - 24 * HOUR: 30, NOON - 3 * HOUR: 70})
    later = NOON + timedelta(minutes=30)
    few, many = takes(made, 5, NEW_LEADS, later), takes(made, 40, NEW_LEADS, later)
    assert few is not None
    assert many is not None
    assert (few.retry_after, many.retry_after) == (1_800, LONGEST_WAIT)
    soon = takes(made, 5, NEW_LEADS, NOON + HOUR - timedelta(seconds=1))
    assert soon is not None
    assert soon.retry_after == 60
    assert takes(made, 5, NEW_LEADS, NOON + HOUR) is None
    assert made.left(NOON + HOUR) == 25


def test_what_the_crm_says_is_left_is_what_holds() -> None:
    made = ledger(100)
    made.learn(Limits(credits_a_day=1_000, credits_left=300), NOON)
    assert made.left(NOON) == 300  # others spend of it too
    made.learn(Limits(credits_a_day=1_000, credits_left=950), NOON + HOUR)
    assert made.left(NOON + HOUR) == 950
    made.learn(Limits(credits_a_day=2_000), NOON + HOUR)
    assert made.left(NOON + HOUR) == 1_950
    made.learn(Limits(), NOON + HOUR)
    assert made.left(NOON + HOUR) is None
    assert takes(made, 1_000_000, PULLING, NOON + HOUR) is None


def test_a_correction_takes_the_oldest_hours_first() -> None:
    made = CreditLedger(1_000, {NOON - 20 * HOUR: 200, NOON: 300})
    made.learn(Limits(credits_a_day=1_000, credits_left=750), NOON)
    assert made.hours == {NOON - 20 * HOUR: 0, NOON: 250}


def test_an_allowance_that_is_not_known_refuses_nothing_and_counts_all_the_same() -> None:
    made = CreditLedger()
    assert takes(made, 500, PULLING) is None
    assert made.left(NOON) is None
    made.learn(Limits(credits_a_day=1_000), NOON)
    assert made.left(NOON) == 500


def test_one_call_that_costs_more_than_all_that_is_allowed_is_made_when_nothing_else_was() -> None:
    made = ledger(0, a_day=100)
    assert takes(made, 500, PULLING) is None
    assert made.left(NOON) == 0
    assert takes(ledger(1, a_day=100), 500, PULLING) is not None


def test_what_costs_nothing_is_never_refused() -> None:
    assert takes(ledger(5_000), 0, PULLING) is None
