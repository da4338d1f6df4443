"""Kafka goes and comes back: 503 at once, flat memory, nothing accepted that is not there."""

import asyncio
import gc
import json
import os
import signal
import socket
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from ingest.service import build
from leadbus.topics import MARKETING_EVENTS
from sandbox.servers import Kafka

if TYPE_CHECKING:
    from conftest import Edge, Environ

MEGABYTE = 1024 * 1024


def batch(number: int) -> bytes:
    items = [
        {"event_id": f"{number}-{n}", "type": "web_view", "email": f"p{n}@example.com", "title": "x" * 500}
        for n in range(1_000)
    ]
    return json.dumps(items).encode()


async def post(client: httpx.AsyncClient, body: bytes) -> httpx.Response:
    return await client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})


async def accepted(client: httpx.AsyncClient, body: bytes) -> None:
    """Sends it again for as long as it is asked to."""
    while (answer := await post(client, body)).status_code == 503:  # noqa: ASYNC110 - as senders do
        await asyncio.sleep(0.05)
    assert answer.status_code == 202


async def given_to_kafka(client: httpx.AsyncClient) -> list[str]:
    """What has been counted of records that were, by what became of them."""
    told = (await client.get("/metrics")).text.splitlines()
    return [line for line in told if line.startswith("messaging_client_sent_messages_total")]


async def told_to_wait(client: httpx.AsyncClient, reason: str) -> None:
    while reason not in (await client.get("/healthz/ready")).text:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


async def test_without_kafka_ingest_refuses_at_once_in_flat_memory_and_recovers(
    own_kafka: Kafka, ingest_environ: "Environ", edge: "Edge", tenant: str
) -> None:
    environ = ingest_environ(KAFKA_BOOTSTRAP_SERVERS=own_kafka.bootstrap_servers, INGEST_ANSWER_SECONDS="1")
    service = build(environ)
    await service.start()
    lonely = type(edge)(service, own_kafka.bootstrap_servers, environ["LEADBUS_TOPIC_PREFIX"])
    first, second, refused = batch(0), batch(1), batch(2)
    assert own_kafka.pid is not None
    try:
        async with lonely.client(await lonely.key(tenant)) as client:
            await accepted(client, first)
            os.kill(own_kafka.pid, signal.SIGSTOP)
            unanswered = await post(client, second)
            waiting = [asyncio.create_task(post(client, refused)) for _ in range(8)]
            await told_to_wait(client, "Kafka does not acknowledge at present.")
            silent = [await post(client, refused) for _ in range(5)]
            await asyncio.gather(*waiting)
            await own_kafka.kill()
            await told_to_wait(client, "No broker of Kafka is there.")
            memory, given = resident(), await given_to_kafka(client)
            away = [await post(client, refused) for _ in range(100)]
            grown, given_since = resident() - memory, await given_to_kafka(client)
            await own_kafka.start()
            await accepted(client, second)
        records = await lonely.records(MARKETING_EVENTS, tenant)
    finally:
        await service.stop()
    results = unanswered.json()["results"]
    assert unanswered.status_code == 503
    assert int(unanswered.headers["retry-after"]) >= 1
    assert {(r["status"], r["event_id"]) for r in results} == {("failed", f"1-{n}") for n in range(1_000)}
    for answer in (*silent, *away):
        assert answer.status_code == 503
        assert "Nothing of this request was taken." in answer.json()["detail"]
    assert given
    assert given == given_since, "nobody is let in to wait for what is not there"
    assert grown < 20 * MEGABYTE < 100 * len(refused)
    assert {r.value["event_id"] for r in records} == {f"{b}-{n}" for b in (0, 1) for n in range(1_000)}


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
