"""Campaigns by name, and the people related to them: what is stored, and each row's outcome."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connector_zoho.campaigns import Campaigns
from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.looking import Looking
from connector_zoho.metadata import Metadata
from connector_zoho.settings import ZohoConnection
from connector_zoho.tagging import Tagging
from leadbus.connector.contract import CampaignAsSent, CampaignMember, CampaignThere
from leadbus.connector.mapping import FieldMap
from leadbus.errors import Gone, OutcomeUnknown, Rejected, Transient
from leadbus.messages import Record
from sandbox.zoho import Zoho

FULL: dict[str, Any] = {
    "status": "active",
    "description": "Meet us there",
    "starts_on": date(2026, 3, 1),
    "ends_on": date(2026, 3, 9),
    "budget": "1234.5",
    "currency": "EUR",
}


def campaign(name: str = "Fair", **facts: Any) -> CampaignAsSent:
    return CampaignAsSent("ours", name, **facts)


def person(module: str, key: str) -> Record:
    return Record(module=module, id=key)


@pytest.fixture
def campaigns(client: ZohoClient, connection: ZohoConnection) -> Campaigns:
    looking = Looking(client, connection, FieldMap.of(connection, CAPABILITIES))
    return Campaigns(client, Metadata(client), Tagging(client, looking))


@pytest.fixture
def people(crm: Zoho) -> Callable[[int], list[Record]]:
    """So many leads, and a contact."""

    def make(leads: int) -> list[Record]:
        ids = crm.desk.load("Leads", [{"Last_Name": f"{at}"} for at in range(leads)])
        contact = crm.desk.create("Contacts", {"Last_Name": "Wilk"})
        return [*(person("Leads", key) for key in ids), person("Contacts", contact)]

    return make


def in_it(crm: Zoho, there: CampaignThere) -> dict[str, str]:
    """Status by person's id."""
    rows = crm.store.rows("SELECT person, status FROM members WHERE campaign = ?", (int(there.record.id),))
    return {str(row["person"]): row["status"] for row in rows}


async def write(campaigns: Campaigns, asked: CampaignAsSent) -> CampaignThere:
    [there] = await campaigns.write([asked])
    assert isinstance(there, CampaignThere), there
    return there


async def test_a_campaign_is_stored_with_all_its_facts(crm: Zoho, campaigns: Campaigns, stored: Any) -> None:
    there = await write(campaigns, campaign(**FULL))
    [row] = stored("Campaigns").values()
    assert there == CampaignThere(person("Campaigns", row["id"]))
    expected = {
        "Campaign_Name": "Fair",
        "Status": "Active",
        "Description": "Meet us there",
        "Start_Date": "2026-03-01",
        "End_Date": "2026-03-09",
        "Budgeted_Cost": 1234.5,
        "Currency": "EUR",
    }
    assert {name: row[name] for name in expected} == expected


async def test_a_budget_in_a_currency_that_the_organisation_does_not_have_is_left_out(
    campaigns: Campaigns, stored: Any
) -> None:
    there = await write(campaigns, campaign(budget="5", currency="JPY", description="x"))
    row = stored("Campaigns")[there.record.id]
    assert (row["Budgeted_Cost"], row["Currency"], row["Description"]) == (None, None, "x")


async def test_a_campaign_that_is_there_is_changed_and_keeps_what_is_not_told(
    campaigns: Campaigns, stored: Any
) -> None:
    there = await write(campaigns, campaign(**FULL))
    assert await write(campaigns, campaign("Great fair", there=there, status="paused")) == there
    row = stored("Campaigns")[there.record.id]
    assert (row["Campaign_Name"], row["Status"], row["Description"]) == (
        "Great fair",
        "Inactive",
        "Meet us there",
    )


async def test_the_oldest_campaign_of_that_very_name_is_taken(
    crm: Zoho, campaigns: Campaigns, stored: Any
) -> None:
    crm.desk.delete("Campaigns", crm.desk.create("Campaigns", {"Campaign_Name": "O'Fair"}))
    oldest = crm.desk.create("Campaigns", {"Campaign_Name": "o'fair", "Type": "Webinar"})
    crm.desk.create("Campaigns", {"Campaign_Name": "O'Fair"})
    crm.desk.create("Campaigns", {"Campaign_Name": "O'Fair of last year"})
    asked = [campaign("O'Fair", status="active"), campaign("Other")]
    found, other = await campaigns.write(asked)
    assert found == CampaignThere(person("Campaigns", oldest))
    assert (stored("Campaigns")[oldest]["Status"], stored("Campaigns")[oldest]["Type"]) == (
        "Active",
        "Webinar",
    )
    assert await campaigns.write(asked) == [found, other]
    assert len(stored("Campaigns")) == 5


async def test_a_lost_answer_makes_no_second_campaign(crm: Zoho, campaigns: Campaigns, stored: Any) -> None:
    crm.faults.add("lose_reply", of="writes", times=1)
    with pytest.raises((OutcomeUnknown, Transient)):
        await campaigns.write([campaign()])
    there = await write(campaigns, campaign())
    assert stored("Campaigns").keys() == {there.record.id}


async def test_deleted_campaigns_are_gone_and_refused_ones_name_their_field(
    crm: Zoho, campaigns: Campaigns, stored: Any
) -> None:
    there = await write(campaigns, campaign())
    crm.desk.delete("Campaigns", there.record.id)
    crm.desk.refuse("Campaigns", "Description", "No")
    outcomes = await campaigns.write(
        [campaign(there=there), campaign("Bad", description="No"), campaign("Good")]
    )
    assert [type(outcome) for outcome in outcomes] == [Gone, Rejected, CampaignThere]
    refused = outcomes[1]
    assert isinstance(refused, Rejected)
    assert (refused.field, str(refused)) == ("description", "The CRM refuses the value of description.")
    [outcome] = await campaigns.put([CampaignMember(there, person("Leads", "1"))])
    assert isinstance(outcome, Gone)
    assert await campaigns.put([CampaignMember(there, person("Leads", "1"), member=False)]) == [None]


async def test_people_are_put_in_and_taken_out_in_few_calls_and_twice_is_no_error(
    crm: Zoho, campaigns: Campaigns, people: Any
) -> None:
    there, records = await write(campaigns, campaign()), people(130)
    members = [CampaignMember(there, record) for record in records]
    before = crm.calls.total()
    for _ in range(2):
        assert await campaigns.put(members) == [None] * 131
    assert crm.calls.total() - before == 6
    assert in_it(crm, there) == {record.id: "Planned" for record in records}
    off = [replace(member, member=False) for member in members[:5]]
    for _ in range(2):
        assert await campaigns.put(off) == [None] * 5
    assert in_it(crm, there).keys() == {record.id for record in records[5:]}


async def test_a_response_is_a_status_in_any_capitals_and_others_are_left_out(
    crm: Zoho, campaigns: Campaigns, people: Any
) -> None:
    there, (one, two, three) = await write(campaigns, campaign()), people(2)
    responses = {one: "responded", two: "opted out", three: "danced"}
    asked = [CampaignMember(there, record, response=text) for record, text in responses.items()]
    assert await campaigns.put(asked) == [None] * 3
    assert in_it(crm, there) == {one.id: "Responded", two.id: "Opted Out", three.id: "Planned"}
    assert await campaigns.put([CampaignMember(there, one)]) == [None]
    assert in_it(crm, there)[one.id] == "Responded"


async def test_statuses_of_an_organisations_own_are_taken_where_zoho_tells_them(
    crm: Zoho, campaigns: Campaigns, people: Any
) -> None:
    crm.desk.add_field("Campaigns", "Member_Status", "picklist")
    crm.desk.add_option("Campaigns", "Member_Status", "Danced")
    there, [one, _] = await write(campaigns, campaign()), people(1)
    assert await campaigns.put([CampaignMember(there, one, response="danced")]) == [None]
    assert in_it(crm, there) == {one.id: "Danced"}


async def test_who_was_deleted_is_gone_and_costs_nobody_else(
    crm: Zoho, campaigns: Campaigns, people: Any
) -> None:
    there, (one, two, _) = await write(campaigns, campaign()), people(2)
    crm.desk.delete("Leads", one.id)
    outcomes = await campaigns.put(
        [CampaignMember(there, one), CampaignMember(there, two), CampaignMember(there, one, member=False)]
    )
    assert [type(outcome) for outcome in outcomes] == [Gone, type(None), type(None)]
    assert in_it(crm, there).keys() == {two.id}


async def test_people_of_a_tag_are_tagged_and_untagged_with_an_outcome_for_each(
    crm: Zoho, campaigns: Campaigns, people: Callable[[int], list[Record]], stored: Any
) -> None:
    *leads, _ = people(4)
    crm.desk.tag("Leads", leads[0].id, "other")
    record = person("Tags", crm.store.tag_id("Leads", "VIP"))
    vip = CampaignThere(record, (record,))
    members = [CampaignMember(vip, lead) for lead in leads]
    nobody = CampaignMember(vip, person("Leads", "4711"))

    def tags() -> list[list[str]]:
        return [stored("Leads")[lead.id]["Tag"] or [] for lead in leads]

    *done, gone = await campaigns.put([*members, nobody])
    assert (done, type(gone)) == ([None] * 4, Gone)
    assert tags() == [["other", "VIP"], ["VIP"], ["VIP"], ["VIP"]]
    assert await campaigns.put(members[:1]) == [None]  # once more is no error
    off = [replace(member, member=False) for member in (members[0], members[3], nobody)]
    assert await campaigns.put(off) == [None] * 3
    assert tags() == [["other"], ["VIP"], ["VIP"], []]
    lost = person("Tags", "4712")
    [outcome] = await campaigns.put([CampaignMember(CampaignThere(lost, (lost,)), leads[0])])
    assert isinstance(outcome, Gone)  # and no tag is made of it
