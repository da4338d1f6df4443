"""Lists here are pushed to the CRM's as they come to be there, and what we do there is not told back."""

from datetime import UTC, datetime, timedelta

import pytest

from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.campaigning import campaigning, lists
from leadbus.connector.delivering.parts import of_list
from leadbus.connector.stores.members import PUT_ON, ListMember
from leadbus.messages import ProspectUpdated, Record
from sandbox.sugar import desk

ANN = "ann@example.com"
RULE = {"list": "Fair", "list_id": "l-1", "push": {"add": True, "remove": True}}


def now():
    return datetime.now(UTC)


@pytest.fixture
def listed(bench):
    def on(email, *, member=True, at=0):
        return ProspectUpdated(
            **bench._envelope(email, None, at),
            received_at=now(),
            lists=[{"list_id": "l-1", "member": member}],
            fields={"last_name": "Lovelace"},
        )

    return on


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(campaigning, "LOOK_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(lists, "LOOK_AGAIN", timedelta(seconds=0.5))


def members(crm, fair):
    sql = "SELECT related_id FROM prospect_lists_prospects WHERE deleted = 0 AND prospect_list_id = ?"
    return {row["related_id"] for row in crm.store.rows(sql, (fair,))}


async def test_a_missing_list_is_reported_and_taken_once_somebody_has_made_it(
    bench, crm, listed, leads, until
):
    there = desk.create(crm.store, "ProspectLists", {"name": "Fair"})
    connection = await bench.connect(crm, lists=[RULE])
    desk.change(crm.store, "ProspectLists", there, {"deleted": "1"})
    await bench.pod()
    await bench.feed(listed(ANN))
    report, found = ErrorReport(bench.desk.pulling), []

    async def said():
        found[:] = await report.rows(connection, None)
        return found

    await until(said)
    (row,) = found
    assert (row.object, row.field, row.blocking) == ("list", "lists", False)
    assert row.reason.startswith("The CRM has no list Fair.")
    await until(lambda: leads(crm))  # nothing else of the person waits for it
    await bench.settled(ANN)
    fair = desk.create(crm.store, "ProspectLists", {"name": "fair"})
    await until(lambda: members(crm, fair) == {leads(crm)[0]["id"]})
    await bench.settled(ANN)
    assert await report.rows(connection, None) == []


async def test_who_was_on_a_list_before_it_was_pushed_is_put_on_it_by_new_settings(
    bench, crm, listed, leads, until
):
    fair = desk.create(crm.store, "ProspectLists", {"name": "Fair"})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(listed(ANN))
    assert not (await bench.delivery(ANN)).is_due
    assert leads(crm) == []
    await bench.connect(crm, lists=[RULE])
    await until(lambda: len(members(crm, fair)) == 1)
    await bench.settled(ANN)
    (lead,) = leads(crm)
    await bench.feed(listed(ANN, member=False, at=5))
    await until(lambda: members(crm, fair) == set())
    assert [row["id"] for row in leads(crm)] == [lead["id"]]
    assert (await bench.delivery(ANN)).memberships[of_list("l-1")].refused is None


async def test_who_left_a_list_here_leaves_the_crms_though_we_never_put_it_on(
    bench, crm, listed, leads, until
):
    fair = desk.create(crm.store, "ProspectLists", {"name": "Fair"})
    ann = desk.create(crm.store, "Leads", {"last_name": "Lovelace", "email1": ANN})
    desk.put_on_list(crm.store, fair, "Leads", ann)
    await bench.connect(crm, lists=[RULE])
    await bench.pod()
    await bench.feed(listed(ANN, member=False), listed("nobody@example.com", member=False))
    await until(lambda: members(crm, fair) == set())
    await bench.settled(ANN, "nobody@example.com")
    assert [row["id"] for row in leads(crm)] == [ann]


async def test_whom_we_put_on_a_list_while_it_is_walked_over_is_not_taken_for_gone(bench):
    store, record = bench.desk.pulling.members, Record(module="Leads", id="a")
    await store.put([ListMember("one", "fair", record, PUT_ON, "p1", ANN)])

    async def left(run):
        return [member.record.id async for batch in store.left("one", "fair", run) for member in batch]

    assert await left("now") == []
    await store.begin_walk("one", "fair")
    batches = store.left("one", "fair", "next")
    assert [member.record.id for member in await anext(batches)] == ["a"]


async def test_who_is_on_a_list_here_follows_when_settings_or_the_crm_put_another_in_its_place(
    bench, crm, listed, leads, until
):
    fair, gala = (desk.create(crm.store, "ProspectLists", {"name": name}) for name in ("Fair", "Gala"))
    await bench.connect(crm, lists=[RULE])
    await bench.pod()
    await bench.feed(listed(ANN))
    await until(lambda: len(members(crm, fair)) == 1)
    await bench.settled(ANN)
    await bench.connect(crm, lists=[RULE | {"list": "gala"}])
    await until(lambda: members(crm, gala) == {leads(crm)[0]["id"]})
    assert len(members(crm, fair)) == 1  # which is nobody's business here any more
