"""Records that nobody can read, written directly to the topics by a stranger."""

import json
from typing import Any

from aiokafka import AIOKafkaProducer
from rig.installation import Installation

from leadbus.ids import prospect_id
from leadbus.publishing import partition_for
from leadbus.topics import LEADS_DISTRIBUTED, MARKETING_EVENTS, Topic
from leadbus.wire_names import on_wire

NOW = "2026-01-02T03:04:05Z"


async def test_records_that_nobody_can_read_become_dead_letters_with_a_reason_and_block_nothing(
    ours: Installation,
) -> None:
    tenant = await ours.tenant()
    (email,) = tenant.people(1)
    person = prospect_id(tenant.name, email=email)
    event = {
        "event_id": "x",
        "tenant_id": tenant.name,
        "occurred_at": NOW,
        "received_at": NOW,
        "prospect_id": person,
        "email": email,
        "type": "email_open",
    }
    poison: dict[str, Any] = {
        "nothing": b"",
        "no JSON": b"\xff\xfe{",
        "a list": b"[1,2]",
        "deeply nested": b"[" * 100_000,
        "no prospect": json.dumps({k: v for k, v in event.items() if k != "prospect_id"}).encode(),
        "an unknown type": json.dumps(event | {"type": "telepathy"}).encode(),
        "a time that is none": json.dumps(event | {"occurred_at": "yesterday"}).encode(),
        "another version": json.dumps(event | {"schema_version": 9}).encode(),
    }
    async with AIOKafkaProducer(bootstrap_servers=ours.kafka.bootstrap_servers) as stranger:

        async def write(topic: Topic, name: str, value: bytes) -> None:
            # All where the person's own records are, so that they would block them.
            partition = partition_for(person.encode(), topic.partitions)
            headers = [("x-poison", name.encode()), ("not-text", b"\xff"), ("traceparent", b"rubbish")]
            await stranger.send_and_wait(
                on_wire(ours.prefix, topic.name), value, person.encode(), partition, headers=headers
            )

        for name, value in poison.items():
            await write(MARKETING_EVENTS, name, value)
            await write(LEADS_DISTRIBUTED, name, value)
    await tenant.post("events", [tenant.event(email, "telequalification") for _ in range(2)])
    await tenant.post("distributions", [tenant.distribution(email)])
    await ours.until_drained()
    await tenant.judge()
    for topic, consumer in (
        ("marketing.events", "scoring"),
        ("leads.distributed", "scoring"),
        ("leads.distributed", "connector-sugar"),
    ):
        records = await ours.records(f"{topic}.{consumer}.dead")
        letters = {}
        for record in records:
            headers = dict(record.headers)
            if "x-poison" in headers:
                letters[headers["x-poison"].decode()] = (record, headers)
        assert letters.keys() == poison.keys(), (topic, consumer)
        for name, (record, headers) in letters.items():
            assert (record.value or b"") == poison[name]
            assert record.key == person.encode()
            assert headers["leadbus-origin-topic"].decode() == topic
            assert headers["leadbus-error"].decode().strip()
            assert email.encode() not in headers["leadbus-error"]
