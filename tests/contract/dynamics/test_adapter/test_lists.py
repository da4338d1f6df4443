"""Marketing lists, and who is on them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from connector_dynamics import fetch
from connector_dynamics.lists import Lists
from connector_dynamics.translation import IS_DYNAMIC
from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import CampaignMember, CampaignThere, CrmList, Page, Row
from leadbus.errors import Gone, Unsupported
from leadbus.messages import Record
from sandbox.dynamics import Dynamics

ACCOUNTS, CONTACTS, LEADS = 1, 2, 4
OF_TURIN = """<fetch version="1.0" output-format="xml-platform" mapping="logical" distinct="false" top="3">
<entity name="lead"><attribute name="fullname"/><order attribute="fullname" descending="false"/>
<filter type="and"><condition attribute="address1_city" operator="eq" value="Turin"/></filter>
</entity></fetch>"""


def _list(crm: Dynamics, code: int = LEADS, **more: Any) -> str:
    given = {"listname": "Fair of May", "createdfromcode": code, "type": False} | more
    return crm.desk.create("list", given)


async def _members(lists: Lists, key: str) -> list[Record]:
    page = await lists.members(key, None)
    found = [*page.rows]
    while page.next is not None:
        page = await lists.members(key, page.next)
        found += page.rows
    return found


async def test_lists_of_people_are_read_with_their_type(
    crm: Dynamics, verbs: Verbs, walk: Callable[..., Awaitable[tuple[list[Row], Page[Row]]]]
) -> None:
    static = _list(crm)
    dynamic = _list(crm, CONTACTS, type=True, query=OF_TURIN)
    _list(crm, ACCOUNTS)
    rows, _ = await walk(verbs, "list")
    lists = {row.record.id: row for row in rows if isinstance(row, CrmList)}
    assert {key: (row.name, row.list_type) for key, row in lists.items()} == {
        static: ("Fair of May", "Static"),
        dynamic: ("Fair of May", "Dynamic"),
    }
    assert {key: (row.holds, row.closed) for key, row in lists.items()} == {
        static: (("lead",), ""),
        dynamic: (("contact",), IS_DYNAMIC),
    }


async def test_people_are_put_on_a_list_that_people_have_made_and_taken_off(
    crm: Dynamics, verbs: Verbs
) -> None:
    fair = Record(module="list", id=_list(crm))
    keys = crm.desk.load("lead", [{"lastname": str(number)} for number in range(3)])
    members = [CampaignMember(CampaignThere(fair, (fair,)), Record(module="lead", id=key)) for key in keys]
    assert await verbs.campaigns.put_members(members) == [None] * 3
    off = replace(members[0], member=False)
    assert await verbs.campaigns.put_members([off]) == [None]
    assert await verbs.campaigns.put_members([off]) == [None]  # once more is no error
    assert {member.id for member in await _members(verbs.lists, fair.id)} == set(keys[1:])
    crm.desk.delete("list", fair.id)
    on, out = await verbs.campaigns.put_members([members[1], replace(members[1], member=False)])
    assert (type(on), out) == (Gone, None)


@pytest.mark.parametrize(("entity", "code"), [("lead", LEADS), ("contact", CONTACTS)])
async def test_members_of_a_static_list_come_page_by_page(
    crm: Dynamics, opened: Any, entity: str, code: int
) -> None:
    keys = crm.desk.load(entity, [{"lastname": str(number)} for number in range(12)])
    fair, other = _list(crm, code), _list(crm, code)
    crm.desk.add_members(fair, keys[:11])
    crm.desk.add_members(other, keys[11:])
    crm.desk.remove_member(fair, keys[0])
    crm.desk.delete(entity, keys[1])
    found = await _members(Lists(opened.organisation, rows=4), fair)
    assert sorted(found, key=str) == sorted((Record(module=entity, id=key) for key in keys[2:11]), key=str)


async def test_members_of_a_dynamic_list_are_whom_its_query_finds_now(crm: Dynamics, verbs: Verbs) -> None:
    keys = crm.desk.load("lead", [{"lastname": str(n), "address1_city": "Turin"} for n in range(5)])
    (elsewhere,) = crm.desk.load("lead", [{"lastname": "X", "address1_city": "Milan"}])
    turin = _list(crm, type=True, query=OF_TURIN)
    assert {member.id for member in await _members(verbs.lists, turin)} == set(keys)
    crm.desk.change("lead", keys[0], {"address1_city": "Milan"})
    crm.desk.change("lead", elsewhere, {"address1_city": "Turin"})
    assert {member.id for member in await _members(verbs.lists, turin)} == {*keys[1:], elsewhere}


async def test_many_members_of_a_dynamic_list_come_over_several_pages(crm: Dynamics, verbs: Verbs) -> None:
    keys = crm.desk.load("lead", ({"lastname": str(n), "address1_city": "Turin"} for n in range(1_005)))
    found = await _members(verbs.lists, _list(crm, type=True, query=OF_TURIN))
    assert len(found) == 1_005
    assert {member.id for member in found} == set(keys)


@pytest.mark.parametrize(
    "query",
    [
        """<fetch mapping="logical"><entity name="contact"><all-attributes/><order attribute="fullname"/>
        <link-entity name="account" from="accountid" to="parentcustomerid" alias="aa"><attribute name="name"/>
        <order attribute="name"/><filter>
        <condition attribute="name" operator="like" value="A &amp; &lt;&quot;%"/></filter></link-entity>
        </entity></fetch>""",
        """ <?xml version="1.0" encoding="utf-16"?><fetch distinct="true" count="2" page="3">
        <entity name="contact"><attribute name="fullname"/><order attribute="lastname" descending="true"/>
        </entity></fetch>""",
    ],
    ids=["linked", "declared"],
)
async def test_a_query_with_columns_orders_pages_and_links_of_its_own_is_run(
    crm: Dynamics, opened: Any, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(fetch, "PAGE_ROWS", 2)
    company = crm.desk.create("account", {"name": 'A & <"Sons">'})
    people = [{"lastname": "X", "parentcustomerid": ("account", company)}] * 7
    keys = crm.desk.load("contact", people)
    found = await _members(Lists(opened.organisation), _list(crm, CONTACTS, type=True, query=query))
    assert sorted(member.id for member in found) == sorted(keys)


async def test_a_list_of_accounts_and_one_that_was_deleted_have_nobody(crm: Dynamics, verbs: Verbs) -> None:
    companies = _list(crm, ACCOUNTS)
    crm.desk.add_members(companies, [crm.desk.create("account", {"name": "Engines Ltd"})])
    gone = _list(crm)
    crm.desk.delete("list", gone)
    assert await _members(verbs.lists, companies) == []
    assert await _members(verbs.lists, gone) == []


async def test_a_query_that_leadbus_cannot_run_is_told(crm: Dynamics, verbs: Verbs) -> None:
    broken = _list(crm, type=True, query="<fetch aggregate='true'><entity name='lead'/></fetch>")
    with pytest.raises(Unsupported):
        await verbs.lists.members(broken, None)
