"""A batch's way through scoring: read once, compute, and say what is to be written and published."""

import asyncio
import time
from collections.abc import Collection, Hashable, Sequence
from typing import cast

from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ValidationError

from leadbus.consuming.records import Effects, Received
from leadbus.erasing.holdings import Person
from leadbus.erasing.tombstones import Tombstones
from leadbus.messages import ProspectMessage, ProspectUpdated
from leadbus.publishing import Outgoing
from leadbus.telemetry import Telemetry, context_from, is_sampled, names, traceparent_of
from leadbus.topics import MARKETING_EVENTS
from scoring.aliases import names_alias
from scoring.connections import Connections
from scoring.emission import emissions, handed_on
from scoring.history import compact
from scoring.kept import Kept
from scoring.passing import Passing, turns
from scoring.prospect import Key, Prospect
from scoring.rules_store import RulesStore
from scoring.store import ProspectStore


class _Named(BaseModel):
    """Of a marketing event, what says whether it was counted."""

    tenant_id: str
    prospect_id: str
    event_id: str


BREATH = 100
"""Prospects at a stretch (some 5 ms), so that the batch being written gets on meanwhile."""


class ScoringHandler:
    """Counts events, marks distributions, learns what CRMs hold; keeps the prospects that it met last.

    A `leadbus.consuming.records.Keeper`: only whoever has the partition's turn writes its prospects, so what
    is kept is what is stored as long as no turn was lost and nobody else had one.
    """

    def __init__(
        self,
        prospects: ProspectStore,
        rules: RulesStore,
        connections: Connections,
        telemetry: Telemetry,
        tombstones: Tombstones,
    ) -> None:
        self._prospects = prospects
        self._tombstones = tombstones
        self._rules = rules
        self._connections = connections
        self._telemetry = telemetry
        self._kept = Kept()
        self._is_known_ground = False

    def forget(
        self, partitions: Collection[int] | None = None, keys: Collection[Hashable] | None = None
    ) -> None:
        """See `leadbus.consuming.records.Keeper`."""
        self._kept.forget(partitions, keys)

    def knows(self, topic: str, value: bytes) -> bool:
        """See `leadbus.consuming.records.Keeper`: events that were counted and are delivered again, where the
        last batch was mostly of such."""
        if not self._is_known_ground or topic != MARKETING_EVENTS.name:
            return False
        try:
            named = _Named.model_validate_json(value)
        except ValidationError:
            return False  # whoever reads all of it says what is wrong
        prospect = self._kept.get(Key(named.tenant_id, named.prospect_id))
        if prospect is None or prospect.person is not None:
            return False
        return prospect.history.holds(compact(named.event_id))

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `leadbus.consuming.Handler`."""
        by_prospect: dict[Key, list[Received]] = {}
        for received in batch:
            message = cast(ProspectMessage, received.message)
            if type(message) is ProspectUpdated and not names_alias(message):
                continue
            by_prospect.setdefault(Key(message.tenant_id, message.prospect_id), []).append(received)
        known = self._kept.take(by_prospect)
        loaded, rules = await asyncio.gather(
            self._prospects.load([key for key in by_prospect if key not in known]),
            self._rules.of({key.tenant_id for key in by_prospect}),
        )
        known |= loaded
        erased = await self._tombstones.of([Person(*key) for key in by_prospect if key not in known])
        writing = self._prospects.writing()
        publish: list[Outgoing] = []
        news = 0
        spans = _Spans(self._telemetry)
        for number, (key, records) in enumerate(by_prospect.items(), start=1):
            prospect = known.get(key)
            if prospect is None:
                erased_at = erased.get(Person(*key), 0)
                prospect = known[key] = Prospect(key, records[0].partition, erased_at=erased_at)
            changed = False
            connections = self._connections.for_tenant(key.tenant_id)
            for part in turns(prospect, records, rules[key.tenant_id], connections):
                prospect = part.prospect
                if isinstance(part, Passing):
                    publish += handed_on(part, spans.continued)
                elif part.changed:
                    publish += emissions(part, spans.continued)
                changed = changed or part.changed
            if changed:
                news += 1
                writing.add(prospect)
            known[key] = prospect
            if number % BREATH == 0:
                await asyncio.sleep(0)
        self._kept.put(known.values())
        self._is_known_ground = news * 2 < len(by_prospect)
        return Effects(writing.write, publish)


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
