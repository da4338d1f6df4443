"""Prospects kept in memory from batch to batch, so that the busy ones are read from MongoDB once."""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable

from scoring.prospect import Key, Prospect

MOST_BYTES = 128 * 1024 * 1024
"""Of what is kept, as `size` has it: some 40,000 prospects, or 3,000 of the largest."""


def size(prospect: Prospect) -> int:
    """About how much memory it takes."""
    parts = len(prospect.recent) + len(prospect.fields) + len(prospect.handed) + len(prospect.qualified)
    parts += len(prospect.aliases) + len(prospect.links)
    histories = [prospect.history, *(named.history for named in prospect.named.values())]
    parts += sum(len(history.sums) for history in histories)
    rows = len(prospect.passed.rows) + sum(len(history.rows) for history in histories)
    return 1_500 + rows + 300 * parts


class Kept:
    """The prospects that the last batches touched, as those batches left them.

    most: bytes; beyond, those that no batch has touched for longest are let go. What the last batch touched
    is never let go before the next one is handled: it may not be stored yet, so reading it would bring back
    what it was before.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._by_key: OrderedDict[Key, tuple[Prospect, int]] = OrderedDict()  # those touched last at the end
        self._bytes = 0
        self._last_batch = 0

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Key) -> Prospect | None:
        """The prospect if it is kept, to look at."""
        kept = self._by_key.get(key)
        return kept[0] if kept is not None else None

    def take(self, keys: Iterable[Key]) -> dict[Key, Prospect]:
        """Those of `keys` that are kept. Begins a batch: only `put` brings them back."""
        while self._bytes > self._most and len(self._by_key) > self._last_batch:
            _, (_, bytes_) = self._by_key.popitem(last=False)
            self._bytes -= bytes_
        found: dict[Key, Prospect] = {}
        for key in keys:
            if (kept := self._by_key.pop(key, None)) is not None:
                found[key] = kept[0]
                self._bytes -= kept[1]
        return found

    def put(self, prospects: Collection[Prospect]) -> None:
        """Keeps what a batch has touched, changed or not."""
        for prospect in prospects:
            bytes_ = size(prospect)
            self._by_key[prospect.key] = prospect, bytes_
            self._bytes += bytes_
        self._last_batch = len(prospects)

    def forget(
        self, partitions: Collection[int] | None = None, keys: Collection[Hashable] | None = None
    ) -> None:
        """Lets go of the prospects of these partitions (None = of all); keys: only of these."""
        among = self._by_key if keys is None else self._by_key.keys() & keys
        gone = [k for k in among if partitions is None or self._by_key[k][0].partition in partitions]
        for key in gone:
            self._bytes -= self._by_key.pop(key)[1]
