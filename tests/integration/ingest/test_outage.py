"""Kafka goes and comes back: 503 at once, flat memory, nothing accepted that is not there."""

import asyncio
import gc
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from ingest.service import build
from leadbus.topics import MARKETING_EVENTS
from sandbox.servers import Kafka

if TYPE_CHECKING:
    from conftest import Edge, Environ

MEGABYTE = 1024 * 1024


def batch(number: int) -> list[dict[str, Any]]:
    return [
        {"event_id": f"{number}-{n}", "type": "web_view", "email": f"p{n}@example.com", "title": "x" * 500}
        for n in range(1_000)
    ]


async def post(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await client.post("/v1/events", json=batch(number))


async def test_without_kafka_ingest_refuses_quickly_and_recovers(
    own_kafka: Kafka, ingest_environ: "Environ", edge: "Edge", tenant: str
) -> None:
    environ = ingest_environ(KAFKA_BOOTSTRAP_SERVERS=own_kafka.bootstrap_servers, INGEST_ANSWER_SECONDS="1")
    service = build(environ)
    await service.start()
    lonely = type(edge)(service, own_kafka.bootstrap_servers, environ["LEADBUS_TOPIC_PREFIX"])
    try:
        async with lonely.client(await lonely.key(tenant)) as client:
            before = await post(client, 0)
            await own_kafka.kill()
            gone = await post(client, 1)
            await asyncio.gather(*(post(client, 2) for _ in range(8)))
            gc.collect()
            memory = psutil.Process().memory_info().rss
            began = time.monotonic()
            refusals = [await post(client, 2) for _ in range(25)]
            took = time.monotonic() - began
            gc.collect()
            grown = psutil.Process().memory_info().rss - memory
            await own_kafka.start()
            after = await post(client, 1)
            while after.status_code == 503:
                await asyncio.sleep(0.2)
                after = await post(client, 1)
        records = await lonely.records(MARKETING_EVENTS, tenant)
    finally:
        await service.stop()
    assert (before.status_code, gone.status_code, after.status_code) == (202, 503, 202)
    assert {r["status"] for r in gone.json()["results"]} == {"failed"}
    assert {r["event_id"] for r in gone.json()["results"]} == {f"1-{n}" for n in range(1_000)}
    assert int(gone.headers["retry-after"]) >= 1
    assert {answer.status_code for answer in refusals} == {503}
    assert took < 30
    assert grown < 25 * MEGABYTE
    assert {f"{b}-{n}" for b in (0, 1) for n in range(1_000)} <= {r.value["event_id"] for r in records}


async def test_it_starts_before_kafka_and_says_what_it_waits_for(
    ingest_environ: "Environ", edge: "Edge"
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{nobody.getsockname()[1]}"
        service = build(ingest_environ(KAFKA_BOOTSTRAP_SERVERS=nowhere))
        stopping = asyncio.Event()
        running = asyncio.create_task(service.run(stopping))
        while not (service.not_ready or "").startswith("Kafka"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        async with type(edge)(service, nowhere, "").client() as client:
            live, ready = await client.get("/healthz/live"), await client.get("/healthz/ready")
            posted = await client.post("/v1/events", json=[])
        stopping.set()
        await running
    assert (live.status_code, ready.status_code, posted.status_code) == (200, 503, 503)
    assert "Kafka" in ready.json()["reasons"][0]
    assert posted.json()["detail"].endswith("Try again in a moment.")


async def test_a_sender_that_goes_away_leaves_nothing_behind(
    edge: "Edge", tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = await edge.key(tenant)
    host, port = edge.service.url.removeprefix("http://").split(":")
    for media in ("application/json", "application/x-ndjson"):
        _, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: {media}\r\n"
        )
        writer.write(f'{head}Content-Length: 999\r\n\r\n{{"type":'.encode())
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.2)
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []
    assert await edge.records(MARKETING_EVENTS, tenant) == []
