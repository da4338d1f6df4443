"""A prospect as a person asks for it: the score now, where each point comes from, and the journey so far."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from leadbus.event_types import BY_NUMBER, TRAITS, EventType
from scoring.fading import Terms
from scoring.history import History
from scoring.profile import met_profile
from scoring.prospect import Prospect
from scoring.rule_parts import ProfileRule, SegmentRule
from scoring.rules import Rules
from scoring.score import rounded
from scoring.segments import automatic_lists, is_in_crm, met
from scoring.tables import MACHINE

_MACHINE = "A machine did it, not a person"
_EXCLUDED = "The rules exclude the domain of the email"


class Counted(BaseModel):
    """One counted event. points: what it gave; points_now: what is left of them.

    rule: of the tenant's, if one gave them instead of the type. capped_by: the cap that took a part. zero:
    why it counts nothing.
    """

    received_at: datetime
    type: EventType
    label: str
    points: float
    points_now: float
    rule: str | None = None
    capped_by: str | None = None
    zero: str | None = None


class Older(BaseModel):
    """Events that are too old or too many to be kept one by one: their number and what is left of them."""

    rule: str
    events: int
    points_now: float


class Met(BaseModel):
    """A rule on the person or on what the CRM holds that is met, and its points, which do not fade."""

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
    hop: Literal["activity", "distributed", "qualified", "cooled", "recorded"]
    connection_id: str | None = None
    supplier_id: str | None = None
    distribution_id: str | None = None
    record_module: str | None = None
    record_id: str | None = None
    trace_id: str | None = None


class Explained(BaseModel):
    """A score and all its parts. score: points now, rounded half up; millipoints: the exact figure in 1/1000,
    which the parts add up to: explanation (newest first), older, segments, profile, inactivity."""

    score: int
    millipoints: int
    explanation: list[Counted]
    older: list[Older] = Field(description="Sums of what is not kept one by one.")
    segments: list[Met] = Field(description="Rules that what CRMs hold of the person meets.")
    profile: list[Met] = Field(description="Rules that what is known of the person meets.")
    inactivity: float = Field(description="Points off, nought or less, since long no event has given any.")


class NamedView(Explained):
    """Another of the tenant's scores."""

    name: str


class ProspectView(Explained):
    """The answer. rules_version: of the tenant's rules in force. scores: the further ones. excluded: a person
    whose email's domain the rules exclude; there are no points at all. journey: in order of time.
    aliases: what else the person is known as, `visitor:` and an id or `email:` and an old email."""

    prospect_id: str
    email: str | None
    version: int
    rules_version: int
    half_life_days: int
    excluded: bool
    scores: list[NamedView]
    crm: CrmView
    journey: list[Hop]
    aliases: list[str]


def view(prospect: Prospect, rules: Rules, now: int) -> ProspectView:
    """`prospect` as it stands at `now` (milliseconds since 1970)."""
    at = max(now, prospect.at)
    return ProspectView(
        prospect_id=prospect.key.prospect_id,
        email=prospect.email,
        version=prospect.version,
        rules_version=rules.version,
        half_life_days=rules.half_life_days,
        excluded=rules.tables.excludes(prospect.email),
        scores=[
            NamedView(name=name, **dict(explained(prospect, rules, at, name))) for name in rules.tables.others
        ],
        crm=_crm(prospect),
        journey=sorted(_hops(prospect), key=lambda hop: hop.at),
        aliases=sorted(prospect.aliases),
        **dict(explained(prospect, rules, at)),
    )


def explained(prospect: Prospect, rules: Rules, at: int, name: str | None = None) -> Explained:
    """Every point of a score at `at` (ms, not before the prospect's newest record); name: another than the
    main one."""
    tables = rules.tables
    scale, history = tables.main, prospect.history
    if name is not None:
        scale = tables.others[name]
        history = prospect.named[name].history if name in prospect.named else History()
    excluded = tables.excludes(prospect.email)
    millipoints = prospect.score_at(at, rules, name)
    rest = 0 if excluded else history.score(at, scale.terms) + prospect.standing_by(rules, scale)
    return Explained(
        score=rounded(millipoints),
        millipoints=millipoints,
        explanation=list(_counted(history, scale.terms, rules, at, excluded=excluded))[::-1],
        older=[
            Older(rule=_rule(fell.rule, rules), events=count, points_now=0 if excluded else left / 1000)
            for fell, count, left in history.fallen(at, scale.terms)
        ],
        segments=[_met(rule) for rule in met(prospect, scale.segments) if not excluded],
        profile=[_met(rule) for rule in met_profile(prospect, scale.profile) if not excluded],
        inactivity=(millipoints - rest) / 1000,
    )


def _counted(history: History, terms: Terms, rules: Rules, at: int, *, excluded: bool) -> Iterator[Counted]:
    for row, given in history.given(terms):
        points = 0 if excluded else given.millipoints
        zero = _MACHINE if row.rule == MACHINE and not given.millipoints else None
        yield Counted(
            received_at=_time(row.at),
            type=BY_NUMBER[row.type],
            label=_label(row.type),
            points=points / 1000,
            points_now=terms.left(points, row.at, at) / 1000,
            rule=rules.names.get(row.rule),
            capped_by=given.by,
            zero=zero or (_EXCLUDED if excluded else None),
        )


def _met(rule: SegmentRule | ProfileRule) -> Met:
    return Met(rule=rule.name, points=rule.millipoints / 1000)


def _rule(number: int, rules: Rules) -> str:
    return _MACHINE if number == MACHINE else rules.names.get(number) or _label(number)


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
        again = f" for the {qualified.number}. time" if qualified.number > 1 else ""
        yield Hop(
            at=_time(qualified.at),
            hop="qualified",
            what=f"The score exceeded the threshold of {qualified.threshold}{again}.",
            connection_id=qualified.connection_id,
            trace_id=qualified.trace_id,
        )
        if qualified.cooled is not None:
            yield Hop(
                at=_time(qualified.cooled),
                hop="cooled",
                what="The score has fallen well below the threshold.",
                connection_id=qualified.connection_id,
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
