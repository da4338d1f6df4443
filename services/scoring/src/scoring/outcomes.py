"""What became of prospects, as their CRMs tell, and what they had done before: to learn points from.

A row names nobody: no id, no address, no text that a person wrote.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.event_types import BY_NUMBER, EventType
from leadbus.storage.mongo import Document
from scoring.crm import CrmOpportunity
from scoring.prospect import Key, Prospect
from scoring.prospect_documents import document_id, from_document
from scoring.rules import Rules
from scoring.score import DAY
from scoring.tables import MACHINE

Outcome = Literal["won", "lost", "disqualified"]
PAGE = 500
_UNIT = 1_000_000


class Words(NamedTuple):
    """The stages of opportunities that mean won and lost, and the statuses of records that mean that the
    person was never a prospect; folded."""

    won: frozenset[str] = frozenset({"closed won", "won"})
    lost: frozenset[str] = frozenset(
        {"closed lost", "lost", "closed lost to competition", "canceled", "cancelled", "out-sold"}
    )
    disqualified: frozenset[str] = frozenset(
        {"dead", "disqualified", "unqualified", "not qualified", "junk lead", "lost lead", "lost"}
        | {"cannot contact", "no longer interested", "canceled", "cancelled", "rejected"}
    )

    @classmethod
    def given(cls, won: Collection[str], lost: Collection[str], disqualified: Collection[str]) -> "Words":
        """Those that are given, for each outcome instead of the usual ones."""
        asked = {"won": won, "lost": lost, "disqualified": disqualified}
        return cls(**{name: frozenset(map(str.casefold, words)) for name, words in asked.items() if words})


class OutcomeRow(BaseModel):
    """One prospect that a CRM holds."""

    outcome: Outcome | None = Field(description="None: it is not decided yet, or no word for it is known.")
    said: list[str] = Field(description="Stages and statuses as the CRM has them: `stage Closed Won`.")
    events: dict[EventType, float] = Field(
        description="Events before the outcome, each as much as it counts then: 1, fading as points do."
    )


class Outcomes(BaseModel):
    """A page. next: what to give as `after` for the next one; None = this is the last."""

    rows: list[OutcomeRow]
    next: str | None


def outcome_row(prospect: Prospect, words: Words, rules: Rules) -> OutcomeRow:
    """What became of a prospect, and its events until then, of those that are kept one by one."""
    found = outcome(prospect, words)
    said = [f"stage {row.stage}" for row in prospect.crm.live_opportunities if row.stage]
    said += [f"status {row.status}" for row in prospect.crm.live_records if row.status]
    if found is None:
        return OutcomeRow(outcome=None, said=said, events={})
    events: dict[EventType, float] = {}
    terms = rules.tables.main.terms
    for row in prospect.history:
        if row.at < found[1] and row.rule != MACHINE:
            type_ = BY_NUMBER[row.type]
            left = terms.left(_UNIT, row.at, found[1]) / _UNIT
            events[type_] = round(events.get(type_, 0) + left, 6)
    return OutcomeRow(outcome=found[0], said=said, events=events)


def outcome(prospect: Prospect, words: Words) -> tuple[Outcome, int] | None:
    """What became of a prospect, and when (milliseconds since 1970).

    One won opportunity is enough, the first counts; while another is open, nothing is lost yet.
    """
    deals = prospect.crm.live_opportunities
    ends = {word: list(_ended(deals, getattr(words, word))) for word in ("won", "lost")}
    if ends["won"]:
        return "won", min(ends["won"])
    if deals:
        return ("lost", max(ends["lost"])) if len(ends["lost"]) == len(deals) else None
    refused = [
        row.at for row in prospect.crm.live_records if (row.status or "").casefold() in words.disqualified
    ]
    return ("disqualified", min(refused)) if refused else None


class OutcomeReader:
    """Outcomes from the collection `scoring.prospects`."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._prospects = database["scoring.prospects"]

    async def page(self, tenant_id: str, words: Words, rules: Rules, after: str | None) -> Outcomes:
        """The rows of the next PAGE prospects that some CRM holds, after the one whose id is given."""
        # Ids of documents begin with the tenant's, which holds no colon; a semicolon is what follows one.
        begin, end = document_id(Key(tenant_id, after or "")), f"{tenant_id};"
        found = (
            self._prospects.find({"_id": {"$gt": begin, "$lt": end}, "crm": {"$exists": True}})
            .sort("_id", ASCENDING)
            .limit(PAGE)
        )
        prospects = [from_document(row) async for row in found]
        # Nobody learns from people who have no points at all.
        rows = [outcome_row(p, words, rules) for p in prospects if not rules.tables.excludes(p.email)]
        more = len(prospects) == PAGE
        return Outcomes(rows=rows, next=prospects[-1].key.prospect_id if more else None)


def _ended(deals: Collection[CrmOpportunity], words: frozenset[str]) -> Iterator[int]:
    """When those ended whose stage is one of the words: when it was told, or on the day it was closed, since
    any later change of the record is told, too."""
    for deal in deals:
        if (deal.stage or "").casefold() in words:
            yield min(deal.at, _end_of(deal.close_date))


def _end_of(day: str | None) -> int:
    if day is None:
        return 1 << 62
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp() * 1000) + DAY
