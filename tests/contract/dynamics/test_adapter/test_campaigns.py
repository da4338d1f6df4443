"""Campaigns, and who is in them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from connector_dynamics.campaigns import list_of, there
from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import CampaignAsSent, CampaignMember, CampaignThere
from leadbus.errors import Gone, LeadbusError, OutcomeUnknown, Rejected
from leadbus.messages import Record
from sandbox.dynamics import Dynamics

Stored = Callable[..., dict[str, dict[str, Any]]]
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _fair(**more: Any) -> CampaignAsSent:
    full: dict[str, Any] = {
        "name": "Fair of May",
        "status": "planned",
        "description": "Stand 7\nin Turin",
        "starts_on": date(2027, 5, 1),
        "ends_on": date(2027, 5, 9),
        "budget": "12500.50",
        "currency": "EUR",
        "traceparent": TRACE,
    }
    return CampaignAsSent(id=str(uuid4()), **full | more)


async def _written(verbs: Verbs, campaign: CampaignAsSent) -> CampaignThere:
    (found,) = await verbs.campaigns.write([campaign])
    assert isinstance(found, CampaignThere), found
    return found


def _members(crm: Dynamics, found: CampaignThere) -> set[str]:
    """Of the campaign's lists, as the CRM ties them to it."""
    items = crm.records("campaignitem")
    lists = {row["entityid"] for row in items if row["campaignid"] == found.record.id and not row["deleted"]}
    return {
        row["entityid"] for row in crm.records("listmember") if row["listid"] in lists and not row["deleted"]
    }


async def test_a_campaign_is_made_under_our_id_with_a_list_of_each_kind_of_people(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    fair = _fair()
    found = await _written(verbs, fair)
    assert found == there(fair.id)
    row = stored("campaign")[fair.id]
    assert (row["name"], row["statuscode"], row["description"]) == ("Fair of May", 0, "Stand 7\nin Turin")
    assert (row["proposedstart"][:10], row["proposedend"][:10]) == ("2027-05-01", "2027-05-09")
    assert (row["budgetedcost"], row["transactioncurrencyid"]) == (12500.5, crm.site.currency.id)
    assert row["traceparent"].split("-")[1] == TRACE.decode().split("-")[1]
    lists = stored("list")
    assert {lists[made.id]["listname"]: lists[made.id]["createdfromcode"] for made in found.lists} == {
        "Fair of May (leads)": 4,
        "Fair of May (contacts)": 2,
    }
    tied = {item["entityid"] for item in stored("campaignitem").values() if item["campaignid"] == fair.id}
    assert tied == {made.id for made in found.lists}


@pytest.mark.parametrize(
    ("status", "reason"), [("planned", 0), ("active", 2), ("paused", 5), ("completed", 3)]
)
async def test_a_campaigns_status_is_written_when_it_is_made_and_when_it_changes(
    verbs: Verbs, stored: Stored, status: Any, reason: int
) -> None:
    made, changed = _fair(status=status), _fair()
    await _written(verbs, made)
    changed = replace(changed, there=await _written(verbs, changed))
    await _written(verbs, replace(changed, status=status))
    assert {stored("campaign")[key]["statuscode"] for key in (made.id, changed.id)} == {reason}


async def test_what_is_not_told_of_a_campaign_stays_as_it_is(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    fair = _fair()
    found = await _written(verbs, fair)
    crm.desk.change("list", found.lists[0].id, {"listname": "Ours"})
    again = CampaignAsSent(id=fair.id, name="Fair of June", there=found)
    assert await _written(verbs, again) == found
    row = stored("campaign")[fair.id]
    assert (row["name"], row["budgetedcost"], row["description"]) == (
        "Fair of June",
        12500.5,
        "Stand 7\nin Turin",
    )
    assert stored("list")[found.lists[0].id]["listname"] == "Ours"


async def test_a_campaign_that_is_made_again_answers_the_one_there_is_and_completes_it(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    fair = _fair()
    found = await _written(verbs, fair)
    (lost,) = [item for item in stored("campaignitem").values() if item["entityid"] == found.lists[1].id]
    crm.desk.delete("campaignitem", lost["id"])
    assert await _written(verbs, replace(fair, name="Fair of June")) == found
    live = [item for item in stored("campaignitem").values() if not item["deleted"]]
    assert sorted(item["entityid"] for item in live) == sorted(made.id for made in found.lists)
    assert {row["name"] for row in stored("campaign").values()} == {"Fair of June"}


async def test_a_lost_answer_makes_no_second_campaign(crm: Dynamics, verbs: Verbs, stored: Stored) -> None:
    fair = _fair()
    crm.faults.add("lose_reply", of="writes", times=1)
    with pytest.raises(OutcomeUnknown):
        await verbs.campaigns.write([fair])
    await _written(verbs, fair)
    assert len(stored("campaign")) == 1
    assert len(stored("list")) == 2


async def test_a_campaign_that_cannot_be_written_leaves_the_others_as_they_are(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    crm.desk.refuse("campaign", "name", "Forbidden")
    gone = _fair()
    gone = replace(gone, there=await _written(verbs, gone))
    crm.desk.delete("campaign", gone.id)
    asked = [_fair(currency="XTS"), _fair(name="Forbidden"), gone, _fair(name="x" * 200)]
    poor, forbidden, deleted, good = await verbs.campaigns.write(asked)
    assert isinstance(poor, Rejected)
    assert "XTS" in str(poor)
    assert poor.field == "transactioncurrencyid"
    assert isinstance(forbidden, Rejected)
    assert isinstance(deleted, Gone)
    assert good == there(asked[3].id)
    assert stored("campaign")[asked[3].id]["name"] == "x" * 128
    assert len(stored("list")) == 4


async def test_people_are_put_in_a_campaign_and_taken_out_many_in_a_call(crm: Dynamics, verbs: Verbs) -> None:
    found = await _written(verbs, _fair())
    keys = {
        kind: crm.desk.load(kind, [{"lastname": str(n)} for n in range(20)]) for kind in ("lead", "contact")
    }
    people = [Record(module=kind, id=key) for kind, some in keys.items() for key in some]
    members = [CampaignMember(found, person, traceparent=TRACE) for person in people]
    writes = crm.writes
    assert await verbs.campaigns.put_members(members) == [None] * 40
    assert crm.writes - writes <= 4
    assert _members(crm, found) == {person.id for person in people}
    assert await verbs.campaigns.put_members(members[:2]) == [None] * 2  # once more is no error
    out = [replace(members[0], member=False), replace(members[39], member=False), members[1]]
    assert await verbs.campaigns.put_members(out) == [None] * 3
    assert await verbs.campaigns.put_members(out) == [None] * 3
    assert _members(crm, found) == {person.id for person in people[1:39]}


async def test_somebody_who_is_gone_keeps_nobody_else_out_of_a_campaign(crm: Dynamics, verbs: Verbs) -> None:
    found = await _written(verbs, _fair())
    ada, ben = (
        Record(module="lead", id=key) for key in crm.desk.load("lead", [{"lastname": n} for n in "ab"])
    )
    crm.desk.delete("lead", ben.id)
    put, gone = await verbs.campaigns.put_members([CampaignMember(found, ada), CampaignMember(found, ben)])
    assert put is None
    assert isinstance(gone, Gone)
    assert _members(crm, found) == {ada.id}


async def test_a_list_that_people_have_deleted_is_told_and_not_made_again(
    crm: Dynamics, verbs: Verbs, stored: Stored
) -> None:
    fair = _fair()
    found = await _written(verbs, fair)
    (key,) = crm.desk.load("lead", [{"lastname": "Lovelace"}])
    crm.desk.delete("list", list_of(fair.id, "lead"))
    await _written(verbs, replace(fair, there=found))
    member = CampaignMember(found, Record(module="lead", id=key))
    refused, out = await verbs.campaigns.put_members([member, replace(member, member=False)])
    assert isinstance(refused, Rejected)
    assert "list" in str(refused)
    assert out is None
    assert stored("list")[list_of(fair.id, "lead")]["deleted"]


async def test_without_the_right_to_lists_a_campaign_says_so(
    crm: Dynamics, open_with: Callable[..., Awaitable[Any]]
) -> None:
    crm.desk.forbid("list")
    verbs: Verbs = (await open_with()).verbs
    rights = await verbs.metadata.rights()
    assert (rights["campaign"], rights["list"]) == ({"read", "write"}, frozenset())
    (refused,) = await verbs.campaigns.write([_fair()])
    assert isinstance(refused, LeadbusError)
