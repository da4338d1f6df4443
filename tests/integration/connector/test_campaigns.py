"""Campaigns are kept by tenant and told to CRMs; people are put in them whoever comes second."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.campaigning import campaigning
from leadbus.connector.contract import CampaignThere
from leadbus.connector.delivering.parts import Done, Parked
from leadbus.errors import Rejected
from leadbus.messages import CampaignChanged, ProspectUpdated, Record
from sandbox.sugar import desk

ANN, BEN = "ann@example.com", "ben@example.com"
NAME = "connector-sugar"
THERE = CampaignThere(Record(module="Campaigns", id="k1"), (Record(module="ProspectLists", id="l1"),))


def now():
    return datetime.now(UTC)


@pytest.fixture
def told(bench):
    """A campaign of the tenant, of so many seconds from now."""

    def changed(name, campaign="fair", at=0, sync=True, **facts):
        return CampaignChanged(
            event_id=str(uuid4()),
            tenant_id=bench.tenant,
            occurred_at=now() + timedelta(seconds=at),
            received_at=now(),
            campaign_id=campaign,
            name=name,
            sync=sync,
            **facts,
        )

    return changed


@pytest.fixture
def joins(bench):
    def takes_part(email, campaign="fair", **how):
        return ProspectUpdated(
            **bench._envelope(email, None, 0),
            received_at=now(),
            campaigns=[{"campaign_id": campaign, **how}],
        )

    return takes_part


@pytest.fixture
def campaigns(bench):
    return bench.desk.pulling.campaigns


def members(crm):
    return {
        row["related_id"]
        for row in crm.store.rows(
            "SELECT related_id FROM prospect_lists_prospects WHERE deleted = 0 AND related_type = 'Leads'"
        )
    }


async def test_the_newest_facts_are_kept_and_only_they_make_something_due(bench, crm, campaigns, told):
    connection = await bench.connect(crm, on=False)
    await bench.feed(told("May", at=10, budget="12.50", currency="EUR"), told("April", at=5))
    (link,) = await campaigns.due(connection.id, now(), 10)
    kept = await campaigns.of_tenant(bench.tenant)
    assert (kept["fair"].facts.name, kept["fair"].facts.budget) == ("May", "12.50")
    link.is_told(kept["fair"], "name")
    await campaigns.settle([link])
    await bench.feed(told("March", at=1))
    assert await campaigns.due(connection.id, now(), 10) == []
    assert (await campaigns.of_tenant(bench.tenant, ["fair"]))["fair"].facts.name == "May"
    assert await campaigns.of_tenant("somebody else") == {}


async def test_what_becomes_due_while_the_crm_is_told_stays_due(bench, crm, campaigns, told):
    connection = await bench.connect(crm, on=False)
    await bench.feed(told("May", at=0))
    (link,) = await campaigns.due(connection.id, now(), 10)
    before = (await campaigns.of_tenant(bench.tenant))["fair"]
    await bench.feed(told("June", at=10))
    link.there = THERE
    link.is_told(before, "name")
    await campaigns.settle([link])
    (again,) = await campaigns.due(connection.id, now(), 10)
    assert (again.there, again.event_id, again.due) == (THERE, before.event_id, True)


async def test_a_refusal_is_kept_until_somebody_asks_for_another_try(bench, crm, campaigns, told):
    connection = await bench.connect(crm, on=False)
    await bench.feed(told("May"), told("June", "other"))
    for link in await campaigns.due(connection.id, now(), 10):
        kept = (await campaigns.of_tenant(bench.tenant))[link.campaign_id]
        link.is_refused(kept, "name", Parked("no", now(), object="campaign"))
        await campaigns.settle([link])
    assert (await campaigns.refused(connection.id)).keys() == {"fair", "other"}
    report = ErrorReport(bench.desk.pulling)
    rows = {row.reason: row.id for row in await report.rows(connection, None)}
    assert rows.keys() == {"Campaign May: no", "Campaign June: no"}
    assert await report.send_again(connection, {rows["Campaign May: no"]}) == 1
    assert [link.campaign_id for link in await campaigns.due(connection.id, now(), 10)] == ["fair"]
    assert await report.send_again(connection, None) == 2
    assert len(await campaigns.due(connection.id, now(), 10)) == 2


async def test_lists_of_our_campaigns_are_known_also_while_they_are_being_made(bench, crm, campaigns, told):
    connection = await bench.connect(crm, on=False)
    await bench.feed(told("May"), told("June", "other"))
    for link in await campaigns.due(connection.id, now(), 10):
        if link.campaign_id == "fair":
            link.there = THERE
        else:
            link.begun = "June"
        await campaigns.settle([link])
    names = {"l1": "Renamed", "l2": "June", "l3": "Theirs"}
    lists = {Record(module="ProspectLists", id=key): name for key, name in names.items()}
    assert await campaigns.lists_among(connection.organisation_id, lists) == {"l1", "l2"}
    assert await campaigns.lists_among("another organisation", lists) == set()


async def test_a_person_who_began_to_wait_while_the_campaign_was_made_is_found(
    bench, crm, told, joins, leads, until, monkeypatch
):
    monkeypatch.setattr(campaigning, "LOOK_EVERY_SECONDS", 0.2)
    await bench.connect(crm, campaigns="name")
    await bench.pod()
    await bench.feed(bench.distributed(ANN), told("May"))
    await until(lambda: leads(crm) and desk.records(crm.store, "Campaigns"))
    await bench.settled(ANN)
    await bench.feed(joins(ANN))
    await until(lambda: members(crm))
    await bench.settled(ANN)
    delivery = await bench.delivery(ANN)
    missed = replace(delivery.memberships["fair"], pending=True, waits=True)
    desk.put_on_list(
        crm.store, desk.records(crm.store, "ProspectLists")[0]["id"], "Leads", members(crm).pop(), off=True
    )
    await bench.desk.deliveries.settle(delivery, lambda d: d.settle(Done(memberships={"fair": missed})))
    await until(lambda: members(crm))


async def test_where_no_campaigns_are_wanted_a_membership_costs_no_call(bench, crm, joins, until):
    connection = await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.settled(ANN)
    calls = crm.calls.total()
    await bench.feed(joins(ANN))
    await bench.settled(ANN)
    assert crm.calls.total() == calls
    assert await bench.desk.deliveries.waited_for(connection.id) == {"fair"}


async def test_all_who_wait_for_a_campaign_are_woken_and_nobody_else(bench, crm, joins):
    connection = await bench.connect(crm, on=False)
    deliveries, name = bench.desk.deliveries, connection.id
    for email, campaign in ((ANN, "fair"), (BEN, "other")):
        await bench.feed(bench.distributed(email), joins(email, campaign))
        delivery = await bench.delivery(email)
        waits = {campaign: replace(delivery.memberships[campaign], waits=True)}
        told = set(delivery.creators)
        fields = {field: fact.event_id for field, fact in delivery.fields.items()}
        done = Done(fields, reported=told, noted=told, memberships=waits)
        await deliveries.settle(delivery, lambda d, done=done: d.settle(done))
    assert await deliveries.due(name, now(), 10) == []
    assert await deliveries.waited_for(name) == {"fair", "other"}
    assert await deliveries.wake_waiting(name, {"fair"}, now()) == 1
    (woken,) = await deliveries.due(name, now(), 10)
    assert (woken.email, woken.due_since is not None) == (ANN, True)
    assert await deliveries.waited_for(name) == {"other"}


class Refusing:
    """The CRM, which does not take people in campaigns until it is told to."""

    def __init__(self, adapter, refuses):
        self._adapter, self._refuses = adapter, refuses
        self.capabilities = adapter.capabilities

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def put_members(self, rows):
        if self._refuses.is_set():
            return [Rejected("Not this one.", "response") for _ in rows]
        return await self._adapter.put_members(rows)


async def test_a_refused_member_is_reported_holds_up_nothing_else_and_is_tried_again_on_request(
    bench, crm, told, joins, leads, until
):
    refuses = asyncio.Event()
    refuses.set()
    connection = await bench.connect(crm, campaigns="name")
    await bench.pod(wrap=lambda adapter: Refusing(adapter, refuses))
    await bench.feed(told("May"), bench.distributed(ANN), joins(ANN))
    report, found = ErrorReport(bench.desk.pulling), []

    async def said():
        found[:] = await report.rows(connection, None)
        return found

    await until(said)
    (row,) = found
    assert (row.object, row.field, row.blocking) == ("campaign", "response", False)
    assert "May" in row.reason
    assert "Not this one." in row.reason
    await bench.settled(ANN)
    assert len(leads(crm)) == 1
    assert members(crm) == set()
    assert await bench.desk.deliveries.in_campaigns(connection.id) == {}
    refuses.clear()
    assert await report.send_again(connection, {row.id}) == 1
    await until(lambda: members(crm))
    await bench.settled(ANN)
    assert await report.rows(connection, None) == []
    assert await bench.desk.deliveries.in_campaigns(connection.id) == {"fair": 1}
