"""Misbehaviour on demand: which calls go wrong, and how."""

import asyncio
import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

Kind = Literal[
    "http_500",
    "server_error_html",
    "html_instead_of_xml",
    "html_instead_of_json",
    "too_many_requests",
    "maintenance",
    "forbidden",
    "hang",
    "slow",
    "lost_reply_after_write",
    "died_writing",
    "session_lost",
    "token_expired",
    "access_denied",
    "refused_login",
    "refuse_row",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

Nature = Literal["login", "logout", "open", "read", "write"]
"""What a call is by its nature; `open` needs no login."""

# Where a kind strikes by its nature, unless the rule names an operation itself.
_USUAL: Mapping[str, frozenset[str]] = {
    "refused_login": frozenset({"login"}),
    "lost_reply_after_write": frozenset({"write"}),
    # A login has no session to lose and no module to be denied.
    "session_lost": frozenset({"logout", "read", "write"}),
    "token_expired": frozenset({"logout", "read", "write"}),
    "access_denied": frozenset({"read", "write"}),
}
# These strike single rows, not calls.
_ROW_KINDS = frozenset({"refuse_row", "died_writing"})


class RowRefused(Exception):
    """The CRM does not take this row; its text is what the CRM says."""


class DiedWriting(Exception):
    """The server died after it stored a row: that row stays, the later ones of the call never came."""


@dataclasses.dataclass(frozen=True, slots=True)
class Happening:
    """A call as rules and counts see it.

    `operation` is the name under which it is counted: `set_entry` (SOAP), `legacy set_entry`,
    `rest POST Leads`; a rule may also use `alias`.
    """

    operation: str
    nature: Nature
    module: str | None = None
    alias: str = ""


@dataclasses.dataclass(slots=True)
class Rule:
    """One thing that goes wrong: for calls that match, after `skip` of them, `times` times (None = always).

    `operation` is a name of `SugarCRM.calls`; without the word `legacy` it means SOAP and legacy REST.
    `seconds` belongs to slow, and is the Retry-After of too_many_requests (0 = without). `field`, `matches`
    (a regular expression, whole value) and `message` belong to refuse_row and died_writing, which count rows,
    not calls: `skip=2, times=1` is the third row.
    """

    kind: Kind
    operation: str | None = None
    module: str | None = None
    skip: int = 0
    times: int | None = None
    seconds: float = 0.0
    field: str = ""
    matches: str = ".*"
    message: str = "refused"
    struck: int = 0
    off: asyncio.Event = dataclasses.field(default_factory=asyncio.Event, repr=False)

    def strikes(self, happening: Happening) -> bool:
        """Counts: ask once per call, or once per row."""
        if self.operation is None:
            if happening.nature not in _USUAL.get(self.kind, {happening.nature}):
                return False
        elif self.operation not in {happening.operation, happening.alias}:
            return False
        if self.module not in {None, happening.module} or self.times == self.struck:
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

    def strike(self, happening: Happening) -> Rule | None:
        rules = (rule for rule in self.rules if rule.kind not in _ROW_KINDS)
        return next((rule for rule in rules if rule.strikes(happening)), None)

    def before_row(self, happening: Happening, values: Mapping[str, str]) -> None:
        """Raises RowRefused for a row that a rule refuses."""
        if rule := self._row_rule("refuse_row", happening, values):
            raise RowRefused(rule.message)

    def after_row(self, happening: Happening, values: Mapping[str, str]) -> None:
        """Raises DiedWriting for a row with which a rule ends the call."""
        if self._row_rule("died_writing", happening, values):
            raise DiedWriting

    def _row_rule(self, kind: Kind, happening: Happening, values: Mapping[str, str]) -> Rule | None:
        for rule in self.rules:
            if (
                rule.kind == kind
                and re.fullmatch(rule.matches, values.get(rule.field, ""))
                and rule.strikes(happening)
            ):
                return rule
        return None
