"""Topics are made as declared, by as many services at once as there are."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from leadbus.provisioning import WrongTopic, provision
from leadbus.topics import LEADS_QUALIFIED, MARKETING_EVENTS, MARKETING_LISTS
from sandbox.servers import Kafka

TOPICS = (MARKETING_EVENTS, LEADS_QUALIFIED, MARKETING_LISTS)


async def test_several_services_may_provision_at_once_and_again(kafka: Kafka) -> None:
    prefix = f"{uuid4().hex}."
    for _ in range(2):
        await asyncio.gather(
            *(
                provision(kafka.bootstrap_servers, TOPICS, consumer, prefix)
                for consumer in (None, "scoring", "x")
            )
        )
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        made = {name.removeprefix(prefix) for name in await admin.list_topics() if name.startswith(prefix)}
        names = ("leads.qualified", "leads.qualified.x.dead")
        topic, dead = await admin.describe_topics([prefix + name for name in names])
        resource = ConfigResource(ConfigResourceType.TOPIC, f"{prefix}marketing.lists")
        [answer] = await admin.describe_configs([resource])
    finally:
        await admin.close()
    plain = {topic.name for topic in TOPICS}
    assert made == plain | {f"{name}.{consumer}.dead" for name in plain for consumer in ("scoring", "x")}
    assert (topic["topic"], dead["topic"]) == (prefix + names[0], prefix + names[1])
    assert len(topic["partitions"]) == LEADS_QUALIFIED.partitions
    assert len(dead["partitions"]) == 1, "read in the order in which they came"
    config = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert config["cleanup.policy"] == "compact"
    assert config["message.timestamp.type"] == "LogAppendTime"


async def test_a_topic_with_another_number_of_partitions_is_a_sentence(kafka: Kafka) -> None:
    prefix = f"{uuid4().hex}."
    await provision(kafka.bootstrap_servers, [replace(MARKETING_EVENTS, partitions=3)], prefix=prefix)
    with pytest.raises(WrongTopic, match=r"marketing\.events has 3 partitions instead of 12"):
        await provision(kafka.bootstrap_servers, [MARKETING_EVENTS], prefix=prefix)
