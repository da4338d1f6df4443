"""What each of the contract's samples shows is what the simulator takes or answers: members, types, words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.zoho import Zoho
from sandbox.zoho.operations import Call
from sandbox.zoho.paging import PageTokens, Place

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "zoho" / "samples"

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="../shared/contracts/zoho/samples is not beside this checkout"
)

# Members whose values are words of the API, not of this organisation.
WORDS = {
    "code",
    "status",
    "message",
    "action",
    "duplicate_field",
    "state",
    "operation",
    "token_type",
    "error",
}
LEADS = ("554023000000610001", "554023000000610002")
CONTACT, ACCOUNT, CAMPAIGN = "554023000000620001", "554023000000630001", "554023000000800001"
OWNER = "554023000000235011"

# Sample of the answer: method, address, sample of the request, status.
CALLS: dict[str, tuple[str, str, str | None, int]] = {
    "bulk-read-create-response": ("POST", "/crm/bulk/v8/read", "bulk-read-create-request", 201),
    "campaign-relate-response": ("PUT", f"/Leads/{LEADS[0]}/Campaigns", "campaign-relate-request", 200),
    "convert-response-v2": (
        "POST",
        f"/crm/v2/Leads/{LEADS[0]}/actions/convert",
        "convert-request-v2",
        200,
    ),
    "coql-response": ("POST", "/coql", "coql-request", 200),
    "leads-delete-response": ("DELETE", f"/Leads?ids={LEADS[0]}", None, 200),
    "leads-upsert-response-200": ("POST", "/Leads/upsert", "leads-upsert-request", 200),
    "modules": ("GET", "/settings/modules", None, 200),
    "notifications-enable-response": ("POST", "/actions/watch", "notifications-enable-request", 201),
    "notifications-not-subscribed": ("PUT", "/actions/watch", "notifications-enable-request", 400),
    "org": ("GET", "/org", None, 200),
    "tags-add-response": ("POST", "/Leads/actions/add_tags", "tags-add-request", 200),
    "users-active": ("GET", "/users?type=ActiveUsers", None, 200),
}
# Requests whose answers have no sample: they are inserts like any other.
INSERTS = {
    "calls-create-request": "Calls",
    "events-create-request": "Events",
    "notes-create-request": "Notes",
    "tasks-create-request": "Tasks",
}


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """Where the answer is not like the sample; null in the sample stands for anything."""
    if expected is None:
        return []
    if type(expected) is not type(found):
        return [f"{where} is {type(found).__name__}, not {type(expected).__name__}"]
    if isinstance(expected, dict):
        # Samples of errors leave details empty that Zoho's documentation fills.
        names = set(expected) ^ set(found) if expected or not where.endswith(".details") else set()
        lines = [f"{where}.{name} is in one of them only" for name in sorted(names)]
        both = [name for name in expected if name in found]
        lines += [
            f"{where}.{name} is {found[name]!r}, not {expected[name]!r}"
            for name in WORDS.intersection(both)
            if isinstance(expected[name], str) and found[name] != expected[name]
        ]
        return lines + [
            line for name in both for line in differences(expected[name], found[name], f"{where}.{name}")
        ]
    if isinstance(expected, list):
        missing = [f"{where} is empty"] if expected and not found else []
        pairs = enumerate(zip(expected, found, strict=False))
        return missing + [
            line for at, (one, other) in pairs for line in differences(one, other, f"{where}[{at}]")
        ]
    return []


@pytest.fixture
def sample(crm: Zoho) -> Callable[[str], Any]:
    """A sample by its name; the samples' first user is the organisation's own."""

    def read(name: str) -> Any:
        text = (SAMPLES / f"{name}.json").read_text(encoding="utf-8")
        return json.loads(text.replace(OWNER, crm.site.primary.id))

    return read


@pytest.fixture
async def filled(crm: Zoho, api: Any, sample: Any) -> Any:
    """Signed in to a CRM with the records that the samples name."""
    crm.desk.create("Accounts", {"id": ACCOUNT, "Account_Name": "Wilk SA"})
    crm.desk.create("Campaigns", {"id": CAMPAIGN, "Campaign_Name": "Fair"})
    for row in [*sample("leads-list-page1")["data"], *sample("contacts-list")["data"]]:
        module = "Contacts" if "Mailing_City" in row else "Leads"
        read_only = {"Created_Time", "Modified_Time", "Full_Name", "Converted__s"}
        crm.desk.create(module, {name: value for name, value in row.items() if name not in read_only})
    crm.desk.add_user("jan@example.test", first_name="Jan", last_name="Lis")
    return api


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_is_answered_like_its_sample(filled: Any, sample: Any, name: str) -> None:
    method, address, request, status = CALLS[name]
    answer = await filled.ask(method, address, sample(request) if request else None)
    assert answer.status_code == status, answer.text
    assert differences(sample(name), answer.json()) == []


@pytest.mark.parametrize("name", INSERTS)
async def test_what_a_person_does_is_taken(filled: Any, sample: Any, name: str) -> None:
    answer = await filled.ask("POST", f"/{INSERTS[name]}", sample(name))
    outcomes = answer.json()["data"]
    expected = [sample("leads-insert-response-207")["data"][0]] * len(outcomes)
    assert (answer.status_code, differences(expected, outcomes)) == (201, [])


async def test_lists_have_their_shape_up_to_the_last_page(crm: Zoho, filled: Any, sample: Any) -> None:
    names = ",".join(sample("leads-list-page1")["data"][0])
    query = f"/Leads?fields={names}&sort_by=Modified_Time&sort_order=asc"
    crm.desk.create("Leads", {"Last_Name": "Third"})
    first = await filled.do("GET", f"{query}&per_page=2")
    assert differences(sample("leads-list-page1"), first) == []
    assert [row["id"] for row in first["data"]] == [*LEADS]
    token = first["info"]["next_page_token"]
    for row in crm.records("Leads")[2:]:
        crm.desk.delete("Leads", row["id"])
    last = await filled.do("GET", f"{query}&per_page=2&page_token={token}")
    assert differences(sample("leads-list-last"), last) == []
    assert last["data"] == []
    contacts = ",".join(sample("contacts-list")["data"][0])
    answer = await filled.do("GET", f"/Contacts?fields={contacts}")
    assert differences(sample("contacts-list"), answer) == []


async def test_fields_are_described_like_the_samples(filled: Any, sample: Any) -> None:
    answer = await filled.do("GET", "/settings/fields?module=Leads")
    known = {field["api_name"]: field for field in answer["fields"]}
    # Which options and targets there are is the organisation's own affair.
    own = {"pick_list_values", "convert_mapping"}
    for field in sample("fields-leads")["fields"]:
        found = known[field["api_name"]]
        shape = {name: value for name, value in field.items() if name not in own}
        assert differences(shape, {name: found[name] for name in found if name not in own}) == []
        same = ("data_type", "json_type", "length", "system_mandatory")
        assert [found[name] for name in same] == [field[name] for name in same], field["api_name"]
        for target, mapped in field["convert_mapping"].items():
            assert mapped is None or found["convert_mapping"][target]["name"] == mapped["name"]
        for option, other in zip(field["pick_list_values"], found["pick_list_values"], strict=False):
            assert differences(option, other) == []


async def test_an_insert_has_every_kind_of_outcome(crm: Zoho, filled: Any, sample: Any) -> None:
    crm.desk.make_unique("Leads", "Email")
    rows = [
        {"Last_Name": "Nowy"},
        {"Last_Name": "Kot", "Email": "ewa@kot.test"},
        {"Email": "a@example.test"},
        {"Last_Name": "Kot", "Email": "no address"},
        {"Last_Name": "Kot", "Phone": "0" * 31},
    ]
    answer = await filled.ask("POST", "/Leads", {"data": rows})
    assert answer.status_code == 207
    assert differences(sample("leads-insert-response-207"), answer.json()) == []


async def test_an_update_has_every_kind_of_outcome(crm: Zoho, filled: Any, sample: Any) -> None:
    crm.desk.lock("Leads", LEADS[1])
    rows = [{"id": LEADS[0], "City": "Gdynia"}, {"id": "12", "City": "X"}, {"id": LEADS[1], "City": "X"}]
    answer = await filled.ask("PUT", "/Leads", {"data": rows})
    assert answer.status_code == 207
    assert differences(sample("leads-update-response-207"), answer.json()) == []


async def test_deleted_records_have_their_shape(crm: Zoho, filled: Any, sample: Any) -> None:
    crm.desk.delete("Leads", LEADS[0], permanent=True)
    crm.desk.delete("Leads", LEADS[1])
    answer = await filled.do("GET", "/Leads/deleted?type=all")
    expected = sample("leads-deleted")
    assert differences(expected["info"], answer["info"]) == []
    by_type = {row["type"]: row for row in answer["data"]}
    for row in expected["data"]:
        assert differences(row, by_type[row["type"]]) == []
        assert [name for name, value in by_type[row["type"]].items() if value is None] == [
            name for name, value in row.items() if value is None
        ]


async def test_a_conversion_has_its_shape_and_its_errors(crm: Zoho, filled: Any, sample: Any) -> None:
    async def convert(lead: str, body: Any) -> httpx.Response:
        return await filled.ask("POST", f"/Leads/{lead}/actions/convert", body)

    request, plain = sample("convert-request-v8"), {"data": [{"overwrite": False}]}
    deal = request["data"][0]["Deals"]
    crm.desk.make_unique("Contacts", "Email")
    crm.desk.change("Contacts", CONTACT, {"Email": "lis@EXAMPLE.test"})
    asked = {
        "DUPLICATE_DATA": (LEADS[1], plain),
        "MANDATORY_NOT_FOUND": (LEADS[1], {"data": [{"Deals": deal | {"Stage": None}}]}),
        "INVALID_DATA": ("12", plain),
        "ID_ALREADY_CONVERTED": (LEADS[0], plain),
    }
    done = await convert(LEADS[0], request)
    expected = sample("convert-response-v8")
    expected["data"][0]["details"]["Deals"] = expected["data"][0]["details"]["Contacts"]
    assert (done.status_code, differences(expected, done.json())) == (200, [])
    for known in sample("convert-errors"):
        code = known["body"].get("code") or known["body"]["data"][0]["code"]
        answer = await convert(*asked.pop(code))
        assert (answer.status_code, answer.json()) == (known["http"], known["body"])
    assert asked == {}


async def test_a_bulk_job_has_its_shape_when_it_is_done(filled: Any, sample: Any) -> None:
    [row] = (await filled.do("POST", "/crm/bulk/v8/read", sample("bulk-read-create-request")))["data"]
    answer = await filled.do("GET", f"/crm/bulk/v8/read/{row['details']['id']}")
    assert differences(sample("bulk-read-job-completed"), answer) == []


async def test_channels_and_callbacks_have_their_shape(
    crm: Zoho, filled: Any, sample: Any, receiver: Any
) -> None:
    request = sample("notifications-enable-request")
    request["watch"][0]["notify_url"] = f"{receiver.url}/zoho?tenant=7"
    request["watch"][0].pop("channel_expiry")
    await filled.do("POST", "/actions/watch", request)
    crm.desk.change("Leads", LEADS[0], {"Phone": "+48 600 999 999"})
    await receiver.expect(1)
    crm.desk.create("Leads", {"Last_Name": "Nowy"})
    await receiver.expect(2)
    crm.desk.delete("Contacts", CONTACT)
    bodies = [body for _, body in await receiver.expect(3)]
    names = ("callback-edit", "callback-insert", "callback-delete")
    for name, body in zip(names, bodies, strict=True):
        expected = sample(name)
        assert differences(expected, body) == []
        same = ("module", "channel_id", "token", "query_params", "affected_fields")
        assert {key: body[key] for key in same} == {key: expected[key] for key in same}
    closed = await filled.do("DELETE", "/actions/watch?channel_ids=1000000068001")
    assert differences(sample("notifications-disable-response"), closed) == []


async def test_tokens_and_their_refusals_have_their_shape(crm: Zoho, filled: Any, sample: Any) -> None:
    async def token(**how: Any) -> httpx.Response:
        usual = {"client_id": crm.client_id, "client_secret": "secret", "grant_type": "authorization_code"}
        return await filled.http.post("/oauth/v2/token", data=usual | how)

    granted = (await token(code=crm.grant())).json()
    assert differences(sample("oauth-grant-response"), granted) == []
    renew = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    assert differences(sample("oauth-refresh-response"), (await token(**renew)).json()) == []
    back = "https://leadbus.example.test/back"
    crm.desk.register_redirect(back)
    code = crm.oauth.grant(crm.user, crm.client_id, redirect_uri=back)
    asked = {
        "invalid_client": {"client_id": "1000.NOBODY", "code": crm.grant()},
        "invalid_client_secret": {"client_secret": "wrong", "code": crm.grant()},
        "invalid_code": {"code": "1000.none"},
        "invalid_redirect_uri": {"code": code, "redirect_uri": "https://other.example.test"},
        "Access Denied": renew,
    }
    # The first one is spent.
    for _ in range(9):
        await token(**renew)
    for known in sample("oauth-errors"):
        answer = await token(**asked.pop(known["body"]["error"]))
        assert answer.status_code in {known["http"], known.get("also")}
        assert answer.json() == known["body"]
    assert asked == {}


async def test_errors_have_the_codes_and_words_of_the_samples(crm: Zoho, filled: Any, sample: Any) -> None:
    crm.desk.create("Leads", {"Last_Name": "Third"})
    query = "/Leads?fields=Last_Name&per_page=2"
    token = (await filled.do("GET", query))["info"]["next_page_token"]
    old = {"If-Unmodified-Since": "2020-01-01T00:00:00+00:00"}
    asked = [
        await filled.ask("GET", "/org", headers={"Authorization": "Zoho-oauthtoken 1000.none"}),
        await filled.ask("GET", "/org", headers={"Authorization": ""}),
        await filled.ask("GET", "/no/where/at/all"),
        await filled.ask("GET", "/Nothing?fields=id"),
        await filled.ask("GET", "/Leads"),
        await filled.ask("GET", f"/Leads?fields={','.join(['id'] * 51)}"),
        await filled.ask("GET", "/Leads?fields=id&page=11"),
        await filled.ask("GET", f"/Leads?fields=id&page_token={_far(crm)}"),
        await filled.ask("GET", f"{query}&sort_by=id&page_token={token}"),
        await filled.ask("GET", f"{query}&page=2&page_token={token}"),
        await filled.ask("PUT", "/Leads", {"data": [{"id": LEADS[0], "City": "X"}]}, headers=old),
    ]
    crm.desk.expire_page_tokens()
    asked.append(await filled.ask("GET", f"{query}&page_token={token}"))
    crm.desk.forbid("Leads", ["view"])
    asked.append(await filled.ask("GET", query))
    for kind in ("rate_limit", "error"):
        crm.faults.add(kind, times=1)
        asked.append(await filled.ask("GET", "/org"))
    await filled.sign_in(scope="ZohoCRM.modules.ALL")
    asked.append(await filled.ask("GET", "/org"))
    answers = {_code(answer.json()): answer for answer in asked}
    for known in sample("errors"):
        answer = answers.pop(_code(known["body"]))
        assert (answer.status_code, differences(known["body"], answer.json())) == (known["http"], [])
    assert answers == {}


def test_no_sample_is_forgotten() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    names = {path.stem for path in SAMPLES.glob("*.json")}
    assert names == {name for name in names if f'"{name}"' in text}


def _code(body: dict[str, Any]) -> str:
    return str(body["code"] if "code" in body else body["data"][0]["code"])


def _far(crm: Zoho) -> str:
    """The token that a walk of 500 pages ends with."""
    path, params = {"version": "v8", "module": "Leads"}, {"fields": "id"}
    return PageTokens(Call(crm.site, crm.site.primary, path, params, {})).make(Place(501, 100_000, (1, 1)))
