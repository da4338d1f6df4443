"""How far the partitions are that a member owns: what is committed, and where a batch would lead them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from leadbus.consuming.decoding import Raw
from leadbus.consuming.ledger import Applied, Partition, Step


@dataclass(frozen=True, slots=True)
class Start:
    """Where one partition goes on. offset: of the next record to take; the rest: what the ledger holds."""

    offset: int
    remembered: Applied | None
    turn: int


class Positions:
    """Of the partitions owned: the next offset, and what the ledger holds of each."""

    def __init__(self) -> None:
        self._remembered: dict[Partition, Applied | None] = {}
        self._next: dict[Partition, int] = {}
        self._turns: dict[int, int] = {}
        self._cluster = ""

    @property
    def offsets(self) -> dict[Partition, int]:
        """The next offset of every partition owned."""
        return dict(self._next)

    @property
    def numbers(self) -> set[int]:
        """Of the partitions owned."""
        return set(self._turns)

    @property
    def applied(self) -> dict[Partition, Applied]:
        """How far the logs are applied that go on from there; not those that begin anew."""
        return {p: a for p, a in self._remembered.items() if a is not None and a.offset == self._next[p]}

    def begin(self, cluster: str, starts: Mapping[Partition, Start]) -> None:
        """Owns these, and none but these."""
        self._cluster = cluster
        self._remembered = {partition: start.remembered for partition, start in starts.items()}
        self._next = {partition: start.offset for partition, start in starts.items()}
        self._turns = {number: start.turn for (_, number), start in starts.items()}

    def advance(self, step: Step) -> None:
        """It is committed."""
        self._turns.update({number: turn + 1 for number, turn in step.turns.items()})
        self._remembered.update(step.after)
        self._next.update({partition: applied.offset for partition, applied in step.after.items()})

    def fresh(self, batch: Iterable[Raw], ahead: Mapping[Partition, Applied]) -> list[Raw]:
        """Without what is applied already or under way. A lower offset with a later time is a new log's.

        ahead: how far the batch under way leads.
        """
        following = self._next | {partition: applied.offset for partition, applied in ahead.items()}
        remembered = {**self._remembered, **ahead}
        fresh: list[Raw] = []
        for raw in batch:
            partition = (raw.topic, raw.record.partition)
            if partition not in following:
                continue
            known = remembered[partition]
            is_new_log = known is not None and raw.record.timestamp > known.latest
            if raw.record.offset >= following[partition] or is_new_log:
                fresh.append(raw)
                following[partition] = raw.record.offset + 1
        return fresh

    def step(self, batch: Iterable[Raw]) -> Step:
        """Where a batch leads from what is committed: a turn on every topic of its partitions' numbers, since
        records of all of them change one document.
        """
        after: dict[Partition, Applied] = {}
        for raw in batch:
            partition = (raw.topic, raw.record.partition)
            before = after.get(partition) or self._remembered[partition]
            latest = max(raw.record.timestamp, before.latest if before else 0)
            after[partition] = Applied(raw.record.offset + 1, latest, self._cluster)
        return Step(self.turns({number for _, number in after}), after)

    def turns(self, numbers: Collection[int]) -> dict[int, int]:
        """The last turn of each."""
        return {number: self._turns[number] for number in numbers}
