"""Leads into contacts."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import Conversion, Person
from leadbus.errors import Gone, Rejected
from leadbus.messages import Record
from sandbox.dynamics import Dynamics

Stored = Callable[..., dict[str, dict[str, Any]]]


def _lead(crm: Dynamics, name: str = "Lovelace", **more: Any) -> Record:
    given = {"lastname": name, "emailaddress1": f"{name}@example.test", "companyname": "Engines Ltd"} | more
    return Record(module="lead", id=crm.desk.create("lead", given))


async def test_a_lead_becomes_a_contact_of_its_company_and_its_owners(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    owner = crm.desk.add_user("CONTOSO\\grace")
    ada = _lead(crm)
    (contact,) = await verbs.converting.convert([Conversion(ada, owner_id=owner)])
    assert isinstance(contact, Record)
    row, lead = stored("contact")[contact.id], stored()[ada.id]
    assert (row["lastname"], row["originatingleadid"], row["ownerid"]) == ("Lovelace", ada.id, owner)
    (account,) = stored("account").values()
    assert (account["name"], account["ownerid"]) == ("Engines Ltd", owner)
    assert row["parentcustomerid"] == account["id"]
    assert (lead["statecode"], lead["statuscode"]) == (1, 3)
    assert stored("opportunity") == {}


async def test_a_lead_becomes_the_contact_there_is(crm: Dynamics, verbs: Verbs, stored: Stored) -> None:
    known = crm.desk.create("contact", {"lastname": "Lovelace", "emailaddress2": "lovelace@example.test"})
    ada = _lead(crm)
    contact = Record(module="contact", id=known)
    assert await verbs.converting.convert([Conversion(ada, contact)]) == [contact]
    assert stored("contact").keys() == {known}
    assert stored("account") == {}
    read = (await verbs.reading.read([ada]))[ada.id]
    assert isinstance(read, Person)
    assert read.converted_to == contact
    assert await verbs.converting.convert([Conversion(ada)]) == [contact]


async def test_a_lead_becomes_a_contact_of_the_account_there_is(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    (contact,) = await verbs.converting.convert([Conversion(_lead(crm), account_id=account)])
    assert isinstance(contact, Record)
    assert stored("contact")[contact.id]["parentcustomerid"] == account
    assert stored("account").keys() == {account}


async def test_a_lead_without_a_company_gets_no_account(crm: Dynamics, verbs: Verbs, stored: Stored) -> None:
    (contact,) = await verbs.converting.convert([Conversion(_lead(crm, companyname=None))])
    assert isinstance(contact, Record)
    assert stored("account") == {}


async def test_a_lead_that_is_a_contact_already_answers_it(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    ada = _lead(crm)
    contact = crm.desk.qualify(ada.id)
    assert await verbs.converting.convert([Conversion(ada)]) == [Record(module="contact", id=contact)]
    assert len(stored("contact")) == 1


async def test_each_of_several_leads_has_its_outcome(crm: Dynamics, verbs: Verbs) -> None:
    ada, ben, gone = _lead(crm), _lead(crm, "Babbage"), Record(module="lead", id=str(uuid4()))
    outcomes = await verbs.converting.convert([Conversion(record) for record in (ada, gone, ben)])
    assert isinstance(outcomes[1], Gone)
    contacts = [outcome.id for outcome in (outcomes[0], outcomes[2]) if isinstance(outcome, Record)]
    assert len(set(contacts)) == 2


async def test_a_lead_that_the_crm_does_not_qualify_is_refused(crm: Dynamics, verbs: Verbs) -> None:
    crm.desk.refuse("contact", "lastname", "Lovelace")
    (refused,) = await verbs.converting.convert([Conversion(_lead(crm))])
    assert isinstance(refused, Rejected)


async def test_an_answer_that_is_lost_after_the_conversion_answers_the_contact(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    ada = _lead(crm)
    crm.faults.add("lose_reply", of="writes", times=1)
    (contact,) = await verbs.converting.convert([Conversion(ada)])
    assert isinstance(contact, Record)
    assert stored("contact").keys() == {contact.id}


@pytest.mark.parametrize("version", ["9.2"])
async def test_a_lead_that_was_qualified_without_a_contact_is_told(crm: Dynamics, verbs: Verbs) -> None:
    ada = _lead(crm)
    crm.desk.change("lead", ada.id, {"statecode": 1, "statuscode": 3})
    (refused,) = await verbs.converting.convert([Conversion(ada)])
    assert isinstance(refused, Rejected)
