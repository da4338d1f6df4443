"""Misbehaviour on demand: which calls go wrong, and how."""

import asyncio
import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from .soapfault import fault

Kind = Literal[
    "http_500",
    "server_error_html",
    "html_instead_of_xml",
    "hang",
    "slow",
    "lost_reply_after_write",
    "session_lost",
    "access_denied",
    "refused_login",
    "refuse_row",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What a kind answers when it is nothing but one of Sugar's own faults.
SOAP_CODES: Mapping[str, int] = {
    "http_500": -1,
    "session_lost": 11,
    "access_denied": 40,
    "refused_login": 10,
}
# Where a kind strikes by its nature, unless the rule names an operation itself.
_USUAL_OPERATIONS: Mapping[str, frozenset[str]] = {
    "refused_login": frozenset({"login"}),
    "lost_reply_after_write": frozenset({"set_entry", "set_entries", "set_relationship"}),
}
# A login has no session to lose and no module to be denied.
_NEVER: Mapping[str, frozenset[str]] = {
    "session_lost": frozenset({"login", "get_server_info"}),
    "access_denied": frozenset({"login", "logout", "get_server_info"}),
}


@dataclasses.dataclass(slots=True)
class Rule:
    """One thing that goes wrong: for calls that match, after `skip` of them, `times` times (None = always).

    `seconds` belongs to slow; `field` and `matches` (a regular expression, whole value) to refuse_row.
    """

    kind: Kind
    operation: str | None = None
    module: str | None = None
    skip: int = 0
    times: int | None = None
    seconds: float = 0.0
    field: str = ""
    matches: str = ".*"
    struck: int = 0
    off: asyncio.Event = dataclasses.field(default_factory=asyncio.Event, repr=False)

    def strikes(self, operation: str, module: str | None) -> bool:
        """Counts: ask once per call."""
        if self.operation is None:
            usual = _USUAL_OPERATIONS.get(self.kind)
            if (usual is not None and operation not in usual) or operation in _NEVER.get(self.kind, ()):
                return False
        elif operation != self.operation:
            return False
        if self.module not in {None, module} or self.times == self.struck:
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
        try:
            rule = Rule(kind, **how)
            re.compile(rule.matches)
        except (TypeError, re.error) as error:
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

    def strike(self, operation: str, module: str | None) -> Rule | None:
        rules = (rule for rule in self.rules if rule.kind != "refuse_row")
        return next((rule for rule in rules if rule.strikes(operation, module)), None)

    def refuse_row(self, operation: str, module: str, values: Mapping[str, str]) -> None:
        """Raises fault -1 for a row that a rule refuses."""
        for rule in self.rules:
            if (
                rule.kind == "refuse_row"
                and re.fullmatch(rule.matches, values.get(rule.field, ""))
                and rule.strikes(operation, module)
            ):
                raise fault(-1)
