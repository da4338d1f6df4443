"""A CRM pushes to its hook: published byte by byte, and its token seen by nobody."""

import asyncio
import base64
import logging
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from ingest.service import build
from leadbus.messages import CrmNotification
from leadbus.publishing import partition_for
from leadbus.topics import CRM_NOTIFICATIONS
from sandbox.servers import Kafka

if TYPE_CHECKING:
    from conftest import Edge, Environ

MEGABYTE = 1024 * 1024


async def made(edge: "Edge", tenant: str, connection: str = "acme-crm") -> dict[str, Any]:
    async with edge.client() as operator:
        body = {"tenant_id": tenant, "scopes": ["hook"], "connection_id": connection}
        answer = await operator.post("/v1/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
async def crm() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without any header of ours."""
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=utf-8", b'{"module":"Leads","id":"7"}'),
        ("application/x-www-form-urlencoded", b"id=7&name=%C3%A4"),
        ("text/xml", b"\xff\xfe<\x00a\x00/\x00>\x00"),
        ("", b""),
        ("application/octet-stream", bytes(range(256)) * 4096),
    ],
)
async def test_what_a_crm_pushes_is_on_the_topic_byte_by_byte(
    edge: "Edge", tenant: str, crm: httpx.AsyncClient, content_type: str, body: bytes
) -> None:
    hook = await made(edge, tenant)
    headers = {"Content-Type": content_type} if content_type else {}
    looked, pushed = await crm.get(hook["url"]), await crm.post(hook["url"], content=body, headers=headers)
    [record] = await edge.records(CRM_NOTIFICATIONS, tenant)
    assert hook["url"] == f"{edge.service.url}/hooks/acme-crm/{hook['key']}"
    assert (looked.status_code, looked.content) == (200, b"")
    assert (pushed.status_code, pushed.content) == (202, b"")
    assert (record.key, record.partition) == ("acme-crm", partition_for(b"acme-crm", 12))
    assert base64.b64decode(record.value["body"]) == body
    notification = CrmNotification.model_validate(record.value)
    assert (notification.tenant_id, notification.connection_id) == (tenant, "acme-crm")
    assert notification.content_type == content_type
    assert hook["key"] not in str(record)


async def test_more_than_a_megabyte_is_refused(edge: "Edge", tenant: str, crm: httpx.AsyncClient) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * (MEGABYTE // 8)

    url = (await made(edge, tenant))["url"]
    answers = [
        await crm.post(url, content=b"x" * (MEGABYTE + 1)),
        await crm.post(url, content=unannounced()),
        await crm.post(url, content=b"x", headers={"Content-Encoding": "gzip"}),
    ]
    assert [answer.status_code for answer in answers] == [413, 413, 415]
    assert "1 MB" in answers[0].json()["detail"]
    assert await edge.records(CRM_NOTIFICATIONS, tenant) == []


async def test_whatever_is_wrong_with_a_hook_the_answer_is_the_same(
    edge: "Edge", tenant: str, crm: httpx.AsyncClient
) -> None:
    hook, other = await made(edge, tenant), await edge.key(tenant, "ingest", "read", "administer")
    revoked = await made(edge, tenant)
    async with edge.client() as operator:
        await operator.delete(f"/v1/api-keys/{revoked['id']}")
    base = f"{edge.service.url}/hooks"
    urls = [
        f"{base}/another/{hook['key']}",
        f"{base}/acme-crm/{hook['key'][:-1]}~",
        f"{base}/acme-crm/{other}",
        f"{base}/acme-crm/an%20operator's%20token",
        revoked["url"],
    ]
    answers = [await crm.request(method, url) for url in urls for method in ("POST", "GET")]
    async with edge.client(hook["key"]) as client:
        elsewhere = [
            await client.post("/v1/events", json={}),
            await client.get("/v1/api-keys"),
            await client.get("/v1/authorised-addresses"),
        ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in elsewhere} == {401}
    assert await edge.records(CRM_NOTIFICATIONS, tenant) == []


async def test_a_key_of_a_hook_needs_a_connection_whose_name_can_stand_in_a_url(
    edge: "Edge", tenant: str
) -> None:
    bodies: list[dict[str, Any]] = [
        {"scopes": ["hook"]},
        {"scopes": ["hook", "read"], "connection_id": "c"},
        {"scopes": ["read"], "connection_id": "c"},
        {"scopes": ["hook"], "connection_id": "a/b"},
        {"scopes": ["hook"], "connection_id": ".."},
    ]
    async with edge.client() as operator:
        answers = [await operator.post("/v1/api-keys", json=b | {"tenant_id": tenant}) for b in bodies]
    assert [answer.status_code for answer in answers] == [422] * 5


async def test_authorised_addresses_hold_for_hooks(edge: "Edge", tenant: str, crm: httpx.AsyncClient) -> None:
    url = (await made(edge, tenant))["url"]
    async with edge.client() as operator:
        await operator.put("/v1/authorised-addresses/203.0.113.9", params={"tenant_id": tenant})
        refused = [await crm.post(url, content=b"1"), await crm.get(url)]
        await operator.put("/v1/authorised-addresses/127.0.0.1", params={"tenant_id": tenant})
        pushed = await crm.post(url, content=b"2")
    assert [answer.status_code for answer in refused] == [403, 403]
    assert refused[0].json()["detail"].endswith(f"leadbus addresses authorise {tenant} 127.0.0.1")
    assert pushed.status_code == 202
    [record] = await edge.records(CRM_NOTIFICATIONS, tenant)
    assert base64.b64decode(record.value["body"]) == b"2"


async def test_without_kafka_the_crm_is_told_to_send_it_again(
    own_kafka: Kafka, ingest_environ: "Environ", edge: "Edge", tenant: str, crm: httpx.AsyncClient
) -> None:
    environ = ingest_environ(KAFKA_BOOTSTRAP_SERVERS=own_kafka.bootstrap_servers, INGEST_ANSWER_SECONDS="1")
    service = build(environ)
    await service.start()
    lonely = type(edge)(service, own_kafka.bootstrap_servers, environ["LEADBUS_TOPIC_PREFIX"])
    try:
        url = (await made(lonely, tenant))["url"]
        await own_kafka.kill()
        gone = await crm.post(url, content=b"1")
        await own_kafka.start()
        back = await crm.post(url, content=b"1")
        while back.status_code == 503:
            await asyncio.sleep(0.2)
            back = await crm.post(url, content=b"1")
        records = await lonely.records(CRM_NOTIFICATIONS, tenant)
    finally:
        await service.stop()
    assert (gone.status_code, back.status_code) == (503, 202)
    assert int(gone.headers["retry-after"]) >= 1
    assert records


async def test_the_token_reaches_no_log_no_span_and_no_metric(
    ingest_environ: "Environ", edge: "Edge", tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # The client's own lines name the URL, as any client's may.
    for ours in ("httpx", "httpcore", "asyncio"):
        caplog.set_level(logging.WARNING, ours)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port)) as tap:
        environ = ingest_environ(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
            OTEL_TRACES_SAMPLER="always_on",
            INGEST_PUBLIC_URL="https://leads.example/in/",
        )
        service = build(environ)
        await service.start()
        traced = type(edge)(service, edge.kafka, environ["LEADBUS_TOPIC_PREFIX"])
        hook = await made(traced, tenant)
        path = f"/hooks/acme-crm/{hook['key']}"
        spans: list[Any] = []

        def all_of_them(span: Any) -> bool:
            spans.append(span)
            return len(spans) == 2

        told = asyncio.create_task(tap.await_trace(all_of_them, 10))
        await asyncio.sleep(0)
        async with httpx.AsyncClient(base_url=service.url) as crm:
            answers = [
                await crm.post(path, content=b"1"),
                await crm.get(path),
                await crm.put(path),
                await crm.post(f"{path}/"),
                await crm.post(f"{path}x"),
                await crm.post(f"/x{path}"),
                await crm.post(path, content=b"x" * (MEGABYTE + 1)),
                await crm.post("/v1/events", headers={"Authorization": f"Bearer {hook['key']}"}),
            ]
            metrics = (await crm.get("/metrics")).text
        [record] = await traced.records(CRM_NOTIFICATIONS, tenant)
        await service.stop()
        await told
    secret = hook["key"].split("_", 2)[2]
    assert hook["url"] == f"https://leads.example/in{path}"
    assert [answer.status_code for answer in answers] == [202, 200, 405, 307, 404, 404, 413, 401]
    assert 'http_route="/hooks/{connection_id}/{token}"' in metrics
    assert {span.name for span in spans} == {
        "POST /hooks/{connection_id}/{token}",
        "send crm.notifications",
    }
    seen = [metrics, *map(str, spans), str(record), *(str(vars(line)) for line in caplog.records)]
    assert [text for text in seen if secret in text] == []
    assert record.headers["traceparent"].decode().split("-")[1] in {s.trace_id.hex() for s in spans}
