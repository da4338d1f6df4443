"""The first full sync: everything once as it stands, resumable page by page; then changes only."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from leadbus.connector.api.progress import progress_of
from leadbus.errors import Transient
from leadbus.messages import AccountChanged, ContactChanged, UserChanged


async def test_everything_is_told_once_as_it_stands_and_then_nothing(reading):
    reading.crm.put("user", "u1", name="Sally", email="sally@example.com")
    reading.crm.put("account", "a1", name="Acme", owner_id="u1")
    reading.crm.person(
        "contact", "c1", "ann@example.com", phone="1", owner_id="u1", account_id="a1", status=None
    )
    told = await reading.sync()
    assert [type(event) for event in told] == [UserChanged, AccountChanged, ContactChanged]
    contact = told[-1]
    assert contact.prospect_id == reading.prospect("ann@example.com")
    assert (contact.kind, contact.state, contact.owner_email) == ("contact", "client", "sally@example.com")
    assert (contact.fields.phone, contact.fields.company, contact.account.id) == ("1", "Acme", "a1")
    assert await reading.sync() == []
    assert await reading.sync(full=True) == []


async def test_after_the_first_sync_changes_are_asked_for_from_a_little_before_the_cursor(reading):
    reading.crm.person("lead", "l1", "ann@example.com")
    await reading.sync("lead")
    first_clock = reading.crm.clock
    reading.crm.person("lead", "l2", "ben@example.com")
    (told,) = await reading.sync("lead")
    assert told.email == "ben@example.com"
    assert [since for _, since, _ in reading.crm.asked] == [None, first_clock - timedelta(minutes=2)]


async def test_a_sync_that_was_killed_goes_on_with_the_page_it_was_at(reading):
    for number in range(7):
        reading.crm.person("lead", f"l{number}", f"p{number}@example.com")
    reading.heard.dies_after = 5
    with pytest.raises(asyncio.CancelledError):
        await reading.sync("lead")
    reading.heard.dies_after = None
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert (lead.state, lead.read, lead.total) == ("first sync", 4, 7)
    asked_before = len(reading.crm.asked)
    told = await reading.turns()
    assert reading.crm.asked[asked_before][2] == "4"
    # The page that was told and not remembered is told again under the same ids; nothing is lost.
    assert len(told) == 6 + 3
    assert len({event.event_id for event in told}) == 7
    assert {event.email for event in told} == {f"p{number}@example.com" for number in range(7)}


async def test_what_kafka_does_not_acknowledge_moves_no_cursor_and_is_told_later(reading):
    reading.crm.person("lead", "l1", "ann@example.com")
    await reading.sync("lead")
    reading.crm.person("lead", "l1", "ann@example.com", phone="2")
    reading.heard.refuses = True
    with pytest.raises(Transient):
        await reading.sync("lead")
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert "Kafka" in lead.error
    reading.heard.refuses = False
    (told,) = await reading.turns()
    assert told.fields.phone == "2"


async def test_a_page_is_asked_for_while_the_one_before_is_taken(reading):
    for number in range(5):
        reading.crm.person("lead", f"l{number}", f"p{number}@example.com")
    pages_asked_at_each_event = []
    publish = reading.heard.publish

    async def slow(records):
        await asyncio.sleep(0.02)
        pages_asked_at_each_event.append(len(reading.crm.asked))
        return await publish(records)

    reading.heard.publish = slow
    await reading.sync("lead")
    assert pages_asked_at_each_event == [2, 3, 3]


async def test_a_kind_that_fails_keeps_no_other_from_being_read_next_time(reading):
    reading.crm.person("lead", "l1", "ann@example.com")
    reading.crm.put("user", "u1", name="Sally", email="s@example.com")
    reading.crm.fails_at = lambda kind, page: kind == "lead"
    with pytest.raises(Transient):
        await reading.sync("user", "lead")
    assert [type(event) for event in reading.news()] == [UserChanged]
    reading.crm.fails_at = None
    assert [type(event) for event in await reading.turns()] == [ContactChanged]


async def test_what_vanished_is_found_by_a_full_sync_and_told_as_deleted(reading):
    reading.crm.person("lead", "l1", "ann@example.com")
    reading.crm.person("lead", "l2", "ben@example.com")
    reading.crm.put("account", "a1", name="Acme", owner_id="u1")
    await reading.sync()
    reading.crm.erase("l1")
    reading.crm.erase("a1")
    assert await reading.sync() == []
    told = await reading.sync(full=True)
    assert {(type(e), e.record.id, e.deleted) for e in told} == {
        (ContactChanged, "l1", True),
        (AccountChanged, "a1", True),
    }
    assert reading.crm.reads == ["a1", "l1"]
    assert (await reading.row("l1")).deleted
    assert await reading.sync(full=True) == []


async def test_a_kind_that_always_fails_keeps_none_from_being_read(reading):
    """Not even those that come after it: neither at first, nor changes, nor a full run."""
    reading.crm.put("user", "u1", name="Sally", email="s@example.com")
    reading.crm.person("lead", "l1", "ann@example.com")
    reading.crm.fails_at = lambda kind, page: kind == "user"

    async def told(turns=4):
        for _ in range(turns):
            with suppress(Transient):
                await reading.pulling().turn()
        return [event.email for event in reading.news()]

    await reading.shop.asked.kinds("one", ["user", "lead"], full=False)
    assert await told() == ["ann@example.com"]
    reading.crm.person("lead", "l2", "ben@example.com")
    await reading.shop.asked.kinds("one", ["user", "lead"], full=False)
    assert await told() == ["ben@example.com"]
    reading.crm.erase("l1")
    await reading.shop.asked.kinds("one", ["user", "lead"], full=True)
    assert await told() == ["ann@example.com"]
    assert (await reading.row("l1")).deleted
    reading.crm.fails_at = None
    assert [type(event) for event in await reading.turns()] == [UserChanged]


async def test_a_record_that_cannot_be_read_keeps_no_change_from_being_read(reading):
    """Whoever may push may name any record, one that the CRM breaks off on among them."""
    odd = reading.crm.put("account", "odd", name="Odd", owner_id="u1")
    reading.crm.person("lead", "l1", "ann@example.com")

    async def read(records):
        raise Transient("The CRM breaks off.")

    reading.crm.read = read
    await reading.shop.asked.records("one", [odd])
    await reading.shop.asked.kinds("one", ["lead"], full=False)
    with pytest.raises(Transient, match="breaks off"):
        await reading.turns()
    assert [event.email for event in reading.news()] == ["ann@example.com"]
