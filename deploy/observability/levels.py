"""Service levels: what is promised, and how much of it may be missed."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from leadbus.telemetry import names
from observability.promql import total

PROMISED_SECONDS = 5.0
"""Until a distributed lead is in the CRM; an edge of the histogram's buckets."""


@dataclass(frozen=True, slots=True)
class Level:
    """objective: the share that is to go well, within 30 days. missed: the share that did not, in a window.

    alert: what is told when too much is missed too fast.
    """

    name: str
    alert: str
    says: str
    objective: float
    missed: Callable[[str], str]

    def recorded(self, window: str) -> str:
        """The series that a recording rule keeps."""
        return f"leadbus:{self.name}:missed_ratio_rate{window}"


@dataclass(frozen=True, slots=True)
class Burn:
    """Missing `factor` times as much as the objective allows, in a long window and still in a short one.

    The table of "Alerting on SLOs" in Google's Site Reliability Workbook: 2 % of a month's budget in an hour,
    5 % in six, 10 % in one day or in three.
    """

    severity: str
    long: str
    short: str
    factor: float


BURNS = (
    Burn("page", "1h", "5m", 14.4),
    Burn("page", "6h", "30m", 6),
    Burn("ticket", "1d", "2h", 3),
    Burn("ticket", "3d", "6h", 1),
)
WINDOWS = tuple(dict.fromkeys([*chain.from_iterable((burn.short, burn.long) for burn in BURNS), "30d"]))

_DISTRIBUTED = {names.RIGHT: "distribution", names.ANSWERING: "yes"}


def _not_acknowledged(window: str) -> str:
    failed = total(names.INGEST_ITEMS, {names.OUTCOME: "failed"}, window=window)
    return f"{failed} / {total(names.INGEST_ITEMS, {names.OUTCOME: '=~accepted|failed'}, window=window)}"


def _late(window: str) -> str:
    within = _DISTRIBUTED | {"le": str(PROMISED_SECONDS)}
    in_time = total(names.LEAD_LATENCY, within, window=window, part="_bucket")
    return f"1 - {in_time} / {total(names.LEAD_LATENCY, _DISTRIBUTED, window=window, part='_count')}"


LEVELS = (
    Level(
        "acknowledged",
        "LeadbusItemsNotAcknowledged",
        "Of the items that ingest could take, too many are not acknowledged by Kafka.",
        0.999,
        _not_acknowledged,
    ),
    Level(
        "in_time",
        "LeadbusDistributionsLate",
        f"Of the distributed leads, too many take over {PROMISED_SECONDS:g} seconds to a CRM that answers.",
        0.99,
        _late,
    ),
)
"""The third promise, that nothing is lost, allows no share to be missed: see the alerts."""
