"""The HTTP API, on a real MongoDB."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from leadbus.ids import prospect_id
from leadbus.problems import install
from leadbus.security.api_keys import ApiKeys, MongoApiKeys, Scope, make_key
from leadbus.security.callers import Authenticator
from scoring.api import add_routes
from scoring.applying import MongoApplications
from scoring.rules_api import add_rules

ADA = f"/v1/prospects/{prospect_id('acme', email='ada@example.com')}"


@pytest.fixture
async def client(scoring: Any) -> AsyncIterator[httpx.AsyncClient]:
    keys = MongoApiKeys(scoring.database)
    api = FastAPI()
    install(api)
    authenticator = Authenticator(ApiKeys(keys), "the operator")
    add_routes(api, authenticator, scoring.prospects, scoring.rules)
    applications = MongoApplications(scoring.database)
    add_rules(api, authenticator, scoring.rules, scoring.prospects, scoring.connections, applications)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://scoring") as http:
        yield http


@pytest.fixture
def as_(scoring: Any) -> Any:
    async def header(tenant: str, *scopes: Scope) -> dict[str, str]:
        key, text = make_key(tenant, scopes)
        await MongoApiKeys(scoring.database).add(key)
        return {"Authorization": f"Bearer {text}"}

    return header


async def test_a_prospect_is_answered_with_score_explanation_and_journey(
    scoring: Any, client: httpx.AsyncClient, as_: Any
) -> None:
    scoring.connect(threshold=10)
    await scoring.feed(scoring.event("1", subject="Price list"))
    answer = await client.get(ADA, headers=await as_("acme", Scope.READ))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["email"], body["version"], body["rules_version"]) == ("ada@example.com", 1, 0)
    assert [row["label"] for row in body["explanation"]] == ["Submitted a form"]
    assert {hop["hop"] for hop in body["journey"]} == {"activity", "qualified"}


async def test_a_prospect_of_another_tenant_is_not_found(
    scoring: Any, client: httpx.AsyncClient, as_: Any
) -> None:
    await scoring.feed(scoring.event("1"))
    answer = await client.get(ADA, headers=await as_("umbrella", Scope.READ))
    assert answer.status_code == 404
    answer = await client.get(ADA, params={"tenant_id": "acme"}, headers=await as_("umbrella", Scope.READ))
    assert answer.status_code == 403


async def test_each_path_wants_its_scope(client: httpx.AsyncClient, as_: Any) -> None:
    assert (await client.get(ADA)).status_code == 401
    assert (await client.get(ADA, headers=await as_("acme", Scope.INGEST))).status_code == 403
    reader = await as_("acme", Scope.READ)
    assert (await client.get("/v1/rules", headers=reader)).status_code == 403
    assert (await client.put("/v1/rules", headers=reader, json={})).status_code == 403


async def test_rules_are_read_changed_and_sent_back(client: httpx.AsyncClient, as_: Any) -> None:
    headers = await as_("acme", Scope.ADMINISTER)
    rules = (await client.get("/v1/rules", headers=headers)).json()
    assert (rules["version"], rules["points"]["form_submission"], rules["half_life_days"]) == (0, 20.0, 30)
    rules["points"]["form_submission"] = 12.5
    changed = await client.put("/v1/rules", headers=headers, json=rules)
    assert changed.json()["version"] == 1
    assert (await client.get("/v1/rules", headers=headers)).json() == changed.json()
    assert (await client.put("/v1/rules", headers=headers, json=changed.json())).json()["version"] == 2


@pytest.mark.parametrize("stale", [0, 2])
async def test_rules_that_were_changed_meanwhile_are_not_overwritten(
    client: httpx.AsyncClient, as_: Any, stale: int
) -> None:
    headers = await as_("acme", Scope.ADMINISTER)
    assert (await client.put("/v1/rules", headers=headers, json={"half_life_days": 10})).status_code == 200
    answer = await client.put("/v1/rules", headers=headers, json={"version": stale})
    assert answer.status_code == 409
    assert (await client.get("/v1/rules", headers=headers)).json()["half_life_days"] == 10


async def test_rules_of_a_version_that_never_was_are_refused(client: httpx.AsyncClient, as_: Any) -> None:
    headers = await as_("acme", Scope.ADMINISTER)
    assert (await client.put("/v1/rules", headers=headers, json={"version": 3})).status_code == 409
    assert (await client.put("/v1/rules", headers=headers, json={"points": {"x": 1}})).status_code == 422


async def test_the_operator_names_the_tenant(scoring: Any, client: httpx.AsyncClient) -> None:
    operator = {"Authorization": "Bearer the operator"}
    assert (await client.get("/v1/rules", headers=operator)).status_code == 422
    answer = await client.get("/v1/rules", headers=operator, params={"tenant_id": "acme"})
    assert answer.status_code == 200


async def test_rules_of_segments_are_answered_as_they_were_sent_and_refused_in_words(
    scoring: Any, client: httpx.AsyncClient, as_: Any
) -> None:
    key = await as_("acme", Scope.ADMINISTER, Scope.READ)
    when = [{"field": "in_crm_as_contact", "is": True}, {"field": "status", "one_of": ["Hot"]}]
    body = {"segments": [{"name": "Hot clients", "when": when, "points": 12.5}]}
    answer = await client.put("/v1/rules", headers=key, json=body)
    assert answer.status_code == 200
    segments = (await client.get("/v1/rules", headers=key)).json()["segments"]
    asked = [{k: v for k, v in c.items() if v not in (None, [])} for c in segments[0]["when"]]
    assert (asked, segments[0]["points"]) == (when, 12.5)
    again = await client.put("/v1/rules", headers=key, json={"version": 1, "segments": segments})
    assert again.status_code == 200
    when[1] = {"field": "status", "at_least": 5}
    wrong = await client.put("/v1/rules", headers=key, json=body | {"version": 2})
    assert wrong.status_code == 422
    assert "status is asked with contains or one_of" in wrong.text
    await scoring.feed(scoring.contact(status="Hot"), scoring.opportunity(stage="Won", probability=100))
    shown = (await client.get(ADA, headers=key)).json()
    assert (shown["score"], shown["segments"]) == (13, [{"rule": "Hot clients", "points": 12.5}])
    assert (shown["crm"]["in_crm_as_contact"], shown["crm"]["in_crm_as_lead"]) == (True, False)
    assert shown["crm"]["records"][0]["status"] == "Hot"
    assert shown["crm"]["lists"] == ["Opportunity stage: Won"]
