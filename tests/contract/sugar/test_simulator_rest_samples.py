"""Answers have the shape of the contract's samples: every key of a sample, with a value of its type."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.sugar import SugarCRM, desk

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "rest" / "samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the samples are not there: {SAMPLES}")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """What the sample has and the answer has not, or has with another type."""
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{where}.{key} is missing" for key in expected if key not in found]
        inner = [differences(expected[key], found[key], f"{where}.{key}") for key in expected if key in found]
        return missing + [line for lines in inner for line in lines]
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(expected[:1], found[:1], strict=False)
        empty = [f"{where} is empty"] if expected and not found else []
        return empty + [line for one, other in pairs for line in differences(one, other, f"{where}[]")]
    same = type(expected) is type(found)
    return [] if same else [f"{where} is {type(found).__name__}, not {type(expected).__name__}"]


@pytest.fixture(autouse=True)
async def people(site: SugarCRM) -> None:
    """The ids that the samples name."""
    desk.register_platform(site.store, "acme_sync")
    store, known = site.store, {row["id"] for row in desk.records(site.store, "Leads")}
    if "l-1" not in known:
        ada = {"first_name": "Ada", "last_name": "Nowak", "email": "ada@example.test"}
        desk.add_user(store, "ada", "x", key="u-1", **ada)
        desk.add_user(store, "sync.user", "***", last_name="User", first_name="Sync", key="u-9")
        desk.create(store, "Accounts", {"id": "a-1", "name": "Kot sp. z o.o."})
        for key, name in (("l-1", "Kot"), ("l-2", "Lis")):
            desk.create(store, "Leads", {"id": key, "last_name": name, "email1": f"{name}@home.test"})
        desk.create(store, "ProspectLists", {"id": "pl-1", "name": "Newsletter"})


async def test_logins_and_refreshes(site: SugarCRM, rest: Any) -> None:
    answer = await rest.http.post("/oauth2/token", json=sample("v11-token-request"))
    assert differences(sample("v11-token-response"), answer.json()) == []
    refresh = sample("v11-refresh-request") | {"refresh_token": answer.json()["refresh_token"]}
    again = await rest.http.post("/oauth2/token", json=refresh)
    assert differences(sample("v11-token-response"), again.json()) == []
    rest.http.headers["OAuth-Token"] = again.json()["access_token"]
    assert differences(sample("v11-me"), await rest.do("GET", "/me")) == []
    assert await rest.do("GET", "/ping") == sample("v11-ping")


@pytest.mark.parametrize(
    ("method", "path", "request_name", "response_name"),
    [
        ("POST", "/Leads", "v11-lead-create-request", "v11-lead-record"),
        ("POST", "/Leads/filter", "v11-leads-filter-request", "v11-leads-filter-last"),
        ("GET", "/Leads/count", None, "v11-count"),
        ("POST", "/Users/filter", {"filter": [{"email1": "ada@example.test"}]}, "v11-users-filter-response"),
        ("POST", "/ProspectLists/pl-1/link", "v11-link-request", "v11-link-response"),
        ("DELETE", "/ProspectLists/pl-1/link/leads/l-1", None, "v11-unlink-response"),
        ("POST", "/bulk", "v11-bulk-request", "v11-bulk-response"),
        ("POST", "/Leads/l-1/convert", "v11-convert-request", "v11-convert-response"),
        ("POST", "/Calls", "v11-call-create-request", "v11-call-create-request"),
        ("POST", "/Tasks", "v11-task-create-request", "v11-task-create-request"),
        ("POST", "/Notes", "v11-note-create-request", "v11-note-create-request"),
        ("POST", "/WebLogicHooks", "v11-weblogichook-create", "v11-weblogichook-create"),
    ],
)
async def test_requests_of_the_contract_get_answers_of_its_shape(
    site: SugarCRM, rest: Any, method: str, path: str, request_name: Any, response_name: str
) -> None:
    body = sample(request_name) if isinstance(request_name, str) else request_name
    answer = await rest.do(method, path, body)
    assert differences(sample(response_name), answer) == []


async def test_the_bulk_of_the_contract_has_its_statuses(site: SugarCRM, rest: Any) -> None:
    answers = await rest.do("POST", "/bulk", sample("v11-bulk-request"))
    assert [answer["status"] for answer in answers] == [row["status"] for row in sample("v11-bulk-response")]
    assert answers[2]["contents"] == sample("v11-bulk-response")[2]["contents"]


async def test_errors_have_the_words_of_the_contract(site: SugarCRM, rest: Any) -> None:
    known = {(row["http"], row["body"]["error_message"]): row["body"] for row in sample("v11-errors")}
    asked = [
        await rest.ask("GET", "/Leads/1234"),
        await rest.ask("GET", "/no/where"),
        await rest.ask("POST", "/Leads", {}),
        await rest.ask("POST", "/Leads/filter", {"filter": "["}),
        await rest.grant(password="wrong"),
        await rest.grant(platform="unheard-of"),
        await rest.grant(grant_type="refresh_token", refresh_token="none"),
        await rest.ask("GET", "/me", headers={"OAuth-Token": "none"}),
        await rest.ask("GET", "/me", headers={"OAuth-Token": ""}),
    ]
    for answer in asked:
        assert known[answer.status_code, answer.json()["error_message"]] == answer.json()


LEAD_FIELDS = ["id", "first_name", "last_name", "email1", "email_opt_out", "phone_work", "status"]


@pytest.mark.parametrize(
    "name", ["get_entry_list", "set_entry", "set_relationship", "get_entries_count", "get_server_info"]
)
async def test_legacy_answers_have_their_shapes(site: SugarCRM, legacy: Any, name: str) -> None:
    path = SAMPLES / f"v4_1-{name}-rest_data.json"
    arguments = list(json.loads(path.read_text(encoding="utf-8")).values()) if path.exists() else []
    if arguments:
        arguments[0] = legacy.session
    if name == "get_entry_list":
        arguments[2] = "leads.id = 'l-2'"
    if name == "get_entries_count":
        arguments = [legacy.session, "Leads", "", 0]
    answer = await legacy.call(name, *arguments)
    expected = sample(f"v4_1-{name}-response")
    if name == "get_entry_list":
        # The link cannot show which address is the primary one (recorded).
        del expected["relationship_list"][0]["link_list"][0]["records"][0]["link_value"]["primary_address"]
    assert differences(expected, answer) == []


async def test_a_legacy_login_and_its_errors_have_their_shapes(site: SugarCRM, legacy: Any) -> None:
    auth = {"user_name": "ada", "password": "9dd4e461268c8034f5c8564e155c67a6"}
    login = await legacy.call("login", auth, "acme", [])
    assert differences(sample("v4_1-login-response"), login) == []
    known = {row["body"]["number"]: row["body"] for row in sample("v4_1-errors")}
    legacy.session = "none"
    invalid = await legacy.do("get_entries_count", "Leads", "", 0)
    wrong = await legacy.call("login", auth | {"password": "x"}, "acme", [])
    assert (invalid, wrong) == (known[11], known[10])


async def test_a_hooks_body_has_its_shape(start_crm: Any) -> None:
    async with start_crm() as crm:
        desk.create(crm.store, "WebLogicHooks", sample("v11-weblogichook-create"))
        lead = desk.create(crm.store, "Leads", {"last_name": "Kot"})
        desk.change(crm.store, "Leads", lead, {"phone_work": "+48 600 100 200"})
        bodies = [json.loads(row["body"]) for row in crm.store.rows("SELECT body FROM hook_jobs ORDER BY id")]
    assert len(bodies) == 2
    assert differences(sample("v11-weblogichook-payload"), bodies[1]) == []
