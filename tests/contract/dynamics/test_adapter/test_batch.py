"""What only the Web API has: batches with row outcomes, versions, change tracking."""

from uuid import uuid4

import pytest

from connector_dynamics import faults
from connector_dynamics.web_api.site import WebApi
from connector_dynamics.wire import Condition, Filter, Query, Reference, Write
from leadbus.errors import Conflict, Gone, RateLimited, Rejected, Unsupported
from sandbox.dynamics import Dynamics

pytestmark = pytest.mark.parametrize("version", ["9.2"])


def lead(**values):
    return Write(str(uuid4()), {"lastname": "Doe", "subject": "s", **values})


@pytest.fixture
async def crm(version):
    server = Dynamics(version=version, call_seconds=0.02)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def organisation(open_with):
    found = (await open_with()).organisation
    assert isinstance(found, WebApi)
    return found


async def test_batches_are_small_and_side_by_side(organisation, crm):
    await organisation.create("lead", [lead() for _ in range(100)])
    assert crm.calls["batch"] == 10
    assert crm.operations["create"] == 100
    assert crm.most_at_once > 1


async def test_a_version_that_was_read_protects_against_changes_meanwhile(organisation, crm):
    row = lead()
    await organisation.create("lead", [row])
    (read,) = await organisation.retrieve("lead", [row.id], ["lastname"])
    crm.desk.change("lead", row.id, {"jobtitle": "CEO"})
    (refused,) = await organisation.update("lead", [Write(row.id, {"lastname": "New"}, read.version)])
    assert type(refused) is Conflict
    (now,) = await organisation.retrieve("lead", [row.id], ["lastname"])
    assert now.values["lastname"] == "Doe"
    assert await organisation.update("lead", [Write(row.id, {"lastname": "New"}, now.version)]) == [None]


async def test_a_limit_met_by_some_rows_stops_everybody(organisation, crm):
    crm.faults.add("rate_limit", operation="batch", times=1, retry_after=20)
    with pytest.raises(RateLimited):
        await organisation.create("lead", [lead()])
    before = crm.calls.total()
    with pytest.raises(RateLimited):
        await organisation.retrieve("lead", [str(uuid4())], ["lastname"])
    assert crm.calls.total() == before


async def test_a_query_too_long_for_an_address_goes_in_a_batch(organisation, crm):
    where = Filter((Condition("emailaddress1", "in", tuple(f"{n}@x.test" for n in range(500))),))
    await organisation.query(Query("lead", ("lastname",), where))
    assert crm.calls["batch"] == 1
    await organisation.query(Query("lead", ("lastname",)))
    assert crm.calls["batch"] == 1


async def test_a_custom_lookup_is_written_in_its_own_case(organisation, crm):
    crm.desk.add_attribute("lead", "new_AccountId", "lookup", to="account")
    account = Write(str(uuid4()), {"name": "Example Ltd"})
    await organisation.create("account", [account])
    row = lead(new_accountid=Reference("account", account.id))
    assert await organisation.create("lead", [row]) == [row.id]
    (entry,) = await organisation.retrieve("lead", [row.id], ["new_accountid"])
    assert entry.values["new_accountid"] == Reference("account", account.id, "Example Ltd")


async def test_a_lookup_to_what_it_cannot_name_refuses_that_row_alone(organisation):
    rows = [lead(), lead(campaignid=Reference("contact", str(uuid4())))]
    outcomes = await organisation.create("lead", rows)
    assert outcomes[0] == rows[0].id
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].field == "campaignid"


async def test_changes_are_told_from_a_mark_on_with_deletions(organisation, crm):
    rows = [lead() for _ in range(5)]
    await organisation.create("lead", rows)
    assert await organisation.tracks("lead")
    columns = ["lastname", "ownerid"]
    first = await organisation.changes("lead", columns, None)
    assert {entry.id for entry in first.entries} == {row.id for row in rows}
    assert (first.next, first.entries[0].values["ownerid"].entity) == (None, "systemuser")
    await organisation.update("lead", [Write(rows[0].id, {"lastname": "New"})])
    await organisation.delete("lead", [rows[1].id])
    then = await organisation.changes("lead", columns, first.mark)
    assert {(entry.id, entry.deleted) for entry in then.entries} == {(rows[0].id, False), (rows[1].id, True)}
    assert not (await organisation.changes("lead", columns, then.mark)).entries


async def test_a_mark_that_is_too_old_is_gone(organisation, crm):
    first = await organisation.changes("lead", ["lastname"], None)
    crm.desk.expire_changes()
    with pytest.raises(Gone) as gone:
        await organisation.changes("lead", ["lastname"], first.mark)
    assert type(gone.value) is faults.MarkTooOld


async def test_what_is_not_tracked_is_said(organisation, crm):
    crm.desk.track("lead", tracked=False)
    assert not await organisation.tracks("lead")
    with pytest.raises(Unsupported):
        await organisation.changes("lead", ["lastname"], None)


async def test_a_link_to_another_address_is_not_followed(organisation):
    with pytest.raises(Exception, match="where reading was to go on"):
        organisation._api.url("https://elsewhere.test/api/data/v9.2/leads")
