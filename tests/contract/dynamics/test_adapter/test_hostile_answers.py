"""Answers that are lost, cut short or odd, and other tenants' trouble."""

from collections.abc import Callable
from typing import Any

import pytest

from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import Conversion, NewPerson
from leadbus.errors import OutcomeUnknown, RateLimited, Transient
from leadbus.messages import Record
from leadbus.security.addresses import AddressGuard
from leadbus.security.guarded_transport import GuardedTransport
from sandbox.dynamics import Dynamics
from sandbox.dynamics.soap import executing
from sandbox.dynamics.web_api import actions

Stored = Callable[..., dict[str, dict[str, Any]]]
Make = Callable[..., NewPerson]


async def test_a_contact_whose_conversion_s_answer_was_lost_gets_its_owner_and_company(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    owner = crm.desk.add_user("CONTOSO\\grace")
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    ada = Record(module="lead", id=crm.desk.create("lead", {"lastname": "Lovelace", "companyname": "E"}))
    crm.faults.add("lose_reply", of="writes", skip=1, times=1)
    (contact,) = await verbs.converting.convert([Conversion(ada, account_id=account, owner_id=owner)])
    assert isinstance(contact, Record)
    row = stored("contact")[contact.id]
    assert (row["ownerid"], row["parentcustomerid"]) == (owner, account)


@pytest.mark.parametrize("version", ["9.2"])
async def test_a_conversion_that_is_answered_oddly_is_looked_at(
    crm: Dynamics, verbs: Verbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = [
        Record(module="lead", id=crm.desk.create("lead", {"lastname": name, "subject": "s"}))
        for name in ("Lovelace", "Babbage")
    ]
    qualify = actions.qualify

    def odd(ask: Any, key: str) -> Any:
        answer = qualify(ask, key)
        answer.body = {"value": [{"id": "1"}]} if key == leads[0].id else None
        return answer

    monkeypatch.setitem(actions.BOUND, ("lead", "QualifyLead"), odd)
    contacts = await verbs.converting.convert([Conversion(lead) for lead in leads])
    assert [isinstance(contact, Record) for contact in contacts] == [True, True]


@pytest.mark.parametrize("version", ["2011"])
async def test_rows_of_which_the_crm_says_nothing_are_not_taken_as_written(
    crm: Dynamics, verbs: Verbs, person: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executing.Executor, "_many", lambda executor, message: {})
    with pytest.raises(OutcomeUnknown):
        await verbs.writing.create([person("ada@example.test")])


@pytest.mark.parametrize("version", ["9.2"])
async def test_a_directory_that_is_busy_for_one_access_does_not_hold_up_another(
    crm: Dynamics, connect: Callable[..., DynamicsConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    organisations = Organisations()
    ours = Probing(connect(), organisations)
    organisation = await ours.open()
    whole = connect().access.model_dump() | {"client_secret": "another", "password": ""}
    theirs = Probing(connect(access=whole, tenant_id="other"), organisations)
    crm.faults.add("unavailable", operation="token", retry_after=600)
    with pytest.raises(RateLimited):
        await theirs.open()
    assert await organisation.retrieve("lead", [crm.user_id], ["lastname"]) == []
    for probing in (ours, theirs):
        await probing.close()


async def test_a_batch_that_never_left_hides_none_that_may_have_arrived(
    crm: Dynamics, verbs: Verbs, person: Make
) -> None:
    people = [person(f"p{number}@example.test") for number in range(12)]
    crm.faults.add("unavailable", of="writes", times=1)
    crm.faults.add("lose_reply", of="writes", times=1)
    outcomes = await verbs.writing.create(people)
    assert {type(outcome) for outcome in outcomes} == {RateLimited, OutcomeUnknown}


async def test_an_address_that_leads_inside_all_at_once_is_the_fault_of_no_row(
    crm: Dynamics, connect: Callable[..., DynamicsConnection], person: Make
) -> None:
    guard = AddressGuard("127.0.0.1")
    connection = connect()
    probing = Probing(connection, Organisations(), transport=GuardedTransport(guard))
    verbs = Verbs.of(await probing.open(), connection)
    await verbs.writing.create([person("ada@example.test")])
    guard._networks.clear()
    with pytest.raises(Transient, match="internal network"):
        await verbs.writing.create([person("ben@example.test")])
    await probing.close()
