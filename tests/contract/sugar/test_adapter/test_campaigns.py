"""Campaigns and their members over the older services: what is stored, and each row's outcome."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.connector import SugarAdapter
from leadbus.connector.contract import CampaignAsSent, CampaignMember, CampaignThere
from leadbus.errors import Gone, Rejected
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk

FULL: dict[str, Any] = {
    "status": "active",
    "description": "Meet us there",
    "starts_on": date(2026, 3, 1),
    "ends_on": date(2026, 3, 9),
    "budget": "1234.5",
    "currency": "EUR",
}


def campaign(name: str = "Fair", **facts: Any) -> CampaignAsSent:
    return CampaignAsSent(str(uuid4()), name, **facts)


async def write(adapter: SugarAdapter, asked: CampaignAsSent) -> CampaignThere:
    [there] = await adapter.write_campaigns([asked])
    assert isinstance(there, CampaignThere), there
    return there


@pytest.fixture
def on_list(crm: SugarCRM) -> Callable[[CampaignThere], set[str]]:
    """Ids of those on a campaign's list."""

    def ids(there: CampaignThere) -> set[str]:
        [listed] = there.lists
        sql = "SELECT related_id FROM prospect_lists_prospects WHERE prospect_list_id = ? AND deleted = 0"
        return {row["related_id"] for row in crm.store.rows(sql, (listed.id,))}

    return ids


async def test_a_campaign_is_stored_with_all_its_facts_and_a_list_of_its_name(
    crm: SugarCRM, adapter: SugarAdapter, stored: Any
) -> None:
    asked = campaign(**FULL)
    there = await write(adapter, asked)
    assert there.record == Record(module="Campaigns", id=asked.id)
    row = stored("Campaigns")[asked.id]
    expected = {
        "name": "Fair",
        "status": "Active",
        "content": "Meet us there",
        "start_date": "2026-03-01",
        "end_date": "2026-03-09",
        "budget": 1234.5,
        "assigned_user_id": "1",
    }
    assert {name: row[name] for name in expected} == expected
    [listed] = there.lists
    assert listed.module == "ProspectLists"
    row = stored("ProspectLists")[listed.id]
    assert (row["name"], row["list_type"]) == ("Fair", "default")
    tied = "SELECT prospect_list_id FROM prospect_list_campaigns WHERE campaign_id = ? AND deleted = 0"
    assert [row["prospect_list_id"] for row in crm.store.rows(tied, (asked.id,))] == [listed.id]


async def test_of_a_name_alone_a_campaign_is_made_that_sugarcrms_own_form_would_take(
    adapter: SugarAdapter, stored: Any
) -> None:
    there = await write(adapter, campaign("x" * 60))
    row = stored("Campaigns")[there.record.id]
    assert (row["name"], row["status"], row["campaign_type"]) == ("x" * 50, "Planning", "Web")
    assert date.fromisoformat(row["end_date"]) > datetime.now(UTC).date() + timedelta(days=360)
    assert row["content"] in {None, ""}


async def test_a_campaign_that_is_there_is_changed_and_keeps_what_is_not_told(
    adapter: SugarAdapter, stored: Any
) -> None:
    asked = campaign(**FULL)
    there = await write(adapter, asked)
    later = CampaignAsSent(asked.id, "Great fair", there=there, status="completed")
    assert await write(adapter, later) == there
    row = stored("Campaigns")[asked.id]
    assert (row["name"], row["status"], row["content"]) == ("Great fair", "Complete", "Meet us there")
    assert row["end_date"] == "2026-03-09"
    assert stored("ProspectLists")[there.lists[0].id]["name"] == "Great fair"


async def test_asked_for_again_the_same_campaign_and_list_are_answered_as_they_are_told_now(
    adapter: SugarAdapter, stored: Any
) -> None:
    asked, other = campaign(), campaign("Other")
    there = await write(adapter, asked)
    outcomes = await adapter.write_campaigns([other, replace(asked, status="active")])
    assert outcomes[1] == there
    assert isinstance(outcomes[0], CampaignThere)
    assert len(stored("Campaigns")) == len(stored("ProspectLists")) == 2
    assert stored("Campaigns")[asked.id]["status"] == "Active"


async def test_a_campaign_that_was_deleted_is_gone_and_costs_no_other_row(
    crm: SugarCRM, adapter: SugarAdapter, stored: Any
) -> None:
    asked, other = campaign(), campaign("Other")
    there = await write(adapter, asked)
    desk.change(crm.store, "Campaigns", asked.id, {"deleted": "1"})
    outcomes = await adapter.write_campaigns([asked, replace(asked, there=there), other])
    assert [type(outcome) for outcome in outcomes] == [Gone, Gone, CampaignThere]


async def test_a_list_that_was_deleted_is_not_made_again(
    crm: SugarCRM, adapter: SugarAdapter, stored: Any, person: Any, lead: Any
) -> None:
    asked, new = campaign(), person("ann@example.com")
    there = await write(adapter, asked)
    await adapter.create([new])
    desk.change(crm.store, "ProspectLists", there.lists[0].id, {"deleted": "1"})
    [outcome] = await adapter.put_members([CampaignMember(there, lead(new.id))])
    assert isinstance(outcome, Gone)
    left = await write(adapter, replace(asked, there=there, status="active"))
    assert left == CampaignThere(there.record)
    [outcome] = await adapter.put_members([CampaignMember(left, lead(new.id))])
    assert isinstance(outcome, Gone)
    assert stored("Campaigns")[asked.id]["status"] == "Active"


async def test_a_refused_campaign_costs_no_other(crm: SugarCRM, adapter: SugarAdapter, stored: Any) -> None:
    crm.faults.add("refuse_row", module="Campaigns", field="content", matches="No")
    outcomes = await adapter.write_campaigns([campaign("A", description="No"), campaign("B")])
    assert [type(outcome) for outcome in outcomes] == [Rejected, CampaignThere]
    assert [row["name"] for row in stored("ProspectLists").values()] == ["B"]


async def test_people_of_every_kind_are_put_on_the_list_and_taken_off_in_few_calls(
    adapter: SugarAdapter, person: Any, on_list: Any, counted: Any
) -> None:
    there = await write(adapter, campaign())
    modules = {"lead": "Leads", "contact": "Contacts", "target": "Prospects"}
    people = {
        Record(module=module, id=(await adapter.create([new]))[0]): new
        for kind, module in modules.items()
        for new in (person(f"{at}@example.com", kind=kind) for at in range(2))
    }
    before = counted("set_relationship")
    members = [CampaignMember(there, record) for record in people]
    for _ in range(2):
        assert await adapter.put_members(members) == [None] * 6
    assert on_list(there) == {record.id for record in people}
    assert counted("set_relationship") - before == 6, "a call for each kind, each time"
    off = [replace(member, member=False) for member in members[:3]]
    for _ in range(2):
        assert await adapter.put_members(off) == [None] * 3
    assert on_list(there) == {member.record.id for member in members[3:]}


async def test_who_was_deleted_is_gone_and_is_out_of_every_campaign(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, lead: Any, on_list: Any
) -> None:
    there, kept, dropped = await write(adapter, campaign()), person("a@example.com"), person("b@example.com")
    await adapter.create([kept, dropped])
    desk.change(crm.store, "Leads", dropped.id, {"deleted": "1"})
    outcomes = await adapter.put_members(
        [
            CampaignMember(there, lead(dropped.id)),
            CampaignMember(there, lead(kept.id)),
            CampaignMember(there, lead(dropped.id), member=False),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Gone, type(None), type(None)]
    assert on_list(there) == {kept.id}


async def test_nobody_is_put_in_a_campaign_that_was_deleted(
    crm: SugarCRM, adapter: SugarAdapter, person: Any, lead: Any, on_list: Any
) -> None:
    there, new = await write(adapter, campaign()), person("a@example.com")
    await adapter.create([new])
    assert await adapter.put_members([CampaignMember(there, lead(new.id))]) == [None]
    desk.change(crm.store, "Campaigns", there.record.id, {"deleted": "1"})
    [outcome] = await adapter.put_members([CampaignMember(there, lead(new.id))])
    assert isinstance(outcome, Gone)
    assert await adapter.put_members([CampaignMember(there, lead(new.id), member=False)]) == [None]
    assert on_list(there) == set()


async def test_a_campaign_that_starts_late_does_not_end_before_it(adapter: SugarAdapter, stored: Any) -> None:
    late, last = date(2999, 1, 1), date.max
    outcomes = await adapter.write_campaigns([campaign("A", starts_on=late), campaign("B", starts_on=last)])
    assert [type(outcome) for outcome in outcomes] == [CampaignThere, CampaignThere]
    ends = {row["name"]: row["end_date"] for row in stored("Campaigns").values()}
    assert ends == {"A": "3000-01-01", "B": "9999-12-31"}
