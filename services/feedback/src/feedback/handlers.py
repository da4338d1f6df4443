"""A batch's way through feedback: read once, take in, and say what is to be written and published."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from pymongo.asynchronous.client_session import AsyncClientSession

from feedback.distribution import Distribution, Key, keys_of
from feedback.store import MongoDistributions
from leadbus.consuming.records import Effects, Received
from leadbus.consuming.spans import taken_in
from leadbus.erasing.holdings import Person
from leadbus.erasing.tombstones import person_of
from leadbus.ids import derived_id
from leadbus.messages import Answered, LeadAnswered, LeadFeedback, ProspectErased, ProspectMessage
from leadbus.messages.base import LATEST_LEAD
from leadbus.publishing import Outgoing
from leadbus.telemetry import Telemetry, names
from leadbus.telemetry.propagation import trace_id_of
from leadbus.topics import LEADS_FEEDBACK

Verdict = tuple[Answered | None, Answered | None]


class FeedbackHandler:
    """Keeps what became of distributions, and tells how they were answered."""

    def __init__(self, distributions: MongoDistributions, telemetry: Telemetry) -> None:
        self._distributions = distributions
        self._telemetry = telemetry

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `leadbus.consuming.Handler`."""
        concerned = [(received, keys_of(cast(ProspectMessage, received.message))) for received in batch]
        about = [(received, keys) for received, found in concerned if (keys := list(found))]
        gone = {person_of(received) for received in batch if isinstance(received.message, ProspectErased)}
        known = await self._distributions.load(
            {key for _, keys in about for key in keys if Person(key.tenant_id, key.prospect_id) not in gone}
        )
        changed: dict[Key, Distribution] = {}
        publish: list[Outgoing] = []
        for received, keys in about:
            traced: list[bytes | None] = []
            for key in keys:
                each = known.setdefault(key, Distribution(key, received.partition))
                before = _verdict(each)
                if not each.take(
                    cast(ProspectMessage, received.message),
                    said_at(received),
                    trace_id_of(received.traceparent),
                ):
                    continue
                changed[key] = each
                traced = traced or [self._span(received, key)]
                if what := _what(before, _verdict(each)):
                    publish.append(Outgoing.of(LEADS_FEEDBACK, _told(each, what, received), traced[0]))

        async def write(session: AsyncClientSession) -> None:
            await self._distributions.save(changed.values(), session)

        return Effects(write, publish)

    def _span(self, received: Received, key: Key) -> bytes | None:
        facts = {names.TENANT: key.tenant_id, names.PROSPECT: key.prospect_id}
        return taken_in(self._telemetry, received, facts)


def said_at(received: Received) -> datetime:
    """When it happened, to the millisecond, as MongoDB keeps it; receipt, if it claims to be later."""
    receipt = datetime.fromtimestamp(received.at / 1000, UTC)
    said = received.message.occurred_at
    at = receipt if said > receipt + LATEST_LEAD else said
    return at - timedelta(microseconds=at.microsecond % 1000)


def _verdict(of: Distribution) -> Verdict:
    return of.answers.first, of.answers.contradiction


def _what(before: Verdict, after: Verdict) -> Literal["answer", "contradiction"] | None:
    if before[0] != after[0]:
        return "answer"
    return "contradiction" if before[1] != after[1] else None


def _told(of: Distribution, what: Literal["answer", "contradiction"], cause: Received) -> LeadFeedback:
    first = of.answers.first
    assert first is not None  # noqa: S101 - nothing is told of what nobody has answered
    of.told += 1
    return LeadFeedback(
        event_id=derived_id("feedback", *of.key, str(of.told)),
        tenant_id=of.key.tenant_id,
        prospect_id=of.key.prospect_id,
        occurred_at=cause.message.occurred_at,
        supplier_id=of.key.supplier_id,
        distribution_id=of.key.distribution_id,
        what=what,
        answer=first,
        contradiction=of.answers.contradiction,
        version=of.told,
    )


def answer_of(key: Key, said: Answered, lead_trace_id: str | None) -> LeadAnswered:
    """The message of an answer that is given here."""
    return LeadAnswered(
        event_id=said.event_id,
        tenant_id=key.tenant_id,
        prospect_id=key.prospect_id,
        occurred_at=said.at,
        supplier_id=key.supplier_id,
        distribution_id=key.distribution_id,
        answer=said.answer,
        by=said.by,
        connection_id=said.connection_id,
        who=said.who,
        lead_trace_id=lead_trace_id,
    )
