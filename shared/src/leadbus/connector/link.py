"""A link: the pair prospect <-> record of one CRM organisation."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leadbus.ids import derived_id
from leadbus.messages import Origin, Record

MOST_ORIGINS = 50
SIGN_LETTERS = 100
"""Of an activity's subject: CRMs cut long ones."""

Made = Literal["created", "matched"]


class LinkState(StrEnum):
    """in doubt: a create was begun and no answer came; linked; unlinked: the record was deleted there."""

    IN_DOUBT = "in_doubt"
    LINKED = "linked"
    UNLINKED = "unlinked"


@dataclass(slots=True)
class Link:
    """See the module.

    team_scope: sets records of one team apart from the organisation's others; a prospect may have one link in
    each. since: when the state began. made, made_by: how the pair came about, and by which connection.
    generation: how many records this prospect has had; it makes each one's id another.
    earlier: leads that became the record.
    connections: that deliver to the record. origins: distributions behind it, newest last.
    lead_trace_id: the trace that brought the lead in.
    """

    organisation_id: str
    prospect_id: str
    tenant_id: str
    record: Record
    state: LinkState
    since: datetime
    made: Made
    made_by: str
    team_scope: str = ""
    generation: int = 0
    earlier: list[Record] = field(default_factory=list)
    connections: set[str] = field(default_factory=set)
    origins: list[Origin] = field(default_factory=list)
    lead_trace_id: str | None = None

    def became(self, contact: Record) -> None:
        """The lead is a contact now; what it was stays known, as the CRM may still speak of it."""
        self.earlier = [*(one for one in self.earlier if one != self.record), self.record]
        self.record = contact

    def remember(self, connection_id: str, origins: list[Origin], lead_trace_id: str | None) -> bool:
        """Adds who delivers and where the lead came from; whether that was news."""
        new = [origin for origin in origins if origin not in self.origins]
        news = bool(new) or connection_id not in self.connections
        self.connections.add(connection_id)
        self.origins = (self.origins + new)[-MOST_ORIGINS:]
        self.lead_trace_id = self.lead_trace_id or lead_trace_id
        return news


def record_id(organisation_id: str, team_scope: str, email: str, generation: int) -> str:
    """The id under which a record is created: the same on every try, so that a second create fails.

    By email and not by prospect: two tenants of one organisation have a prospect each for one person.
    """
    return derived_id(organisation_id, *filter(None, [team_scope]), email, str(generation))


def activity_sign(record_id: str, type_: str, subject: str) -> str:
    """What an activity is known by until the CRM has given it an id: nobody else writes the same line."""
    return derived_id("activity", record_id, type_, " ".join(subject[:SIGN_LETTERS].split()))


def account_id(organisation_id: str, team_scope: str, name: str, generation: int = 0) -> str:
    """The id under which an account is created, whoever is the first to need it.

    generation: how many of that id were deleted in the CRM.
    """
    normalised = " ".join(name.casefold().split())
    again = [str(generation)] if generation else []
    return derived_id(organisation_id, *filter(None, [team_scope]), "account", normalised, *again)
