"""One delivery under way through a working-off."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from leadbus.connector.contract import Person
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Done, Parked
from leadbus.connector.delivering.plan_fields import Decision
from leadbus.connector.link import Link, LinkState
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected, Unsupported
from leadbus.messages import Record

Outcome = Literal["created", "matched", "updated", "parked", "unlinked"]

MOST_TRIES_OF_THE_GONE = 3
"""A record that is gone is looked for anew; one that stays both there and gone is a person's to judge."""


@dataclass(slots=True)
class Work:
    """See the module.

    person: its record as read just now. owner_id: of the record, as far as known. opted_out_there: another
    record with its email (a target, say) is opted out. lead_opted_out: the lead that became this contact just
    now was. created: just now, with all that is known. changed:
    an existing record was. reasons: per field who won, and why. decisions: the same of each pending field, of
    a record that exists. error: what keeps something of it from being
    done; unconverted: that is its turning into a contact alone; refused: why the CRM cannot follow the
    prospect's state; object, root: what kind of record is refused, and the id of another that is to blame.
    held: creators that the settings want nothing of for now.
    written: what is dealt with. activities: how many reached the CRM. later: when the rest becomes due by
    itself. idle: there was nothing to write.
    """

    delivery: Delivery
    link: Link | None = None
    person: Person | None = None
    owner_id: str | None = None
    account_id: str | None = None
    opted_out_there: bool = False
    lead_opted_out: bool = False
    created: bool = False
    changed: bool = False
    reasons: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    error: LeadbusError | None = None
    unconverted: bool = False
    refused: Parked | None = None
    object: str = "lead"
    root: str | None = None
    written: Done = field(default_factory=Done)
    activities: int = 0
    later: datetime | None = None
    idle: bool = False

    @property
    def has_record(self) -> bool:
        """Whether it is linked to a record to write to."""
        return self.link is not None and self.link.state is LinkState.LINKED

    @property
    def is_shown(self) -> bool:
        """Whether the CRM shows what it says a lead has become."""
        return self.person is not None or not self.unconverted

    @property
    def record(self) -> Record | None:
        """The linked record; for what may not be linked, one that was found by email."""
        if self.link is not None and self.has_record:
            return self.link.record
        return self.person.record if self.person else None

    @property
    def outcome(self) -> Outcome:
        """How the link came about, until that is told: a crash in between makes it no other outcome."""
        if self.written.spent:
            return "unlinked"
        if self.link is None or not self.has_record or self.link.made_by != self.delivery.connection_id:
            return "updated"
        return self.link.made if self.link.since != self.delivery.told else "updated"

    @property
    def is_parked(self) -> bool:
        """Refused until a person, the settings or a record change."""
        if isinstance(self.error, Gone):
            return self.delivery.attempts >= MOST_TRIES_OF_THE_GONE
        return isinstance(self.error, Rejected | Unsupported | Conflict)

    def parked(self, now: datetime) -> Parked:
        """What is kept of the refusal."""
        return Parked(
            reason=str(self.error),
            since=now,
            field=getattr(self.error, "field", None),
            object=self.object,
            record=self.record.id if self.record else None,
            root=self.root,
        )
