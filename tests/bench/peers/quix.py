"""Quix Streams: state in RocksDB with a changelog, its own MongoDB sink, a checkpoint every 5,000 events."""

import os
import tempfile
from typing import Any

import bson
from quixstreams import Application, State, message_context
from quixstreams.models import Serializer
from quixstreams.sinks.community.mongodb import MongoDBSink

from bench.contest.job import take
from bench.contest.lead import COLLECTION, Lead, Taken, lead_of
from leadbus.messages import MarketingEvent

_STATE = "lead"


class _Body(Serializer):  # type: ignore[misc]
    """Of (topic, body)."""

    def __call__(self, value: tuple[str, bytes], ctx: object) -> bytes:
        return value[1]


def scored(value: bytes, key: bytes, at: int, headers: Any, state: State) -> dict[str, Any]:
    """The changed document, if there is one, and what follows: (topic, body)."""
    event = MarketingEvent.model_validate_json(value)
    kept = state.get_bytes(_STATE)
    partition = message_context().partition
    lead = lead_of(bson.decode(kept)) if kept else Lead(event.tenant_id, event.prospect_id, partition)
    traceparent = next((value for name, value in headers or () if name == "traceparent"), None)
    is_changed, told = take(lead, [Taken(event, at, traceparent)])
    if not is_changed:
        return {"document": None, "told": []}
    document = lead.document()
    state.set_bytes(_STATE, bson.encode(document))
    return {"document": document, "told": [(one.topic, one.message.to_bytes()) for one in told]}


def main() -> None:
    """Runs until SIGTERM."""
    prefix = os.environ["LEADBUS_TOPIC_PREFIX"]
    app = Application(
        os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        consumer_group=os.environ["BENCH_GROUP"],
        auto_offset_reset="earliest",
        commit_every=5_000,
        state_dir=tempfile.mkdtemp(prefix="quix-"),
        loglevel="WARNING",
        producer_extra_config={"partitioner": "murmur2_random"},
    )
    source = app.topic(f"{prefix}marketing.events", value_deserializer="bytes", key_deserializer="bytes")
    targets = {
        name: app.topic(prefix + name, value_serializer=_Body(), key_serializer="bytes")
        for name in ("leads.scored", "leads.qualified", "leads.activities")
    }
    sink = MongoDBSink(
        os.environ["MONGODB_URL"].removeprefix("mongodb://"),
        os.environ["MONGODB_DATABASE"],
        COLLECTION,
        document_matcher=lambda item: {"_id": item.value["_id"]},
        update_method="ReplaceOne",
    )
    results = app.dataframe(source).apply(scored, stateful=True, metadata=True)
    changed = results.filter(lambda result: result["document"] is not None)
    changed.apply(lambda result: result["document"]).sink(sink)
    results.apply(lambda result: result["told"], expand=True).to_topic(lambda told, *_: targets[told[0]])
    app.run()


if __name__ == "__main__":
    main()
