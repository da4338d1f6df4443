"""The verbs that write."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import NewAccount, NewActivity, NewPerson, PersonChange
from leadbus.errors import Conflict, Gone, OutcomeUnknown, Rejected
from leadbus.messages import Record
from sandbox.dynamics import Dynamics

Stored = Callable[..., dict[str, dict[str, Any]]]
Make = Callable[..., NewPerson]


def _lead(key: str) -> Record:
    return Record(module="lead", id=key)


async def test_people_are_created_under_our_ids_with_all_that_is_known(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    owner = crm.desk.add_user("CONTOSO\\grace")
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    ada = replace(
        person("ada+fair@example.test", lastname="Lovelace", telephone1="1", companyname="Engines"),
        owner_id=owner,
        score=61,
        opted_out=True,
    )
    ben = replace(
        person("ben@example.test", kind="contact", lastname="Babbage", birthdate="1791-12-26"),
        account_id=account,
    )
    assert await verbs.writing.create([ada, ben]) == [ada.id, ben.id]
    lead, contact = stored()[ada.id], stored("contact")[ben.id]
    assert (lead["emailaddress1"], lead["lastname"], lead["telephone1"]) == (
        "ada+fair@example.test",
        "Lovelace",
        "1",
    )
    assert (lead["ownerid"], lead["new_score"], lead["donotbulkemail"]) == (owner, 61, True)
    assert (lead["leadsourcecode"], lead["statuscode"], lead["subject"]) == (100_000_000, 1, "Leadbus")
    assert lead["traceparent"] is not None
    assert (contact["parentcustomerid"], contact["birthdate"]) == (account, "1791-12-26")
    assert contact["leadsourcecode"] == 100_000_000
    assert not contact["donotbulkemail"]


async def test_a_second_create_of_the_same_row_answers_conflict(
    verbs: Verbs, person: Make, stored: Stored
) -> None:
    ada, ben = person("ada@example.test"), person("ben@example.test")
    assert await verbs.writing.create([ada]) == [ada.id]
    again, new = await verbs.writing.create([ada, ben])
    assert isinstance(again, Conflict)
    assert new == ben.id
    assert len(stored()) == 2


async def test_hundreds_of_rows_are_created_in_few_calls(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    people = [person(f"p{number}@example.test") for number in range(300)]
    writes = crm.writes
    assert await verbs.writing.create(people) == [new.id for new in people]
    assert len(stored()) == 300
    assert crm.writes - writes <= 60


async def test_a_row_that_the_crm_refuses_leaves_the_others_as_they_are(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    crm.desk.refuse("lead", "telephone1", "123")
    people = [
        person(f"p{number}@example.test", telephone1=phone) for number, phone in enumerate(("7", "123", "8"))
    ]
    first, refused, last = await verbs.writing.create(people)
    assert (first, last) == (people[0].id, people[2].id)
    assert isinstance(refused, Rejected)
    assert stored().keys() == {people[0].id, people[2].id}


async def test_a_row_that_cannot_be_typed_is_refused_without_a_call(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    good, bad = person("ada@example.test"), person("ben@example.test", leadqualitycode="Tepid")
    outcomes = await verbs.writing.create([good, bad])
    assert outcomes[0] == good.id
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].field == "leadqualitycode"
    assert stored().keys() == {good.id}


async def test_values_are_written_by_their_types(verbs: Verbs, person: Make, stored: Stored) -> None:
    ada = person(
        "ada@example.test",
        leadqualitycode="Hot",
        budgetamount="12500.50",
        numberofemployees="12",
        decisionmaker="true",
        estimatedclosedate="2027-01-31",
        description="x" * 5_000,
    )
    assert await verbs.writing.create([ada]) == [ada.id]
    row = stored()[ada.id]
    assert (row["leadqualitycode"], row["numberofemployees"], row["decisionmaker"]) == (1, 12, True)
    assert float(row["budgetamount"]) == 12500.5
    assert str(row["estimatedclosedate"]).startswith("2027-01-31")
    assert len(row["description"]) == 2_000


async def test_a_lead_source_that_is_missing_is_refused_until_it_is_added(
    crm: Dynamics, open_with: Callable[..., Awaitable[Any]], person: Make
) -> None:
    crm.desk.drop_option("lead", "leadsourcecode", "Leadbus")
    verbs: Verbs = (await open_with()).verbs
    ada = person("ada@example.test")
    (refused,) = await verbs.writing.create([ada])
    assert isinstance(refused, Rejected)
    assert refused.field == "leadsourcecode"
    (refused,) = await verbs.writing.create([ada])  # not asked for again with each row
    assert isinstance(refused, Rejected)
    crm.desk.add_option("lead", "leadsourcecode", "Leadbus")
    later: Verbs = (await open_with()).verbs
    assert await later.writing.create([ada]) == [ada.id]


async def test_a_lead_source_that_was_just_added_is_found(
    crm: Dynamics, open_with: Callable[..., Awaitable[Any]], person: Make, stored: Stored
) -> None:
    verbs: Verbs = (await open_with()).verbs
    await verbs.writing.create([person("ada@example.test")])
    value = crm.desk.add_option("lead", "leadsourcecode", "Fair of May")
    ben = replace(person("ben@example.test"), lead_source="fair of may")
    assert await verbs.writing.create([ben]) == [ben.id]
    assert stored()[ben.id]["leadsourcecode"] == value


async def test_a_contact_beside_leads_is_created_without_a_source_that_contacts_do_not_have(
    crm: Dynamics, open_with: Callable[..., Awaitable[Any]], person: Make, stored: Stored
) -> None:
    crm.desk.drop_option("contact", "leadsourcecode", "Leadbus")
    ada, ben = (person(f"{name}@example.test", kind="contact") for name in ("ada", "ben"))
    assert await (await open_with()).verbs.writing.create([ada]) == [ada.id]
    assert stored("contact")[ada.id]["leadsourcecode"] is None
    (refused,) = await (await open_with(record_as="contact")).verbs.writing.create([ben])
    assert isinstance(refused, Rejected)


async def test_a_company_or_owner_that_is_gone_is_no_deleted_record(verbs: Verbs, person: Make) -> None:
    ada = replace(person("ada@example.test", kind="contact"), account_id=str(uuid4()))
    (outcome,) = await verbs.writing.create([ada])
    assert isinstance(outcome, Rejected)


async def test_a_change_writes_what_it_names_and_nothing_else(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    ada = person("ada@example.test", telephone1="1", jobtitle="Countess")
    await verbs.writing.create([ada])
    owner = crm.desk.add_user("CONTOSO\\grace")
    change = PersonChange(
        _lead(ada.id),
        {"telephone1": "2", "jobtitle": ""},
        score=72,
        email="countess@example.test",
        opted_out=True,
        owner_id=owner,
        traceparent=ada.traceparent,
    )
    assert await verbs.writing.update([change]) == [None]
    row = stored()[ada.id]
    assert (row["telephone1"], row["jobtitle"], row["lastname"]) == ("2", None, "Unknown")
    assert (row["emailaddress1"], row["new_score"]) == ("countess@example.test", 72)
    assert (row["donotbulkemail"], row["ownerid"], row["leadsourcecode"]) == (True, owner, 100_000_000)


async def test_changes_of_leads_and_contacts_keep_their_order(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    people = [person(f"p{n}@example.test", kind=kind) for n, kind in enumerate(("lead", "contact", "lead"))]
    await verbs.writing.create(people)
    crm.desk.delete("lead", people[2].id)
    changes = [PersonChange(Record(module=new.kind, id=new.id), {"telephone1": new.email}) for new in people]
    first, second, gone = await verbs.writing.update(changes)
    assert (first, second) == (None, None)
    assert isinstance(gone, Gone)
    assert stored()[people[0].id]["telephone1"] == "p0@example.test"
    assert stored("contact")[people[1].id]["telephone1"] == "p1@example.test"


async def test_a_qualified_lead_cannot_be_changed(crm: Dynamics, verbs: Verbs, person: Make) -> None:
    ada = person("ada@example.test")
    await verbs.writing.create([ada])
    crm.desk.qualify(ada.id)
    (refused,) = await verbs.writing.update([PersonChange(_lead(ada.id), {"telephone1": "2"})])
    assert isinstance(refused, Rejected)


async def test_accounts_are_created_under_our_ids(crm: Dynamics, verbs: Verbs, stored: Stored) -> None:
    owner = crm.desk.add_user("CONTOSO\\grace")
    new = NewAccount(str(uuid4()), "Engines & Söhne", owner)
    assert await verbs.writing.create_accounts([new]) == [new.id]
    row = stored("account")[new.id]
    assert (row["name"], row["ownerid"]) == ("Engines & Söhne", owner)
    (again,) = await verbs.writing.create_accounts([new])
    assert isinstance(again, Conflict)


@pytest.mark.parametrize("kind", ["lead", "contact"])
async def test_notes_tasks_and_calls_hang_on_their_person(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored, kind: Any
) -> None:
    ada, due = person("ada@example.test", kind=kind), datetime(2027, 1, 31, 9, tzinfo=UTC)
    owner = crm.desk.add_user("CONTOSO\\grace")
    await verbs.writing.create([ada])
    record = Record(module=kind, id=ada.id)
    note = NewActivity(str(uuid4()), record, "note", "Opened <News>", "Twice\non Monday")
    task = NewActivity(str(uuid4()), record, "task", "Call back", "Soon", due, owner)
    call = NewActivity(str(uuid4()), record, "call", "Ring her", due_at=due)
    assert await verbs.writing.add_activities([note, task, call]) == [note.id, task.id, call.id]
    written = stored("annotation")[note.id]
    assert (written["subject"], written["notetext"], written["objectid"]) == (
        "Opened <News>",
        "Twice\non Monday",
        ada.id,
    )
    to_do = stored("task")[task.id]
    assert (to_do["subject"], to_do["description"], to_do["ownerid"]) == ("Call back", "Soon", owner)
    assert (to_do["regardingobjectid"], to_do["scheduledend"]) == (ada.id, "2027-01-31T09:00:00Z")
    rung = stored("phonecall")[call.id]
    assert (rung["subject"], rung["regardingobjectid"], rung["directioncode"]) == ("Ring her", ada.id, True)
    assert [party.id for party in rung["to"]] == [ada.id]
    assert [party.id for party in rung["from"]] == [crm.user_id]


async def test_an_activity_is_added_once_and_not_to_a_record_that_is_gone(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    ada = person("ada@example.test")
    await verbs.writing.create([ada])
    note = NewActivity(str(uuid4()), _lead(ada.id), "note", "Opened")
    lost = NewActivity(str(uuid4()), _lead(str(uuid4())), "note", "Opened")
    assert await verbs.writing.add_activities([note]) == [note.id]
    again, gone = await verbs.writing.add_activities([note, lost])
    assert isinstance(again, Conflict)
    assert isinstance(gone, Gone)
    assert len(stored("annotation")) == 1


async def test_the_crms_own_rules_against_duplicates_hold(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    crm.desk.create("lead", {"lastname": "Lovelace", "emailaddress1": "ada@example.test"})
    second, other = person("ada@example.test"), person("ben@example.test")
    refused, created = await verbs.writing.create([second, other])
    assert isinstance(refused, Rejected)
    assert "duplicate" in str(refused).lower()
    assert created == other.id
    crm.desk.unpublish_duplicate_rules()
    assert await verbs.writing.create([second]) == [second.id]


async def test_a_custom_lookup_is_written_by_its_name_in_the_schemas_own_case(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    crm.desk.add_attribute("lead", "new_PartnerAccountId", "lookup", to="account")
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    ada = person("ada@example.test", new_partneraccountid=account)
    assert await verbs.writing.create([ada]) == [ada.id]
    assert stored()[ada.id]["new_partneraccountid"] == account
    assert await verbs.writing.update([PersonChange(_lead(ada.id), {"new_partneraccountid": ""})]) == [None]
    assert stored()[ada.id]["new_partneraccountid"] is None


async def test_an_answer_that_is_lost_is_no_refusal(crm: Dynamics, verbs: Verbs, person: Make) -> None:
    ada = person("ada@example.test")
    crm.faults.add("lose_reply", of="writes", times=1)
    with pytest.raises(OutcomeUnknown):
        await verbs.writing.create([ada])
    (again,) = await verbs.writing.create([ada])
    assert isinstance(again, Conflict)
