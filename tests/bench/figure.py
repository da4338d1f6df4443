"""What a figure is: two values measured in one run, their ratio, and the goal that it is judged by."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio to reach, or not to exceed."""

    way: Literal[">=", "<="]
    ratio: float

    def reached(self, ratio: float) -> bool:
        """Whether this ratio is good enough."""
        return ratio >= self.ratio if self.way == ">=" else ratio <= self.ratio

    def __str__(self) -> str:
        return f"{self.way} {self.ratio:g}"


@dataclass(frozen=True, slots=True)
class Reading:
    """value: ours. against: the other's, in the same unit. ratio: None = value / against.

    more: what else helps to judge it; told beside it.
    """

    value: float
    against: float
    ratio: float | None = None
    more: Mapping[str, float] | None = None

    def telling(self, **more: float) -> "Reading":
        """The same with more beside it."""
        return replace(self, more={**(self.more or {}), **more})


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the output. what: for people, who read it in `--help`."""

    name: str
    unit: str
    goal: Goal
    what: str

    def line(self, reading: Reading) -> tuple[str, bool]:
        """The figure as JSON, and whether it reaches its goal."""
        ratio = reading.value / reading.against if reading.ratio is None else reading.ratio
        ok = self.goal.reached(ratio)
        told = {
            "name": self.name,
            "value": round(reading.value, 3),
            "unit": self.unit,
            "against": round(reading.against, 3),
            "ratio": round(ratio, 4),
            "goal": str(self.goal),
            "ok": ok,
        }
        more = {name: round(value, 3) for name, value in (reading.more or {}).items()}
        return json.dumps(told | more), ok


Measure = Callable[["Stage"], Awaitable[Mapping[str, Reading]]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run that gives one figure or several, by name."""

    figures: tuple[Figure, ...]
    measure: Measure
