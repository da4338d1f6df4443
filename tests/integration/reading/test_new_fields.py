"""A changed mapping: records that do not change are read for their new fields, and for nothing else."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from leadbus.connector.api.progress import progress_of
from leadbus.connector.api.rereads import new_fields
from leadbus.connector.pulling import pulling
from leadbus.errors import Transient, Unsupported
from leadbus.messages import AccountChanged, ContactChanged

SEGMENT = {"of": "lead", "field": "custom.segment", "crm_field": "Segment"}


async def mapped(reading: Any, *fields: dict[str, str]) -> None:
    """The mapping is changed."""
    settings = type(reading.connection.settings).model_validate(
        reading.connection.settings.model_dump() | {"fields": fields}
    )
    reading.connection = replace(reading.connection, settings=settings)


async def offered(reading: Any) -> dict[str, list[str]]:
    async def unopened(_: object) -> Any:
        return reading.crm

    return await new_fields(reading.connection, reading.shop.pulls, unopened)  # type: ignore[return-value]


async def reread(reading: Any, *kinds: Any) -> list[Any]:
    await reading.shop.asked.new_fields(reading.connection.id, kinds or ["lead"])
    return await reading.turns()


def put(reading: Any, key: str, segment: str, **values: Any) -> None:
    reading.crm.put(
        "lead",
        key,
        email=f"{key}@example.com",
        values={"First": "", "Last": "", "Phone": "1", "Company": "", "Segment": segment},
        **values,
    )


async def without_segment(reading: Any) -> None:
    """An adapter reads the fields that are mapped; the reading of changes has moved on an hour since."""
    whole = dict(reading.crm.rows)
    for key, row in whole.items():
        values = {name: value for name, value in row.values.items() if name != "Segment"}
        reading.crm.rows[key] = replace(row, values=values)
    await reading.sync("lead")
    reading.crm.clock += timedelta(hours=1)
    await reading.sync("lead")
    reading.crm.rows = whole


async def test_a_new_field_is_read_of_records_that_do_not_change(reading):
    for key, segment in (("l1", "gold"), ("l2", ""), ("l3", "silver")):
        put(reading, key, segment)
    await without_segment(reading)
    assert await offered(reading) == {}
    await mapped(reading, SEGMENT)
    assert await offered(reading) == {"lead": ["custom.segment"]}
    assert await reading.sync("lead") == []  # read by their time of change, they say nothing
    told = await reread(reading)
    assert {event.email: event.fields.custom for event in told} == {
        "l1@example.com": {"segment": "gold"},
        "l3@example.com": {"segment": "silver"},
    }
    assert all(isinstance(event, ContactChanged) for event in told)
    assert await offered(reading) == {}
    assert await reread(reading) == []
    assert await reading.sync(full=True) == []


async def test_whatever_else_has_changed_is_told_in_its_turn(reading):
    put(reading, "l1", "gold")
    await without_segment(reading)
    was = reading.heard.events[-1]
    await mapped(reading, SEGMENT)
    put(reading, "l1", "gold", status="Dead", owner_id=None)
    reading.crm.rows["l1"] = replace(
        reading.crm.rows["l1"], values=reading.crm.rows["l1"].values | {"Phone": "2"}
    )
    (told,) = await reread(reading)
    assert (told.fields.custom, told.fields.phone, told.status) == ({"segment": "gold"}, "1", was.status)
    (later,) = [event for event in await reading.sync("lead") if isinstance(event, ContactChanged)]
    assert (later.fields.custom, later.fields.phone, later.status) == ({"segment": "gold"}, "2", "Dead")
    assert was.occurred_at < told.occurred_at < later.occurred_at


async def test_a_field_that_is_mapped_to_another_of_ours_is_told_again(reading):
    put(reading, "l1", "gold")
    await mapped(reading, SEGMENT)
    await reading.sync("lead")
    await mapped(reading, SEGMENT | {"field": "custom.tier"})
    assert await offered(reading) == {"lead": ["custom.tier"]}
    (told,) = await reread(reading)
    assert told.fields.custom == {"tier": "gold"}


async def test_a_field_that_is_only_written_is_not_read_again(reading):
    put(reading, "l1", "gold")
    await reading.sync("lead")
    await mapped(reading, SEGMENT | {"direction": "to_crm"})
    assert await offered(reading) == {}


async def test_what_is_mapped_anew_after_a_while_is_read_again(reading):
    put(reading, "l1", "gold")
    await mapped(reading, SEGMENT)
    await reading.sync("lead")
    await mapped(reading)
    await reading.turns()
    await mapped(reading, SEGMENT)
    assert await offered(reading) == {"lead": ["custom.segment"]}


async def test_reading_new_fields_goes_on_where_it_was_and_shows_how_far_it_is(reading):
    for number in range(5):
        put(reading, f"l{number}", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    reading.crm.fails_at = lambda kind, page: page == "4"
    with pytest.raises(Transient):
        await reread(reading)
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert (lead.state, lead.read, lead.total) == ("failed", 4, 5)
    reading.crm.fails_at = None
    asked_before = len(reading.crm.asked)
    await reading.sync("lead")  # which ends what failed
    assert [page for _, since, page in reading.crm.asked[asked_before:] if since is None] == ["4"]
    emails = [event.email for event in reading.heard.events if getattr(event.fields, "custom", None)]
    assert sorted(emails) == [f"l{number}@example.com" for number in range(5)]


async def test_people_that_were_never_told_are_left_to_the_reading_of_changes(reading):
    put(reading, "l1", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    put(reading, "l2", "gold")
    (told,) = await reread(reading)
    assert told.email == "l1@example.com"
    (new,) = await reading.sync("lead")
    assert new.email == "l2@example.com"


async def test_fields_of_accounts_are_read_again_too(reading):
    reading.crm.put("user", "u1", name="Sally", email="sally@example.com")
    reading.crm.put("account", "a1", name="Acme", owner_id="u1", values={"Tier": "gold"})
    whole = reading.crm.rows["a1"]
    reading.crm.rows["a1"] = replace(whole, values={})
    await reading.sync("user", "account")
    reading.crm.rows["a1"] = whole
    await mapped(reading, {"of": "account", "field": "custom.tier", "crm_field": "Tier", "direction": "both"})
    told = [event for event in await reread(reading, "account") if isinstance(event, AccountChanged)]
    assert [event.fields for event in told] == [{"custom.tier": "gold"}]


async def test_a_mapping_taken_away_and_given_back_while_it_is_read_is_offered_anew(reading):
    for number in range(6):
        put(reading, f"l{number}", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    await a_page(reading)
    await mapped(reading)
    pages = len(reading.crm.asked)
    await reading.turns()
    assert len(reading.crm.asked) == pages, "nothing is left to be read"
    await mapped(reading, SEGMENT)
    assert await offered(reading) == {"lead": ["custom.segment"]}
    await reread(reading)
    assert told_segments(reading) == {f"l{number}@example.com" for number in range(6)}


async def test_another_field_that_is_mapped_meanwhile_is_read_after_it(reading):
    tier = {"of": "lead", "field": "custom.tier", "crm_field": "Tier"}
    for number in range(6):
        put(reading, f"l{number}", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    await a_page(reading)
    for key, row in reading.crm.rows.items():
        reading.crm.rows[key] = replace(row, values={**row.values, "Tier": "a"})
    await mapped(reading, SEGMENT, tier)
    assert set((await offered(reading))["lead"]) == {"custom.segment", "custom.tier"}
    await reread(reading)
    assert await offered(reading) == {}
    last = {e.email: e for e in sorted(reading.heard.events, key=lambda event: event.occurred_at)}
    assert {email: event.fields.custom for email, event in last.items()} == {
        f"l{number}@example.com": {"segment": "gold", "tier": "a"} for number in range(6)
    }


async def test_a_mapping_taken_away_and_given_back_while_all_is_read_is_offered_anew(reading, monkeypatch):
    monkeypatch.setattr(pulling, "SLICE_SECONDS", 0.0)
    for number in range(6):
        put(reading, f"l{number}", "gold")
    await reading.sync("lead")
    await mapped(reading, SEGMENT)
    await reading.shop.asked.kinds(reading.connection.id, ["lead"], full=True)
    await reading.pulling().turn()
    await mapped(reading)
    await reading.pulling().turn()
    await mapped(reading, SEGMENT)
    await reading.turns()
    assert await offered(reading) == {"lead": ["custom.segment"]}


async def test_a_field_that_is_mapped_to_another_of_ours_is_told_as_another_event(reading):
    put(reading, "l1", "gold")
    reading.crm.put("user", "u1", name="Sally", email="sally@example.com")
    reading.crm.put("account", "a1", name="Acme", owner_id="u1", values={"Segment": "gold"})
    account = {"of": "account", "crm_field": "Segment", "direction": "both"}
    for name in ("custom.segment", "custom.tier"):
        await mapped(reading, SEGMENT | {"field": name}, account | {"field": name})
        await reading.sync("user", "account", "lead")
    await reread(reading, "lead", "account")
    told = [e for e in reading.heard.events if isinstance(e, ContactChanged | AccountChanged)]
    assert len(told) == 4
    assert len({event.event_id for event in told}) == 4
    before, after = (event for event in told if isinstance(event, ContactChanged))
    assert before.occurred_at < after.occurred_at


async def test_reading_of_new_fields_that_fails_goes_on_without_a_schedule(reading):
    for number in range(5):
        put(reading, f"l{number}", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    reading.crm.fails_at = lambda kind, page: page == "4"
    with pytest.raises(Transient):
        await reread(reading)
    reading.crm.fails_at = None
    await reading.turns()
    assert told_segments(reading) == {f"l{number}@example.com" for number in range(5)}
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert (lead.state, lead.error) == ("not read", "")


async def test_new_fields_that_the_crm_refuses_are_said_and_can_be_asked_for_again(reading, monkeypatch):
    put(reading, "l1", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    changed = type(reading.crm).changed

    async def refuses(*_: object) -> Any:
        raise Unsupported("The user may not read leads.")

    monkeypatch.setattr(type(reading.crm), "changed", refuses)
    assert await reread(reading) == []
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert (lead.state, lead.error) == ("failed", "The user may not read leads.")
    monkeypatch.setattr(type(reading.crm), "changed", changed)
    await reread(reading)
    assert told_segments(reading) == {"l1@example.com"}


async def test_who_is_told_again_after_a_crash_is_told_by_the_same_event(reading):
    for number in range(4):
        put(reading, f"l{number}", "gold")
    await without_segment(reading)
    await mapped(reading, SEGMENT)
    reading.heard.dies_after = len(reading.heard.events) + 4
    with pytest.raises(asyncio.CancelledError):
        await reread(reading)
    reading.heard.dies_after = None
    await reading.turns()
    told = [e for e in reading.heard.events if isinstance(e, ContactChanged) and e.fields.custom]
    assert (len(told), len({event.event_id for event in told})) == (6, 4)
    assert await offered(reading) == {}


async def a_page(reading: Any) -> None:
    """Of new fields: asked for, and left after one page."""
    await reading.shop.asked.new_fields(reading.connection.id, ["lead"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulling, "SLICE_SECONDS", 0.0)
        await reading.pulling().turn()


def told_segments(reading: Any) -> set[str]:
    return {e.email for e in reading.heard.events if isinstance(e, ContactChanged) and e.fields.custom}
