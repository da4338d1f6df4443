"""Campaigns and their members by modern REST, in two ages of SugarCRM."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.connector import SugarAdapter
from connector_sugar.settings import SugarConnection
from leadbus.connector.contract import CampaignAsSent, CampaignMember, CampaignThere
from leadbus.errors import Gone, Rejected
from leadbus.messages import Record
from sandbox.sugar import Settings, SugarCRM, desk
from sandbox.sugar.site import SUGAR_7, SUGAR_12


def campaign(name: str = "Fair", **facts: Any) -> CampaignAsSent:
    return CampaignAsSent(str(uuid4()), name, **facts)


def adapter_on(crm: SugarCRM, site: Any) -> SugarAdapter:
    access = {"url": crm.url, "user": "admin", "password": "admin"}
    known = {"connection_id": "one", "tenant_id": "acme", "access": access}

    async def opened() -> Any:
        return site

    return SugarAdapter(SugarConnection.model_validate(known), opened)


@pytest.fixture
async def adapter(crm: SugarCRM, site: Any) -> AsyncIterator[SugarAdapter]:
    adapter = adapter_on(crm, site)
    yield adapter
    await adapter.close()


async def write(adapter: SugarAdapter, asked: CampaignAsSent) -> CampaignThere:
    [there] = await adapter.write_campaigns([asked])
    assert isinstance(there, CampaignThere), there
    return there


def on_list(crm: SugarCRM, there: CampaignThere) -> set[str]:
    [listed] = there.lists
    sql = "SELECT related_id FROM prospect_lists_prospects WHERE prospect_list_id = ? AND deleted = 0"
    return {row["related_id"] for row in crm.store.rows(sql, (listed.id,))}


async def test_a_campaign_is_made_with_its_list_found_again_and_changed(
    crm: SugarCRM, adapter: SugarAdapter, stored: Any
) -> None:
    asked = campaign(description="Meet us", ends_on=date(2026, 3, 9), budget="12.5", currency="EUR")
    there = await write(adapter, asked)
    [listed] = there.lists
    row = stored("Campaigns")[there.record.id]
    assert (row["name"], row["status"], row["content"]) == ("Fair", "Planning", "Meet us")
    assert (row["end_date"], row["budget"], row["currency_id"]) == ("2026-03-09", 12.5, "-99")
    tied = "SELECT prospect_list_id FROM prospect_list_campaigns WHERE campaign_id = ? AND deleted = 0"
    assert [row["prospect_list_id"] for row in crm.store.rows(tied, (there.record.id,))] == [listed.id]
    assert await write(adapter, replace(asked, status="active")) == there
    assert await write(adapter, replace(asked, name="Great fair", there=there)) == there
    row = stored("Campaigns")[there.record.id]
    assert (row["name"], row["status"], row["content"]) == ("Great fair", "Active", "Meet us")
    assert stored("ProspectLists")[listed.id]["name"] == "Great fair"
    assert len(stored("Campaigns")) == len(stored("ProspectLists")) == 1


async def test_deleted_campaigns_are_gone_and_refused_ones_name_their_field(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    message = "Invalid parameter: content"
    crm.faults.add("refuse_row", module="Campaigns", field="content", matches="No", message=message)
    asked = campaign()
    there = await write(adapter, asked)
    desk.change(crm.store, "Campaigns", there.record.id, {"deleted": "1"})
    outcomes = await adapter.write_campaigns(
        [asked, replace(asked, there=there), campaign("Other"), campaign("Bad", description="No")]
    )
    assert [type(outcome) for outcome in outcomes] == [Gone, Gone, CampaignThere, Rejected]
    refused = outcomes[-1]
    assert isinstance(refused, Rejected)
    assert (refused.field, str(refused)) == ("description", "The CRM refuses the value of description.")


async def test_members_go_in_whole_bulks_and_twice_is_no_error(
    crm: SugarCRM, adapter: SugarAdapter, site: Any, new: Any
) -> None:
    there = await write(adapter, campaign())
    leads = [Record(module="Leads", id=key) for key in await site.create("Leads", [new() for _ in range(40)])]
    [contact] = await site.create("Contacts", [new(status="")])
    members = [CampaignMember(there, record) for record in (*leads, Record(module="Contacts", id=contact))]
    before = crm.calls["rest POST bulk"]
    for _ in range(2):
        assert await adapter.put_members(members) == [None] * 41
    assert crm.calls["rest POST bulk"] - before <= 10
    assert on_list(crm, there) == {member.record.id for member in members}
    off = [replace(member, member=False) for member in members[:3]]
    for _ in range(2):
        assert await adapter.put_members(off) == [None] * 3
    assert on_list(crm, there) == {member.record.id for member in members[3:]}
    desk.change(crm.store, "Leads", leads[0].id, {"deleted": "1"})
    outcomes = await adapter.put_members([members[0], off[0]])
    assert [type(outcome) for outcome in outcomes] == [Gone, type(None)]


@pytest.mark.parametrize("age", [SUGAR_7, SUGAR_12], ids=["sugar 7", "sugar 12"])
async def test_a_site_that_gives_ids_of_its_own_has_one_campaign_after_another_try(
    start: Any, open_site: Any, age: Any
) -> None:
    async with start(protocols=age, settings=Settings(own_ids=False)) as crm:
        adapter, asked = adapter_on(crm, open_site(crm.url)), campaign()
        there = await write(adapter, asked)
        assert there.record.id != asked.id
        changed = replace(asked, there=there, status="active")
        assert await write(adapter, changed) == there
        if age is SUGAR_12:  # which knows our id as sync_key
            assert await write(adapter, replace(asked, status="paused")) == there
        assert len(desk.records(crm.store, "Campaigns")) == len(desk.records(crm.store, "ProspectLists")) == 1
