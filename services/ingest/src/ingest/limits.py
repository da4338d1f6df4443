"""How much at once: per API key by rate, for the whole process by items that await Kafka."""

import time
from collections import OrderedDict
from collections.abc import Callable

from ingest.formats.json import MOST_ITEMS

BURST_SECONDS = 2
MOST_KEYS = 10_000


class RateLimits:
    """A token bucket per API key, counted in items; a full batch always fits into a full bucket."""

    def __init__(self, items_per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = float(items_per_second)
        self._size = max(self._rate * BURST_SECONDS, float(MOST_ITEMS))
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key_id: str, items: int) -> float:
        """0 if taken; else the seconds after which it could be, and nothing was taken."""
        now = self._clock()
        level, then = self._buckets.pop(key_id, (self._size, now))
        level = min(self._size, level + (now - then) * self._rate)
        wait = max(0.0, (items - level) / self._rate)
        self._buckets[key_id] = (level if wait else level - items, now)
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)  # the one unused for longest, full again by now
        return wait


class InFlight:
    """Items that await Kafka's acknowledgement: bounded, and refused while Kafka seems gone."""

    def __init__(
        self, most: int, silence_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._silence = silence_seconds
        self._clock = clock
        self._waiting: OrderedDict[int, tuple[float, int]] = OrderedDict()
        self._tickets = 0
        self.items = 0

    def refusal(self, items: int) -> str | None:
        """Why `items` more cannot be taken now, as a sentence; None = `enter` them."""
        if self.silent():
            return "Kafka does not acknowledge at present. Nothing of this request was taken."
        if self.items + items > self._most:
            return "Too many items await Kafka's acknowledgement. Nothing of this request was taken."
        return None

    def enter(self, items: int) -> int:
        """Counts `items` in; the ticket to `leave` with."""
        self._tickets += 1
        self._waiting[self._tickets] = (self._clock(), items)
        self.items += items
        return self._tickets

    def leave(self, ticket: int) -> None:
        """Counts them out again, acknowledged or given up."""
        self.items -= self._waiting.pop(ticket)[1]

    def waiting(self) -> str | None:
        """For readiness: a sentence while Kafka is silent."""
        return "Kafka does not acknowledge at present." if self.silent() else None

    def silent(self) -> bool:
        """Whether the oldest has waited for longer than `silence_seconds`."""
        oldest = next(iter(self._waiting.values()), None)
        return oldest is not None and self._clock() - oldest[0] > self._silence


class HeldBytes:
    """Bytes of bodies that are being read or worked on, over all requests together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def hold(self, count: int) -> bool:
        """Counts more in; False = there is no room, and nothing was counted."""
        if self.held + count > self._most:
            return False
        self.held += count
        return True

    def release(self, count: int) -> None:
        """Counts them out again."""
        self.held -= count
