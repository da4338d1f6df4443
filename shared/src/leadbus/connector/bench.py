"""One connection's place at its organisation's worker: the adapter, and what troubles it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from leadbus.connector.campaigning.campaigning import Campaigning
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import Adapter
from leadbus.connector.credits import HeldBack
from leadbus.connector.delivering.workoff import WorkOff
from leadbus.errors import AuthRefused, LeadbusError, RateLimited

LONGEST_PAUSE = 60.0
FAREWELL_SECONDS = 1.0
"""For ending sessions politely; a CRM that hangs shall not keep a pod from stopping."""


@dataclass(slots=True)
class Way:
    """Into the CRM, or out of it: its last trouble, and how long to leave the CRM in peace after it.

    proven: the last turn went well; until then one at a time is tried, so that a password is refused once.
    """

    trouble: LeadbusError | None = None
    failures: int = 0
    paused_until: float = 0.0
    proven: bool = False

    def ended(self, error: LeadbusError | None) -> None:
        """A turn is over. Pauses grow and are jittered, or are as long as the CRM asks."""
        if error is None and self.holds_back:
            return  # what went well is not what waits
        self.trouble, self.proven = error, error is None or isinstance(error, HeldBack)
        self.failures = self.failures + 1 if error else 0
        longest = min(LONGEST_PAUSE, 0.5 * 2 ** min(self.failures, 10)) if error else 0.0
        seconds = random.uniform(0.5, 1.0) * longest
        if isinstance(error, RateLimited):
            seconds = max(error.retry_after, 0.1)
        self.paused_until = time.monotonic() + seconds

    @property
    def pause(self) -> float:
        """Seconds for which the CRM is still to be left in peace."""
        return max(0.0, self.paused_until - time.monotonic())

    @property
    def holds_back(self) -> bool:
        """Only new leads may go now."""
        return isinstance(self.trouble, HeldBack) and self.pause > 0


class Turns(Protocol):
    """What is done again and again for one connection, beside its deliveries."""

    async def turn(self) -> float:
        """One turn; seconds until the next. Raises LeadbusError: the CRM or Kafka failed."""
        ...

    async def rest(self, seconds: float) -> None:
        """Until then, or until there is something to do."""
        ...


@dataclass(slots=True)
class Bench:
    """See the module.

    scores: works off scores that are written alone; scoring: what holds that up besides. ask_limits: asks
    the organisation what it bears, now and then. in_hand: prospects whose deliveries are being worked off
    now, in so many batches. campaigns: None = the CRM is told of none. tasks: that take turns; they also end
    by themselves once `closed`.
    """

    connection: Connection
    adapter: Adapter
    work_off: WorkOff
    scores: WorkOff
    ask_limits: Callable[[], Awaitable[None]]
    delivering: Way = field(default_factory=Way)
    pulling: Way = field(default_factory=Way)
    campaigning: Way = field(default_factory=Way)
    scoring: Way = field(default_factory=Way)
    in_hand: set[str] = field(default_factory=set)
    batches: int = 0
    campaigns: Campaigning | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    closed: bool = False

    @property
    def ways(self) -> tuple[Way, ...]:
        """All there are."""
        return (self.delivering, self.pulling, self.campaigning)

    def health(self) -> Health:
        """How all ways fare together; `since` stays that of the first failure until it is over."""
        troubles = [way.trouble for way in self.ways if way.trouble]
        refused = next((trouble for trouble in troubles if isinstance(trouble, AuthRefused)), None)
        state = HealthState.TROUBLE if troubles else HealthState.WELL
        if refused:
            state, troubles = HealthState.REFUSED, [refused]
        known = self.connection.health
        since = known.since if state is known.state else datetime.now(UTC)
        return Health(state, str(troubles[0]) if troubles else "", since)

    def has_room(self, most: int) -> bool:
        """Whether another batch may be begun now."""
        way = self.delivering
        return self.batches < (most if way.proven else 1) and (way.holds_back or not way.pause)

    async def close(self) -> None:
        """Ends turns, whose next begins where this one did, and sessions."""
        self.closed = True
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            # Bounded: a driver may swallow a cancellation that meets its answer.
            await asyncio.wait(self.tasks, timeout=FAREWELL_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self.adapter.close()
