"""Accepting and rejecting: what is said of a distributed lead, and what its supplier hears of that."""

from typing import ClassVar, Literal

from leadbus.messages.base import Id, Line, ProspectMessage, Time, Value

Answer = Literal["accepted", "rejected"]
AnsweredBy = Literal["crm", "email", "api"]


class LeadAnswered(ProspectMessage):
    """Somebody accepted or rejected a distributed lead; `occurred_at` decides which answer was the first.

    by: a mapped status or field of the CRM, a link in a mail, or the API. connection_id: whose CRM or mail it
    was; None = neither. who: in words for a role ("a lead owner"), never a person's name or address.
    lead_trace_id: the trace that brought the lead in, where it is known.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.answered"
    distribution_id: Id
    supplier_id: Id
    answer: Answer
    by: AnsweredBy
    connection_id: Id | None = None
    who: Line | None = None
    lead_trace_id: Line | None = None


class Answered(Value):
    """One answer, as it stands. event_id: of the `LeadAnswered` that said it."""

    answer: Answer
    at: Time
    by: AnsweredBy
    connection_id: Id | None = None
    who: Line | None = None
    event_id: Id


class LeadFeedback(ProspectMessage):
    """The answer to a distribution as it stands now, for its supplier: the first one, and one against it.

    what: answer = there is one now, or an earlier one turned up; contradiction = one against it was said.
    version: counts what was told of the distribution; not newer = drop.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.feedback"
    distribution_id: Id
    supplier_id: Id
    what: Literal["answer", "contradiction"]
    answer: Answered
    contradiction: Answered | None = None
    version: int
