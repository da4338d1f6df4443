"""When something is due: from a schedule, the last time, and the connection's time zone. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from leadbus.connector.settings import Schedule


def next_time(schedule: Schedule, last: datetime | None, now: datetime, time_zone: str) -> datetime:
    """The first time after `last` that the schedule names, in UTC; now, if it was never done.

    Cron expressions are in the time zone, where a night may have an hour less or more; every so many
    seconds is counted from the end of the last time.
    """
    if last is None:
        return now
    if schedule.cron is None:
        return last + timedelta(seconds=schedule.every_seconds or 0)
    return next(CronSim(schedule.cron, last.astimezone(ZoneInfo(time_zone)))).astimezone(UTC)
