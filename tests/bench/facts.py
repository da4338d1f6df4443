"""What goes into the connector's topics, and what comes out of it, by the broker's clock."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.messages import Activity, DeliveryReported, Fields, LeadQualified, ProspectUpdated
from leadbus.publishing import KafkaPublisher, Outgoing
from leadbus.topics import CRM_DELIVERIES, LEADS_QUALIFIED, PROSPECTS_UPDATED
from leadbus.wire_names import on_wire

_TICK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Lead:
    """Somebody nobody knows yet. prospect: the id of the person."""

    tenant: str
    email: str
    prospect: str

    def fact(self, connection: str) -> Outgoing:
        """That the lead is to be created with one note."""
        now = datetime.now(UTC)
        did = Activity(
            event_id=str(uuid4()), type=EventType.WEB_VIEW, occurred_at=now, subject="The page of prices"
        )
        message = LeadQualified(
            event_id=str(uuid4()),
            tenant_id=self.tenant,
            occurred_at=now,
            prospect_id=self.prospect,
            version=1,
            email=self.email,
            score=60,
            millipoints=60_000,
            connection_id=connection,
            threshold=50,
            fields=Fields(first_name="Ada", last_name="Lovelace", company="Engines Ltd", city="London"),
            activities=[did],
        )
        return Outgoing.of(LEADS_QUALIFIED, message)

    def promotion(self, title: str) -> Outgoing:
        """That the person, whom the CRM has by now, has another job."""
        now = datetime.now(UTC)
        message = ProspectUpdated(
            event_id=str(uuid4()),
            tenant_id=self.tenant,
            occurred_at=now,
            received_at=now,
            prospect_id=self.prospect,
            email=self.email,
            fields=Fields(title=title),
        )
        return Outgoing.of(PROSPECTS_UPDATED, message)


def new_leads(tenant: str, count: int) -> list[Lead]:
    """So many people, each time others."""
    run = uuid4().hex[:8]
    emails = [f"p{number}.{run}@{tenant}.example" for number in range(count)]
    return [Lead(tenant, email, prospect_id(tenant, email=email)) for email in emails]


async def publish(publisher: KafkaPublisher, records: Sequence[Outgoing]) -> None:
    """Returns when Kafka has all."""
    failed = [error for error in await publisher.publish(records) if error]
    if failed:
        raise failed[0]


async def publish_at_rate(
    publisher: KafkaPublisher, connection: str, leads: Sequence[Lead], per_second: float
) -> dict[str, float]:
    """Publishes by the clock, whatever becomes of it; when each was handed over (Unix time), by prospect."""
    handed: dict[str, float] = {}
    began = time.time()
    sent = 0
    while sent < len(leads):
        due = min(len(leads), int((time.time() - began) * per_second) + 1)
        now = time.time()
        handed |= dict.fromkeys((lead.prospect for lead in leads[sent:due]), now)
        if due > sent:
            await publish(publisher, [lead.fact(connection) for lead in leads[sent:due]])
        sent = due
        await asyncio.sleep(_TICK_SECONDS)
    return handed


class Reports:
    """What crm.deliveries told first of each prospect, and when (Unix time); `async with` listens.

    done: that its lead is there with its note. changed: that a record that was there was written again.
    """

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.done: dict[str, float] = {}
        self.changed: dict[str, float] = {}
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
        )
        topic = on_wire(prefix, CRM_DELIVERIES.name)
        self._partitions = [TopicPartition(topic, number) for number in range(CRM_DELIVERIES.partitions)]
        self._came = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.cancel()
        with suppress(asyncio.CancelledError):
            await self._listening
        await self._consumer.stop()

    async def until(self, leads: Sequence[Lead], within: float) -> None:
        """Returns when all of these have arrived. Raises TimeoutError after so many seconds."""
        await self._until(leads, self.done, within)

    async def until_changed(self, leads: Sequence[Lead], within: float) -> None:
        """Returns when all of these have been written again. Raises TimeoutError after so many seconds."""
        await self._until(leads, self.changed, within)

    async def _until(self, leads: Sequence[Lead], told: Mapping[str, float], within: float) -> None:
        left = {lead.prospect for lead in leads}
        async with asyncio.timeout(within):
            while left := left - told.keys():
                self._came.clear()
                await self._came.wait()

    async def _listen(self) -> None:
        async for record in self._consumer:
            report = DeliveryReported.model_validate_json(record.value)
            at = record.timestamp / 1000
            if report.activities:
                self.done.setdefault(report.prospect_id, at)
            elif report.outcome == "updated":
                self.changed.setdefault(report.prospect_id, at)
            self._came.set()
