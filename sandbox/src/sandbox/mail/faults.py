"""Misbehaviour on demand: what the server does to mails instead of taking them."""

import dataclasses
from typing import Any, Literal, get_args

Kind = Literal["busy", "refuse", "slow", "lose_reply", "leave"]
"""busy: 4xx. refuse: 5xx. slow: answers late. lose_reply: takes the mail and hangs up without an answer.
leave: 421, and hangs up."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Stage = Literal["recipient", "data"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclasses.dataclass(slots=True)
class Rule:
    """For mails to `to` (empty = all), `times` times (None = always). seconds: of `slow`."""

    kind: Kind
    stage: Stage = "data"
    to: str = ""
    times: int | None = None
    seconds: float = 60.0
    struck: int = 0

    def strikes(self, stage: Stage, to: str) -> bool:
        """Counts: ask once per mail and stage."""
        if self.stage != stage or self.to not in ("", to) or self.times == self.struck:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, first match wins."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, kind: Kind, **how: Any) -> Rule:
        """Keyword arguments are those of `Rule`; raises ValueError for what cannot be a rule."""
        if kind not in KINDS or how.get("stage", "data") not in STAGES:
            raise ValueError(f"no such fault; there are {', '.join(KINDS)} at {', '.join(STAGES)}")
        try:
            rule = Rule(kind, **how)
        except TypeError as error:
            raise ValueError(str(error)) from None
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def strike(self, stage: Stage, to: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.strikes(stage, to)), None)
