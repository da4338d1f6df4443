"""A prospect as a person asks for it: the score now, where each point comes from, and the journey so far."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from leadbus.event_types import BY_NUMBER, TRAITS, EventType
from scoring.prospect import Prospect
from scoring.rules import Rules
from scoring.score import decayed, rounded, worth
from scoring.segments import automatic_lists, is_in_crm, met


class Counted(BaseModel):
    """One counted event. points: what it gave; points_now: what is left of them."""

    received_at: datetime
    type: EventType
    label: str
    points: float
    points_now: float


class Older(BaseModel):
    """Events that are too old or too many to be kept one by one: their number and what is left of them."""

    rule: str
    events: int
    points_now: float


class Met(BaseModel):
    """A segment rule that the prospect meets, and its points, which do not fade."""

    rule: str
    points: float


class CrmRecordView(BaseModel):
    """A record of the person; account_annual_revenue: a decimal, as the CRM has it."""

    connection_id: str
    module: str
    record_id: str
    kind: str
    status: str | None
    owner_email: str | None
    account_type: str | None
    account_annual_revenue: str | None


class CrmOpportunityView(BaseModel):
    """An opportunity of the person. amount: a decimal; close_date: YYYY-MM-DD; probability: percent."""

    connection_id: str
    module: str
    record_id: str
    name: str | None
    stage: str | None
    amount: str | None
    currency: str | None
    close_date: str | None
    probability: int | None
    lead_source: str | None


class CrmView(BaseModel):
    """What CRMs hold of the person: all that rules of segments may ask. lists: automatic ones, by name."""

    in_crm_as_lead: bool
    in_crm_as_contact: bool
    records: list[CrmRecordView]
    opportunities: list[CrmOpportunityView]
    lists: list[str]


class Hop(BaseModel):
    """One step of the journey. trace_id: the trace in which it can be seen, if it was followed."""

    at: datetime
    what: str
    hop: Literal["activity", "distributed", "qualified", "recorded"]
    connection_id: str | None = None
    supplier_id: str | None = None
    distribution_id: str | None = None
    record_module: str | None = None
    record_id: str | None = None
    trace_id: str | None = None


class ProspectView(BaseModel):
    """The answer. score: points now, rounded half up; millipoints: the exact figure in 1/1000.

    rules_version: of the tenant's rules in force. explanation: newest first. With `older` and `segments` it
    adds up to the score. journey: in order of time.
    """

    prospect_id: str
    email: str | None
    version: int
    score: int
    millipoints: int
    rules_version: int
    half_life_days: int
    explanation: list[Counted]
    older: list[Older] = Field(description="Sums of what is not kept one by one.")
    segments: list[Met] = Field(description="Rules that what CRMs hold of the person meets.")
    crm: CrmView
    journey: list[Hop]


def view(prospect: Prospect, rules: Rules, now: int) -> ProspectView:
    """`prospect` as it stands at `now` (milliseconds since 1970)."""
    at = max(now, prospect.at)
    millipoints = prospect.score_at(at, rules)
    return ProspectView(
        prospect_id=prospect.key.prospect_id,
        email=prospect.email,
        version=prospect.version,
        score=rounded(millipoints),
        millipoints=millipoints,
        rules_version=rules.version,
        half_life_days=rules.half_life_days,
        explanation=list(_counted(prospect, rules, at))[::-1],
        older=[
            Older(rule=_label(rule), events=s.count, points_now=worth(s.weight, at, half_life_days) / 1000)
            for (rule, half_life_days), s in sorted(prospect.history.sums.items())
        ],
        segments=[Met(rule=r.name, points=r.millipoints / 1000) for r in met(prospect, rules.segments)],
        crm=_crm(prospect),
        journey=sorted(_hops(prospect), key=lambda hop: hop.at),
    )


def _counted(prospect: Prospect, rules: Rules, at: int) -> Iterator[Counted]:
    for row in prospect.history:
        left = decayed(row.millipoints, at - row.at, rules.half_life_days)
        yield Counted(
            received_at=_time(row.at),
            type=BY_NUMBER[row.type],
            label=_label(row.type),
            points=row.millipoints / 1000,
            points_now=left / 1000,
        )


def _crm(prospect: Prospect) -> CrmView:
    side = prospect.crm
    return CrmView(
        in_crm_as_lead=is_in_crm(prospect, "lead"),
        in_crm_as_contact=is_in_crm(prospect, "contact"),
        records=[CrmRecordView.model_validate(row._asdict()) for row in side.live_records],
        opportunities=[CrmOpportunityView.model_validate(row._asdict()) for row in side.live_opportunities],
        lists=[listed.name for listed in automatic_lists(prospect).values()],
    )


def _hops(prospect: Prospect) -> Iterator[Hop]:
    for recent in prospect.recent:
        label = TRAITS[EventType(recent.type)].label
        what = f"{label}: {recent.subject}" if recent.subject else label
        yield Hop(at=_time(recent.occurred_at), hop="activity", what=what)
    for handed in prospect.handed:
        yield Hop(
            at=_time(handed.at),
            hop="distributed",
            what="A supplier handed the lead over.",
            supplier_id=handed.supplier_id,
            distribution_id=handed.distribution_id,
            trace_id=handed.trace_id,
        )
    for qualified in prospect.qualified.values():
        yield Hop(
            at=_time(qualified.at),
            hop="qualified",
            what=f"The score exceeded the threshold of {qualified.threshold}.",
            connection_id=qualified.connection_id,
            trace_id=qualified.trace_id,
        )
    for linked in prospect.linked.values():
        yield Hop(
            at=_time(linked.at),
            hop="recorded",
            what="The CRM holds a record.",
            connection_id=linked.connection_id,
            record_module=linked.module,
            record_id=linked.record_id,
        )


def _label(number: int) -> str:
    return TRAITS[BY_NUMBER[number]].label


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
