"""Who decides about one field of a record that exists: a row per rule. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from leadbus.connector.delivering.parts import FieldFact
from leadbus.connector.settings import Rule


@dataclass(frozen=True, slots=True)
class Case:
    """A value of ours beside the CRM's.

    present: what the CRM has; empty = nothing. ours: that is what we wrote there. theirs_since: when it was
    last changed there, by the CRM's clock; None = not known. allowed: without a rule, the profile
    may change it.
    """

    said: FieldFact
    present: str
    ours: bool
    theirs_since: datetime | None
    allowed: bool

    @property
    def is_theirs(self) -> bool:
        """Whether somebody in the CRM gave it its value."""
        return bool(self.present) and not self.ours

    @property
    def is_newer(self) -> bool:
        """Whether ours was said after theirs; not if we cannot know."""
        return not self.is_theirs or (self.theirs_since is not None and self.said.at > self.theirs_since)


@dataclass(frozen=True, slots=True)
class _Judge:
    """ours_wins, and why, as the journey tells it."""

    ours_wins: Callable[[Case], bool]
    if_ours: str
    if_theirs: str


JUDGES: Mapping[Rule | None, _Judge] = {
    None: _Judge(lambda case: case.allowed, "field updates are on", "field updates are off"),
    "ours": _Judge(lambda case: True, "ours by rule", ""),
    "theirs": _Judge(lambda case: not case.is_theirs, "the CRM had no value of its own", "theirs by rule"),
    "newest": _Judge(lambda case: case.is_newer, "ours is newer", "theirs is newer"),
    "only_if_empty": _Judge(lambda case: not case.present, "the CRM had none", "the CRM has one"),
    "never": _Judge(lambda case: False, "", "never written by rule"),
}


def judge(rule: Rule | None, case: Case) -> tuple[bool, str]:
    """Whether ours is to be written, and the reason in a few words."""
    decision = JUDGES[rule]
    wins = decision.ours_wins(case)
    return wins, decision.if_ours if wins else decision.if_theirs
