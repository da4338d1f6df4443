"""Scoring as a good programmer writes it by hand, with the guarantee that Leadbus gives: the yardstick.

confluent-kafka `consume` of 5,000, pydantic `validate_json`, all state in memory (read from MongoDB when a
prospect is met for the first time), one unordered bulk write per batch; no framework. Telemetry is Leadbus's
own, as in production.

What makes a crash harmless: messages are acknowledged before the documents are written, and offsets are
committed after that. Whatever is read again finds its rows in the document and counts nothing, or finds none
and says the same again, under the same ids. Run: `python -m bench.reference_scoring`, told by variables.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka import Message as Record
from opentelemetry.trace import SpanKind
from pymongo import MongoClient, ReplaceOne
from pymongo.collection import Collection

from bench.contest.job import take
from bench.contest.lead import COLLECTION, Lead, Taken, lead_of
from bench.contest.telling import Told
from leadbus.messages import MarketingEvent
from leadbus.telemetry import Telemetry, context_from, is_sampled, names, traceparent_of

BATCH = 5_000
WAIT_SECONDS = 0.1
FETCH_BYTES = 4 * 1024 * 1024
"""As Leadbus: so that a batch is mostly of one partition, and each prospect written once for more events."""
TOPIC = "marketing.events"
NAME = "reference"


class Reference:
    """Everything that one process holds."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        kafka = {"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"], "client.id": NAME}
        self._prefix = environ["LEADBUS_TOPIC_PREFIX"]
        self._consumer = Consumer(
            kafka
            | {
                "group.id": environ["BENCH_GROUP"],
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "max.partition.fetch.bytes": FETCH_BYTES,
            }
        )
        self._producer = Producer(
            kafka
            | {
                "enable.idempotence": True,
                "linger.ms": 5,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        client: MongoClient[dict[str, Any]] = MongoClient(environ["MONGODB_URL"], w="majority", journal=True)
        self._leads: Collection[dict[str, Any]] = client[environ["MONGODB_DATABASE"]][COLLECTION]
        self._known: dict[str, Lead] = {}
        self._failed: list[KafkaError] = []
        telemetry = Telemetry(NAME, environ)
        self._telemetry = telemetry
        self._consumed = telemetry.counter(names.MESSAGES_CONSUMED)
        self._duration = telemetry.histogram(names.BATCH_DURATION)
        self._size = telemetry.histogram(names.BATCH_SIZE)

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until told to stop."""
        self._consumer.subscribe([self._prefix + TOPIC], on_assign=lambda *_: self._known.clear())
        while not stopped():
            if records := self._consumer.consume(BATCH, WAIT_SECONDS):
                began = time.monotonic()
                self._apply(records)
                self._duration.record(time.monotonic() - began)
                self._size.record(len(records))
                self._consumed.add(len(records), {names.DESTINATION: TOPIC})
        self._consumer.close()
        self._telemetry.shutdown()

    def _apply(self, records: list[Record]) -> None:
        by_lead: dict[str, list[Taken]] = {}
        partitions: dict[str, int] = {}
        places: dict[str, Record] = {}
        for record in records:
            if error := record.error():
                raise KafkaException(error)
            event = MarketingEvent.model_validate_json(record.value() or b"")
            id = f"{event.tenant_id}:{event.prospect_id}"
            by_lead.setdefault(id, []).append(Taken(event, record.timestamp()[1], _traceparent(record)))
            partitions[id] = record.partition() or 0
            places[event.event_id] = record
        self._meet(by_lead.keys() - self._known.keys())
        changed: list[Lead] = []
        spans: dict[str, bytes | None] = {}
        for id, taken in by_lead.items():
            lead = self._known.get(id)
            if lead is None:
                first = taken[0].event
                lead = self._known[id] = Lead(first.tenant_id, first.prospect_id, partitions[id])
            is_changed, told = take(lead, taken)
            if is_changed:
                changed.append(lead)
            for one in told:
                self._produce(one, self._continued(one.cause, places, spans))
        self._producer.flush()
        if self._failed:
            raise KafkaException(self._failed[0])
        if changed:
            writes = [ReplaceOne({"_id": lead.id}, lead.document(), upsert=True) for lead in changed]
            self._leads.bulk_write(writes, ordered=False)
        self._consumer.commit(asynchronous=False)

    def _meet(self, ids: Iterable[str]) -> None:
        for row in self._leads.find({"_id": {"$in": list(ids)}}):
            self._known[row["_id"]] = lead_of(row)

    def _produce(self, told: Told, traceparent: bytes | None) -> None:
        headers: list[tuple[str, str | bytes | None]] = [("content-type", b"application/json")]
        if traceparent:
            headers.append(("traceparent", traceparent))
        self._producer.produce(
            self._prefix + told.topic,
            told.message.to_bytes(),
            told.message.key.encode(),
            headers=headers,
            on_delivery=self._delivered,
        )
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, _: Record) -> None:
        if error is not None:
            self._failed.append(error)

    def _continued(
        self, cause: Taken, places: Mapping[str, Record], made: dict[str, bytes | None]
    ) -> bytes | None:
        """A span for each sampled record that caused something; others' headers are handed on."""
        if not is_sampled(cause.traceparent):
            return cause.traceparent
        event = cause.event
        if event.event_id not in made:
            record = places[event.event_id]
            span = self._telemetry.tracer.start_span(
                names.process_span(TOPIC),
                context_from(cause.traceparent),
                SpanKind.CONSUMER,
                {
                    names.MESSAGING_SYSTEM: "kafka",
                    names.OPERATION_NAME: "process",
                    names.OPERATION_TYPE: "process",
                    names.DESTINATION: TOPIC,
                    names.PARTITION: str(record.partition()),
                    names.OFFSET: record.offset() or 0,
                    names.GROUP: NAME,
                    names.MESSAGE_ID: event.event_id,
                    names.TENANT: event.tenant_id,
                    names.PROSPECT: event.prospect_id,
                },
            )
            span.end()
            made[event.event_id] = traceparent_of(span)
        return made[event.event_id]


def _traceparent(record: Record) -> bytes | None:
    value = dict(record.headers() or ()).get("traceparent")
    return value.encode() if isinstance(value, str) else value


def main() -> int:
    """The exit code."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    Reference(os.environ).run(lambda: bool(stopping))
    return 0


if __name__ == "__main__":
    sys.exit(main())
