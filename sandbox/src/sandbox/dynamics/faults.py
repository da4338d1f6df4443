"""Misbehaviour on demand: which calls go wrong, and how."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, get_args

Kind = Literal[
    "hang",
    "slow",
    "error",
    "html",
    "lose_reply",
    "rate_limit",
    "expire_session",
    "forbid",
    "unavailable",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

Nature = Literal["login", "read", "write", "other"]
"""What a call is by its nature; `login` asks for a token, `other` is about metadata."""

Of = Literal["all", "reads", "writes"]

_NATURES: Mapping[Of, frozenset[Nature]] = {
    "all": frozenset({"login", "read", "write", "other"}),
    "reads": frozenset({"read"}),
    "writes": frozenset({"write"}),
}
# What cannot happen to every call.
_USUAL: Mapping[Kind, frozenset[Nature]] = {
    "lose_reply": frozenset({"write"}),
    "expire_session": frozenset({"read", "write", "other"}),
    "error": frozenset({"read", "write", "other"}),
    "rate_limit": frozenset({"read", "write", "other"}),
}


@dataclasses.dataclass(slots=True)
class Rule:
    """One thing that goes wrong: for calls that match, after `skip` of them, `times` times (None = always).

    operation: a name of `Dynamics.calls`; it goes before `of`. seconds: of `slow`, and how long `hang` lasts
    at most. retry_after: seconds, of `rate_limit` and `unavailable`.
    """

    kind: Kind
    of: Of = "all"
    operation: str | None = None
    times: int | None = None
    skip: int = 0
    seconds: float = 60.0
    retry_after: int = 1
    struck: int = 0
    off: asyncio.Event = dataclasses.field(default_factory=asyncio.Event, repr=False)

    def strikes(self, operation: str, nature: Nature) -> bool:
        """Counts: ask once per call."""
        if self.operation is None:
            if nature not in _NATURES[self.of] & _USUAL.get(self.kind, _NATURES["all"]):
                return False
        elif self.operation != operation:
            return False
        if self.times == self.struck:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, first match wins."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, kind: Kind, **how: Any) -> Rule:
        """Keyword arguments are those of `Rule`; raises ValueError for what cannot be a rule."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; there are {', '.join(KINDS)}")
        if how.get("of", "all") not in _NATURES:
            raise ValueError(f"no such calls: {how['of']}; there are {', '.join(_NATURES)}")
        try:
            rule = Rule(kind, **how)
        except TypeError as error:
            raise ValueError(str(error)) from None
        self.rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        rule.off.set()
        if rule in self.rules:
            self.rules.remove(rule)

    def clear(self) -> None:
        """Also lets go of every call that hangs."""
        for rule in list(self.rules):
            self.remove(rule)

    def strike(self, operation: str, nature: Nature) -> Rule | None:
        return next((rule for rule in self.rules if rule.strikes(operation, nature)), None)
