"""The command shows every part of a score."""

from typing import Any

from rich.console import Console

from leadbus.cli.points import table_of


def part(**facts: Any) -> dict[str, Any]:
    usual = {"received_at": "2026-01-02T03:04:05Z", "label": "Viewed a web page", "points": 3.0}
    return usual | {"points_now": 1.5, "rule": None, "zero": None, "capped_by": None} | facts


def test_every_part_is_a_line_with_its_cause_and_the_last_line_is_the_score() -> None:
    explained = {
        "explanation": [part(rule="Pricing", capped_by="Views"), part(zero="A machine did it", points_now=0)],
        "older": [{"rule": "Submitted a form", "events": 4, "points_now": 0.125}],
        "profile": [{"rule": "Decides", "points": 15.0}],
        "segments": [],
        "inactivity": -2.0,
        "millipoints": 14_625,
    }
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table_of(explained))
    lines = [
        [cell.strip() for cell in line.split("\u2502")[2:5]]
        for line in shown.get().splitlines()
        if "\u2502" in line
    ]
    assert lines == [
        ["Viewed a web page (Pricing; cut by Views)", "+3", "+1.5"],
        ["Viewed a web page (A machine did it)", "+3", "+0"],
        ["Submitted a form (4 events)", "", "+0.125"],
        ["Decides", "+15", "+15"],
        ["No event for long", "", "-2"],
        ["together", "", "+14.625"],
    ]
