"""What CRMs hold of a prospect, as last told: its records and its opportunities.

Whatever order facts come in, the same is kept: of each row the newest fact, of all rows the newest ones.
Rows that were deleted are kept as such, so that an older fact about one brings it back to nobody.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from leadbus.messages import ContactChanged, Feedback, OpportunityChanged
from leadbus.storage.mongo import Document

MOST = 20
"""Records, and opportunities, that are kept of one prospect."""
LONGEST = 200
"""Characters that are kept of a text."""


class CrmRecord(NamedTuple):
    """A record of the person. at: milliseconds, by the CRM's clock.

    live: neither deleted nor converted. annual_revenue: of its company, a decimal as the CRM has it.
    """

    connection_id: str
    module: str
    record_id: str
    at: int
    event_id: str
    live: bool
    kind: str
    status: str | None
    owner_email: str | None
    account_type: str | None
    account_annual_revenue: str | None


class CrmOpportunity(NamedTuple):
    """An opportunity of the person. amount: a decimal; close_date: YYYY-MM-DD; probability: percent."""

    connection_id: str
    module: str
    record_id: str
    at: int
    event_id: str
    live: bool
    name: str | None
    stage: str | None
    amount: str | None
    currency: str | None
    close_date: str | None
    probability: int | None
    lead_source: str | None


AnyRow = TypeVar("AnyRow", CrmRecord, CrmOpportunity)


@dataclass(frozen=True, slots=True)
class CrmSide:
    """All rows, oldest fact first."""

    records: tuple[CrmRecord, ...] = ()
    opportunities: tuple[CrmOpportunity, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.records or self.opportunities)

    def contact(self, contact: ContactChanged) -> "CrmSide":
        """The side with how a record stands; itself if nothing is new."""
        facts = contact.account_fields
        row = CrmRecord(
            *_which(contact),
            live=not contact.deleted and contact.converted_to is None,
            kind=contact.kind,
            status=_short(contact.status),
            owner_email=contact.owner_email,
            account_type=_short(facts.get("account_type")),
            account_annual_revenue=_short(facts.get("annual_revenue")),
        )
        kept = _with(self.records, row)
        return self if kept == self.records else replace(self, records=kept)

    def opportunity(self, opportunity: OpportunityChanged) -> "CrmSide":
        """The side with how an opportunity stands; itself if nothing is new."""
        day = opportunity.close_date
        row = CrmOpportunity(
            *_which(opportunity),
            live=not opportunity.deleted,
            name=_short(opportunity.name),
            stage=_short(opportunity.stage),
            amount=opportunity.amount,
            currency=opportunity.currency,
            close_date=day.isoformat() if day else None,
            probability=opportunity.probability,
            lead_source=_short(opportunity.lead_source),
        )
        kept = _with(self.opportunities, row)
        return self if kept == self.opportunities else replace(self, opportunities=kept)

    def joined(self, other: "CrmSide") -> "CrmSide":
        """The side with what was told of the person under another id; itself if nothing is new."""
        records, opportunities = self.records, self.opportunities
        for record in other.records:
            records = _with(records, record)
        for opportunity in other.opportunities:
            opportunities = _with(opportunities, opportunity)
        side = CrmSide(records, opportunities)
        return self if side == self else side

    @property
    def live_records(self) -> list[CrmRecord]:
        """Those that are there to be seen."""
        return [row for row in self.records if row.live]

    @property
    def live_opportunities(self) -> list[CrmOpportunity]:
        """Those that are there to be seen."""
        return [row for row in self.opportunities if row.live]


NOTHING = CrmSide()
"""One for all who are in no CRM: they cost no object of their own in each batch."""


def to_document(side: CrmSide) -> Document:
    """As MongoDB keeps it."""
    return {"records": side.records, "opportunities": side.opportunities}


def from_document(row: Document) -> CrmSide:
    """The inverse of `to_document`."""
    return CrmSide(
        tuple(CrmRecord(*record) for record in row["records"]),
        tuple(CrmOpportunity(*opportunity) for opportunity in row["opportunities"]),
    )


def _which(fact: Feedback) -> tuple[str, str, str, int, str]:
    at = int(fact.occurred_at.timestamp() * 1000)
    return fact.connection_id, fact.record.module, fact.record.id, at, fact.event_id


def _with(rows: tuple[AnyRow, ...], row: AnyRow) -> tuple[AnyRow, ...]:
    """`rows` with the newer of `row` and the one of the same record."""
    if any(known[:3] == row[:3] and (known.at, known.event_id) >= (row.at, row.event_id) for known in rows):
        return rows
    kept = [known for known in rows if known[:3] != row[:3]]
    kept.append(row)
    kept.sort(key=lambda each: (each.at, each.event_id))
    return tuple(kept[-MOST:])


def _short(text: str | None) -> str | None:
    return (text or "").strip()[:LONGEST].rstrip() or None
