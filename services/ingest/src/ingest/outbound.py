"""The way out: records on their way to Kafka, bounded and counted."""

import logging
from collections.abc import Sequence

from ingest.limits import InFlight
from leadbus.errors import LeadbusError, Transient
from leadbus.librdkafka import LibrdkafkaPublisher
from leadbus.publishing import Outgoing
from leadbus.telemetry import Telemetry, names

log = logging.getLogger(__name__)


class Outbound:
    """Publishes for every input and hook, one instance per process."""

    def __init__(self, publisher: LibrdkafkaPublisher, in_flight: InFlight, telemetry: Telemetry) -> None:
        self._publisher = publisher
        self._in_flight = in_flight
        self._sent = telemetry.counter(names.MESSAGES_SENT)
        self._waiting = telemetry.gauge(names.INGEST_IN_FLIGHT)

    def refusal(self, records: int) -> str | None:
        """Why so many cannot be taken now, as a sentence; ask before `publish`."""
        if absence := self._publisher.waiting():
            return f"{absence} Nothing of this request was taken."
        return self._in_flight.refusal(records)

    def waiting(self) -> str | None:
        """For readiness: a sentence while Kafka is away or silent."""
        return self._publisher.waiting() or self._in_flight.waiting()

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[LeadbusError | None]:
        """Per record, in order: None once every in-sync replica has it, else why not. Raises nothing."""
        ticket = self._in_flight.enter(len(records))
        self._waiting.set(self._in_flight.items)
        try:
            outcomes: Sequence[LeadbusError | None] = await self._publisher.publish(records)
        except Exception:  # whatever it was, the truth for the sender is that nothing was acknowledged
            log.exception("publishing failed")
            outcomes = [Transient("The records could not be published.")] * len(records)
        finally:
            self._in_flight.leave(ticket)
            self._waiting.set(self._in_flight.items)
        self._count(records, outcomes)
        return outcomes

    def _count(self, records: Sequence[Outgoing], outcomes: Sequence[LeadbusError | None]) -> None:
        counts: dict[tuple[str, str], int] = {}
        for record, error in zip(records, outcomes, strict=True):
            mark = (record.topic, "failed" if error else "ok")
            counts[mark] = counts.get(mark, 0) + 1
        for (topic, outcome), count in counts.items():
            self._sent.add(count, {names.DESTINATION: topic, names.OUTCOME: outcome})
