"""Campaigns and tags as lists, and who is on them, against the simulator."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.lists import Lists
from connector_zoho.looking import Looking
from connector_zoho.reading import Reading
from connector_zoho.settings import ZohoConnection
from leadbus.connector.contract import CrmList, Row
from leadbus.connector.mapping import FieldMap
from leadbus.errors import Unsupported
from leadbus.messages import Record
from sandbox.zoho import Zoho

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Open = Callable[[], Lists]
Everything = Callable[..., Awaitable[list[Row]]]
TagId = Callable[[str, str], Awaitable[str]]


@pytest.fixture
def open_lists(client: ZohoClient, connection: ZohoConnection) -> Open:
    return lambda: Lists(client, Looking(client, connection, FieldMap.of(connection, CAPABILITIES)))


async def members(open_lists: Open, list_id: str) -> list[Record]:
    """Page by page, each in a new place."""
    found: list[Record] = []
    token = None
    while True:
        page = await open_lists().members(list_id, token)
        found += page.rows
        token = page.next
        if token is None:
            return found


def people(crm: Zoho, module: str, number: int) -> list[str]:
    return crm.desk.load(module, [{"Last_Name": str(n), "Email": f"p{n}@x.test"} for n in range(number)])


def records(module: str, keys: Sequence[str]) -> set[Record]:
    return {Record(module=module, id=key) for key in keys}


@pytest.fixture
def tag_id(reading: Reading, everything: Everything) -> TagId:
    """The id of a module's tag."""

    async def found(name: str, module: str) -> str:
        lists = [row for row in await everything(reading, "list") if isinstance(row, CrmList)]
        return next(row.record.id for row in lists if (row.name, row.list_type) == (name, module))

    return found


async def test_campaigns_and_the_tags_of_people_are_lists(
    crm: Zoho, reading: Reading, everything: Everything
) -> None:
    fair = crm.desk.create("Campaigns", {"Campaign_Name": "Fair of May", "Type": "Trade Show"})
    (lead,), (contact,) = people(crm, "Leads", 1), people(crm, "Contacts", 1)
    crm.desk.tag("Leads", lead, "newsletter")
    crm.desk.tag("Contacts", contact, "newsletter")
    lists = [row for row in await everything(reading, "list") if isinstance(row, CrmList)]
    assert [(row.record.module, row.name, row.list_type) for row in lists] == [
        ("Campaigns", "Fair of May", "Trade Show"),
        ("Tags", "newsletter", "Leads"),
        ("Tags", "newsletter", "Contacts"),
    ]
    both = ("Leads", "Contacts")
    assert [(row.holds, row.closed) for row in lists] == [(both, ""), (("Leads",), ""), (("Contacts",), "")]
    read = await reading.read([row.record for row in lists])
    assert read == {row.record.id: row for row in lists}
    crm.desk.delete("Campaigns", fair)
    changes = await everything(reading, "list", LONG_AGO)
    assert (changes[0].record.id, changes[0].deleted) == (fair, True)


async def test_the_members_of_a_campaign_are_its_leads_and_contacts(crm: Zoho, open_lists: Open) -> None:
    fair = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    other = crm.desk.create("Campaigns", {"Campaign_Name": "Other"})
    leads, contacts = people(crm, "Leads", 3), people(crm, "Contacts", 2)
    for key in leads:
        crm.desk.join(fair, "Leads", key)
    crm.desk.join(fair, "Contacts", contacts[0])
    crm.desk.join(other, "Contacts", contacts[1])
    expected = records("Leads", leads) | records("Contacts", contacts[:1])
    assert set(await members(open_lists, fair)) == expected
    crm.desk.leave(fair, leads[0])
    expected -= records("Leads", leads[:1])
    assert set(await members(open_lists, fair)) == expected


async def test_a_campaign_of_more_than_one_page_is_read_to_its_end(crm: Zoho, open_lists: Open) -> None:
    fair = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    keys = people(crm, "Leads", 430)
    for key in keys:
        crm.desk.join(fair, "Leads", key)
    found = await members(open_lists, fair)
    assert set(found) == records("Leads", keys)
    assert len(found) == 430


async def test_a_campaign_that_was_deleted_and_one_that_is_empty_have_no_members(
    crm: Zoho, open_lists: Open
) -> None:
    gone, empty = (crm.desk.create("Campaigns", {"Campaign_Name": name}) for name in ("Gone", "Empty"))
    crm.desk.delete("Campaigns", gone)
    assert await members(open_lists, gone) == []
    assert await members(open_lists, empty) == []


async def test_the_members_of_a_tag_are_those_of_its_module_that_have_it(
    crm: Zoho, open_lists: Open, tag_id: TagId
) -> None:
    leads, contacts = people(crm, "Leads", 3), people(crm, "Contacts", 2)
    crm.desk.tag("Leads", leads[0], "news")
    crm.desk.tag("Leads", leads[1], "news")
    crm.desk.tag("Leads", leads[1], "vip")
    crm.desk.tag("Leads", leads[2], "newsletter")  # a search also finds what contains the text
    crm.desk.tag("Contacts", contacts[0], "news")
    news, contact_news = await tag_id("news", "Leads"), await tag_id("news", "Contacts")
    assert set(await members(open_lists, news)) == records("Leads", leads[:2])
    assert set(await members(open_lists, contact_news)) == records("Contacts", contacts[:1])
    crm.desk.untag("Leads", leads[0], "news")
    assert set(await members(open_lists, news)) == records("Leads", leads[1:2])


@pytest.mark.parametrize("name", ["a,b (c)", "50% & more", "śnieg"])
async def test_a_tag_with_an_odd_name_has_its_members(
    crm: Zoho, open_lists: Open, tag_id: TagId, name: str
) -> None:
    keys = people(crm, "Leads", 2)
    crm.desk.tag("Leads", keys[0], name)
    assert await members(open_lists, await tag_id(name, "Leads")) == [Record(module="Leads", id=keys[0])]


async def test_a_tag_of_more_people_than_a_search_shows_is_read_to_its_end(
    crm: Zoho, open_lists: Open, tag_id: TagId
) -> None:
    rows = [{"Last_Name": str(n), "Email": f"p{n}@x.test", "Tag": ["news"]} for n in range(2_300)]
    (first,) = people(crm, "Leads", 1)
    crm.desk.tag("Leads", first, "news")
    keys = crm.desk.load("Leads", rows)
    without = people(crm, "Leads", 5)
    found = await members(open_lists, await tag_id("news", "Leads"))
    assert set(found) == records("Leads", [first, *keys])
    assert not set(found) & records("Leads", without)


async def test_a_page_token_that_has_expired_loses_no_member(crm: Zoho, open_lists: Open) -> None:
    fair = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    keys = people(crm, "Leads", 430)
    for key in keys:
        crm.desk.join(fair, "Leads", key)
    page = await open_lists().members(fair, None)
    crm.desk.expire_page_tokens()
    seen, token = set(page.rows), page.next
    while token is not None:
        page = await open_lists().members(fair, token)
        seen |= set(page.rows)
        token = page.next
    assert seen == records("Leads", keys)


async def test_members_that_our_user_may_not_see_are_no_reason_to_think_that_they_left(
    crm: Zoho, open_lists: Open
) -> None:
    fair = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    crm.desk.join(fair, "Leads", people(crm, "Leads", 1)[0])
    crm.desk.forbid("Leads", ["view"])
    with pytest.raises(Unsupported):
        await members(open_lists, fair)


AWKWARD = [
    "Smith (Ltd), Inc",
    "C:\\x",
    "a\\,b",
    '"quoted"',
    "o'brien",
    "50% off",
    "a:b",
    "a&b=c#d+e",
    "żółć",
    "and",
]


async def test_a_tag_is_searched_for_whatever_its_name_is_made_of(
    crm: Zoho, open_lists: Open, tag_id: TagId
) -> None:
    leads = people(crm, "Leads", len(AWKWARD))
    for lead, name in zip(leads, AWKWARD, strict=True):
        crm.desk.tag("Leads", lead, name)
    for lead, name in zip(leads, AWKWARD, strict=True):
        found = await members(open_lists, await tag_id(name, "Leads"))
        assert found == [Record(module="Leads", id=lead)], name
