"""With exactly the rights that the generated KafkaUsers give, every service can do its work, and no more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ClusterAuthorizationFailedError
from checks.rendering import K8S
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from guarded_kafka import GuardedKafka

from leadbus.ids import prospect_id
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher, Outgoing
from leadbus.runner import build, installed
from leadbus.security.api_keys import MongoApiKeys, Scope, make_key
from leadbus.service import Service
from leadbus.storage.mongo import connect
from leadbus.testing.waiting import until
from leadbus.topics import BY_NAME, CRM_USERS, LEADS_DISTRIBUTED, MARKETING_EVENTS, TOPICS
from sandbox.servers import MongoDB

OPERATOR, TENANT = "an operator's token", "acme"
USERS = list(yaml.safe_load_all((K8S / "components/strimzi/users.yaml").read_text()))
TOPICS_MADE = list(yaml.safe_load_all((K8S / "components/strimzi/topics.yaml").read_text()))


@dataclass
class Guarded:
    """All services, each signed in as itself."""

    kafka: GuardedKafka
    services: dict[str, Service]
    key: str

    def client(self, service: str, token: str = OPERATOR) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.services[service].url, headers=headers, timeout=30)


@pytest.fixture(scope="module")
async def guarded(mongodb: MongoDB, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    database = f"guarded-{uuid4().hex[:8]}"
    client = connect(mongodb.url, app_name="tests")
    async with GuardedKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        await _make_topics(kafka)
        for user in USERS:
            await asyncio.to_thread(kafka.admit, user)
        key, row = make_key(TENANT, {Scope.INGEST})
        await MongoApiKeys(client[database]).add(key)
        services = {
            name: build([name], _environment(name, kafka, mongodb, database))[0] for name in installed()
        }
        async with asyncio.timeout(90):
            await asyncio.gather(*(service.start() for service in services.values()))
        yield Guarded(kafka, services, row)
        await asyncio.gather(*(service.stop() for service in services.values()))
    await client.drop_database(database)
    await client.close()


async def _make_topics(kafka: GuardedKafka) -> None:
    """As Strimzi makes them: by the administrator, all of them."""
    await provision(kafka.bootstrap_servers, TOPICS)
    for consumer in installed():
        dead = f".{consumer}.dead"
        names = [t["metadata"]["name"] for t in TOPICS_MADE]
        read = [BY_NAME[name.removesuffix(dead)] for name in names if name.endswith(dead)]
        if read:
            await provision(kafka.bootstrap_servers, read, consumer)


def _environment(name: str, kafka: GuardedKafka, mongodb: MongoDB, database: str) -> dict[str, str]:
    return {
        **kafka.environment(name),
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": database,
        "LEADBUS_SECRET_KEY": "A" * 43 + "=",
        "LEADBUS_OPERATOR_TOKEN": OPERATOR,
        "OTEL_SDK_DISABLED": "true",
        f"{name.upper().replace('-', '_')}_PORT": "0",
    }


async def test_every_service_becomes_ready_and_has_made_no_topic(guarded: Guarded) -> None:
    for name in guarded.services:
        async with guarded.client(name) as client:
            await until(lambda asking=client: _is_ready(asking), f"{name} is ready")
    admin = AIOKafkaAdminClient(bootstrap_servers=guarded.kafka.bootstrap_servers)
    await admin.start()
    made = {name for name in await admin.list_topics() if not name.startswith("__")}
    await admin.close()
    assert made == {topic["metadata"]["name"] for topic in TOPICS_MADE}


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/healthz/ready")).status_code == 200


async def test_what_is_posted_goes_all_the_way(guarded: Guarded) -> None:
    lead = {
        "distribution_id": "d-1",
        "supplier_id": "s-north",
        "email": "anna@example.com",
        "fields": {"last_name": "Lindqvist"},
    }
    async with guarded.client("ingest", guarded.key) as client:
        for path, item in (
            ("/v1/distributions", lead),
            ("/v1/events", {"type": "form_submission", "email": "anna@example.com"}),
        ):
            assert (await client.post(path, json=item)).status_code == 202

    async def scored() -> bool:
        person = prospect_id(TENANT, email="anna@example.com")
        async with guarded.client("scoring") as client:
            answer = await client.get(f"/v1/prospects/{person}", params={"tenant_id": TENANT})
        return answer.status_code == 200 and bool(answer.json())

    async def known() -> bool:
        async with guarded.client("feedback") as client:
            answer = await client.get("/v1/distributions/d-1", params={"tenant_id": TENANT})
        return answer.status_code == 200

    await until(scored, "the prospect has a score")
    await until(known, "feedback knows the distribution")


async def test_dead_letters_are_written_listed_and_replayed(guarded: Guarded) -> None:
    publisher = KafkaPublisher(guarded.kafka.bootstrap_servers, "administrator")
    await publisher.start()
    assert await publisher.publish([Outgoing(MARKETING_EVENTS.name, b"somebody", b"no event")]) == [None]
    await publisher.stop()
    async with guarded.client("scoring") as client:

        async def listed() -> Any:
            return (await client.get("/v1/dead-letters")).json()["dead_letters"]

        (letter,) = await until(listed, "a dead letter")
        assert letter["origin_topic"] == MARKETING_EVENTS.name
        assert (await client.post("/v1/dead-letters/replay")).json() == {"replayed": 1}


async def test_nobody_writes_another_services_topic(guarded: Guarded) -> None:
    outcomes = {}
    for user, topic in (("ingest", LEADS_DISTRIBUTED), ("ingest", CRM_USERS), ("scoring", CRM_USERS)):
        publisher = KafkaPublisher(guarded.kafka.brokers(user), user, patience_seconds=3)
        await publisher.start()
        (outcomes[user, topic.name],) = await publisher.publish([Outgoing(topic.name, b"k", b"{}")])
        await publisher.stop()
    assert outcomes.pop(("ingest", "leads.distributed")) is None
    assert all(outcome is not None for outcome in outcomes.values()), outcomes


async def test_a_wrong_password_is_no_way_in(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    publisher = KafkaPublisher(guarded.kafka.brokers("ingest", "guessed"), "ingest", patience_seconds=3)
    with pytest.raises(Exception, match=r"(?i)authentication|bootstrap"):
        await publisher.start()
    await publisher.stop()
    assert "guessed" not in caplog.text


async def test_who_scales_reads_how_far_groups_are_and_nothing_else(guarded: Guarded) -> None:
    settings = guarded.kafka.brokers("keda").for_librdkafka()
    admin = AdminClient({**settings, "log_level": 0})
    partitions = [TopicPartition(MARKETING_EVENTS.name, n) for n in range(MARKETING_EVENTS.partitions)]
    asked = ConsumerGroupTopicPartitions("scoring", partitions)
    answer = await asyncio.to_thread(admin.list_consumer_group_offsets([asked])["scoring"].result, 20)
    assert any(partition.offset > 0 for partition in answer.topic_partitions)
    publisher = KafkaPublisher(guarded.kafka.brokers("keda"), "keda")
    with pytest.raises(ClusterAuthorizationFailedError):
        await publisher.start()
    await publisher.stop()
