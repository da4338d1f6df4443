"""Points from one's own outcomes: what CRMs told, over scoring's API, by the command."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from leadbus.cli.main import app
from leadbus.consuming.records import Received
from leadbus.event_types import EventType
from leadbus.ids import prospect_id
from leadbus.problems import install
from leadbus.security.api_keys import ApiKeys, MongoApiKeys, Scope, make_key
from leadbus.security.callers import Authenticator
from leadbus.server import HttpServer
from scoring.api import add_routes
from scoring.applying import MongoApplications
from scoring.outcomes import PAGE, OutcomeReader
from scoring.outcomes_api import add_outcomes
from scoring.rules import RulesBody
from scoring.rules_api import add_rules

DAY = 86_400
WON, LOST, DEAD, OPEN = 150, 250, 100, 20
EVERYBODY = WON + LOST + DEAD + OPEN


@pytest.fixture
async def address(scoring: Any) -> AsyncIterator[str]:
    """Of scoring's API, over what it was fed."""
    api, authenticator = FastAPI(), Authenticator(ApiKeys(MongoApiKeys(scoring.database)), "the operator")
    install(api)
    add_routes(api, authenticator, scoring.prospects, scoring.rules)
    add_rules(
        api,
        authenticator,
        scoring.rules,
        scoring.prospects,
        scoring.connections,
        MongoApplications(scoring.database),
    )
    add_outcomes(api, authenticator, OutcomeReader(scoring.database), scoring.rules)
    server = HttpServer(api, "127.0.0.1", 0)
    await server.start()
    yield server.url
    await server.stop()


async def key(scoring: Any, tenant: str, *scopes: Scope) -> dict[str, str]:
    made, text = make_key(tenant, scopes)
    await MongoApiKeys(scoring.database).add(made)
    return {"Authorization": f"Bearer {text}"}


def of(email: str, received: Received) -> Received:
    """The same fact about somebody else."""
    who = {"email": email, "prospect_id": prospect_id("acme", email=email)}
    return received._replace(message=received.message.model_copy(update=who))


async def feed(scoring: Any) -> None:
    """Most who click are won, most who only open are not; won ones are called when all is decided."""
    batch = []
    for n in range(EVERYBODY):
        email = f"person{n}@example.com"
        # Three of ten behave as the others do.
        clicks = 3 if (n < WON) != (n % 10 < 3) else 1
        batch += [scoring.event(f"open {n} {k}", "email_open", email=email, at=k) for k in range(4)]
        batch += [scoring.event(f"click {n} {k}", "email_click", email=email, at=k) for k in range(clicks)]
        if n < WON:
            batch.append(scoring.event(f"call {n}", "telequalification", email=email, at=2 * DAY))
        if WON + LOST <= n < EVERYBODY - OPEN:
            told = scoring.contact(f"c-{n}", at=DAY, status="Dead")
        else:
            stage = "Closed Won" if n < WON else "Closed Lost" if n < WON + LOST else "Verhandlung"
            told = scoring.opportunity(f"o-{n}", at=DAY, stage=stage)
        batch.append(of(email, told))
    await scoring.feed(*batch)


@pytest.fixture
async def said(scoring: Any, address: str) -> Callable[..., Awaitable[str]]:
    async def run(*words: str) -> str:
        environ = {
            "LEADBUS_SCORING_URL": address,
            "LEADBUS_OPERATOR_TOKEN": "the operator",
            "LEADBUS_TENANT": "acme",
        }
        result = await asyncio.to_thread(CliRunner().invoke, app(), ["rules", "fit", *words], env=environ)
        return result.output + str(result.exception or "")

    return run


async def test_points_are_proposed_from_what_crms_told_and_nothing_is_put_in_force(
    scoring: Any, said: Any, tmp_path: Path
) -> None:
    await feed(scoring)
    body = RulesBody(half_life_days=60)
    before = await scoring.rules.replace("acme", body)
    file = tmp_path / "new.json"
    output = await said("--rules", str(file))
    assert f"{DEAD} disqualified, {LOST} lost, {OPEN} undecided, {WON} won" in output
    assert f"stage Verhandlung ({OPEN})" in output
    assert (await scoring.rules.of(["acme"]))["acme"] == before

    proposed = RulesBody.model_validate_json(file.read_text("utf-8"))
    assert (proposed.version, proposed.half_life_days) == (1, 60)
    assert proposed.points[EventType.EMAIL_CLICK] > 5 + proposed.points[EventType.EMAIL_OPEN]
    # The calls came after the outcome, so there is nothing to learn of them.
    assert proposed.points[EventType.TELEQUALIFICATION] == before.points[EventType.TELEQUALIFICATION]
    put_in_force = await scoring.rules.replace("acme", proposed)
    assert put_in_force.version == 2


async def test_stages_in_words_of_ones_own_are_understood(scoring: Any, said: Any) -> None:
    await feed(scoring)
    output = await said("--lost", "verhandlung", "--lost", "Closed Lost")
    assert f"{LOST + OPEN} lost, {WON} won" in output


async def test_with_too_few_outcomes_nothing_is_proposed(scoring: Any, said: Any) -> None:
    assert "No CRM has told of a prospect yet" in await said()
    await scoring.feed(scoring.event("1"), scoring.opportunity(stage="Closed Won"))
    assert "1 of 1 leads were won; at least 30" in await said()


async def test_outcomes_come_page_by_page_and_only_the_callers_own(scoring: Any, address: str) -> None:
    await feed(scoring)
    async with httpx.AsyncClient(base_url=address) as http:
        acme = await key(scoring, "acme", Scope.ADMINISTER)
        first = (await http.get("/v1/outcomes", headers=acme)).json()
        assert len(first["rows"]) == PAGE < EVERYBODY
        rest = (await http.get("/v1/outcomes", params={"after": first["next"]}, headers=acme)).json()
        assert (len(rest["rows"]), rest["next"]) == (EVERYBODY - PAGE, None)
        assert "@" not in json.dumps([first["rows"], rest["rows"]])

        await scoring.rules.replace("acme", RulesBody(excluded_domains=("example.com",)))
        excluded = (await http.get("/v1/outcomes", headers=acme)).json()
        assert (excluded["rows"], excluded["next"]) == ([], first["next"])

        # Its name begins as the other's does, and it sorts right after it.
        for tenant in ("acme2", "acm"):
            other = await key(scoring, tenant, Scope.ADMINISTER)
            assert (await http.get("/v1/outcomes", headers=other)).json() == {"rows": [], "next": None}
            asked = await http.get("/v1/outcomes", params={"tenant_id": "acme"}, headers=other)
            assert asked.status_code == 403
        reader = await key(scoring, "acme", Scope.READ)
        assert (await http.get("/v1/outcomes", headers=reader)).status_code == 403
