"""The servers that stand in for the world behave as the real ones: they are the real ones."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from sandbox.servers import Kafka, MongoDB, ServerError, World, Zipkin
from sandbox.servers.container import docker_answers
from sandbox.servers.process import MOST_CLAIMS, Process, free_port, is_free

Row = dict[str, Any]
Started = TypeVar("Started", Kafka, MongoDB)

NOWHERE = {"HOME": "/nowhere"}
"""An environment that names no server."""


async def create_topic(kafka: Kafka) -> str:
    topic = f"test.{uuid.uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()
    return topic


async def produce(kafka: Kafka, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers, enable_idempotence=True, acks="all"
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, key=value)


async def consume(kafka: Kafka, topic: str, count: int) -> list[bytes]:
    values: list[bytes] = []
    async with AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap_servers,
        group_id=str(uuid.uuid4()),
        auto_offset_reset="earliest",
    ) as consumer:
        async with asyncio.timeout(60):
            while len(values) < count:
                values.append((await consumer.getone()).value)
    return values


async def cluster_id(kafka: Kafka) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - another process has no asyncio event
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    """False for a zombie too: nobody may be there to collect it once its parent is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
async def spare_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    async with Kafka(tmp_path_factory.mktemp("spare") / "kafka", environ=NOWHERE) as server:
        yield server


@pytest.fixture(scope="module")
async def spare_mongodb(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MongoDB]:
    async with MongoDB(tmp_path_factory.mktemp("spare") / "mongodb", environ=NOWHERE) as server:
        yield server


@pytest.fixture
async def own_kafka(spare_kafka: Kafka) -> Kafka:
    """One for this file, which a test may `kill` and `stop`; it runs when the next one begins."""
    await spare_kafka.start()
    return spare_kafka


@pytest.fixture
async def own_mongodb(spare_mongodb: MongoDB) -> MongoDB:
    """Likewise."""
    await spare_mongodb.start()
    return spare_mongodb


async def test_an_idempotent_producer_and_a_consumer_group_work(kafka: Kafka) -> None:
    topic = await create_topic(kafka)
    sent = [str(number).encode() for number in range(50)]
    await produce(kafka, topic, sent)
    assert sorted(await consume(kafka, topic, 50)) == sorted(sent)


async def test_a_transactional_producer_works(kafka: Kafka) -> None:
    topic = await create_topic(kafka)
    async with (
        AIOKafkaProducer(
            bootstrap_servers=kafka.bootstrap_servers, transactional_id=str(uuid.uuid4())
        ) as producer,
        producer.transaction(),
    ):
        await producer.send_and_wait(topic, b"committed")
    assert await consume(kafka, topic, 1) == [b"committed"]


async def test_transactions_and_change_streams_work(mongodb: MongoDB) -> None:
    async with AsyncMongoClient[Row](mongodb.url) as client:
        rows = client[f"test-{uuid.uuid4()}"]["rows"]
        await rows.insert_one({"_id": 0})
        async with await rows.watch() as changes:
            async with client.start_session() as session:
                with suppress(LookupError):
                    async with await session.start_transaction():
                        await rows.insert_one({"_id": 1}, session=session)
                        raise LookupError
                async with await session.start_transaction():
                    await rows.insert_one({"_id": 2}, session=session)
            async with asyncio.timeout(30):
                change = await changes.next()
        assert change["fullDocument"] == {"_id": 2}
        assert [row["_id"] async for row in rows.find().sort("_id")] == [0, 2]


async def test_two_brokers_are_two_clusters(kafka: Kafka, own_kafka: Kafka) -> None:
    assert await cluster_id(kafka) != await cluster_id(own_kafka)


async def test_data_in_use_are_not_touched_by_a_second_server(own_kafka: Kafka, own_mongodb: MongoDB) -> None:
    for first in (own_kafka, own_mongodb):
        second = type(first)(first.data, environ=NOWHERE)
        with pytest.raises(ServerError, match=f"{first.name} is already running with the data in"):
            await second.start()
        assert second.pid is None
        assert first.pid is not None


@pytest.mark.skipif(Path("/var/run/docker.sock").exists(), reason="a Docker engine may be taken here")
async def test_embedded_servers_say_why_they_were_taken(own_kafka: Kafka, own_mongodb: MongoDB) -> None:
    assert own_kafka.chosen == (
        f"Kafka: Apache Kafka 4.3.1 from its published jars, with its data in {own_kafka.data}, because "
        "KAFKA_BOOTSTRAP_SERVERS is not set and no Docker engine answers."
    )
    assert own_mongodb.chosen == (
        f"MongoDB: the mongod 6.0 that pip installed, with its data in {own_mongodb.data}, because "
        "MONGODB_URL is not set and no Docker engine answers."
    )


async def test_kafka_keeps_what_it_acknowledged_and_its_cluster_through_kill_9_and_starts_silently(
    own_kafka: Kafka, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    topic = await create_topic(own_kafka)
    await produce(own_kafka, topic, [b"before"])
    address, cluster = own_kafka.bootstrap_servers, await cluster_id(own_kafka)
    await own_kafka.kill()
    assert own_kafka.pid is None
    caplog.clear()
    capfd.readouterr()
    started = time.monotonic()
    await own_kafka.start()
    assert (
        time.monotonic() - started < 15
    )  # with Kafka's own session timeout it takes 12.6 s on an idle machine
    assert (caplog.messages, capfd.readouterr()) == ([], ("", ""))
    assert (own_kafka.bootstrap_servers, await cluster_id(own_kafka)) == (address, cluster)
    await produce(own_kafka, topic, [b"after"])
    assert sorted(await consume(own_kafka, topic, 2)) == [b"after", b"before"]


async def test_mongodb_keeps_what_it_acknowledged_through_kill_9(own_mongodb: MongoDB) -> None:
    url = own_mongodb.url
    async with AsyncMongoClient[Row](url, w="majority") as client:
        await client["test"]["rows"].insert_one({"_id": "before"})
    await own_mongodb.kill()
    await own_mongodb.start()
    assert own_mongodb.url == url
    async with AsyncMongoClient[Row](url) as client:
        await client["test"]["rows"].insert_one({"_id": "after"})
        assert {row["_id"] async for row in client["test"]["rows"].find()} == {"before", "after"}


async def refused_at_first(stopped: Started) -> Started:
    """The same server on another port, not running: somebody else had that port when it first tried."""
    port = free_port()
    moved = type(stopped)(stopped.data, port=port, environ=NOWHERE)
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        with pytest.raises(
            ServerError, match=r"(?s)ended by itself \(exit code \d+\).*Address already in use"
        ):
            await moved.start()
    assert moved.pid is None
    return moved


async def test_kafka_says_that_its_new_port_is_taken_and_goes_on_there_with_its_data_once_it_is_free(
    own_kafka: Kafka,
) -> None:
    topic = await create_topic(own_kafka)
    await produce(own_kafka, topic, [b"kept"])
    await own_kafka.stop()
    async with await refused_at_first(own_kafka) as moved:
        assert moved.bootstrap_servers != own_kafka.bootstrap_servers
        assert await consume(moved, topic, 1) == [b"kept"]


async def test_mongodb_says_that_its_new_port_is_taken_and_goes_on_there_with_its_data_once_it_is_free(
    own_mongodb: MongoDB,
) -> None:
    async with AsyncMongoClient[Row](own_mongodb.url) as client:
        await client["moved"]["rows"].insert_one({"_id": "kept"})
    await own_mongodb.stop()
    async with (
        await refused_at_first(own_mongodb) as moved,
        AsyncMongoClient[Row](moved.url) as client,
    ):
        assert moved.url != own_mongodb.url
        async with client.start_session() as session, await session.start_transaction():
            await client["moved"]["rows"].insert_one({"_id": "more"}, session=session)
        assert await client["moved"]["rows"].count_documents({}) == 2


async def test_servers_named_by_the_environment_are_taken_and_left_alone(
    kafka: Kafka, mongodb: MongoDB, tmp_path: Path
) -> None:
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    }
    kept = {"zipkin": 9}  # a port that a stack keeps for what it need not start
    async with World(tmp_path, environ=environ, ports=kept) as world:
        assert world.kafka.bootstrap_servers == kafka.bootstrap_servers
        assert world.mongodb.url == mongodb.url
        assert (world.zipkin.url, world.zipkin.environment) == (None, {})
        await asyncio.sleep(0)
        assert world.chosen == (
            "Kafka: the one that KAFKA_BOOTSTRAP_SERVERS names, because it is set.",
            "MongoDB: the one that MONGODB_URL names, because it is set.",
            "Traces: the one that OTEL_EXPORTER_OTLP_ENDPOINT names, because it is set.",
        )
        for server in (world.kafka, world.mongodb):
            with pytest.raises(ServerError, match="not ours"):
                await server.kill()
    assert await cluster_id(kafka)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_an_engine_that_does_not_answer_costs_half_a_second_at_most() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        started = time.monotonic()
        port = silent.getsockname()[1]
        assert not await docker_answers({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
    assert time.monotonic() - started < 10


async def test_zipkin_keeps_a_span_and_shows_it(tmp_path: Path) -> None:
    async with Zipkin(tmp_path, environ=NOWHERE) as zipkin, httpx.AsyncClient(trust_env=False) as client:
        assert zipkin.url is not None
        assert (await client.get(zipkin.url)).is_success
        endpoint = zipkin.environment["OTEL_EXPORTER_ZIPKIN_ENDPOINT"]
        trace = uuid.uuid4().hex
        span = {"traceId": trace, "id": trace[:16], "name": "hop", "timestamp": 1, "duration": 1}
        assert (await client.post(endpoint, json=[span])).status_code == 202
        shown = await client.get(endpoint.replace("spans", f"trace/{trace}"))
        assert [span["name"] for span in shown.json()] == ["hop"]


WORLD_THAT_NOBODY_STOPS = """
import asyncio, pathlib, sys
from sandbox.servers import World

async def main():
    async with World(pathlib.Path(sys.argv[1]), environ={}) as world:
        while world.zipkin.pid is None:
            await asyncio.sleep(0.05)
        print(world.kafka.pid, world.mongodb.pid, world.zipkin.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def abandoned(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", WORLD_THAT_NOBODY_STOPS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        yield parent
        parent.kill()


@pytest.mark.skipif(Path("/var/run/docker.sock").exists(), reason="containers have no process of ours")
async def test_no_server_is_left_when_its_parent_is_killed(abandoned: subprocess.Popen[str]) -> None:
    assert abandoned.stdout is not None
    pids = [int(pid) for pid in (await asyncio.to_thread(abandoned.stdout.readline)).split()]
    assert [is_running(pid) for pid in pids] == [True, True, True]
    # A session of their own: Ctrl-C in the terminal does not reach them.
    assert os.getsid(abandoned.pid) not in [os.getsid(pid) for pid in pids]
    abandoned.kill()
    await until(lambda: not any(is_running(pid) for pid in pids))


DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


async def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = Process("Deaf", [sys.executable, "-c", DEAF], log, grace=0.3)
    await process.start()
    await until(lambda: "deaf" in log.read_text())
    pid = process.pid
    assert pid is not None
    started = time.monotonic()
    await process.stop()
    assert 0.3 <= time.monotonic() - started < 30
    assert not is_running(pid)


async def test_a_signal_from_outside_is_noticed(tmp_path: Path) -> None:
    process = Process("Sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log")
    await process.start()
    process.check()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: process.pid is None)
    with pytest.raises(ServerError, match=r"Sleeper ended by itself \(exit code -9\)"):
        process.check()
    await process.stop()


def test_a_free_port_is_given_to_nobody_else_before_it_is_taken() -> None:
    """Also not by another process: two stacks that started together took one port, and one of them ended."""
    ports = [free_port() for _ in range(MOST_CLAIMS)]
    assert len({*ports}) == MOST_CLAIMS
    always = f"import random; random.randrange = lambda *_: {ports[-1]}"
    ask = f"{always}\nfrom sandbox.servers.process import free_port; free_port()"
    other = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert "No free TCP port" in other.stderr


def test_a_free_port_is_one_that_outgoing_connections_never_get() -> None:
    port = free_port()
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert port < lowest
    with closing(socket.create_server(("127.0.0.1", port))):
        assert not is_free(port)
    assert is_free(port)
