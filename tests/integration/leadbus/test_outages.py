"""Kafka and MongoDB go away and come back: the consumer waits, and then nothing is lost or doubled."""

import asyncio
from collections import Counter

from leadbus.messages import LeadScored, MarketingEvent
from leadbus.publishing import KafkaPublisher
from leadbus.topics import LEADS_SCORED, MARKETING_EVENTS

KAFKA_AWAY = 4.0
PATIENCE = 2.0
"""Shorter than Kafka's absence: aiokafka's batches expire then, as they do after 30 s by default."""


async def test_everything_is_counted_once_though_both_servers_die_under_way(own_kafka, own_mongodb, install):
    async with install(own_kafka, own_mongodb) as bench:
        sender = bench.kafka_publisher(patience_seconds=PATIENCE)
        emitter = bench.kafka_publisher(patience_seconds=PATIENCE)
        await sender.start()
        await emitter.start()
        sent = 0
        ending = asyncio.Event()

        async def send() -> None:
            nonlocal sent
            while not ending.is_set():
                left = [bench.event(f"p{n % 40}", n) for n in range(sent, sent + 40)]
                while left:
                    outcomes = await sender.publish(left)
                    left = [record for record, fault in zip(left, outcomes, strict=True) if fault]
                    await asyncio.sleep(0.1 if left else 0)
                sent += 40
                await asyncio.sleep(0.05)

        async with bench.running(bench.member(publisher=emitter)) as member:
            traffic = asyncio.create_task(send())
            await bench.eventually(lambda: len(member.handler.seen) > 400)
            await own_mongodb.kill()
            await bench.eventually(lambda: "away" in (member.consumer.waiting() or ""))
            assert member.consumer.trouble() is None
            await own_mongodb.start()
            seen = len(member.handler.seen)
            await bench.eventually(lambda: len(member.handler.seen) > seen)
            await own_kafka.kill()
            before = sent
            await asyncio.sleep(KAFKA_AWAY)
            assert sent <= before + 40
            assert member.consumer.trouble() is None
            await own_kafka.start()
            await bench.eventually(lambda: sent > before + 200, within=40)
            ending.set()
            await traffic
            arrived = await bench.log_of(MARKETING_EVENTS.name)
            log = Counter(MarketingEvent.model_validate_json(r.value).event_id for r in arrived)
            assert set(log) == {f"p{n % 40}:{n}" for n in range(sent)}

            async def all_counted() -> bool:
                return sum((await bench.counts()).values()) >= log.total()

            await bench.eventually(all_counted, within=40)
            assert await bench.counts() == log
            await bench.until_emitted(list(log))
            assert member.consumer.waiting() is None
        assert in_order(arrived)
        assert in_order(await bench.log_of(LEADS_SCORED.name))
        await sender.stop()
        await emitter.stop()


def in_order(records) -> bool:
    """Whether each prospect's records lie in their order, repetitions left out."""
    firsts: dict[str, dict[int, None]] = {}
    for record in records:
        message = MarketingEvent if b"visitor_id" in record.value else LeadScored
        prospect, number = message.model_validate_json(record.value).event_id.split(":")
        firsts.setdefault(prospect, {}).setdefault(int(number))
    return all(list(order) == sorted(order) for order in firsts.values())


async def test_a_publisher_that_is_stopped_while_kafka_is_away_stops(own_kafka, monkeypatch):
    monkeypatch.setattr("leadbus.publishing.FAREWELL_SECONDS", 0.5)
    publisher = KafkaPublisher(own_kafka.bootstrap_servers, "test", patience_seconds=20)
    await publisher.start()
    await own_kafka.kill()
    async with asyncio.timeout(10):
        await publisher.stop()
