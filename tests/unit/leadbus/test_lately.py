"""What a run of changes need not take in again, because the run before has, and nothing has changed since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from leadbus.connector.contract import Row
from leadbus.connector.pulling.lately import news, to_come_again
from leadbus.messages import Record

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVERLAP = timedelta(minutes=2)


def row(seconds_ago: float, key: str = "1", value: str = "a") -> Row:
    at = BEGAN - timedelta(seconds=seconds_ago)
    return Row(Record(module="Leads", id=key), {"status": value}, changed_at=at)


def test_a_row_that_comes_again_as_it_was_is_no_news() -> None:
    known = to_come_again([row(30)], BEGAN, OVERLAP)
    assert news([row(30), row(30, "2")], known) == [row(30, "2")]


def test_any_change_is_news_even_one_without_a_new_time() -> None:
    known = to_come_again([row(30)], BEGAN, OVERLAP)
    for changed in (
        row(30, value="b"),
        row(5),
        replace(row(30), owner_id="x"),
        replace(row(30), deleted=True),
    ):
        assert news([changed], known) == [changed]


def test_a_row_of_the_very_last_second_is_taken_in_again_since_it_may_change_within_it() -> None:
    assert to_come_again([row(1), replace(row(9), changed_at=None)], BEGAN, OVERLAP) == {}


def test_only_what_comes_again_is_remembered() -> None:
    assert to_come_again([row(119, "1"), row(121, "2")], BEGAN, OVERLAP).keys() == {"1"}
