"""A tenant may limit from where it is called for; a refusal says how to go on."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from ingest.service import build

if TYPE_CHECKING:
    from conftest import Edge, Environ

EVENT = {"type": "web_view", "email": "ada@example.com"}
ADDRESSES = "/v1/authorised-addresses"
ELSEWHERE = "203.0.113.9"


@pytest.fixture(scope="module")
async def behind_proxy(ingest_environ: "Environ", edge: "Edge") -> "AsyncIterator[Edge]":
    """An ingest that believes the proxies of this machine."""
    environ = ingest_environ(LEADBUS_TRUSTED_PROXIES="127.0.0.1/8, ::1")
    service = build(environ)
    await service.start()
    yield type(edge)(service, edge.kafka, environ["LEADBUS_TOPIC_PREFIX"])
    await service.stop()


async def test_a_refused_call_succeeds_once_its_address_is_authorised(edge: "Edge", tenant: str) -> None:
    of_tenant = {"tenant_id": tenant}
    async with edge.client() as operator, edge.client(await edge.key(tenant)) as client:
        free = await client.post("/v1/events", json=EVENT)
        limited = await operator.put(f"{ADDRESSES}/198.51.100.7/24", params=of_tenant)
        refused = await client.post("/v1/events", json=EVENT)
        by_operator = await operator.post("/v1/events", params=of_tenant, json=EVENT)
        detail = refused.json()["detail"]
        named = detail.rsplit(" ", 1)[1]
        authorised = await operator.put(f"{ADDRESSES}/{named}", params=of_tenant)
        again = await client.post("/v1/events", json=EVENT)
        await operator.delete(f"{ADDRESSES}/{named}", params=of_tenant)
        withdrawn = await client.post("/v1/events", json=EVENT)
        await operator.delete(f"{ADDRESSES}/198.51.100.0/24", params=of_tenant)
        none_left = await client.post("/v1/events", json=EVENT)
    assert (free.status_code, limited.status_code) == (202, 200)
    assert limited.json() == {"tenant_id": tenant, "addresses": ["198.51.100.0/24"]}
    assert refused.status_code == 403
    assert detail == (
        f"Calls for tenant {tenant} are limited to authorised addresses; this one came from 127.0.0.1."
        f" Authorise it with: leadbus addresses authorise {tenant} 127.0.0.1"
    )
    assert authorised.json()["addresses"] == ["198.51.100.0/24", "127.0.0.1"]
    assert [a.status_code for a in (by_operator, again, withdrawn, none_left)] == [202, 202, 403, 202]


async def test_another_process_lets_in_at_once_what_was_authorised_here(
    ingest_environ: "Environ", edge: "Edge", tenant: str
) -> None:
    environ = ingest_environ()
    services = [build(environ), build(environ)]
    here, there = (type(edge)(s, edge.kafka, environ["LEADBUS_TOPIC_PREFIX"]) for s in services)
    for service in services:
        await service.start()
    try:
        key = await here.key(tenant)
        async with here.client() as operator, there.client(key) as client:
            await operator.put(f"{ADDRESSES}/198.51.100.0/24", params={"tenant_id": tenant})
            before = await client.post("/v1/events", json=EVENT)
            await operator.put(f"{ADDRESSES}/127.0.0.0/8", params={"tenant_id": tenant})
            after = await client.post("/v1/events", json=EVENT)
    finally:
        for service in services:
            await service.stop()
    assert (before.status_code, after.status_code) == (403, 202)


async def test_a_limit_is_one_tenants_own(edge: "Edge", tenant: str) -> None:
    other = f"{tenant}-other"
    theirs = await edge.key(other, "administer", "ingest")
    async with edge.client() as operator, edge.client(theirs) as client:
        await operator.put(f"{ADDRESSES}/{ELSEWHERE}", params={"tenant_id": tenant})
        answers = [
            await client.post("/v1/events", json=EVENT),
            await client.get(ADDRESSES, params={"tenant_id": tenant}),
            await client.put(f"{ADDRESSES}/127.0.0.1", params={"tenant_id": tenant}),
            await client.delete(f"{ADDRESSES}/{ELSEWHERE}", params={"tenant_id": tenant}),
        ]
        kept = await operator.get(ADDRESSES, params={"tenant_id": tenant})
    assert [answer.status_code for answer in answers] == [202, 403, 403, 403]
    assert kept.json()["addresses"] == [ELSEWHERE]


async def test_a_tenant_limits_itself_but_does_not_shut_itself_out(edge: "Edge", tenant: str) -> None:
    own = "127.0.0.1"
    async with edge.client(await edge.key(tenant, "administer")) as client:
        shut_out = await client.put(f"{ADDRESSES}/{ELSEWHERE}")
        first = await client.put(f"{ADDRESSES}/{own}")
        second = await client.put(f"{ADDRESSES}/{ELSEWHERE}")
        twice = await client.put(f"{ADDRESSES}/{ELSEWHERE}")
        without = await client.delete(f"{ADDRESSES}/{own}")
        unknown = await client.delete(f"{ADDRESSES}/2001:db8::1")
        await client.delete(f"{ADDRESSES}/{ELSEWHERE}")
        last = await client.delete(f"{ADDRESSES}/{own}")
        wrong = [await client.put(f"{ADDRESSES}/{text}") for text in ("x", "1.2.3.4/40", "")]
    async with edge.client(await edge.key(tenant, "ingest", "read")) as client:
        unscoped = await client.get(ADDRESSES)
    assert shut_out.status_code == without.status_code == 422
    assert f"leadbus addresses authorise {tenant} {own}" in shut_out.json()["detail"]
    assert (first.json()["addresses"], second.json()["addresses"]) == ([own], [own, ELSEWHERE])
    assert twice.json() == second.json()
    assert (unknown.status_code, unscoped.status_code) == (404, 403)
    assert last.json()["addresses"] == []
    assert [answer.status_code for answer in wrong] == [422] * 3


async def test_without_trusted_proxies_nobody_says_where_they_come_from(edge: "Edge", tenant: str) -> None:
    key = await edge.key(tenant)
    headers = {"X-Forwarded-For": ELSEWHERE, "Forwarded": f"for={ELSEWHERE}", "X-Real-IP": ELSEWHERE}
    async with edge.client() as operator, edge.client(key, **headers) as client:
        await operator.put(f"{ADDRESSES}/{ELSEWHERE}", params={"tenant_id": tenant})
        refused = await client.post("/v1/events", json=EVENT)
    assert refused.status_code == 403
    assert refused.json()["detail"].endswith(f"authorise {tenant} 127.0.0.1")


@pytest.mark.parametrize(
    ("header", "status", "named"),
    [
        (ELSEWHERE, 202, ""),
        (f"{ELSEWHERE}:4711", 202, ""),
        (f"10.9.9.9, {ELSEWHERE}, 127.0.0.2", 202, ""),
        (f"{ELSEWHERE}, 198.51.100.1", 403, "198.51.100.1"),
        ("[2001:db8::1]:443", 403, "2001:db8::1"),
        ("unknown", 403, "cannot be told"),
    ],
)
async def test_a_trusted_proxy_says_where_a_call_comes_from(
    behind_proxy: "Edge", tenant: str, header: str, status: int, named: str
) -> None:
    key = await behind_proxy.key(tenant)
    async with behind_proxy.client() as operator:
        await operator.put(f"{ADDRESSES}/{ELSEWHERE}", params={"tenant_id": tenant})
    async with behind_proxy.client(key, **{"X-Forwarded-For": header}) as client:
        answer = await client.post("/v1/events", json=EVENT)
    assert answer.status_code == status
    assert named in answer.text
