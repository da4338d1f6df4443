"""One distribution, and everything that is known of what became of it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from feedback.answering import Answers, answered
from feedback.came_back import (
    Activity,
    AnyWord,
    Delivered,
    Field,
    Newest,
    Opportunity,
    Person,
    Status,
    fields_of,
    mark_of,
)
from leadbus.ids import derived_id
from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    DeliveryReported,
    Feedback,
    LeadAnswered,
    LeadDistributed,
    LeadStatusChanged,
    OpportunityChanged,
    Origin,
    ProspectMessage,
)
from leadbus.messages.base import LATEST_LEAD

MOST_CONNECTIONS, MOST_PEOPLE, MOST_OPPORTUNITIES, MOST_ACTIVITIES, MOST_FIELDS = 10, 20, 50, 50, 250


class Key(NamedTuple):
    """Which distribution. A supplier's ids are its own; the prospect decides who may write."""

    tenant_id: str
    prospect_id: str
    supplier_id: str
    distribution_id: str

    @property
    def id(self) -> str:
        """The document's id."""
        return derived_id("distribution", *self)


@dataclass(frozen=True, slots=True)
class Brought:
    """What the supplier handed over. marks: of each field, by its name in `Fields.flat()`."""

    at: datetime
    event_id: str
    email: str
    name: str
    company: str | None
    supplier_name: str | None
    campaign_id: str | None
    lead_trace_id: str | None
    marks: Mapping[str, str]

    @classmethod
    def by(cls, said: LeadDistributed, at: datetime, lead_trace_id: str | None) -> "Brought":
        known = said.fields
        return cls(
            at=at,
            event_id=said.event_id,
            email=said.email,
            name=" ".join(filter(None, (known.first_name, known.last_name))),
            company=known.company,
            supplier_name=said.supplier_name,
            campaign_id=said.campaign_id,
            lead_trace_id=lead_trace_id,
            marks={name: mark_of(value) for name, value in known.flat().items()},
        )


@dataclass(slots=True)
class Distribution:
    """brought: None until the distribution itself is heard of. since: when it was first handed over.
    told: how often the supplier was told."""

    key: Key
    partition: int
    brought: Brought | None = None
    since: datetime | None = None
    answers: Answers = field(default_factory=Answers)
    told: int = 0
    deliveries: Newest[Delivered] = field(default_factory=lambda: Newest(Delivered, MOST_CONNECTIONS))
    statuses: Newest[Status] = field(default_factory=lambda: Newest(Status, MOST_CONNECTIONS))
    people: Newest[Person] = field(default_factory=lambda: Newest(Person, MOST_PEOPLE))
    opportunities: Newest[Opportunity] = field(
        default_factory=lambda: Newest(Opportunity, MOST_OPPORTUNITIES)
    )
    activities: Newest[Activity] = field(default_factory=lambda: Newest(Activity, MOST_ACTIVITIES))
    fields: Newest[Field] = field(default_factory=lambda: Newest(Field, MOST_FIELDS))
    changed_at: datetime | None = None

    def take(self, said: ProspectMessage, at: datetime, trace_id: str | None = None) -> bool:
        """Whether anything is different now. at: when it was said; trace_id: the trace that it came in."""
        if isinstance(said, LeadDistributed):
            return self._bring(Brought.by(said, at, trace_id))
        return _TAKE[type(said)](self, said, at)

    @property
    def changed_fields(self) -> list[Field]:
        """Those that were changed in a CRM and read otherwise there than the supplier brought them."""
        marks = self.brought.marks if self.brought else {}
        return [each for each in self.later(self.fields) if marks.get(each.name) != each.mark]

    def later(self, words: Newest[AnyWord]) -> list[AnyWord]:
        """Without what stood in the CRM before the lead was handed over: its supplier has no part in that."""
        since = self.since - LATEST_LEAD if self.since else None
        return [word for word in words.all() if since is None or word.at >= since]

    def _bring(self, brought: Brought) -> bool:
        known, since = self.brought, min(self.since or brought.at, brought.at)
        is_newest = known is None or (known.at, known.event_id) < (brought.at, brought.event_id)
        if not is_newest and since == self.since:
            return False
        self.since = since
        if is_newest:
            self.brought = brought
        return True


def keys_of(said: ProspectMessage) -> Iterator[Key]:
    """The distributions that a message is about; none = it goes back to no supplier."""
    origins: list[Origin] = []
    if isinstance(said, LeadDistributed | LeadAnswered):
        origins = [Origin(supplier_id=said.supplier_id, distribution_id=said.distribution_id)]
    elif isinstance(said, Feedback | DeliveryReported):
        origins = said.origins
    for origin in dict.fromkeys((o.supplier_id, o.distribution_id) for o in origins):
        yield Key(said.tenant_id, said.prospect_id, *origin)


def _contact(known: Distribution, said: ContactChanged, at: datetime) -> bool:
    kept = [known.people.take(Person.of(said, at))]
    kept += [known.fields.take(each) for each in fields_of(said, at)]
    return any(kept)


_TAKE: Mapping[type, Callable[[Distribution, Any, datetime], bool]] = {
    LeadAnswered: lambda known, said, at: known.answers.take(answered(said, at)),
    DeliveryReported: lambda known, said, at: known.deliveries.take(Delivered.of(said, at)),
    LeadStatusChanged: lambda known, said, at: known.statuses.take(Status.of(said, at)),
    OpportunityChanged: lambda known, said, at: known.opportunities.take(Opportunity.of(said, at)),
    CrmActivityChanged: lambda known, said, at: known.activities.take(Activity.of(said, at)),
    ContactChanged: _contact,
}
