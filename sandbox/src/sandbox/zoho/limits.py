"""How much an organisation may ask: credits in a rolling day, and calls at once.

Source: Zoho's documentation, except what a search costs (reported by users).
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from .errors import ApiError
from .store import Clock

_DAY = 86_400.0
SUB_LIMIT = 10
"""Heavy calls at once, in every edition."""


@dataclass(frozen=True, slots=True)
class Edition:
    """Credits: `base`, and `per_user` for each user, at most `top` (None = no cap). at_once: calls."""

    base: int
    per_user: int
    top: int | None
    at_once: int


EDITIONS: Mapping[str, Edition] = {
    "free": Edition(5_000, 0, 5_000, 5),
    "standard": Edition(50_000, 250, 100_000, 10),
    "professional": Edition(50_000, 500, 3_000_000, 15),
    "enterprise": Edition(50_000, 1_000, 5_000_000, 20),
    "ultimate": Edition(50_000, 2_000, None, 25),
}

_NO_CREDITS = "You have reached the maximum number of API credits of the day"


@dataclass(slots=True)
class Limits:
    """given: credits of a day, None = by edition. most_at_once, most_heavy_at_once: seen so far."""

    clock: Clock
    edition: Edition
    given: int | None = None
    users: int = 1
    credits_used: int = 0
    most_at_once: int = 0
    most_heavy_at_once: int = 0
    _at_once: dict[str, int] = field(default_factory=dict)
    _heavy: dict[str, int] = field(default_factory=dict)
    _spent: deque[tuple[float, int]] = field(default_factory=deque)
    _spent_today: int = 0

    @property
    def total(self) -> int:
        if self.given is not None:
            return self.given
        credits = self.edition.base + self.edition.per_user * self.users
        return credits if self.edition.top is None else min(credits, self.edition.top)

    @property
    def remaining(self) -> int:
        now = self.clock().timestamp()
        while self._spent and self._spent[0][0] <= now - _DAY:
            self._spent_today -= self._spent.popleft()[1]
        return max(self.total - self._spent_today, 0)

    @property
    def headers(self) -> dict[str, str]:
        """What is told of the credits: nothing before half of them is gone."""
        left = self.remaining
        return {"X-API-CREDITS-REMAINING": str(left)} if left * 2 < self.total else {}

    def spend(self, credits: int) -> None:
        """Raises TOO_MANY_REQUESTS; a refused call costs nothing (assumed)."""
        if credits > self.remaining:
            raise ApiError("TOO_MANY_REQUESTS", message=_NO_CREDITS)
        self._spent.append((self.clock().timestamp(), credits))
        self._spent_today += credits
        self.credits_used += credits

    @contextmanager
    def running(self, app: str, *, heavy: bool) -> Iterator[None]:
        """While a call of the app runs. Raises TOO_MANY_REQUESTS."""
        running, heavy_running = self._at_once.get(app, 0), self._heavy.get(app, 0)
        if running >= self.edition.at_once or (heavy and heavy_running >= SUB_LIMIT):
            raise ApiError("TOO_MANY_REQUESTS")
        self._at_once[app] = running + 1
        self._heavy[app] = heavy_running + heavy
        self.most_at_once = max(self.most_at_once, running + 1)
        self.most_heavy_at_once = max(self.most_heavy_at_once, heavy_running + heavy)
        try:
            yield
        finally:
            self._at_once[app] -= 1
            self._heavy[app] -= heavy
