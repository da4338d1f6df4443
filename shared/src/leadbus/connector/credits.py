"""The calls that a CRM organisation is allowed in any 24 hours, and what is kept of them for new leads. Pure.

What was spent is counted by the hour; an hour counts until all of it lies 24 hours back. Others may spend of
the same allowance: what the CRM says is left, where it does, is what holds.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadbus.connector.budget import Urgency
from leadbus.connector.contract import Limits
from leadbus.errors import RateLimited

KEPT = {Urgency.NEW_LEADS: 0.0, Urgency.DELIVERING: 0.1, Urgency.PULLING: 0.2, Urgency.SCORES: 0.3}
"""The share of a day's allowance that each leaves to those before it."""
SHORTEST_WAIT = 60.0
LONGEST_WAIT = 3_600.0
"""By then the organisation has been asked again what is left."""
_HOUR = timedelta(hours=1)
_DAY = timedelta(hours=24)

USED_UP = (
    "The daily calls of this CRM organisation are used up; new leads go on by themselves as soon as it allows"
    " calls again."
)
_KEPT_BACK = "The daily calls of this CRM organisation are used up but for what is kept for new leads; "
HELD_BACK = {
    Urgency.DELIVERING: _KEPT_BACK + "changes and notes follow by themselves as soon as it allows more.",
    Urgency.PULLING: _KEPT_BACK + "reading goes on by itself as soon as it allows more.",
    Urgency.SCORES: _KEPT_BACK + "scores follow by themselves as soon as it allows more.",
}


class HeldBack(RateLimited):
    """What is left is kept for what is more urgent, which still goes on."""


@dataclass(slots=True)
class CreditLedger:
    """Of one organisation. a_day: what it is allowed; None = not known, or no limit. hours: spent in each."""

    a_day: int | None = None
    hours: dict[datetime, int] = field(default_factory=dict)

    def left(self, now: datetime) -> int | None:
        """Credits that may be spent now; None = not known, or no limit."""
        self._forget(now)
        return None if self.a_day is None else max(0, self.a_day - self._spent)

    def take(self, cost: int, urgency: Urgency, now: datetime) -> None:
        """Counts a call that is about to be made.

        Raises:
            HeldBack: what is left is kept for more urgent calls.
            RateLimited: nothing is left.
        """
        left = self.left(now)
        if cost > 0 and self.a_day is not None and left is not None:
            usable = int(self.a_day * (1 - KEPT[urgency]))
            # One call that costs more than all of it is made once nothing else was.
            missing = min(cost, usable) - (left - (self.a_day - usable))
            if missing > 0:
                raise self._refusal(urgency, self._seconds_until(missing, now))
        self.spend(cost, now)

    def spend(self, cost: int, now: datetime) -> None:
        """Counts a call that is made whatever is left: only the organisation itself may know better."""
        if cost > 0:
            hour = now.replace(minute=0, second=0, microsecond=0)
            self.hours[hour] = self.hours.get(hour, 0) + cost

    def learn(self, limits: Limits, now: datetime) -> None:
        """What the organisation says of itself."""
        self.a_day = limits.credits_a_day
        left = self.left(now)
        if left is None or self.a_day is None or limits.credits_left is None:
            return
        beyond = (self.a_day - limits.credits_left) - self._spent
        self.spend(beyond, now)
        for hour in sorted(self.hours):  # counted twice, or for longer than it counts there
            if beyond >= 0:
                break
            taken = min(self.hours[hour], -beyond)
            self.hours[hour] -= taken
            beyond += taken

    @property
    def _spent(self) -> int:
        return sum(self.hours.values())

    def _forget(self, now: datetime) -> None:
        for hour in [hour for hour in self.hours if _ends(hour) <= now]:
            del self.hours[hour]

    def _seconds_until(self, missing: int, now: datetime) -> float:
        """Until so many credits have fallen out of the 24 hours."""
        for hour in sorted(self.hours):
            missing -= self.hours[hour]
            if missing <= 0:
                return min(LONGEST_WAIT, max(SHORTEST_WAIT, (_ends(hour) - now).total_seconds()))
        return LONGEST_WAIT

    def _refusal(self, urgency: Urgency, seconds: float) -> RateLimited:
        if urgency in HELD_BACK:
            return HeldBack(HELD_BACK[urgency], seconds)
        return RateLimited(USED_UP, seconds)


def _ends(hour: datetime) -> datetime:
    """When calls made in this hour count no more."""
    return hour + _HOUR + _DAY
