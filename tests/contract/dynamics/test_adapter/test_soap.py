"""What only SOAP has: bulk by ExecuteMultiple, and messages for state and owner before 7.1."""

import asyncio
from uuid import uuid4

import pytest

from connector_dynamics.soap.site import Soap
from connector_dynamics.soap.writing import Writing
from connector_dynamics.wire import Option, Reference, Write
from leadbus.errors import Conflict, Gone, Unsupported
from sandbox.dynamics import Dynamics

pytestmark = pytest.mark.parametrize("version", ["2011"])


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
    assert isinstance(found, Soap)
    return found


async def test_rows_go_together_and_side_by_side(organisation, crm):
    await organisation.create("lead", [lead() for _ in range(100)])
    assert crm.calls["execute_multiple"] == 8
    assert crm.most_at_once > 1


async def test_state_and_owner_are_set_by_messages_of_their_own(organisation, crm):
    row = lead()
    await organisation.create("lead", [row])
    owner = Reference("systemuser", crm.site.person.id)
    values = {"ownerid": owner, "statecode": Option(2), "statuscode": Option(4), "jobtitle": "CEO"}
    before = crm.calls["execute_multiple"]
    assert await organisation.update("lead", [Write(row.id, values)]) == [None]
    assert crm.calls["execute_multiple"] == before + 1
    assert [crm.operations[name] for name in ("update", "assign", "set_state")] == [1, 1, 1]


async def test_what_needs_no_update_has_none(organisation, crm):
    row = lead()
    await organisation.create("lead", [row])
    await organisation.update("lead", [Write(row.id, {"statecode": Option(2), "statuscode": Option(-1)})])
    assert (crm.operations["update"], crm.operations["set_state"]) == (0, 1)


async def test_before_update_rollup_12_rows_go_one_by_one(organisation, crm, stored):
    writing = Writing(organisation._client, (5, 0, 9688, 53))
    rows = [lead() for _ in range(20)]
    assert await writing.create("lead", rows) == [row.id for row in rows]
    assert crm.calls["create"] == 20
    assert crm.calls["execute_multiple"] == 0
    (again, gone) = await writing.create("lead", [rows[0]]), await writing.update("lead", [lead()])
    assert isinstance(again[0], Conflict)
    assert isinstance(gone[0], Gone)
    assert len(stored()) == 20


async def test_changes_are_not_tracked(organisation):
    assert not await organisation.tracks("lead")
    with pytest.raises(Unsupported):
        await organisation.changes("lead", ["lastname"], None)


async def test_sixty_queries_side_by_side_share_eight_sign_ins(organisation, crm):

    found = await asyncio.gather(
        *(organisation.retrieve("lead", [str(uuid4())], ["lastname"]) for _ in range(60))
    )
    assert found == [[]] * 60
    assert crm.logins <= 8
    assert crm.refused_logins == 0
