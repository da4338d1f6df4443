"""Misbehaviour on demand: which calls go wrong, and how. What can go wrong, each simulator says itself."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

Nature = Literal["login", "read", "write", "other"]
"""What a call is by its nature; `login` asks for a token, `other` is about metadata, channels or jobs."""

Of = Literal["all", "reads", "writes"]

ANY_CALL: frozenset[Nature] = frozenset({"login", "read", "write", "other"})
SIGNED_IN: frozenset[Nature] = ANY_CALL - {"login"}
WRITES: frozenset[Nature] = frozenset({"write"})

_NATURES: Mapping[Of, frozenset[Nature]] = {
    "all": ANY_CALL,
    "reads": frozenset({"read"}),
    "writes": WRITES,
}


@dataclasses.dataclass(slots=True)
class Rule:
    """One thing that goes wrong: for calls that match, after `skip` of them, `times` times (None = always).

    happens_to: calls of such a nature. operation: a name among the simulator's `calls`; it goes before `of`.
    seconds: of `slow`, and how long `hang` lasts at most. retry_after: seconds, where the answer says so.
    """

    kind: str
    happens_to: frozenset[Nature]
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
            if nature not in _NATURES[self.of] & self.happens_to:
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
    """The rules in force, first match wins. kinds: what can go wrong, and with calls of which nature."""

    def __init__(self, kinds: Mapping[str, frozenset[Nature]]) -> None:
        self.rules: list[Rule] = []
        self._kinds = kinds

    def add(self, kind: str, **how: Any) -> Rule:
        """Keyword arguments are those of `Rule`; raises ValueError for what cannot be a rule."""
        if kind not in self._kinds:
            raise ValueError(f"no such fault: {kind}; there are {', '.join(self._kinds)}")
        if how.get("of", "all") not in _NATURES:
            raise ValueError(f"no such calls: {how['of']}; there are {', '.join(_NATURES)}")
        try:
            rule = Rule(kind, self._kinds[kind], **how)
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
