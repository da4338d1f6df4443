"""What a caller is shown of a distribution."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import BaseModel

from feedback.answering import State
from feedback.came_back import Activity, Delivered, Opportunity, Person, Status
from feedback.distribution import Distribution
from leadbus.messages import Answer, Answered
from leadbus.telemetry.propagation import trace_id_of, way_back


class ChangedField(BaseModel):
    """A field that was changed in a CRM and reads otherwise there than it was brought; a tenant's own is
    `custom.<name>`. value: empty = it was emptied."""

    name: str
    value: str
    at: datetime
    connection_id: str


class DistributionView(BaseModel):
    """A distribution and what became of it; every list is newest first.

    state: by the first answer. contradiction: the earliest answer against that one. distributed_at, email:
    None until the distribution itself has reached feedback. deliveries: what each connection made of it.
    """

    tenant_id: str
    supplier_id: str
    distribution_id: str
    prospect_id: str
    supplier_name: str | None
    campaign_id: str | None
    email: str | None
    distributed_at: datetime | None
    changed_at: datetime | None
    state: State
    answer: Answered | None
    contradiction: Answered | None
    deliveries: list[Delivered]
    statuses: list[Status]
    people: list[Person]
    opportunities: list[Opportunity]
    activities: list[Activity]
    fields: list[ChangedField]


class Page(BaseModel):
    """Distributions that have changed, in the order of their changes by partition.

    cursor: ask on with it, now or later. more: whether there is more already.
    """

    distributions: list[DistributionView]
    cursor: str
    more: bool


class Hop(BaseModel):
    """One step of a lead's journey. trace_id: of the trace in which is told what came back of the lead."""

    at: datetime
    what: str
    supplier_id: str
    distribution_id: str
    trace_id: str | None = None


class Journey(BaseModel):
    """How the distributions of one person were answered, in order of time."""

    prospect_id: str
    journey: list[Hop]


class AnswerBody(BaseModel):
    """An answer, as posted."""

    answer: Answer


def view(of: Distribution, *, supplier: bool) -> DistributionView:
    """supplier: whether the supplier looks, who is not told what is wrong in the tenant's CRM."""
    brought = of.brought
    hidden = {"reason": None, "field": None} if supplier else {}
    return DistributionView(
        **of.key._asdict(),
        supplier_name=brought.supplier_name if brought else None,
        campaign_id=brought.campaign_id if brought else None,
        email=brought.email if brought else None,
        distributed_at=brought.at if brought else None,
        changed_at=of.changed_at,
        state=of.answers.state,
        answer=of.answers.first,
        contradiction=of.answers.contradiction,
        deliveries=[each.model_copy(update=hidden) for each in of.deliveries.all()],
        statuses=of.later(of.statuses),
        people=of.people.all(),
        opportunities=of.later(of.opportunities),
        activities=of.later(of.activities),
        fields=[
            ChangedField(name=each.name, value=each.value, at=each.at, connection_id=each.connection_id)
            for each in of.changed_fields
        ],
    )


def journey(prospect_id: str, distributions: Iterable[Distribution]) -> Journey:
    """The answers to a person's distributions."""
    hops = [hop for each in distributions for hop in _answers(each)]
    return Journey(prospect_id=prospect_id, journey=sorted(hops, key=lambda hop: hop.at))


def _answers(of: Distribution) -> Iterator[Hop]:
    lead = of.brought.lead_trace_id if of.brought else None
    said = ((of.answers.first, ""), (of.answers.contradiction, ", against the first answer"))
    for each, beside in said:
        if each is not None:
            yield Hop(
                at=each.at,
                what=f"{each.answer} by {each.by}{beside}",
                supplier_id=of.key.supplier_id,
                distribution_id=of.key.distribution_id,
                trace_id=trace_id_of(way_back(lead)) if lead else None,
            )
