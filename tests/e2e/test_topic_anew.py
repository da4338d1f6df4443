"""A topic deleted and made anew under running services: a new log, counted from its start."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from rig.installation import Installation

from leadbus.testing.waiting import until
from leadbus.topics import MARKETING_EVENTS
from leadbus.wire_names import on_wire


async def test_after_a_topic_was_made_anew_new_events_count_once_and_old_ones_not_again(
    ours: Installation,
) -> None:
    tenant = await ours.tenant()
    people = tenant.people(20)
    await tenant.post("events", [tenant.event(person) for person in people for _ in range(10)])
    await ours.until_drained()
    await tenant.judge()
    old = list(tenant.events)
    name = on_wire(ours.prefix, MARKETING_EVENTS.name)
    admin = AIOKafkaAdminClient(bootstrap_servers=ours.kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([name])

        async def gone() -> bool:
            return name not in await admin.list_topics()

        await until(gone, "the topic's end")
        anew = NewTopic(name, MARKETING_EVENTS.partitions, 1, topic_configs=MARKETING_EVENTS.config)
        await admin.create_topics([anew])
    finally:
        await admin.close()
    # Fewer than before in some partitions, more in others: both look different to a reader's position.
    await tenant.post("events", [tenant.event(person) for person in people[:10] for _ in range(3)])
    await tenant.post("events", [tenant.event(people[0]) for _ in range(15)])
    # An upstream that does not trust the new topic sends the old ones again, too.
    again = [tenant.events[name] for name in old[:50]]
    await tenant.post(
        "events",
        [{"event_id": e.event_id, "type": e.type, "email": e.email, "subject": e.event_id} for e in again],
    )
    await ours.until_drained()
    await tenant.judge()
