"""Answers that are given here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from spoken import distributed

from feedback.desk import Desk
from feedback.distribution import Distribution, Key
from leadbus.messages import Answer
from leadbus.publishing import TRACEPARENT, Outgoing
from leadbus.security.answer_links import AnswerLink
from leadbus.telemetry import Telemetry, is_sampled
from leadbus.telemetry.propagation import trace_id_of, way_back

LEAD = "0af7651916cd43dd8448eb211c80319c"
WAY_BACK = way_back(LEAD)
KEY = Key("acme", "p1", "chipworks", "lead-1")
ANSWER: Answer = "accepted"
LINK = AnswerLink(*KEY, "acme-sugar", "rep@acme.example", ANSWER)


@dataclass
class Taken:
    """What is published, acknowledged at once."""

    records: list[Outgoing] = field(default_factory=list)

    async def publish(self, records: Sequence[Outgoing]) -> list[None]:
        self.records += records
        return [None for _ in records]


async def test_an_answer_has_a_span_of_its_own_on_the_leads_way_back() -> None:
    taken = Taken()
    desk = Desk(taken, Telemetry("feedback", {}))
    known, unknown = Distribution(KEY, 0), Distribution(KEY, 0)
    lead = distributed()
    known.take(lead, lead.occurred_at, LEAD)
    await desk.by_api(known, ANSWER)
    await desk.by_mail(known, LINK)
    await desk.by_mail(unknown, LINK)
    *told, untraced = [dict(record.headers).get(TRACEPARENT) for record in taken.records]
    assert [(trace_id_of(header), is_sampled(header)) for header in told] == [
        (trace_id_of(WAY_BACK), True)
    ] * 2
    assert len({*told, WAY_BACK}) == 3
    assert untraced is None
