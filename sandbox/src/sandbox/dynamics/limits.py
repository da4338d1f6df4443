"""How much a user may ask of Dynamics 365: requests and execution time in five minutes, and calls at once.

Source: Microsoft's page about service protection API limits. A server on premises has none.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .errors import CrmError
from .store import Clock

_WINDOW = 300
_AT_ONCE_AGAIN = 5


@dataclass(slots=True)
class _Window:
    """What has been spent in the last five minutes."""

    total: float = 0.0
    spent: deque[tuple[float, float]] = field(default_factory=deque)

    def spend(self, now: float, amount: float) -> None:
        self.spent.append((now, amount))
        self.total += amount

    def move(self, now: float) -> None:
        while self.spent and self.spent[0][0] <= now - _WINDOW:
            self.total -= self.spent.popleft()[1]
        if not self.spent:
            self.total = 0.0

    def until(self, now: float) -> int:
        """Seconds until it is a little emptier."""
        return max(1, int(self.spent[0][0] + _WINDOW - now) + 1)


@dataclass(slots=True)
class _User:
    running: int = 0
    requests: _Window = field(default_factory=_Window)
    seconds: _Window = field(default_factory=_Window)


@dataclass(slots=True)
class Limits:
    """requests, seconds (of execution): in five minutes; at_once: calls; None = no limit. Each user has all.

    most_at_once: calls in flight, seen so far. refused: with 429, so far.
    """

    clock: Clock
    requests: int | None = 6000
    seconds: float | None = 1200.0
    at_once: int | None = 52
    most_at_once: int = 0
    refused: int = 0
    _users: dict[str, _User] = field(default_factory=dict)

    @contextmanager
    def call(self, user: str) -> Iterator[None]:
        """While a call of the user runs. Raises CrmError: which limit was met, and when to come again."""
        mine = self._moved(user)
        if (refusal := self._refusal(mine)) is not None:
            self.refused += 1
            raise refusal
        mine.requests.spend(self._now, 1)
        mine.running += 1
        self.most_at_once = max(self.most_at_once, sum(one.running for one in self._users.values()))
        try:
            yield
        finally:
            mine.running -= 1

    def took(self, user: str, seconds: float) -> None:
        """Execution time of a call."""
        self._moved(user).seconds.spend(self._now, seconds)

    def remaining(self, user: str) -> dict[str, str]:
        """As headers tell it."""
        mine, told = self._moved(user), {}
        if self.requests is not None:
            left = max(self.requests - int(mine.requests.total), 0)
            told["x-ms-ratelimit-burst-remaining-xrm-requests"] = str(left)
        if self.seconds is not None:
            seconds = max(self.seconds - mine.seconds.total, 0.0)
            told["x-ms-ratelimit-time-remaining-xrm-requests"] = f"{seconds:,.2f}"
        return told

    def _refusal(self, mine: _User) -> CrmError | None:
        if self.at_once is not None and mine.running >= self.at_once:
            name = "ThrottlingConcurrencyLimitExceededError"
            return CrmError(name, self.at_once, retry_after=_AT_ONCE_AGAIN)
        if self.requests is not None and mine.requests.total >= self.requests:
            name = "ThrottlingBurstRequestLimitExceededError"
            return CrmError(name, self.requests, _WINDOW, retry_after=mine.requests.until(self._now))
        if self.seconds is not None and mine.seconds.total >= self.seconds:
            name, limit = "ThrottlingTimeExceededError", f"{int(self.seconds * 1000):,} "
            return CrmError(name, limit, _WINDOW, retry_after=mine.seconds.until(self._now))
        return None

    def _moved(self, user: str) -> _User:
        mine = self._users.setdefault(user, _User())
        mine.requests.move(self._now)
        mine.seconds.move(self._now)
        return mine

    @property
    def _now(self) -> float:
        return self.clock().timestamp()
