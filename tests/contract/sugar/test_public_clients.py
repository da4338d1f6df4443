"""Public clients of modern REST work with the simulator, each in its own way."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pysugarcrm
import pytest
from zucker.client.aiohttp import AioClient
from zucker.client.requests import RequestsClient
from zucker.model.fields.scalars import BooleanField, StringField
from zucker.model.module import AsyncModule, SyncModule, UnboundModule

from sandbox.sugar import SugarCRM, desk


class Person(UnboundModule):
    first_name = StringField()
    last_name = StringField()
    do_not_call = BooleanField()


@pytest.fixture
def people(site: SugarCRM) -> Iterator[SugarCRM]:
    """Three leads, and the platforms that the clients name."""
    for platform in ("zucker", "api"):
        desk.register_platform(site.store, platform)
    for name in ("A", "B", "C"):
        desk.create(site.store, "Leads", {"first_name": "Ann", "last_name": name})
    yield site
    site.store.execute("UPDATE leads SET deleted = 1")


@pytest.fixture
async def aio(people: SugarCRM) -> AsyncIterator[AioClient]:
    client = AioClient(people.url, "admin", "admin")
    yield client
    await client.close()


def names(site: SugarCRM) -> list[tuple[str, str]]:
    rows = [row for row in desk.records(site.store, "Leads") if not row["deleted"]]
    return sorted((row["first_name"], row["last_name"]) for row in rows)


async def test_zucker_reads_filters_counts_and_writes(people: SugarCRM) -> None:
    client = RequestsClient(people.url, "admin", "admin")

    class Lead(Person, SyncModule, client=client, api_name="Leads"):
        pass

    def work() -> None:
        client.fetch_metadata("server_info", "full_module_list")
        assert client.server_info[1] == people.protocols.version
        assert "Leads" in client
        assert len(Lead.find()) == 3
        found = Lead.find(Lead.last_name == "B")
        assert [(lead.first_name, lead.last_name, lead.do_not_call) for lead in found] == [
            ("Ann", "B", False)
        ]
        assert len(Lead.find((Lead.last_name == "A") | (Lead.last_name == "C"))) == 2
        new = Lead(first_name="Bob", last_name="D")
        new.save()
        new.first_name = "Bill"
        new.save()
        assert [lead.last_name for lead in Lead.find(Lead.first_name == "Bill")] == ["D"]
        Lead.find(Lead.last_name == "A")[0].delete()

    try:
        await asyncio.to_thread(work)
    finally:
        client._session.close()
    assert names(people) == [("Ann", "B"), ("Ann", "C"), ("Bill", "D")]


async def test_zucker_does_the_same_asynchronously_and_in_bulk(people: SugarCRM, aio: AioClient) -> None:
    class Lead(Person, AsyncModule, client=aio, api_name="Leads"):
        pass

    assert await Lead.find().length() == 3
    assert [lead.last_name async for lead in Lead.find(Lead.last_name == "C")] == ["C"]
    before = people.calls["rest POST bulk"]
    one, two = Lead(first_name="New", last_name="One"), Lead(first_name="New", last_name="Two")
    await aio.bulk(one.save(), two.save())
    assert people.calls["rest POST bulk"] == before + 1
    two.last_name = "Three"
    await two.save()
    await one.delete()
    assert names(people)[-1:] == [("New", "Three")]
    assert len(names(people)) == 4


async def test_pysugarcrm_logs_in_reads_writes_and_logs_out(people: SugarCRM) -> None:
    def work() -> None:
        with pysugarcrm.sugar_api(people.url, "admin", "admin") as api:
            assert api.me["current_user"]["id"] == desk.ADMIN
            found = api.get("/Leads", query_params={"filter[0][last_name][$starts]": "B"})
            assert [record["last_name"] for record in found["records"]] == ["B"]
            assert api.get("/Leads/count")["record_count"] == 3
            made = api.post("/Leads", json={"first_name": "Py", "last_name": "Sugar"})
            changed = api.put(f"/Leads/{made['id']}", json={"first_name": "Pi"})
            assert changed["first_name"] == "Pi"
            assert api._api_request("DELETE", f"/Leads/{found['records'][0]['id']}") == {
                "id": found["records"][0]["id"]
            }
        api.session.close()
        assert api.is_closed

    await asyncio.to_thread(work)
    assert names(people) == [("Ann", "A"), ("Ann", "C"), ("Pi", "Sugar")]
