"""Leads that are drawn with a known connection between what they did and what became of them."""

import random
from collections.abc import Callable
from math import exp

import pytest

from scoring.fitting.leads import Leads

Draw = Callable[..., Leads]


@pytest.fixture(scope="session")
def draw() -> Draw:
    def leads(count: int = 2_000, seed: int = 5) -> Leads:
        rng = random.Random(seed)
        columns: dict[str, list[str | None]] = {
            name: [] for name in ("id", "visits", "source", "noise", "tag")
        }
        won = []
        for number in range(count):
            visits = rng.choice([None, *range(12)])
            source = rng.choice(["Fair", "fair", "Fair", "Paper", "Radio", None])
            logit = -1.5 + (2.0 if visits is not None and visits >= 6 else 0) - 1.4 * (source == "Radio")
            is_won = rng.random() < 1 / (1 + exp(-logit))
            won.append(is_won)
            columns["id"].append(f"lead {number}")
            columns["visits"].append(None if visits is None else str(visits))
            columns["source"].append(source)
            columns["noise"].append(rng.choice(["red", "green", "blue"]))
            columns["tag"].append("sold" if is_won and rng.random() < 0.9 else None)
        return Leads(columns, won)

    return leads
