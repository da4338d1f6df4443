"""Leads into contacts: once each, also when answers are lost or somebody at the CRM was quicker."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.converting import Converting
from connector_zoho.reading import Reading
from connector_zoho.settings import ZohoConnection
from leadbus.connector.contract import Conversion
from leadbus.connector.mapping import FieldMap
from leadbus.errors import Gone, OutcomeUnknown, Rejected, Transient
from leadbus.messages import Record
from sandbox.zoho import Zoho

POST = "POST Leads/convert"


@pytest.fixture
def converting(client: ZohoClient, connection: ZohoConnection) -> Converting:
    return Converting(
        client, Reading(client, connection, FieldMap.of(connection, CAPABILITIES)).find_by_email
    )


@pytest.fixture
def put(crm: Zoho) -> Callable[..., Record]:
    """A lead of the CRM."""

    def one(email: str = "ann@example.com", **values: Any) -> Record:
        known = {"Last_Name": "Kot", "Email": email, "Company": "Engines Ltd"} | values
        return Record(module="Leads", id=crm.desk.create("Leads", known))

    return one


async def test_a_lead_becomes_a_contact_of_its_company(
    crm: Zoho, converting: Converting, put: Any, stored: Any, calls: Any
) -> None:
    lead, trace = put(City="Rome"), b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
    [contact] = await converting.convert([Conversion(lead, traceparent=trace)])
    [kept] = stored("Contacts").values()
    assert contact == Record(module="Contacts", id=kept["id"])
    assert (kept["Email"], kept["Mailing_City"]) == ("ann@example.com", "Rome")
    [account] = stored("Accounts").values()
    assert (account["Account_Name"], kept["Account_Name"]) == ("Engines Ltd", account["id"])
    assert calls.traces(POST) == [[trace]]


async def test_a_lead_becomes_the_contact_and_joins_the_account_that_it_is_told_of(
    crm: Zoho, converting: Converting, put: Any, stored: Any
) -> None:
    owner = crm.desk.add_user("grace@example.test")
    account = crm.desk.create("Accounts", {"Account_Name": "Engines plc"})
    there = crm.desk.create("Contacts", {"Last_Name": "Kot", "Email": "other@example.com"})
    asked = Conversion(put(), Record(module="Contacts", id=there), account, owner)
    assert await converting.convert([asked]) == [asked.contact]
    assert stored("Contacts").keys() == {there}
    assert stored("Accounts").keys() == {account}
    [alone] = await converting.convert([Conversion(put("bob@example.com"), None, account, owner)])
    assert isinstance(alone, Record)
    kept = stored("Contacts")[alone.id]
    assert (kept["Account_Name"], kept["Owner"]) == (account, owner)


async def test_a_contact_has_the_tags_of_the_lead_that_it_was(
    crm: Zoho, converting: Converting, put: Any, stored: Any
) -> None:
    lead = put()
    crm.desk.tag("Leads", lead.id, "vip")
    [contact] = await converting.convert([Conversion(lead)])
    assert isinstance(contact, Record)
    assert "vip" in str(stored("Contacts")[contact.id]["Tag"])


async def test_a_lead_that_was_converted_by_hand_answers_its_contact_and_is_not_asked_for_again(
    crm: Zoho, converting: Converting, put: Any, calls: Any
) -> None:
    lead = put()
    there = crm.desk.convert(lead.id)
    assert await converting.convert([Conversion(lead)]) == [Record(module="Contacts", id=there)]
    assert calls.of(POST) == []


async def test_a_lead_that_is_converted_by_hand_at_the_same_moment_answers_its_contact(
    crm: Zoho, converting: Converting, put: Any, stored: Any, calls: Any
) -> None:
    lead = put()
    crm.faults.add("slow", of="writes", seconds=0.3)
    converted = asyncio.create_task(converting.convert([Conversion(lead)]))
    while not crm.writes:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    there = crm.desk.convert(lead.id)
    assert await converted == [Record(module="Contacts", id=there)]
    assert len(calls.of(POST)) == 1
    assert len(stored("Contacts")) == 1


async def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(
    crm: Zoho, converting: Converting, put: Any, stored: Any, calls: Any
) -> None:
    crm.faults.add("lose_reply", of="writes")
    [contact] = await converting.convert([Conversion(put())])
    assert contact == Record(module="Contacts", id=next(iter(stored("Contacts"))))
    assert len(stored("Contacts")) == len(calls.of(POST)) == 1


async def test_a_conversion_that_nobody_knows_of_is_doubtful_and_hides_no_other(
    crm: Zoho, converting: Converting, put: Any, stored: Any
) -> None:
    asked = [Conversion(put(f"p{at}@example.com")) for at in range(3)]
    crm.faults.add("error", of="writes", times=1)
    outcomes = await converting.convert(asked)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["OutcomeUnknown", "Record", "Record"]
    again = await converting.convert(asked)
    assert {c.id for c in again if isinstance(c, Record)} == stored("Contacts").keys()
    assert len(stored("Contacts")) == 3


@pytest.mark.parametrize(("fault", "error"), [("error", OutcomeUnknown), ("rate_limit", Transient)])
async def test_trouble_with_all_is_raised(
    crm: Zoho, converting: Converting, put: Any, fault: Any, error: Any
) -> None:
    leads = [put(), put("bob@example.com")]
    crm.faults.add(fault, of="writes")
    with pytest.raises(error):
        await converting.convert([Conversion(lead) for lead in leads])


async def test_a_lead_that_is_not_there_any_more_is_gone(
    crm: Zoho, converting: Converting, put: Any, stored: Any
) -> None:
    deleted, there = put(), put("bob@example.com")
    crm.desk.delete("Leads", deleted.id)
    never = Record(module="Leads", id="20000000999999999")
    outcomes = await converting.convert([Conversion(lead) for lead in (deleted, there, never)])
    assert [type(outcome) for outcome in outcomes] == [Gone, Record, Gone]


async def test_a_lead_whose_contact_is_there_already_becomes_that_one(
    crm: Zoho, converting: Converting, put: Any, stored: Any
) -> None:
    """The CRM takes each email but once."""
    crm.desk.make_unique("Contacts", "Email")
    there = crm.desk.create("Contacts", {"Last_Name": "Kot", "Email": "Ann@example.com"})
    [contact] = await converting.convert([Conversion(put())])
    assert contact == Record(module="Contacts", id=there)
    assert stored("Contacts").keys() == {there}


async def test_a_lead_never_becomes_somebody_elses_contact(
    crm: Zoho, converting: Converting, put: Any, stored: Any, calls: Any
) -> None:
    crm.desk.make_unique("Contacts", "Phone")
    there = crm.desk.create("Contacts", {"Last_Name": "Lis", "Email": "lis@example.com", "Phone": "1"})
    [outcome] = await converting.convert([Conversion(put(Phone="1"))])
    assert isinstance(outcome, Rejected)
    assert outcome.field == "Phone"
    assert stored("Contacts").keys() == {there}
    assert len(calls.of(POST)) == 1


async def test_conversions_run_side_by_side_and_never_more_than_the_crm_bears(
    crm: Zoho, converting: Converting, put: Any, stored: Any
) -> None:
    leads = [put(f"p{at}@example.com", Company=f"Company {at}") for at in range(30)]
    outcomes = await converting.convert([Conversion(lead) for lead in leads])
    assert {contact.id for contact in outcomes if isinstance(contact, Record)} == stored("Contacts").keys()
    assert 1 < crm.most_at_once <= CAPABILITIES.concurrent_calls
    assert crm.credits_used <= CAPABILITIES.credits["convert"](30) + 2
