"""The simulator's `OrganizationData.svc`: records by OData v2, with schema names, and 50 a page."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from sandbox.dynamics import Dynamics
from sandbox.dynamics.catalogue import entities
from sandbox.dynamics.odata_v2.names import entity_name, schema_name

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "dynamics" / "webapi" / "odata_v2_2011.json"
_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""
KEY = "c4567bb6-47a3-e711-811b-e0071b6ac1b1"
PLAIN = {"Accept": "application/json", "x-user": "CONTOSO\\leadbus"}


@pytest.fixture
async def crm() -> AsyncIterator[Dynamics]:
    crm = Dynamics(version="2011", trusted_header="x-user")
    await crm.start()
    yield crm
    await crm.stop()


@pytest.fixture
async def api(crm: Dynamics) -> AsyncIterator[httpx.AsyncClient]:
    root = f"{crm.organisation_url}/XRMServices/2011/OrganizationData.svc/"
    async with httpx.AsyncClient(base_url=root, headers=PLAIN, verify=_TLS) as api:
        yield api


def shape(value: Any) -> Any:
    """Names and kinds, all the way down; of a list its first."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


async def found(api: httpx.AsyncClient, **options: str) -> list[str]:
    """Last names."""
    answer = await api.get("LeadSet", params={f"${name}": value for name, value in options.items()})
    assert answer.status_code == 200, answer.text
    return [one["LastName"] for one in answer.json()["d"]["results"]]


@pytest.mark.skipif(not SAMPLES.is_file(), reason=f"the sample is not there: {SAMPLES}")
async def test_the_contracts_samples_are_answered_alike(crm: Dynamics, api: httpx.AsyncClient) -> None:
    crm.desk.create("campaign", {"id": "8ff0325c-a592-e311-b7f3-6c3be5a8a0c8", "name": "Spring"})
    for number in range(51):
        lead = {"lastname": f"Doe {number}", "emailaddress1": "jane@example.com", "leadsourcecode": 8}
        crm.desk.create("lead", lead | {"budgetamount": 1500} | ({"id": KEY} if number == 0 else {}))
    for sample in json.loads(SAMPLES.read_text())["exchanges"]:
        asked, expected = sample["request"], sample["response"]
        address = asked["url"].partition("OrganizationData.svc/")[2]
        answer = await api.request(asked["method"], address, json=asked["body"], headers=asked["headers"])
        assert answer.status_code == expected["status"], answer.text
        if expected["body"] is None:
            continue
        told = answer.json()
        if "results" in expected["body"]["d"] if "d" in expected["body"] else False:
            assert told["d"].keys() == expected["body"]["d"].keys()
            assert shape(told["d"]["results"]) == shape(expected["body"]["d"]["results"])
            assert "$skiptoken=1,'leadid','{" in unquote(told["d"]["__next"])
        elif "error" in expected["body"]:
            assert shape(told) == shape(expected["body"])
            assert told["error"]["code"] == expected["body"]["error"]["code"]
        else:
            common = expected["body"]["d"].keys() - {"BudgetAmount"}
            assert {name: shape(told["d"][name]) for name in common} == {
                name: shape(expected["body"]["d"][name]) for name in common
            }
            assert answer.headers["location"] == told["d"]["__metadata"]["uri"]
    assert [one["jobtitle"] for one in crm.records("lead") if one["id"] == KEY] == ["CEO"]


async def test_fifty_rows_a_page_and_everybody_once(crm: Dynamics, api: httpx.AsyncClient) -> None:
    for number in range(120):
        crm.desk.create("lead", {"lastname": f"O'Kot {number:03}"})
    address, seen, sizes = "LeadSet?$select=LastName&$orderby=LastName desc&$inlinecount=allpages", [], []
    while address:
        page = (await api.get(address)).json()["d"]
        seen += [one["LastName"] for one in page["results"]]
        sizes.append(len(page["results"]))
        assert page["__count"] == "120"
        address = page.get("__next", "")
    assert sizes == [50, 50, 20]
    assert seen == [f"O'Kot {number:03}" for number in reversed(range(120))]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("EMailAddress1 eq 'A+B@kot.test'", ["Adams"]),
        ("LastName eq 'O''Neil'", ["O'Neil"]),
        ("StateCode/Value eq 0 and LeadSourceCode/Value eq 8", ["Adams"]),
        ("LeadSourceCode/Value ne 8 or (BudgetAmount/Value gt 1000M)", ["Baker", "O'Neil"]),
        ("EMailAddress1 eq null", ["Baker", "O'Neil"]),
        ("EMailAddress1 ne null", ["Adams"]),
        (f"LeadId eq (guid'{KEY}')", ["Adams"]),
        (f"LeadId eq guid'{KEY}'", ["Adams"]),
        (f"(LeadId eq guid'{KEY}') or LastName eq 'Baker'", ["Adams", "Baker"]),
        ("startswith(LastName,'B')", ["Baker"]),
        ("substringof('a',LastName)", ["Adams", "Baker"]),
        ("not startswith(LastName,'B')", ["Adams", "O'Neil"]),
        ("ModifiedOn ge datetime'2020-01-01T00:00:00'", ["Adams", "Baker", "O'Neil"]),
        ("ModifiedOn lt datetime'2020-01-01T00:00:00Z'", []),
        ("DoNotEMail eq true", ["Baker"]),
    ],
)
async def test_filters(crm: Dynamics, api: httpx.AsyncClient, filters: str, expected: list[str]) -> None:
    crm.desk.create(
        "lead", {"id": KEY, "lastname": "Adams", "emailaddress1": "a+b@kot.test", "leadsourcecode": 8}
    )
    crm.desk.create("lead", {"lastname": "Baker", "donotemail": True})
    crm.desk.create("lead", {"lastname": "O'Neil", "budgetamount": 1500})
    assert await found(api, filter=filters, orderby="LastName") == expected


async def test_a_record_is_written_read_and_deleted(crm: Dynamics, api: httpx.AsyncClient) -> None:
    given = {
        "LastName": "Kot",
        "LeadSourceCode": {"Value": 8},
        "BudgetAmount": {"Value": "12.50"},
        "EstimatedCloseDate": "/Date(1393618759000)/",
        "OwnerId": {"Id": crm.site.person.id, "LogicalName": "systemuser"},
    }
    made = (await api.post("LeadSet", json=given)).json()["d"]
    assert (made["OwnerId"]["Name"], made["BudgetAmount"]["Value"]) == ("Ada Nowak", "12.5000")
    address = f"LeadSet(guid'{made['LeadId']}')"
    changed = {"BudgetAmount": {"Value": None}, "JobTitle": "CEO", "StatusCode": {"Value": 2}}
    assert (await api.post(address, json=changed, headers={"X-HTTP-Method": "MERGE"})).status_code == 204
    told = (await api.get(f"{address}?$select=JobTitle,BudgetAmount,StatusCode,EstimatedCloseDate")).json()[
        "d"
    ]
    assert (told["JobTitle"], told["BudgetAmount"]["Value"]) == ("CEO", None)
    assert told["StatusCode"]["Value"] == 1, "before 7.1 the status is not set so"
    assert (await api.post(address, headers={"X-HTTP-Method": "DELETE"})).status_code == 204
    gone = await api.get(address)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "-2147220969")
    assert [crm.calls[name] for name in ("create", "update", "retrieve", "delete")] == [1, 1, 2, 1]


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("GET", "NothingSet", None, 404),
        ("GET", "LeadSet?$select=emailaddress1", None, 400),
        ("GET", "LeadSet?$filter=Nothing eq 1", None, 400),
        ("GET", "LeadSet?$filter=length(LastName) eq 1", None, 400),
        ("GET", "LeadSet?$filter=StateCode/Nothing eq 1", None, 400),
        ("GET", "LeadSet?$skiptoken=1,'x'", None, 400),
        ("POST", "LeadSet", {"Nothing": 1}, 400),
        ("POST", "LeadSet", {"LeadSourceCode": {}}, 400),
        ("POST", "LeadSet", {"LeadSourceCode": {"Value": 77}}, 400),
        ("PUT", "LeadSet", {}, 405),
    ],
)
async def test_what_it_refuses(
    crm: Dynamics, api: httpx.AsyncClient, method: str, address: str, body: Any, status: int
) -> None:
    answer = await api.request(method, address, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]["lang"] == "en-US"
    assert crm.records("lead") == []


async def test_sets_are_listed(api: httpx.AsyncClient) -> None:
    sets = (await api.get("")).json()["d"]["EntitySets"]
    assert {"LeadSet", "ContactSet", "PhoneCallSet", "ListMemberSet", "SystemUserSet"} < set(sets)


def test_no_two_attributes_share_a_schema_name() -> None:
    for entity in entities().values():
        names = {schema_name(name).lower() for name in entity.attributes}
        assert names == set(entity.attributes)
    known = ("emailaddress1", "address1_stateorprovince", "donotbulkemail", "websiteurl", "originatingleadid")
    assert [schema_name(name) for name in known] == [
        "EMailAddress1",
        "Address1_StateOrProvince",
        "DoNotBulkEMail",
        "WebSiteUrl",
        "OriginatingLeadId",
    ]
    assert [entity_name(name) for name in ("lead", "phonecall")] == ["Lead", "PhoneCall"]


async def test_dynamics_365_has_it_no_more() -> None:
    crm = Dynamics(version="9.2")
    await crm.start()
    try:
        async with httpx.AsyncClient(verify=_TLS) as http:
            address = f"{crm.organisation_url}/XRMServices/2011/OrganizationData.svc/LeadSet"
            assert (await http.get(address)).status_code == 404
    finally:
        await crm.stop()
