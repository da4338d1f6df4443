"""FastStream as its tutorial has it: a handler for each message, one read and one update of MongoDB each."""

import asyncio
import os
from typing import Annotated, Any

from faststream import AckPolicy, Context, FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from pymongo import AsyncMongoClient

from bench.contest.job import take
from bench.contest.lead import COLLECTION, Lead, Taken, lead_of
from leadbus.messages import MarketingEvent

PREFIX = os.environ["LEADBUS_TOPIC_PREFIX"]
broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP_SERVERS"], logger=None, acks="all", enable_idempotence=True)
client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["MONGODB_URL"], w="majority")
leads = client[os.environ["MONGODB_DATABASE"]][COLLECTION]


@broker.subscriber(
    f"{PREFIX}marketing.events",
    group_id=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.ACK,
)
async def score(event: MarketingEvent, message: Annotated[KafkaMessage, Context()]) -> None:
    """Counts one event."""
    record: Any = message.raw_message
    kept = await leads.find_one({"_id": f"{event.tenant_id}:{event.prospect_id}"})
    lead = lead_of(kept) if kept else Lead(event.tenant_id, event.prospect_id, record.partition)
    traceparent = next((value for name, value in record.headers if name == "traceparent"), None)
    is_changed, told = take(lead, [Taken(event, record.timestamp, traceparent)])
    if not is_changed:
        return
    for one in told:
        await broker.publish(one.message.to_bytes(), PREFIX + one.topic, key=one.message.key.encode())
    await leads.update_one({"_id": lead.id}, {"$set": lead.document()}, upsert=True)


if __name__ == "__main__":
    asyncio.run(FastStream(broker, logger=None).run())
