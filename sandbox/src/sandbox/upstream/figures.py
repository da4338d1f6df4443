"""The table of figures by which visitors behave, and drawing from it."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How leads with one outcome came about.

    visitors: share that visited the site at all. visits, pages: their visits, and pages per visit, as values
    that each stand for the same share. do_not_email: share. The rest: shares by word, which sum up to 1.
    """

    visitors: float
    visits: Sequence[int]
    pages: Sequence[float]
    do_not_email: float
    source: Shares
    origin: Shares
    last_activity: Shares
    occupation: Shares


@dataclass(frozen=True, slots=True)
class Figures:
    """leads: how many were counted. won: share of them that converted. outcomes: `won` and `lost`."""

    leads: int
    won: float
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Profile:
    """One lead drawn from the figures. pages: per visit."""

    won: bool
    visits: int
    pages: float
    source: str
    origin: str
    last_activity: str
    occupation: str
    do_not_email: bool


@cache
def figures() -> Figures:
    """The committed table; `measuring` made it."""
    table = json.loads(Path(__file__).with_name("figures.json").read_text(encoding="utf-8"))
    outcomes = {name: Outcome(**outcome) for name, outcome in table["outcomes"].items()}
    return Figures(table["leads"], table["won"], outcomes)


def profile(rng: random.Random) -> Profile:
    """Draws one lead."""
    won = rng.random() < figures().won
    outcome = figures().outcomes["won" if won else "lost"]
    visited = rng.random() < outcome.visitors
    return Profile(
        won=won,
        visits=rng.choice(outcome.visits) if visited else 0,
        pages=rng.choice(outcome.pages) if visited else 0.0,
        source=_word(rng, outcome.source),
        origin=_word(rng, outcome.origin),
        last_activity=_word(rng, outcome.last_activity),
        occupation=_word(rng, outcome.occupation),
        do_not_email=rng.random() < outcome.do_not_email,
    )


def _word(rng: random.Random, shares: Shares) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]
