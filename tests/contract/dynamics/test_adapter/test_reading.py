"""The verbs that read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import Account, CrmActivity, Opportunity, Person, User
from leadbus.messages import Record
from sandbox.dynamics import Dynamics


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.test",
        "ada+fair@example.test",
        "o'neil@example.test",
        'a&b<c>"d"%@example.test',
    ],
)
async def test_people_are_found_by_any_address_in_whatever_capitals(
    crm: Dynamics, verbs: Verbs, email: str
) -> None:
    lead = crm.desk.create("lead", {"lastname": "Lovelace", "emailaddress1": email.title()})
    contact = crm.desk.create("contact", {"lastname": "King", "emailaddress3": email})
    crm.desk.create("lead", {"lastname": "Byron", "emailaddress1": f"x{email}"})
    found = await verbs.reading.find_by_email([email, "nobody@example.test"])
    assert found.keys() == {email}
    assert {(one.kind, one.record.id) for one in found[email]} == {("lead", lead), ("contact", contact)}
    assert {one.email for one in found[email]} == {email, None}


async def test_hundreds_of_addresses_are_looked_up_at_once(crm: Dynamics, verbs: Verbs) -> None:
    emails = [f"person.with.a.long.address.{number}@example.test" for number in range(250)]
    crm.desk.load("lead", [{"lastname": "X", "emailaddress1": email} for email in emails[:240]])
    calls = crm.calls.total()
    found = await verbs.reading.find_by_email(emails)
    assert sorted(found) == sorted(emails[:240])
    assert all(len(people) == 1 for people in found.values())
    assert crm.calls.total() - calls < 20


async def test_a_lead_is_read_with_status_owner_and_mapped_fields(
    crm: Dynamics, open_with: Callable[..., Any]
) -> None:
    verbs = (
        await open_with(fields=[{"of": "lead", "field": "custom.quality", "crm_field": "leadqualitycode"}])
    ).verbs
    owner = crm.desk.add_user("CONTOSO\\grace", last_name="Hopper")
    key = crm.desk.create(
        "lead",
        {
            "lastname": "Lovelace",
            "emailaddress1": "ada@example.test",
            "statuscode": 2,
            "ownerid": ("systemuser", owner),
            "leadqualitycode": 1,
            "donotemail": True,
        },
    )
    found = await verbs.reading.read([Record(module="lead", id=key), Record(module="lead", id=owner)])
    (ada,) = found.values()
    assert isinstance(ada, Person)
    assert (ada.status, ada.open, ada.owner_id, ada.opted_out) == ("Contacted", True, owner, True)
    assert ada.values["lastname"] == "Lovelace"
    assert ada.values["leadqualitycode"] == "Hot"
    assert ada.values["telephone1"] == ""
    assert ada.changed_at is not None
    assert abs(datetime.now(UTC) - ada.changed_at) < timedelta(minutes=1)


async def test_a_status_that_was_just_added_is_read_by_its_label(crm: Dynamics, verbs: Verbs) -> None:
    key = crm.desk.create("lead", {"lastname": "Lovelace"})
    await verbs.reading.read([Record(module="lead", id=key)])
    value = crm.desk.add_option("lead", "statuscode", "Nurtured <&>", state=0)
    crm.desk.change("lead", key, {"statuscode": value})
    found = await verbs.reading.read([Record(module="lead", id=key)])
    assert [row.status for row in found.values() if isinstance(row, Person)] == ["Nurtured <&>"]


async def test_what_was_deleted_is_absent(crm: Dynamics, verbs: Verbs) -> None:
    keys = [crm.desk.create("contact", {"lastname": name}) for name in ("Lovelace", "Byron")]
    crm.desk.delete("contact", keys[0])
    found = await verbs.reading.read([Record(module="contact", id=key) for key in keys])
    assert found.keys() == {keys[1]}


async def test_records_of_all_kinds_are_read_at_once(crm: Dynamics, verbs: Verbs) -> None:
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    contact = crm.desk.create(
        "contact",
        {"lastname": "Lovelace", "parentcustomerid": ("account", account), "birthdate": "1815-12-10"},
    )
    task = crm.desk.create(
        "task", {"subject": "Call", "regardingobjectid": ("contact", contact), "prioritycode": 2}
    )
    user = crm.desk.add_user(
        "CONTOSO\\grace", first_name="Grace", last_name="Hopper", email="Grace@example.test"
    )
    wanted = {"account": account, "contact": contact, "task": task, "systemuser": user}
    found = await verbs.reading.read([Record(module=entity, id=key) for entity, key in wanted.items()])
    assert found.keys() == set(wanted.values())
    assert [type(found[key]) for key in wanted.values()] == [Account, Person, CrmActivity, User]
    ada, call, grace = found[contact], found[task], found[user]
    assert isinstance(ada, Person)
    assert (ada.account_id, ada.values["birthdate"], ada.status) == (account, "1815-12-10", None)
    assert isinstance(call, CrmActivity)
    assert (call.about, call.priority, call.status) == ((contact,), "High", "Not Started")
    assert isinstance(grace, User)
    assert (grace.name, grace.email, grace.active) == ("Grace Hopper", "grace@example.test", True)


async def test_an_opportunity_has_the_people_and_the_lead_source_of_whom_it_is_about(
    crm: Dynamics, verbs: Verbs
) -> None:
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    ada = crm.desk.create("contact", {"lastname": "Lovelace", "emailaddress1": "Ada@example.test"})
    lead = crm.desk.create(
        "lead", {"lastname": "Byron", "emailaddress1": "ben@example.test", "leadsourcecode": 100_000_000}
    )
    deal = crm.desk.create(
        "opportunity",
        {
            "name": "200 engines",
            "customerid": ("account", account),
            "parentcontactid": ("contact", ada),
            "originatingleadid": ("lead", lead),
            "estimatedvalue": 12500.5,
            "transactioncurrencyid": ("transactioncurrency", crm.site.currency.id),
            "estimatedclosedate": "2027-01-31",
            "closeprobability": 40,
        },
    )
    (found,) = (await verbs.reading.read([Record(module="opportunity", id=deal)])).values()
    assert isinstance(found, Opportunity)
    assert (found.contact_ids, found.account_id) == ((ada, lead), account)
    assert found.contact_emails == ("ada@example.test", "ben@example.test")
    assert (found.amount, found.currency, found.stage) == ("12500.5", "EUR", "In Progress")
    assert (str(found.close_date), found.probability, found.lead_source) == ("2027-01-31", 40, "Leadbus")
    crm.desk.change("opportunity", deal, {"stepname": "2-Develop"})
    (found,) = (await verbs.reading.read([Record(module="opportunity", id=deal)])).values()
    assert isinstance(found, Opportunity)
    assert found.stage == "2-Develop"


async def test_accounts_are_found_by_name_in_whatever_capitals(crm: Dynamics, verbs: Verbs) -> None:
    keys = [crm.desk.create("account", {"name": name}) for name in ("Engines & Sons", "Difference Ltd")]
    found = await verbs.reading.find_accounts(["engines & sons", "Engines & Sons ", "Nobody's Ltd"])
    assert {name: [row.record.id for row in rows] for name, rows in found.items()} == {
        "engines & sons": keys[:1],
        "Engines & Sons ": keys[:1],
    }
    assert await verbs.reading.find_accounts([]) == {}


async def test_what_hangs_on_people_is_read_with_its_text(crm: Dynamics, verbs: Verbs) -> None:
    ada, ben = (crm.desk.create("lead", {"lastname": name}) for name in ("Lovelace", "Babbage"))
    crm.desk.create("annotation", {"subject": "Visit", "notetext": "Prices", "objectid": ("lead", ada)})
    crm.desk.create(
        "phonecall", {"subject": "Ring", "description": "Soon", "regardingobjectid": ("lead", ada)}
    )
    crm.desk.create("appointment", {"subject": "Fair", "regardingobjectid": ("lead", ada)})
    found = await verbs.reading.activities_of([Record(module="lead", id=key) for key in (ada, ben)])
    assert {(a.type, a.subject, a.text) for a in found.pop(ada)} == {
        ("note", "Visit", "Prices"),
        ("call", "Ring", "Soon"),
    }
    assert found == {}


async def test_fields_are_described_as_they_are_now(crm: Dynamics, verbs: Verbs) -> None:
    before = {info.name: info for info in await verbs.metadata.describe("lead")}
    crm.desk.drop_option("lead", "leadsourcecode", "Leadbus")
    crm.desk.add_attribute("lead", "new_Segment", length=40, label="Segment")
    after = {info.name: info for info in await verbs.metadata.describe("lead")}
    assert "Leadbus" in (before["leadsourcecode"].options or ())
    assert "Leadbus" not in (after["leadsourcecode"].options or ("Leadbus",))
    segment = after["new_segment"]
    assert (segment.label, segment.type, segment.length) == ("Segment", "text", 40)
    assert segment.custom
    assert segment.writable
    assert after["new_score"].type == "number"
    assert not after["createdon"].writable
    assert not after["statecode"].required
    assert not after["firstname"].custom


async def test_rights_are_told_by_entity(crm: Dynamics, verbs: Verbs) -> None:
    crm.desk.forbid("lead", ("create", "write"))
    crm.desk.forbid("list")
    rights = await verbs.metadata.rights()
    assert rights["lead"] == {"read"}
    assert rights["list"] == frozenset()
    assert (
        rights["campaign"] == rights["contact"] == rights["annotation"] == rights["task"] == {"read", "write"}
    )


async def test_who_was_merged_into_another_is_deleted_and_found_by_no_address(
    crm: Dynamics, verbs: Verbs
) -> None:
    ada, twin = (
        crm.desk.create("contact", {"lastname": "Lovelace", "emailaddress1": "ada@example.test"})
        for _ in "ab"
    )
    merged = {"merged": True, "masterid": ("contact", ada), "statecode": 1, "statuscode": 2}
    crm.desk.change("contact", twin, merged)
    found = await verbs.reading.find_by_email(["ada@example.test"])
    assert [one.record.id for one in found["ada@example.test"]] == [ada]
    rows = await verbs.reading.read([Record(module="contact", id=key) for key in (ada, twin)])
    assert (rows[ada].deleted, rows[twin].deleted) == (False, True)


async def test_contacts_of_a_page_of_opportunities_are_read_whatever_their_number(
    crm: Dynamics, verbs: Verbs, walk: Callable[..., Any]
) -> None:
    emails = [f"a{number}@example.test" for number in range(1_200)]
    people = [{"lastname": "X", "emailaddress1": f"{email}2", "emailaddress2": email} for email in emails]
    keys = crm.desk.load("contact", people)
    crm.desk.load("opportunity", [{"name": "Engines", "customerid": ("contact", key)} for key in keys])
    rows, _ = await walk(verbs, "opportunity")
    found = {row.contact_emails for row in rows if isinstance(row, Opportunity)}
    assert found == {(f"{email}2", email) for email in emails}
