"""A batch's way through scoring: read once, compute, and say what is to be written and published."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from opentelemetry.trace import SpanKind
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.consuming.records import Effects, Received
from leadbus.messages import ProspectMessage
from leadbus.publishing import Outgoing
from leadbus.telemetry import Telemetry, context_from, is_sampled, names, traceparent_of
from scoring.connections import Connections
from scoring.emission import emissions
from scoring.prospect import Key, Prospect
from scoring.rules import RulesStore
from scoring.store import ProspectStore
from scoring.turn import Turn


class ScoringHandler:
    """Counts events, marks distributions, learns what CRMs hold; keeps nothing from one batch to the next."""

    def __init__(
        self,
        prospects: ProspectStore,
        rules: RulesStore,
        connections: Connections,
        telemetry: Telemetry,
    ) -> None:
        self._prospects = prospects
        self._rules = rules
        self._connections = connections
        self._telemetry = telemetry

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `leadbus.consuming.Handler`."""
        by_prospect: dict[Key, list[Received]] = {}
        for received in batch:
            message = cast(ProspectMessage, received.message)
            by_prospect.setdefault(Key(message.tenant_id, message.prospect_id), []).append(received)
        known, rules = await asyncio.gather(
            self._prospects.load(by_prospect.keys()),
            self._rules.of({key.tenant_id for key in by_prospect}),
        )
        changed: list[Prospect] = []
        publish: list[Outgoing] = []
        spans = _Spans(self._telemetry)
        for key, records in by_prospect.items():
            prospect = known.get(key) or Prospect(key, records[0].partition)
            turn = Turn(prospect, rules[key.tenant_id], self._connections.for_tenant(key.tenant_id))
            for received in records:
                turn.apply(received)
            turn.finish()
            if turn.changed:
                changed.append(prospect)
                publish += emissions(turn, spans.continued)

        async def write(session: AsyncClientSession) -> None:
            await self._prospects.save(changed, session)

        return Effects(write, publish)


class _Spans:
    """One span for each sampled record that caused something; the others' header is handed on unread."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._began = time.time_ns()
        self._made: dict[tuple[str, int, int], bytes | None] = {}

    def continued(self, cause: Received, prospect: Prospect) -> bytes | None:
        """The traceparent for what `cause` has caused."""
        if not is_sampled(cause.traceparent):
            return cause.traceparent
        place = (cause.topic, cause.partition, cause.offset)
        if place not in self._made:
            self._made[place] = self._span(cause, prospect)
        return self._made[place]

    def _span(self, cause: Received, prospect: Prospect) -> bytes | None:
        span = self._telemetry.tracer.start_span(
            names.process_span(cause.topic),
            context_from(cause.traceparent),
            SpanKind.CONSUMER,
            {
                names.MESSAGING_SYSTEM: "kafka",
                names.OPERATION_NAME: "process",
                names.OPERATION_TYPE: "process",
                names.DESTINATION: cause.topic,
                names.PARTITION: str(cause.partition),
                names.OFFSET: cause.offset,
                names.GROUP: self._telemetry.service,
                names.MESSAGE_ID: cause.message.event_id,
                names.TENANT: prospect.key.tenant_id,
                names.PROSPECT: prospect.key.prospect_id,
            },
            start_time=self._began,
        )
        span.end()
        return traceparent_of(span)
