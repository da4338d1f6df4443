"""Records by SOAP: what is kept, and what is refused."""

from uuid import uuid4

import pytest
from soap_client import (
    LEAD,
    Service,
    attributes,
    entity,
    option,
    pairs,
    reference,
    refused,
    row,
    string,
    text,
)


async def test_values_of_every_type_are_kept(old: Service) -> None:
    campaign = await old.create("campaign", {"name": string("Spring")})
    values = LEAD | {
        "leadsourcecode": option(8),
        "budgetamount": text("b:Money", "<b:Value>1500.50</b:Value>"),
        "numberofemployees": text("d:int", 4300),
        "donotbulkemail": text("d:boolean", "true"),
        "campaignid": reference("campaign", campaign.upper()),
        "estimatedclosedate": text("d:dateTime", "2026-05-20T23:30:00+02:00"),
        "description": '<c:value i:nil="true"/>',
    }
    made = row(old, "lead", await old.create("lead", values))
    assert (made["lastname"], made["emailaddress1"], made["leadsourcecode"]) == ("Kot", "a+b@kot.test", 8)
    assert (made["budgetamount"], made["numberofemployees"], made["donotbulkemail"]) == (1500.5, 4300, True)
    assert made["estimatedclosedate"].startswith("2026-05-20")
    [told] = await old.fetch(
        "<fetch><entity name='lead'><attribute name='campaignid'/><attribute name='budgetamount'/></entity>"
        "</fetch>"
    )
    assert told["campaignid"] == f"{campaign}campaignSpring"
    assert told["budgetamount"] == "1500.5000"


async def test_a_record_is_created_under_the_id_that_is_given_and_once(old: Service) -> None:
    key = str(uuid4())
    assert await old.create("lead", LEAD, key) == key
    assert await refused(old, lambda: old.create("lead", LEAD, key)) == 0x80040237


async def test_parties_of_a_phone_call_are_kept(old: Service) -> None:
    lead = await old.create("lead", LEAD)
    party = f"<b:Entity>{entity('activityparty', {'partyid': reference('lead', lead)})}</b:Entity>"
    call = {
        "subject": string("Ring"),
        "to": text("b:ArrayOfEntity", party),
        "regardingobjectid": reference("lead", lead),
    }
    await old.create("phonecall", call)
    [told] = await old.fetch("<fetch><entity name='phonecall'><attribute name='to'/></entity></fetch>")
    assert lead in told["to"]
    [activity] = await old.fetch("<fetch><entity name='activitypointer'><all-attributes/></entity></fetch>")
    assert (activity["activitytypecode"], activity["subject"]) == ("phonecall", "Ring")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"leadsourcecode": text("d:int", 8)}, 0x80044354),
        ({"leadsourcecode": option(77)}, 0x8004431A),
        ({"budgetamount": text("d:decimal", "5")}, 0x80044354),
        ({"lastname": string("x" * 51)}, 0x80044331),
        ({"new_nothing": string("x")}, 0x80041103),
        ({"campaignid": reference("campaign", str(uuid4()))}, 0x80040217),
        ({"lastname": "<c:value>no type</c:value>"}, None),
        ({"lastname": text("b:Nonsense", "")}, None),
        ({"numberofemployees": text("d:int", "many")}, None),
    ],
)
async def test_a_value_that_does_not_fit_is_refused(old: Service, values: dict[str, str], code: int) -> None:
    assert await refused(old, lambda: old.create("lead", LEAD | values)) == code
    assert old.crm.records("lead") == []


async def test_elements_out_of_the_contracts_order_are_passed_over(old: Service) -> None:
    key = str(uuid4())
    given = f"<b:LogicalName>lead</b:LogicalName><b:Id>{key}</b:Id><b:Attributes>{pairs(LEAD)}</b:Attributes>"
    await old.call(f"<Create><entity>{given}</entity></Create>")
    [made] = old.crm.records("lead")
    assert (made["id"] == key, made["lastname"]) == (False, None)


async def test_update_retrieve_and_delete(old: Service) -> None:
    key = await old.create("lead", LEAD)
    await old.update("lead", key, {"jobtitle": string("CEO"), "emailaddress1": '<c:value i:nil="true"/>'})
    columns = (
        "<columnSet><b:AllColumns>false</b:AllColumns><b:Columns><f:string>jobtitle</f:string></b:Columns>"
    )
    ask = f"<Retrieve><entityName>lead</entityName><id>{key}</id>{columns}</columnSet></Retrieve>"
    answer = await old.call(ask)
    assert attributes(answer[0]) == {"jobtitle": "CEO", "leadid": key}
    assert row(old, "lead", key)["emailaddress1"] is None
    gone = f"<Delete><entityName>lead</entityName><id>{key}</id></Delete>"
    await old.call(gone)
    assert await refused(old, lambda: old.call(gone)) == 0x80040217
    assert await refused(old, lambda: old.call(ask)) == 0x80040217
    assert await refused(old, lambda: old.update("lead", key, {"jobtitle": string("x")})) == 0x80040217
