"""Bytewax: state in memory, one worker, a sink that writes each prospect once for a batch of 5,000."""

import os
from collections.abc import Iterator
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from pymongo import MongoClient, ReplaceOne

from bench.contest.job import take
from bench.contest.lead import COLLECTION, Lead, Taken
from bench.contest.telling import Told
from leadbus.messages import MarketingEvent

BATCH = 5_000
PREFIX = os.environ["LEADBUS_TOPIC_PREFIX"]
BROKERS = [os.environ["KAFKA_BOOTSTRAP_SERVERS"]]

Keyed = tuple[str, tuple[int, Taken]]
Result = tuple[Lead | None, list[Told]]
"""The lead, if it changed, and what follows from it."""


class _Partition(StatelessSinkPartition[tuple[str, Result]]):  # type: ignore[misc]
    def __init__(self) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URL"], w="majority")
        database = client[os.environ["MONGODB_DATABASE"]]
        self._leads, self._progress = database[COLLECTION], database["progress"]

    def write_batch(self, items: list[tuple[str, Result]]) -> None:
        changed = {lead.id: lead for _, (lead, _) in items if lead is not None}
        if changed:
            writes = [ReplaceOne({"_id": lead.id}, lead.document(), upsert=True) for lead in changed.values()]
            self._leads.bulk_write(writes, ordered=False)
        self._progress.update_one({"_id": 0}, {"$inc": {"offset": len(items)}}, upsert=True)


class Documents(DynamicSink[tuple[str, Result]]):  # type: ignore[misc]
    """Into MongoDB; `progress` says how many events went through."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Partition:
        return _Partition()


def decoded(record: KafkaSourceMessage[bytes, bytes]) -> Keyed:
    """By the prospect."""
    event = MarketingEvent.model_validate_json(record.value)
    traceparent = next((value for name, value in record.headers if name == "traceparent"), None)
    at = record.timestamp[1] if record.timestamp else 0
    return event.prospect_id, (record.partition or 0, Taken(event, at, traceparent))


def scored(lead: Lead | None, came: tuple[int, Taken]) -> tuple[Lead, Result]:
    """The state, and what changed in it."""
    partition, taken = came
    lead = lead or Lead(taken.event.tenant_id, taken.event.prospect_id, partition)
    is_changed, told = take(lead, [taken])
    return lead, (lead if is_changed else None, told)


def messages(item: tuple[str, Result]) -> Iterator[KafkaSinkMessage[bytes, bytes]]:
    """What follows from one event."""
    for told in item[1][1]:
        headers = [("traceparent", told.cause.traceparent)] if told.cause.traceparent else []
        body = told.message.to_bytes()
        yield KafkaSinkMessage(told.message.key.encode(), body, PREFIX + told.topic, headers)


flow = Dataflow("scoring")
came = kop.input("events", flow, brokers=BROKERS, topics=[f"{PREFIX}marketing.events"], batch_size=BATCH)
results = op.stateful_map("score", op.map("decode", came.oks, decoded), scored)
op.output("keep", results, Documents())
producer = {"partitioner": "murmur2_random", "enable.idempotence": "true"}
op.output("tell", op.flat_map("follow", results, messages), KafkaSink(BROKERS, None, producer))
