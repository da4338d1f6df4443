"""A person is erased while a worker, or a pull, has them in hand: nothing of them comes back."""

import asyncio
from dataclasses import replace

import pytest

from leadbus.messages import ProspectErased
from leadbus.topics import CRM_CONTACTS, CRM_DELIVERIES
from sandbox.sugar import desk

ANN, BOB = "ann@example.com", "bob@example.com"


class Late:
    """An adapter whose call for new records has been made, but whose answer is on its way."""

    def __init__(self, adapter, asked, goes_on):
        self._adapter, self._asked, self._goes_on = adapter, asked, goes_on

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def create(self, people):
        made = await self._adapter.create(people)
        self._asked.set()
        await self._goes_on.wait()
        return made


class Paged:
    """An adapter; what it has read of leads is handed over once the test has done something."""

    def __init__(self, adapter, meanwhile):
        self._adapter, self._meanwhile = adapter, meanwhile

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def changed(self, kind, *which):
        page = await self._adapter.changed(kind, *which)
        if kind == "lead":
            await self._meanwhile()
        return page


def erased(bench, email):
    envelope = {name: value for name, value in bench._envelope(email, None, 0).items() if name != "email"}
    return ProspectErased(**envelope, erasure_id="e")


async def about(bench, *marks):
    """Names of collections in which any of the marks stands."""
    found = set()
    for name in await bench.database.list_collection_names():
        rows = [row async for row in bench.database[name].find()]
        if any(mark in str(row) for row in rows for mark in marks):
            found.add(name)
    return found - {"connector-sugar.erased"}


@pytest.mark.parametrize("again", [False, True])
async def test_whoever_is_erased_while_the_crm_is_asked_for_a_record_stays_erased(
    bench, crm, leads, until, again
):
    asked, goes_on = asyncio.Event(), asyncio.Event()
    await bench.connect(crm)
    await bench.feed(bench.distributed(ANN, last_name="Wegner"), bench.distributed(BOB, "d2"))
    await bench.pod(wrap=lambda adapter: Late(adapter, asked, goes_on))
    await asked.wait()
    gone = erased(bench, ANN)
    await bench.feed(gone)
    if again:
        await bench.feed(bench.distributed(ANN, "d3", last_name="Anew"))
    goes_on.set()
    await bench.settled(BOB)
    if not again:
        await until(lambda: bench.outcomes() == ["created"])
        (record,) = [lead["id"] for lead in leads(crm) if lead["last_name"] == "Wegner"]
        assert await about(bench, ANN, "Wegner", gone.prospect_id, record) == set()
        return
    await bench.settled(ANN)
    assert "Wegner" not in str(await bench.delivery(ANN))
    await until(lambda: len(bench.told(CRM_DELIVERIES)) == 2)
    mine = next(told for told in bench.told(CRM_DELIVERIES) if told.prospect_id == gone.prospect_id)
    assert mine.outcome == "matched"
    assert [origin.distribution_id for origin in mine.origins] == ["d3"]


async def test_what_was_read_of_a_person_before_the_erasure_is_neither_kept_nor_told(bench, crm, leads):
    await bench.connect(crm)
    for email in (ANN, BOB):
        desk.create(crm.store, "Leads", {"last_name": "Wegner", "email1": email})
    gone = erased(bench, ANN)
    shop = bench.desk.workshop

    async def adapter_for(connection):
        return Paged(await shop.adapter_for(connection), lambda: bench.feed(gone))

    bench.desk.workshop = replace(shop, adapter_for=adapter_for)
    await bench.pull(kinds=("lead",))
    assert [told.email for told in bench.told(CRM_CONTACTS)] == [BOB]
    assert await about(bench, ANN, gone.prospect_id) == set()
