"""Lists of a SugarCRM and who is on them, page by page."""

from uuid import uuid4

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.connector import SugarAdapter
from leadbus.connector.contract import CrmList
from leadbus.messages import Record
from sandbox.sugar import SugarCRM, desk


async def test_lists_and_the_people_on_them_are_read(crm: SugarCRM, adapter: SugarAdapter) -> None:
    key = desk.create(crm.store, "ProspectLists", {"name": "Fair", "list_type": "default"})
    people = {m: desk.create(crm.store, m, {"last_name": "A"}) for m in ("Leads", "Contacts", "Prospects")}
    for module, person in people.items():
        desk.put_on_list(crm.store, key, module, person)
    (row,) = (await adapter.changed("list", None, None)).rows
    assert isinstance(row, CrmList)
    assert (row.name, row.list_type) == ("Fair", "default")
    assert await members(adapter, key) == {Record(module=m, id=key) for m, key in people.items()}
    desk.put_on_list(crm.store, key, "Leads", people["Leads"], off=True)
    assert {record.module for record in await members(adapter, key)} == {"Contacts", "Prospects"}
    desk.change(crm.store, "ProspectLists", key, {"deleted": "1"})
    assert await members(adapter, key) == set(), "a list that is gone has nobody on it"


async def test_a_long_list_is_read_to_its_end(crm: SugarCRM, adapter: SugarAdapter) -> None:
    key = desk.create(crm.store, "ProspectLists", {"name": "Fair"})
    count = CAPABILITIES.rows_per_read + 3
    ids = [str(uuid4()) for _ in range(count)]
    desk.load(crm.store, "Leads", [{"id": id_, "last_name": "A"} for id_ in ids])
    for id_ in ids:
        desk.put_on_list(crm.store, key, "Leads", id_)
    assert {record.id for record in await members(adapter, key)} == set(ids)


async def test_whoever_leaves_a_list_while_it_is_read_hides_nobody(
    crm: SugarCRM, adapter: SugarAdapter
) -> None:
    key = desk.create(crm.store, "ProspectLists", {"name": "Fair"})
    ids = sorted(str(uuid4()) for _ in range(CAPABILITIES.rows_per_read + 30))
    desk.load(crm.store, "Leads", [{"id": id_, "last_name": "A"} for id_ in ids])
    for id_ in ids:
        desk.put_on_list(crm.store, key, "Leads", id_)
    page = await adapter.members(key, None)
    seen = {record.id for record in page.rows}
    while page.next is not None:
        if len(seen) >= CAPABILITIES.rows_per_read:
            for gone in ids[:5]:
                desk.put_on_list(crm.store, key, "Leads", gone, off=True)
        page = await adapter.members(key, page.next)
        seen |= {record.id for record in page.rows}
    assert seen >= set(ids[5:])


async def members(adapter: SugarAdapter, key: str) -> set[Record]:
    page = await adapter.members(key, None)
    rows = list(page.rows)
    while page.next is not None:
        page = await adapter.members(key, page.next)
        rows += page.rows
    assert len(rows) == len(set(rows))
    return set(rows)
