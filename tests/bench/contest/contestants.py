"""Who scores, and what a run of one says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that scores. command: after Python's own name. group: after the arena's prefix.

    tells: where it says how far it is: Kafka = the group's offsets, MongoDB = {offset} in `progress`.
    python: None = this environment's.
    """

    name: str
    command: tuple[str, ...]
    group: str
    tells: Literal["Kafka", "MongoDB"] = "Kafka"
    python: str | None = None


SERVICE = Contestant("Leadbus", ("-m", "bench.scoring_service", "run", "scoring"), "scoring")
REFERENCE = Contestant("the reference", ("-m", "bench.reference_scoring"), "reference")
QUIX = Contestant("Quix Streams", ("-m", "bench.peers.quix"), "quix")
BYTEWAX = Contestant("Bytewax", ("-m", "bytewax.run", "bench.peers.bytewax_flow:flow"), "bytewax", "MongoDB")
FASTSTREAM = Contestant("FastStream per message", ("-m", "bench.peers.faststream_messages"), "faststream")


class Outcome(NamedTuple):
    """What all contestants must agree on. counted: events. score: sum of all, in 1/1000. crossings: how often
    somebody was qualified."""

    prospects: int
    counted: int
    score: int
    crossings: int


@dataclass(frozen=True, slots=True)
class Run:
    """rate: events a second. cpu: microseconds of the processes' CPU an event. writes: documents an event.

    peak: MiB of all processes. shares: of each process in the CPU. announced: ids of qualified events.
    """

    rate: float
    cpu: float
    writes: float
    peak: float
    shares: Sequence[float]
    outcome: Outcome
    announced: frozenset[str]
    database: str

    def __str__(self) -> str:
        return f"{self.rate:,.0f} events/s, {self.cpu:.0f} us of CPU and {self.writes:.2f} writes each"
