"""`leadbus prepare`: all that services need in Kafka and MongoDB, made once however often it is asked for."""

import asyncio
import os
import sys
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient

from leadbus.runner import build, installed
from leadbus.storage.mongo import connect
from leadbus.topics import TOPICS
from sandbox.servers import Kafka, MongoDB


def environment(kafka: Kafka, mongodb: MongoDB) -> dict[str, str]:
    own = f"prepare-{uuid4().hex[:8]}"
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": own,
        "LEADBUS_TOPIC_PREFIX": f"{own}.",
        "LEADBUS_SECRET_KEY": "A" * 43 + "=",
        "OTEL_SDK_DISABLED": "true",
    }


async def test_all_services_may_be_prepared_at_once_and_again(kafka: Kafka, mongodb: MongoDB) -> None:
    environ = environment(kafka, mongodb)
    found = []
    client = connect(mongodb.url, app_name="tests")
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    database, prefix = client[environ["MONGODB_DATABASE"]], environ["LEADBUS_TOPIC_PREFIX"]
    try:
        for _ in range(2):
            await asyncio.gather(*(service.prepare() for service in build(list(installed()), environ)))
            topics = {t.removeprefix(prefix) for t in await admin.list_topics() if t.startswith(prefix)}
            indexes = {
                name: await database[name].index_information()
                for name in sorted(await database.list_collection_names())
            }
            found.append((topics, indexes))
    finally:
        await admin.close()
        await client.drop_database(environ["MONGODB_DATABASE"])
        await client.close()
    assert found[0] == found[1]
    topics, indexes = found[0]
    assert topics >= {topic.name for topic in TOPICS}
    owners = {name.partition(".")[0] for name in indexes}
    assert owners == {*installed(), "api_keys"} - {"ingest"}, (
        "ingest's only collection bears no service's name"
    )
    assert all(len(found) > 1 for found in indexes.values()), "a collection without an index needs no making"


async def test_the_command_ends_with_0_and_serves_nothing(kafka: Kafka, mongodb: MongoDB) -> None:
    environ = environment(kafka, mongodb)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from leadbus.cli import main; main()", "prepare", "feedback"),
        env={**os.environ, **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"feedback has all that it needs" in said
    assert b"is ready at" not in said
    client = connect(mongodb.url, app_name="tests")
    await client.drop_database(environ["MONGODB_DATABASE"])
    await client.close()
