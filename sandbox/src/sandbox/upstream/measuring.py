"""Measures the table of figures: `python -m sandbox.upstream.measuring lead_outcomes.csv`.

The file has one row per lead of an online-education company ("X Education lead scoring"). Columns that
sales filled in afterwards are not read: they would leak the outcome.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

STEPS = 20
"""A distribution is told by so many values, each standing for the same share of the leads."""
SHOWN = 0.01
"""What is rarer than this is counted as `Other`."""

SHARES = {
    "source": "Lead Source",
    "origin": "Lead Origin",
    "last_activity": "Last Activity",
    "occupation": "What is your current occupation",
}
_SPELLINGS = {"google": "Google", "": "Other", "Select": "Other"}

Rows = Sequence[dict[str, str]]


def measure(rows: Rows) -> dict[str, Any]:
    """The figures: `won` (share that converted), and for `won` and `lost` leads how they came about."""
    parted = {
        name: [r for r in rows if r["Converted"] == mark] for name, mark in (("lost", "0"), ("won", "1"))
    }
    return {
        "leads": len(rows),
        "won": round(len(parted["won"]) / len(rows), 4),
        "outcomes": {name: _outcome(some) for name, some in parted.items()},
    }


def _outcome(rows: Rows) -> dict[str, Any]:
    known = [r for r in rows if r["TotalVisits"]]
    visitors = [r for r in known if float(r["TotalVisits"]) > 0]
    return {
        "visitors": round(len(visitors) / len(known), 4),
        "visits": [round(v) for v in _values(float(r["TotalVisits"]) for r in visitors)],
        "pages": _values(float(r["Page Views Per Visit"]) for r in visitors),
        "do_not_email": round(sum(r["Do Not Email"] == "Yes" for r in rows) / len(rows), 4),
        **{name: _shares(r[column] for r in rows) for name, column in SHARES.items()},
    }


def _values(numbers: Iterable[float]) -> list[float]:
    ordered = sorted(numbers)
    return [ordered[int((step + 0.5) / STEPS * len(ordered))] for step in range(STEPS)]


def _shares(words: Iterable[str]) -> dict[str, float]:
    counted = Counter(_SPELLINGS.get(word, word) for word in words)
    total = counted.total()
    shares = {w: round(n / total, 4) for w, n in counted.most_common() if n / total >= SHOWN and w != "Other"}
    return shares | {"Other": round(1 - sum(shares.values()), 4)}


def main() -> None:
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        print(json.dumps(measure(list(csv.DictReader(file))), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
