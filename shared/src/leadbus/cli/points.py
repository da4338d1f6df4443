"""Where a score comes from, as a table: every part, newest first; they add up to the score."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.table import Table

Line = tuple[str, str, str, str]


def table_of(explained: dict[str, Any]) -> Table:
    """explained: a score as scoring's API explains it."""
    table = Table("when", "what", "gave", "left")
    for line in _lines(explained):
        table.add_row(*line)
    table.add_row("", "together", "", _points(explained["millipoints"] / 1000))
    return table


def _lines(explained: dict[str, Any]) -> Iterator[Line]:
    for part in explained["explanation"]:
        at = datetime.fromisoformat(part["received_at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        why = [part["rule"], part["zero"], part["capped_by"] and f"cut by {part['capped_by']}"]
        said = "; ".join(word for word in why if word)
        what = f"{part['label']} ({said})" if said else part["label"]
        yield at, what, _points(part["points"]), _points(part["points_now"])
    for old in explained["older"]:
        yield "earlier", f"{old['rule']} ({old['events']} events)", "", _points(old["points_now"])
    for met in (*explained["profile"], *explained["segments"]):
        yield "now", met["rule"], _points(met["points"]), _points(met["points"])
    if explained["inactivity"]:
        yield "now", "No event for long", "", _points(explained["inactivity"])


def _points(points: float) -> str:
    return f"{points:+.3f}".rstrip("0").rstrip(".")
