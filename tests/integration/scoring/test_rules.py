"""Rules over the API and by the command: kept with author and time, previewed, applied to history."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI
from typer.testing import CliRunner

from leadbus.cli import rules as commands
from leadbus.cli.main import app
from leadbus.problems import install
from leadbus.security.api_keys import ApiKeys, MongoApiKeys, Scope, make_key
from leadbus.security.callers import Authenticator
from leadbus.server import HttpServer
from scoring import applying, preview
from scoring.applying import Applier, MongoApplications
from scoring.rules import RulesBody
from scoring.rules_api import add_rules

DAYS = 86_400
START = 1_790_000_000
PRICING = {"name": "Pricing", "on": "web_view", "when": {"page": {"contains": ["/pricing"]}}, "points": 30}


@pytest.fixture
async def http(scoring: Any) -> AsyncIterator[httpx.AsyncClient]:
    api, keys = FastAPI(), MongoApiKeys(scoring.database)
    install(api)
    applications = MongoApplications(scoring.database)
    authenticator = Authenticator(ApiKeys(keys), "the operator")
    add_rules(api, authenticator, scoring.rules, scoring.prospects, scoring.connections, applications)
    server = HttpServer(api, "127.0.0.1", 0)
    await server.start()
    key, text = make_key("acme", [Scope.ADMINISTER])
    await keys.add(key)
    headers = {"Authorization": f"Bearer {text}", "Key-Id": key.id}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        yield client
    await server.stop()


@pytest.fixture
def said(http: httpx.AsyncClient) -> Callable[..., Awaitable[str]]:
    async def run(*words: str) -> str:
        environ = {
            "LEADBUS_SCORING_URL": str(http.base_url),
            "LEADBUS_OPERATOR_TOKEN": "the operator",
            "LEADBUS_TENANT": "acme",
        }
        result = await asyncio.to_thread(CliRunner().invoke, app(), ["rules", *words], env=environ)
        return result.output + str(result.exception or "")

    return run


def applier(scoring: Any) -> Applier:
    applications = MongoApplications(scoring.database)
    return Applier(
        scoring, applications, scoring.prospects, scoring.rules, scoring.connections, lambda: START + 60
    )


async def test_every_version_is_kept_with_its_author(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/rules/history")).json() == []
    await http.put("/v1/rules", json={"half_life_days": 10})
    operator = {"Authorization": "Bearer the operator"}
    changed = {"version": 1, "half_life_days": 20}
    await http.put("/v1/rules", json=changed, headers=operator, params={"tenant_id": "acme"})
    found = (await http.get("/v1/rules/history")).json()
    assert [(v["version"], v["author"], v["rules"]["half_life_days"]) for v in found] == [
        (2, "operator", 20),
        (1, http.headers["Key-Id"], 10),
    ]
    earlier = (await http.get("/v1/rules/history", params={"before": 2})).json()
    assert [v["version"] for v in earlier] == [1]


async def test_of_two_who_change_the_same_rules_one_wins_and_is_the_author(scoring: Any) -> None:
    bodies = [RulesBody(half_life_days=days) for days in range(1, 9)]
    done = await asyncio.gather(
        *(scoring.rules.replace("acme", body, f"author {body.half_life_days}") for body in bodies),
        return_exceptions=True,
    )
    (won,) = [rules for rules in done if not isinstance(rules, BaseException)]
    (kept,) = await scoring.rules.history("acme", None, 10)
    assert kept.author == f"author {won.half_life_days}"


async def test_a_name_keeps_its_number_when_rules_come_and_go(scoring: Any) -> None:
    await scoring.rules.replace("acme", RulesBody.model_validate({"events": [PRICING]}))
    await scoring.rules.replace("acme", RulesBody.model_validate({"version": 1}))
    jobs = PRICING | {"name": "Jobs"}
    await scoring.rules.replace("acme", RulesBody.model_validate({"version": 2, "events": [jobs, PRICING]}))
    rules = (await scoring.rules.of(["acme"]))["acme"]
    assert rules.numbers == {"/Pricing": 256, "/Jobs": 257}


async def test_a_preview_counts_page_by_page_and_changes_nothing(
    scoring: Any, many: Any, said: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    scoring.connect(threshold=30)
    await scoring.feed(*many(scoring, 25), scoring.event("view", "web_view", email="v@example.com"))
    await scoring.feed(scoring.event("call", "telequalification", email="called@example.com"))
    kept = [row async for row in scoring.database["scoring.prospects"].find().sort("_id")]
    monkeypatch.setattr(preview, "PAGE", 10)
    file = tmp_path / "rules.yaml"
    file.write_text(
        yaml.safe_dump({"points": {"form_submission": 900, "telequalification": 1}, "events": [PRICING]})
    )
    output = await said("preview", str(file))
    assert "20 prospects so far" in output
    (line,) = [line for line in output.splitlines() if " c1 " in line]
    assert [cell.strip() for cell in line.split("\u2502")[1:-1]] == ["c1", "main", "30", "0", "25", "25", "0"]
    assert "Of 27 prospects" in output
    assert "Pricing: counts from now on" in output
    assert [row async for row in scoring.database["scoring.prospects"].find().sort("_id")] == kept
    assert (await scoring.rules.of(["acme"]))["acme"].version == 0


async def test_rules_are_shown_changed_and_applied_to_history_by_the_command(
    scoring: Any, said: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(commands, "LOOK_SECONDS", 0.05)
    scoring.connect(threshold=30)
    await scoring.feed(scoring.event("1"))
    shown = yaml.safe_load(await said("show"))
    assert (shown["version"], shown["points"]["form_submission"]) == (0, 20.0)
    assert "nothing to apply" in await said("apply-to-history")
    file = tmp_path / "rules.yaml"
    assert "cannot be read" in await said("set", str(file))
    shown["points"]["form_submission"] = 40
    shown["machines"]["user_agents"] = []
    # As a person writes it: a day is a day, and `on` a name.
    file.write_text(
        yaml.safe_dump(shown)
        + "caps: [{name: c, on: [web_view], most: 5}]\n"
        + "segments: [{name: s, when: [{field: opportunity_close_date, at_most: 2026-12-31}], points: 1}]\n"
    )
    assert "Version 1 is in force" in await said("set", str(file))
    assert "not the rules in force any more" in await said("set", str(file))
    assert (await scoring.prospect()).score == 20_000
    waiting = asyncio.create_task(said("apply-to-history"))
    await asyncio.sleep(0.2)
    scoring.swept = []
    while not waiting.done():
        await applier(scoring).apply()
        await asyncio.sleep(0.05)
    assert "Version 1 is applied to 1 prospects." in await waiting
    assert (await scoring.prospect()).score == 40_000
    assert sorted(record.topic for record in scoring.swept) == ["leads.qualified", "leads.scored"]
    assert "operator" in await said("history")
    again = yaml.safe_load(await said("show", "--version", "1"))
    assert (again["version"], again["points"]["form_submission"]) == (1, 40.0)
    assert (again["machines"]["user_agents"], again["caps"][0]["on"]) == ([], ["web_view"])
    assert again["segments"][0]["when"][0]["at_most"] == "2026-12-31"


async def test_applying_that_dies_goes_on_where_it_was_and_tells_nobody_twice(
    scoring: Any, many: Any, http: httpx.AsyncClient, monkeypatch: Any
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    scoring.connect(threshold=30)
    await scoring.feed(*many(scoring, 60))
    await http.put("/v1/rules", json={"points": {"form_submission": 40}})
    assert (await http.get("/v1/rules/application")).status_code == 404
    assert (await http.post("/v1/rules/application", json={"version": 2})).status_code == 409
    assert (await http.post("/v1/rules/application", json={"version": 1})).status_code == 202
    scoring.swept = []
    apply, calls = scoring.apply, 0

    async def dying(effects: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % 7 == 0:
            raise ConnectionError
        await apply(effects)

    scoring.apply = dying
    for _ in range(20):
        try:
            await applier(scoring).apply()
        except ConnectionError:
            continue
        break
    qualified = [record.key for record in scoring.swept if record.topic == "leads.qualified"]
    assert (len(qualified), len(set(qualified))) == (60, 60)
    state = (await http.get("/v1/rules/application")).json()
    assert (state["prospects"], state["partitions"], state["done"]) == (60, 12, True)
    done = scoring.transactions
    await applier(scoring).apply()
    assert scoring.transactions == done


async def test_rules_for_which_there_is_no_room_are_an_answer(
    http: httpx.AsyncClient, monkeypatch: Any
) -> None:
    monkeypatch.setattr("scoring.rules.LAST_NUMBER", 255)
    for answer in (
        await http.post("/v1/rules/preview", json={"events": [PRICING]}),
        await http.put("/v1/rules", json={"events": [PRICING]}),
    ):
        assert (answer.status_code, "no numbers left" in answer.json()["detail"]) == (422, True)
    monkeypatch.setattr("scoring.rules_store.LONGEST", 10_000)
    long = await http.put("/v1/rules", json={"machines": {"user_agents": ["x" * 199] * 60}})
    assert (long.status_code, "at most 10,000" in long.json()["detail"]) == (422, True)


async def test_a_preview_names_rules_that_ask_something_else_now(http: httpx.AsyncClient) -> None:
    await http.put("/v1/rules", json={"events": [PRICING]})
    body = {"version": 1, "scores": [{"name": "s", "events": [PRICING]}]}
    for events, named in (
        ([PRICING | {"points": 1}], ["s/Pricing"]),
        ([PRICING | {"when": {"page": {"contains": ["/buy"]}}}], ["Pricing", "s/Pricing"]),
    ):
        answer = await http.post("/v1/rules/preview", json=body | {"events": events})
        assert answer.json()["from_now_on"] == named


async def test_what_is_applied_asks_nothing_any_more_until_somebody_asks_again(
    scoring: Any, http: httpx.AsyncClient
) -> None:
    await scoring.feed(scoring.event("1"))
    await http.put("/v1/rules", json={"points": {"form_submission": 40}})
    applications = MongoApplications(scoring.database)
    for _ in range(2):
        await http.post("/v1/rules/application", json={"version": 1})
        (earlier,) = (await applications.asked()).values()
        await asyncio.sleep(0.002)
        await http.post("/v1/rules/application", json={"version": 1})
        await applications.close("acme", earlier)
        assert list(await applications.asked()) == ["acme"]
        await applier(scoring).apply()
        assert await applications.asked() == {}
        assert (await http.get("/v1/rules/application")).json()["done"]


async def test_rules_that_were_replaced_are_not_applied_any_further(
    scoring: Any, http: httpx.AsyncClient
) -> None:
    await scoring.feed(scoring.event("1"))
    await http.put("/v1/rules", json={"points": {"form_submission": 40}})
    await http.post("/v1/rules/application", json={"version": 1})
    await http.put("/v1/rules", json={"version": 1, "points": {"form_submission": 50}})
    await applier(scoring).apply()
    assert (await scoring.prospect()).score == 20_000
    assert not (await http.get("/v1/rules/application")).json()["done"]
    assert await MongoApplications(scoring.database).asked() == {}


async def test_a_sweep_finds_those_above_by_the_score_that_the_connection_reads(scoring: Any) -> None:
    score = {"name": "pricing", "events": [PRICING]}
    await scoring.rules.replace("acme", RulesBody.model_validate({"scores": [score]}))
    await scoring.feed(
        scoring.event("1", email="form@example.com"),
        scoring.event("2", "web_view", email="view@example.com", url="https://x.de/pricing"),
    )
    scoring.connect(threshold=10, score="pricing")
    told = (await scoring.sweep()).qualified
    assert [(message.email, message.score) for message in told] == [("view@example.com", 30)]
