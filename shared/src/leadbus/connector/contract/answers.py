"""What became of what was asked of a CRM."""

from dataclasses import dataclass
from datetime import datetime

from leadbus.connector.contract.writes import CampaignThere
from leadbus.errors import LeadbusError
from leadbus.messages import Record

Outcome = LeadbusError | None
"""Of one row: None = done. Rejected = refused as it is; Conflict = a row with that id exists, or one to be
changed is not as it was read; Gone."""
Created = str | LeadbusError
"""Of one created row: the record's id; Rejected; Conflict = a row with the id we gave exists."""
Converted = Record | LeadbusError
"""Of one converted lead: the contact that it is now, also if it was one already."""
WrittenCampaign = CampaignThere | LeadbusError
"""Of one campaign: where it stands; Rejected; Gone = somebody has deleted it; Conflict as with `Created`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check. what: the fact; why: why it matters; advice: what to do.

    ok with an advice is a warning. blocked: it looks as if the CRM, or a firewall before it, refuses the
    address we call from. refused: the credentials were refused; more tries could lock the user.
    """

    ok: bool
    what: str
    why: str = ""
    advice: str = ""
    blocked: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one organisation bears, as it says itself; None = as in the capabilities, or no limit.

    calls: at once. credits_a_day: that its calls may cost in any 24 hours. credits_left: of those, now.
    """

    calls: int | None = None
    credits_a_day: int | None = None
    credits_left: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """The CRM pushes changes until then. gap: it did not do so all the time since it was last asked to."""

    until: datetime
    gap: bool
