"""Walks over the members of lists: long ones, broken-off ones, and what becomes of lists meanwhile."""

from dataclasses import replace

import pytest

from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.pulling import listing, pulling
from leadbus.connector.settings import ListRule
from leadbus.connector.stores.members import PUT_ON, ListMember
from leadbus.errors import Rejected, Transient
from leadbus.messages import ContactChanged, CrmListChanged

ANN, BEN = "ann@example.com", "ben@example.com"


def emails(told, what):
    return [m.email for event in told if isinstance(event, CrmListChanged) for m in getattr(event, what)]


def ruled(reading, *rules, **settings):
    """New settings of the connection."""
    given = {"lists": tuple(ListRule.model_validate(rule) for rule in rules)} | settings
    reading.connection = replace(
        reading.connection, settings=reading.connection.settings.model_copy(update=given)
    )


def pages_of(reading, key):
    return [page for kind, _, page in reading.crm.asked if kind == f"members of {key}"]


@pytest.fixture
def fair(reading):
    """A list of six people, three pages."""
    for number in range(6):
        reading.crm.person("lead", f"p{number}", f"p{number}@example.com")
    reading.crm.put("list", "fair", name="Fair")
    reading.crm.on_list["fair"] = [f"p{number}" for number in range(6)]
    return "fair"


async def test_a_long_walk_lets_other_kinds_be_read_between_and_goes_on_where_it_was(
    reading, fair, monkeypatch
):
    reading.crm.put("list", "gala", name="Gala")
    reading.crm.on_list["gala"] = ["p0", "p1", "p2"]
    await reading.sync("lead")
    monkeypatch.setattr(pulling, "SLICE_SECONDS", 0.0)
    await reading.shop.asked.kinds(reading.connection.id, ["list"], full=False)
    one = reading.pulling()
    assert await one.turn() == 0.0
    reading.crm.person("contact", "c1", ANN)
    await reading.shop.asked.kinds(reading.connection.id, ["contact"], full=False)
    assert await one.turn() == 0.0
    told = reading.news()
    assert len(emails(told, "added")) < 6
    assert [event.email for event in told if isinstance(event, ContactChanged)] == [ANN]
    told += await reading.turns()  # another pod
    assert sorted(set(emails(told, "added"))) == sorted(f"p{number}@example.com" for number in range(6))
    assert pages_of(reading, "fair") == [None, "2", "4"]
    assert pages_of(reading, "gala") == [None, "2"]


async def test_a_page_that_fails_takes_nobody_off_and_is_asked_for_again_alone(reading, fair):
    await reading.sync()
    reading.crm.on_list["fair"] = ["p0", "p1", "p2", "p3"]
    reading.crm.asked.clear()
    reading.crm.fails_at = lambda kind, page: kind == "members of fair" and page == "2"
    with pytest.raises(Transient):
        await reading.sync("list")
    assert reading.news() == []
    reading.crm.fails_at = None
    told = await reading.turns()
    assert emails(told, "removed") == ["p4@example.com", "p5@example.com"]
    assert pages_of(reading, "fair") == [None, "2", "2"]


async def test_a_list_that_the_crm_never_gets_done_with_keeps_no_other_from_being_read(reading, fair):
    reading.crm.put("list", "gala", name="Gala")
    reading.crm.on_list["gala"] = ["p0"]
    await reading.sync("lead")
    reading.crm.fails_at = lambda kind, page: kind == "members of fair"
    await reading.shop.asked.kinds(reading.connection.id, ["list"], full=False)
    for _ in range(listing.MOST_FAILURES - 1):
        with pytest.raises(Transient):
            await reading.turns()
    assert emails(await reading.turns(), "added") == ["p0@example.com"]
    assert await reading.problems() == {"fair": ("members_unread", None)}


async def test_a_list_that_somebody_deleted_and_restored_is_told_with_its_people(reading, fair):
    await reading.sync()
    row = reading.crm.rows.pop("fair")
    (gone,) = await reading.sync("list")
    assert gone.deleted
    reading.crm.rows["fair"] = row
    told = await reading.sync("list")
    assert len(emails(told, "added")) == 6


async def test_who_is_on_a_list_twice_stays_on_it_while_one_record_is(reading):
    """As of a lead that became a contact."""
    lead, contact = reading.crm.person("lead", "l1", ANN), reading.crm.person("contact", "c1", ANN)
    assert lead != contact
    reading.crm.person("lead", "l2", BEN)
    reading.crm.put("list", "fair", name="Fair")
    reading.crm.on_list["fair"] = ["l1", "l2", "l2", "l2"]
    assert emails(await reading.sync(), "added") == [ANN, BEN]
    reading.crm.on_list["fair"] = ["c1"]
    assert emails(await reading.sync(), "removed") == [BEN]
    reading.crm.on_list["fair"] = []
    assert emails(await reading.sync(), "removed") == [ANN]


async def test_a_one_time_import_misses_nobody_who_was_not_read_yet(reading, fair):
    ruled(reading, {"list": "Fair", "keep": "once"})
    told = await reading.sync("list")
    assert len(emails(told, "added")) == 6
    reading.crm.on_list["fair"].append("late")
    reading.crm.person("lead", "late", BEN)
    assert emails(await reading.sync(), "added") == []


async def test_a_list_that_was_in_sync_and_is_to_be_imported_once_is_read_a_last_time(reading, fair):
    await reading.sync()
    ruled(reading, {"list": "Fair", "keep": "once"})
    reading.crm.on_list["fair"] = ["p0", "p1"]
    assert len(emails(await reading.sync("list"), "removed")) == 4
    reading.crm.on_list["fair"] = []
    assert await reading.sync("list") == []
    ruled(reading, {"list": "Fair"})
    assert len(emails(await reading.sync("list"), "removed")) == 2


async def test_whom_we_put_on_a_list_that_is_pushed_no_more_is_missed_when_gone(reading, fair):
    await reading.sync()
    person = reading.crm.person("lead", "ann", ANN)
    ours = ListMember("one", "fair", person, PUT_ON, reading.prospect(ANN), ANN)
    await reading.shop.members.put_on([ours])
    assert emails(await reading.sync("list"), "removed") == [ANN]


async def test_putting_somebody_on_a_list_again_makes_no_news_of_fields_that_were_told(reading, fair):
    """Else whoever answers an update with a membership would hear of it for ever."""
    reading.crm.person("lead", "p0", "p0@example.com", phone="1")
    ruled(reading, {"list": "Fair", "pull_fields": ["phone"]})
    await reading.sync()
    person = reading.crm.rows["p0"].record
    again = ListMember("one", "fair", person, PUT_ON, reading.prospect("p0@example.com"), "p0@example.com")
    await reading.shop.members.put_on([again])
    assert await reading.sync("list") == []


async def test_a_list_whose_members_cannot_be_read_is_reported_since_it_began_until_it_can(reading, fair):
    reading.crm.fails_at = lambda kind, page: kind == "members of fair" and Rejected("A broken query.")
    await reading.sync()
    (first,) = await ErrorReport(reading.shop).rows(reading.connection, None)
    reading.crm.clock = reading.crm.clock.replace(year=2027)
    await reading.sync("list")
    (again,) = await ErrorReport(reading.shop).rows(reading.connection, None)
    assert (again.object, again.since) == ("list", first.since)
    reading.crm.fails_at = None
    assert len(emails(await reading.sync("list"), "added")) == 6
    assert await ErrorReport(reading.shop).rows(reading.connection, None) == []


async def test_a_list_that_is_renamed_in_the_crm_stays_the_one_of_its_rule(reading, fair):
    reading.crm.put("list", "fair", name="Fair of May")
    ruled(reading, {"list": "fair of may", "name": "Ours", "list_id": "l-1"}, all_lists=False)
    await reading.sync()
    reading.crm.put("list", "fair", name="Fair of 2025")
    (renamed,) = await reading.sync("list")
    assert (renamed.name, renamed.own_name, renamed.list_id) == ("Fair of 2025", "Ours", "l-1")
    reading.crm.on_list["fair"].pop()
    assert emails(await reading.sync("list"), "removed") == ["p5@example.com"]
    ruled(reading, {"list": "Gala"}, all_lists=False)
    reading.crm.on_list["fair"].pop()
    assert await reading.sync("list") == []
