"""Who may post, and for whom."""

from typing import TYPE_CHECKING

import pytest

from ingest.service import build
from leadbus.topics import MARKETING_EVENTS

if TYPE_CHECKING:
    from conftest import Edge, Environ

EVENT = {"type": "web_view", "email": "ada@example.com"}


@pytest.mark.parametrize("token", ["x", "lb_0123456789abcdef_" + "A" * 43])
async def test_without_a_good_key_nothing_is_read(edge: "Edge", token: str) -> None:
    async with edge.client(token) as client:
        answer = await client.post("/v1/events", content=b"\xff")
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]
    assert "leadbus keys create" in answer.json()["detail"]


async def test_a_key_without_the_scope_may_not_post(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant, "read")) as client:
        answer = await client.post("/v1/events", json=EVENT)
    assert answer.status_code == 403
    assert "ingest" in answer.json()["detail"]


async def test_no_key_reaches_another_tenant(edge: "Edge", tenant: str) -> None:
    other = f"{tenant}-other"
    async with edge.client(await edge.key(tenant, "ingest", "administer")) as client:
        answers = [
            await client.post(f"/v1/events?tenant_id={other}", json=EVENT),
            await client.post("/v1/events", json=EVENT | {"tenant_id": other}),
            await client.get(f"/v1/api-keys?tenant_id={other}"),
            await client.post("/v1/api-keys", json={"tenant_id": other}),
        ]
        theirs = (await edge.key(other)).split("_")[1]
        answers.append(await client.delete(f"/v1/api-keys/{theirs}"))
    assert [answer.status_code for answer in answers] == [403, 422, 403, 403, 404]
    assert await edge.records(MARKETING_EVENTS, other) == []


async def test_the_operator_posts_for_the_tenant_it_names(edge: "Edge", tenant: str) -> None:
    async with edge.client() as operator:
        answers = [
            await operator.post("/v1/events", json=EVENT),
            await operator.post("/v1/events?tenant_id=No%20Tenant!", json=EVENT),
            await operator.post(f"/v1/events?tenant_id={tenant}", json=EVENT),
        ]
    assert [answer.status_code for answer in answers] == [422, 422, 202]
    assert len(await edge.records(MARKETING_EVENTS, tenant)) == 1


async def test_a_tenant_administers_its_own_keys(edge: "Edge", tenant: str) -> None:
    async with edge.client(await edge.key(tenant, "administer")) as client:
        created = (await client.post("/v1/api-keys", json={"scopes": ["ingest"], "name": "shop"})).json()
        listed = (await client.get("/v1/api-keys")).json()["keys"]
        async with edge.client(created["key"]) as shop:
            before = await shop.post("/v1/events", json=EVENT)
            refused = await shop.get("/v1/api-keys")
            revoked = await client.delete(f"/v1/api-keys/{created['id']}")
            after = await shop.post("/v1/events", json=EVENT)
        again = (await client.get("/v1/api-keys")).json()["keys"]
        unknown = await client.delete("/v1/api-keys/nonsense")
        wrong = [
            await client.post("/v1/api-keys", json=body)
            for body in ({"scopes": []}, {"scopes": ["all"]}, {"secret": 1}, [])
        ]
    assert [key["name"] for key in listed] == ["", "shop"]
    assert not any("key" in key or "secret_hash" in key for key in listed)
    assert (before.status_code, refused.status_code, revoked.status_code, after.status_code) == (
        202,
        403,
        204,
        401,
    )
    assert again[1]["revoked_at"] is not None
    assert unknown.status_code == 404
    assert [answer.status_code for answer in wrong] == [422] * 4


async def test_a_key_that_posts_too_fast_is_told_when_to_go_on(
    ingest_environ: "Environ", edge: "Edge"
) -> None:
    service = build(ingest_environ(INGEST_ITEMS_PER_SECOND="10"))
    await service.start()
    slow = type(edge)(service, edge.kafka, "")
    try:
        async with slow.client(await slow.key("acme")) as client:
            first = await client.post("/v1/events", json=[EVENT] * 1_000)
            second = await client.post("/v1/events", json=[EVENT] * 100)
        async with slow.client(await slow.key("other")) as client:
            other = await client.post("/v1/events", json=EVENT)
    finally:
        await service.stop()
    assert (first.status_code, second.status_code, other.status_code) == (202, 429, 202)
    assert int(second.headers["retry-after"]) >= 1


async def test_a_suppliers_key_is_made_by_its_tenant_and_for_every_tenant_by_the_operator_alone(
    edge: "Edge", tenant: str
) -> None:
    asked = {"scopes": ["supplier"], "supplier_id": "chipworks"}
    async with edge.client(await edge.key(tenant, "administer")) as administrator:
        own = await administrator.post("/v1/api-keys", json=asked)
        every = await administrator.post("/v1/api-keys", json=asked | {"tenant_id": "*"})
        more = await administrator.post("/v1/api-keys", json=asked | {"scopes": ["supplier", "read"]})
        nobody = await administrator.post("/v1/api-keys", json={"scopes": ["supplier"]})
    async with edge.client() as operator:
        for_every = await operator.post("/v1/api-keys", json=asked | {"tenant_id": "*"})
        all_powerful = await operator.post("/v1/api-keys", json={"tenant_id": "*", "scopes": ["administer"]})
    async with edge.client(own.json()["key"]) as supplier, edge.client(for_every.json()["key"]) as everywhere:
        posted = [
            await caller.post(path, json=body)
            for caller in (supplier, everywhere)
            for path, body in (("/v1/events", EVENT), ("/v1/api-keys", asked))
        ]
    assert [answer.status_code for answer in (own, for_every)] == [201, 201]
    assert [answer.status_code for answer in (every, more, nobody, all_powerful)] == [403, 422, 422, 422]
    assert (own.json()["supplier_id"], for_every.json()["tenant_id"]) == ("chipworks", "*")
    assert [answer.status_code for answer in posted] == [403] * 4
