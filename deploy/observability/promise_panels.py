"""Panels of what is promised: the share that went well, what is still owed, and what could not be read."""

from collections.abc import Iterator, Mapping, Sequence

from leadbus.telemetry import names
from observability.levels import LEVELS, PROMISED_SECONDS, WINDOWS, Level
from observability.panels import Panel
from observability.promql import highest, total

_TITLES = {
    "acknowledged": "Accepted items are acknowledged",
    "in_time": f"Distributions are in the CRM within {PROMISED_SECONDS:g} s",
}


def _of(level: Level) -> Iterator[Panel]:
    missed = level.recorded("30d")
    yield Panel(
        f"Kept, of {level.objective:.1%} promised", "percentunit", {"30 days": f"1 - {missed}"}, now=True
    )
    yield Panel(
        "Left of what may be missed",
        "percentunit",
        {"30 days": f"1 - {missed} / {1 - level.objective:.6g}"},
        "Below zero the promise is broken.",
        now=True,
    )
    yield Panel(
        "Missed, in times of what is allowed",
        "short",
        {
            window: f"{level.recorded(window)} / {1 - level.objective:.6g}"
            for window in WINDOWS
            if window in ("5m", "1h", "6h", "1d")
        },
        "At 1 all of a month's is used up by the month's end.",
    )


PROMISE_ROWS: Mapping[str, Sequence[Panel]] = {
    **{_TITLES[level.name]: tuple(_of(level)) for level in LEVELS},
    "Nothing is lost": (
        Panel(
            "Dead letters",
            "short",
            {"{{job}}": total(names.MESSAGES_DEAD, by=("job",))},
            "What could not be read; kept, and replayed by command.",
        ),
        Panel("Records not yet applied", "short", {"{{job}}": total(names.CONSUMER_LAG, by=("job",))}),
        Panel(
            "Oldest delivery that waits, by connection",
            "s",
            {
                "{{leadbus_connection_id}}": "topk(10, "
                + highest(names.OLDEST_UNDELIVERED, by=(names.CONNECTION,))
                + ")"
            },
        ),
        Panel(
            "Alerts that fire",
            "short",
            {"{{alertname}}": 'sum by (alertname) (ALERTS{alertname=~"Leadbus.*",alertstate="firing"})'},
        ),
    ),
}
