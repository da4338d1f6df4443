"""When something is due, by seconds or by cron, in the connection's time zone."""

from datetime import UTC, datetime, timedelta

from leadbus.connector.pulling.schedules import next_time
from leadbus.connector.settings import Schedule

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
NIGHTLY = Schedule(cron="30 2 * * *")


def test_what_was_never_done_is_due_now():
    assert next_time(NIGHTLY, None, NOW, "UTC") == NOW
    assert next_time(Schedule(every_seconds=30), None, NOW, "UTC") == NOW


def test_seconds_are_counted_from_the_last_time_even_if_that_is_long_ago():
    assert next_time(Schedule(every_seconds=30), NOW, NOW, "UTC") == NOW + timedelta(seconds=30)
    long_ago = NOW - timedelta(days=1)
    assert next_time(Schedule(every_seconds=30), long_ago, NOW, "UTC") < NOW


def test_cron_is_read_in_the_time_zone_of_the_connection():
    last = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert next_time(NIGHTLY, last, last, "UTC") == datetime(2026, 7, 2, 2, 30, tzinfo=UTC)
    assert next_time(NIGHTLY, last, last, "Europe/Berlin") == datetime(2026, 7, 2, 0, 30, tzinfo=UTC)
    assert next_time(NIGHTLY, last, last, "America/New_York") == datetime(2026, 7, 2, 6, 30, tzinfo=UTC)


def test_in_a_night_without_that_hour_it_is_done_all_the_same_and_once():
    """Berlin, 2026-03-29: 02:00 is followed by 03:00."""
    first = next_time(NIGHTLY, NOW, NOW, "Europe/Berlin")
    assert datetime(2026, 3, 29, 0, 30, tzinfo=UTC) <= first <= datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    second = next_time(NIGHTLY, first, first, "Europe/Berlin")
    assert second == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_comparison_that_was_missed_is_made_up_for_once():
    last = NOW - timedelta(days=10)
    assert next_time(NIGHTLY, last, NOW, "UTC") < NOW
    assert next_time(NIGHTLY, NOW, NOW, "UTC") > NOW
