"""Envelopes of real servers: their requests are answered, and the answers look like theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from soap_client import SERVICES, Fault, Service, attributes, entity, option, reference, string, text

SOAP = Path(__file__).parents[5] / "shared" / "contracts" / "dynamics" / "soap"
pytestmark = pytest.mark.skipif(
    not SOAP.is_dir(), reason="../shared/contracts/dynamics/soap is not beside this checkout"
)
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
LEAD = "c4567bb6-47a3-e711-811b-e0071b6ac1b1"
Shape = tuple[str, str, tuple[Any, ...]]


def body(name: str) -> etree._Element:
    """Of `recorded/<name>.xml`, or of an envelope made of such a one."""
    return etree.parse(SOAP / f"{name}.xml").getroot().find("{*}Body")[0]


def shape(element: etree._Element) -> Shape:
    """Names and types all the way down, in their order; of children that are alike only one."""
    inside = [shape(child) for child in element.iterchildren("*")]
    kind = element.get(TYPE, "").rpartition(":")[2]
    return etree.QName(element).localname, kind, tuple(dict.fromkeys(inside))


@pytest.fixture
async def crm(old: Service) -> Service:
    """With the records that the envelopes are about."""
    desk, other = old.crm.desk, "107a6fbc-f4aa-e311-af52-6c3be5a8ad70"
    for number, key in enumerate((LEAD, other)):
        desk.create("lead", {"id": key, "lastname": f"Doe {number}", "emailaddress1": "jane@example.com"})
    held = {"id": "0b534c29-f5aa-e311-b64f-6c3be5a87df0", "listname": "Spring", "createdfromcode": 4}
    desk.create("list", held)
    desk.create("campaign", {"id": "8ff0325c-a592-e311-b7f3-6c3be5a8a0c8", "name": "Spring"})
    desk.add_user("CONTOSO\\crm", last_name="User", key="1bfa3886-df7e-468c-8435-b5adfb0441ed")
    euro = {"id": "228f42f8-e646-e111-8eb7-78e7d162ced1", "currencyname": "Euro"}
    desk.create("transactioncurrency", euro | {"isocurrencycode": "EUR", "currencysymbol": "€"})
    return old


async def replay(service: Service, name: str) -> httpx.Response:
    raw = (SOAP / f"{name}.xml").read_bytes()
    operation = etree.QName(body(name)).localname
    action = f'"{SERVICES}/IOrganizationService/{operation}"'
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
    return await service.http.post(service.crm.soap_url, content=raw, headers=headers)


def requests() -> Iterator[str]:
    for path in sorted(SOAP.glob("*/*_request.xml")):
        # One who is not there any more is not removed either: that one comes after the one who adds.
        yield f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("name", [name for name in requests() if "removemember" not in name])
async def test_every_request_is_answered(crm: Service, name: str) -> None:
    answer = await replay(crm, name)
    operation = etree.QName(body(name)).localname
    assert answer.status_code == 200, answer.text
    said = etree.fromstring(answer.content).find("{*}Body")[0]
    assert said.tag == f"{{{SERVICES}}}{operation}Response"


async def test_who_has_been_added_to_a_list_is_removed_again(crm: Service) -> None:
    assert (await replay(crm, "envelopes/execute_removemember_request")).status_code == 500
    assert (await replay(crm, "envelopes/execute_addlistmembers_request")).status_code == 200
    assert (await replay(crm, "envelopes/execute_removemember_request")).status_code == 200
    assert sorted(one["deleted"] for one in crm.crm.records("listmember")) == [False, True]


async def test_the_requests_have_done_what_they_say(crm: Service) -> None:
    for name in ("create_lead", "update_lead", "create_annotation", "execute_setstate_lead"):
        await replay(crm, f"envelopes/{name}_request")
    made = {one["id"]: one for one in crm.crm.records("lead")}
    assert (made[LEAD]["jobtitle"], made[LEAD]["statecode"], made[LEAD]["statuscode"]) == ("CEO", 2, 4)
    [new] = [one for key, one in made.items() if one["companyname"] == "Example Ltd"]
    assert (new["firstname"], new["lastname"], new["emailaddress1"]) == ("Jane", "Doe", "jane@example.com")
    [note] = crm.crm.records("annotation")
    assert (note["notetext"], LEAD in str(note["objectid"])) == ("Opened 2 times", True)


# Answers


async def answers(service: Service) -> dict[str, etree._Element]:
    """By the name of the recording that each should look like."""
    desk = service.crm.desk
    for number in range(3):
        desk.create("account", {"name": f"Kot {number}"})
    accounts = "<entity name='account'>{}</entity></fetch>".replace("<", "&lt;")

    def fetch(inside: str) -> str:
        columns = accounts.format(inside.replace("<", "&lt;"))
        return f"<b:Query>&lt;fetch>{columns}</b:Query>"

    query = fetch("<attribute name='accountid'/>")
    said = {
        "retrieve_multiple_result": await service.call(
            f"<RetrieveMultiple><query i:type='b:FetchExpression'>{query}</query></RetrieveMultiple>"
        ),
        "create_response": await service.call(
            f"<Create><entity>{entity('account', {'name': string('New')})}</entity></Create>"
        ),
        "update_response": await service.call(
            f"<Update><entity>{entity('lead', {'jobtitle': string('CEO')}, LEAD)}</entity></Update>"
        ),
    }
    opportunity = desk.create("opportunity", {"name": "Big"})
    closing = entity("opportunityclose", {"opportunityid": reference("opportunity", opportunity)})
    for state, name in ((4, "Lose"), (3, "Win")):
        said[f"{name.lower()}_opportunity_response"] = await execute(
            service,
            f"{name}Opportunity",
            {"OpportunityClose": text("b:Entity", closing), "Status": option(state)},
        )
    said["who_am_i_result"] = await execute(service, "WhoAmI", {})
    columns = fetch("<attribute name='accountid'/><attribute name='name'/><attribute name='createdon'/>")
    wanted = {"Query": text("b:FetchExpression", columns)}
    said["fetch_xml_response"] = await execute(service, "RetrieveMultiple", wanted)
    lead = f"<entityName>lead</entityName><id>{LEAD}</id>"
    said["delete_response"] = await service.call(f"<Delete>{lead}</Delete>")
    return said


async def execute(service: Service, name: str, parameters: dict[str, str]) -> etree._Element:
    given = "".join(
        f"<b:KeyValuePairOfstringanyType><c:key>{key}</c:key>{value}</b:KeyValuePairOfstringanyType>"
        for key, value in parameters.items()
    )
    return await service.call(
        f"<Execute><request><b:Parameters>{given}</b:Parameters><b:RequestName>{name}</b:RequestName></request>"
        "</Execute>"
    )


async def test_answers_have_the_shape_of_the_recorded_ones(crm: Service) -> None:
    said = await answers(crm)
    assert {name: shape(element) for name, element in said.items()} == {
        name: shape(body(f"recorded/{name}")) for name in said
    }


async def test_values_have_the_types_of_the_recorded_ones(crm: Service) -> None:
    """Those of an account with all columns; the values themselves go in as the recorded server told them."""
    recorded = body("recorded/retrieve_account_all_columns")[0]
    known = crm.crm.store.entities["account"].attributes
    kinds = {
        pair[0].text: pair[1].get(TYPE).rpartition(":")[2]
        for pair in recorded.find("{*}Attributes")
        if pair[0].text in known
    }
    settable = {
        name: value
        for name, value in attributes(recorded).items()
        if kinds.get(name) in ("string", "int", "boolean", "OptionSetValue", "Money", "dateTime")
    }
    given = {name: typed(kinds[name], value) for name, value in settable.items()}
    key = crm.crm.desk.create("account", given)
    answer = await crm.call(
        f"<Retrieve><entityName>account</entityName><id>{key}</id><columnSet><b:AllColumns>true</b:AllColumns>"
        "</columnSet></Retrieve>"
    )
    told = {pair[0].text: pair[1] for pair in answer[0].find("{*}Attributes")}
    assert len(kinds) > 15
    assert {name: told[name].get(TYPE).rpartition(":")[2] for name in kinds if name in told} == {
        name: kind for name, kind in kinds.items() if name in told
    }
    assert len(told.keys() & kinds.keys()) > 15
    money = [name for name, kind in kinds.items() if kind == "Money" and name in told]
    assert {name: "".join(told[name].itertext()) for name in money} == {
        name: attributes(recorded)[name].strip() for name in money
    }


def typed(kind: str, value: str) -> Any:
    """As the desk takes it."""
    plain = value.strip()
    readers = {"int": int, "OptionSetValue": int, "Money": float, "boolean": lambda text: text == "true"}
    return readers[kind](plain) if kind in readers else plain


async def test_an_unknown_attribute_is_refused_as_recorded(crm: Service) -> None:
    recorded = body("envelopes/fault_unknown_attribute")
    asked = entity("account", {"ticketsymbol": string("x")}, LEAD)
    answer = await crm.post(f"<Create><entity>{asked}</entity></Create>")
    said = etree.fromstring(answer.content).find("{*}Body")[0]
    assert shape(said) == shape(recorded)
    assert said.findtext(".//{*}ErrorCode") == recorded.findtext(".//{*}ErrorCode")
    with pytest.raises(Fault) as fault:
        await crm.create("account", {"ticketsymbol": string("x")})
    assert "doesn't contain attribute with Name = 'ticketsymbol'" in fault.value.message


async def test_what_wcf_refuses_is_told_as_recorded(crm: Service) -> None:
    answer = await crm.post("<Create><entity><b:Id>no id</b:Id></entity></Create>")
    said = etree.fromstring(answer.content).find("{*}Body")[0]
    assert shape(said) == shape(body("envelopes/fault_internal"))
    assert said.findtext("faultstring") == body("envelopes/fault_internal").findtext("faultstring")


async def test_options_are_told_in_the_recorded_order(crm: Service) -> None:
    """What is told here is in the recording too, in the same order; the recording tells more."""
    said = await execute(
        crm,
        "RetrieveAttribute",
        {"EntityLogicalName": string("account"), "LogicalName": string("industrycode")},
    )
    recorded = body("recorded/retrieve_attribute_picklist_response")
    for path in (".//{*}value", ".//{*}OptionSet", ".//{*}OptionMetadata", ".//{*}Label"):
        ours, theirs = ([etree.QName(one).localname for one in root.find(path)] for root in (said, recorded))
        assert ours == [name for name in theirs if name in ours]
    labels = ".//{*}OptionMetadata/{*}Label/{*}UserLocalizedLabel/{*}Label"
    assert {one.text for one in said.findall(labels)} & {one.text for one in recorded.findall(labels)}
