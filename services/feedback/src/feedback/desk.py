"""Where answers are given: published first, so that one that was taken is never lost."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from feedback.distribution import Distribution, Key
from feedback.handlers import answer_of
from leadbus.messages import Answer, Answered
from leadbus.publishing import Outgoing, Publisher
from leadbus.security.answer_links import AnswerLink
from leadbus.telemetry import Telemetry
from leadbus.telemetry.coming_back import coming_back
from leadbus.topics import LEADS_ANSWERED


class Desk:
    """Takes answers by API and by mail. Which one counts is decided where they are consumed."""

    def __init__(self, publisher: Publisher, telemetry: Telemetry) -> None:
        self._publisher = publisher
        self._telemetry = telemetry

    async def by_api(self, of: Distribution, answer: Answer) -> None:
        """Said by whoever has a key of the tenant. Raises Transient: Kafka is away, nothing was said."""
        said = Answered(
            answer=answer, at=_now(), by="api", who="an API key of the tenant", event_id=uuid4().hex
        )
        await self._say(of, said)

    async def by_mail(self, of: Distribution, link: AnswerLink) -> None:
        """Said by whom a mail was sent to. Raises Transient: Kafka is away, nothing was said."""
        said = Answered(
            answer=link.answer,
            at=_now(),
            by="email",
            connection_id=link.connection_id,
            who="a lead owner",
            event_id=link.event_id,
        )
        await self._say(of, said)

    async def _say(self, of: Distribution, said: Answered) -> None:
        lead = of.brought.lead_trace_id if of.brought else None
        message = answer_of(of.key, said, lead)
        traceparent = coming_back(
            self._telemetry, LEADS_ANSWERED.name, of.key.prospect_id, said.connection_id, lead
        )
        record = Outgoing.of(LEADS_ANSWERED, message, traceparent)
        (fault,) = await self._publisher.publish([record])
        if fault is not None:
            raise fault
        of.answers.take(said)


def key_of(link: AnswerLink) -> Key:
    """The distribution that a link is about."""
    return Key(link.tenant_id, link.prospect_id, link.supplier_id, link.distribution_id)


def _now() -> datetime:
    now = datetime.now(UTC)
    return now - timedelta(microseconds=now.microsecond % 1000)
