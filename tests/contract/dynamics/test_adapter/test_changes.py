"""Everything of a kind, and what has changed since."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector_dynamics.changes import Changes
from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import CrmActivity, Page, Person, Row
from leadbus.errors import Gone
from leadbus.messages import Record
from sandbox.dynamics import Dynamics
from sandbox.dynamics.record import Reference

Walk = Callable[..., Awaitable[tuple[list[Row], Page[Row]]]]
Ids = Callable[[list[Row]], set[str]]
TRACKED = pytest.mark.parametrize("version", ["9.2", "2016"])
UNTRACKED = pytest.mark.parametrize("version", ["2011"])


def _leads(crm: Dynamics, *names: str) -> list[str]:
    return [crm.desk.create("lead", {"lastname": name}) for name in names]


async def test_everything_that_lives_is_read_and_then_only_what_has_changed(
    crm: Dynamics, verbs: Verbs, walk: Walk, ids: Ids
) -> None:
    before = datetime.now(UTC) - timedelta(days=1)
    rows = [{"lastname": str(n), "createdon": before, "modifiedon": before} for n in range(30)]
    keys = crm.desk.load("lead", rows)
    crm.desk.delete("lead", keys.pop())
    everything, last = await walk(verbs, "lead")
    assert ids(everything) == set(keys)
    assert abs(last.server_time - datetime.now(UTC)) < timedelta(minutes=1)
    since = last.server_time - timedelta(minutes=2)
    crm.desk.change("lead", keys[3], {"lastname": "Lovelace"})
    (new,) = _leads(crm, "Babbage")
    changed, last = await walk(verbs, "lead", since, last.mark)
    assert {keys[3], new} <= ids(changed)
    assert not ids(changed) & set(keys[4:])
    assert [row.values["lastname"] for row in changed if row.record.id == keys[3]] == ["Lovelace"]


@TRACKED
async def test_what_was_deleted_is_told_where_changes_are_tracked(
    crm: Dynamics, verbs: Verbs, walk: Walk
) -> None:
    ada, _ = _leads(crm, "Lovelace", "Babbage")
    _, last = await walk(verbs, "lead")
    since = last.server_time - timedelta(minutes=2)
    crm.desk.delete("lead", ada)
    changed, last = await walk(verbs, "lead", since, last.mark)
    assert [(row.record.id, row.deleted) for row in changed] == [(ada, True)]
    assert isinstance(changed[0], Person)
    changed, _ = await walk(verbs, "lead", since, last.mark)
    assert changed == []


@TRACKED
async def test_a_mark_that_is_too_old_or_of_other_fields_or_not_tracked_any_more_is_gone(
    crm: Dynamics, verbs: Verbs, open_with: Callable[..., Any], walk: Walk
) -> None:
    _leads(crm, "Lovelace")
    _, last = await walk(verbs, "lead")
    since, mark = last.server_time, last.mark
    assert mark is not None
    field = {"of": "lead", "field": "custom.quality", "crm_field": "leadqualitycode"}
    other = (await open_with(fields=[field])).verbs
    with pytest.raises(Gone):
        await walk(other, "lead", since, mark)
    crm.desk.expire_changes()
    with pytest.raises(Gone):
        await walk(verbs, "lead", since, mark)
    _, last = await walk(verbs, "lead")
    crm.desk.track("lead", tracked=False)
    unaware = (await open_with()).verbs
    with pytest.raises(Gone):
        await walk(unaware, "lead", since, last.mark)


@TRACKED
async def test_a_page_is_gone_once_other_fields_are_read_or_changes_are_not_tracked_any_more(
    crm: Dynamics, open_with: Callable[..., Any]
) -> None:
    crm.site.settings = replace(crm.site.settings, page_size=2)
    _leads(crm, "Lovelace", "Babbage", "Byron")
    reading = (await open_with()).verbs.reading
    page = await reading.changed("lead", None, None, None)
    assert page.next is not None
    field = {"of": "lead", "field": "custom.quality", "crm_field": "leadqualitycode"}
    with pytest.raises(Gone):
        await (await open_with(fields=[field])).verbs.reading.changed("lead", None, page.next, None)
    crm.desk.track("lead", tracked=False)
    for unaware_or_not in (reading, (await open_with()).verbs.reading):
        with pytest.raises(Gone):
            await unaware_or_not.changed("lead", None, page.next, None)


async def test_a_mapped_column_that_is_dropped_costs_nothing_but_another_reading(
    crm: Dynamics, open_with: Callable[..., Any], walk: Walk, ids: Ids
) -> None:
    crm.desk.add_attribute("lead", "new_Quality")
    field = {"of": "lead", "field": "custom.quality", "crm_field": "new_quality"}
    verbs = (await open_with(fields=[field])).verbs
    key = crm.desk.create("lead", {"lastname": "Lovelace", "emailaddress1": "ada@example.test"})
    _, last = await walk(verbs, "lead")
    since = last.server_time - timedelta(minutes=2)
    crm.desk.drop_attribute("lead", "new_quality")
    if last.mark is not None:
        with pytest.raises(Gone, match="Other fields"):
            await walk(verbs, "lead", since, last.mark)
    assert ids((await walk(verbs, "lead"))[0]) == {key}
    assert ids((await walk(verbs, "lead", since))[0]) == {key}


async def test_people_are_found_although_a_mapped_column_was_dropped(
    crm: Dynamics, open_with: Callable[..., Any]
) -> None:
    crm.desk.add_attribute("lead", "new_Quality")
    field = {"of": "lead", "field": "custom.quality", "crm_field": "new_quality"}
    verbs = (await open_with(fields=[field])).verbs
    key = crm.desk.create("lead", {"lastname": "Lovelace", "emailaddress1": "ada@example.test"})
    assert await verbs.reading.find_by_email(["ada@example.test"])
    crm.desk.drop_attribute("lead", "new_quality")
    found = await verbs.reading.find_by_email(["ada@example.test"])
    assert [one.record.id for one in found["ada@example.test"]] == [key]
    assert (await verbs.reading.read([Record(module="lead", id=key)])).keys() == {key}


async def test_where_changes_are_not_tracked_they_are_read_by_time(
    crm: Dynamics, verbs: Verbs, walk: Walk, ids: Ids
) -> None:
    crm.desk.track("lead", tracked=False)
    (old,) = crm.desk.load(
        "lead", [{"lastname": "Byron", "createdon": datetime.now(UTC) - timedelta(hours=1)}]
    )
    everything, last = await walk(verbs, "lead")
    assert ids(everything) == {old}
    assert last.mark is None
    (ada,) = _leads(crm, "Lovelace")
    changed, last = await walk(verbs, "lead", last.server_time - timedelta(minutes=2))
    assert ids(changed) == {ada}
    assert last.mark is None


@TRACKED
async def test_where_the_crm_refuses_to_tell_tracked_changes_they_are_read_by_time(
    crm: Dynamics, open_with: Callable[..., Any], walk: Walk, ids: Ids
) -> None:
    opened = await open_with()
    ada, ben = _leads(crm, "Lovelace", "Babbage")
    assert await opened.organisation.tracks("lead")  # as it is remembered from now on
    crm.desk.track("lead", tracked=False)
    changes = Changes(opened.organisation, opened.verbs.reading._looking, rows=1)
    page = await changes.changed("lead", None, None, None)
    rows = [*page.rows]
    while page.next is not None:
        page = await changes.changed("lead", None, page.next, None)
        rows += page.rows
    assert ids(rows) == {ada, ben}
    assert page.mark is None


async def test_pages_follow_each_other_in_order_of_change_and_after_a_restart(
    crm: Dynamics, opened: Any, open_with: Callable[..., Any], ids: Ids
) -> None:
    crm.desk.track("lead", tracked=False)
    begun = datetime.now(UTC) - timedelta(days=2)
    moments = [begun + timedelta(minutes=number // 4) for number in range(25)]
    keys = crm.desk.load("lead", [{"lastname": "X", "createdon": at, "modifiedon": at} for at in moments])
    first = Changes(opened.organisation, opened.verbs.reading._looking, rows=10)
    page = await first.changed("lead", begun, None, None)
    assert page.next is not None
    again = await open_with(score_field="new_score")
    later = Changes(again.organisation, again.verbs.reading._looking, rows=10)
    rows = [*page.rows]
    while page.next is not None:
        page = await later.changed("lead", begun, page.next, None)
        rows += page.rows
    assert ids(rows) == set(keys)
    assert len(rows) == 25
    times = [row.changed_at for row in rows if row.changed_at]
    assert times == sorted(times)


async def test_activities_of_all_types_are_read_and_each_with_its_own_mark(
    crm: Dynamics, verbs: Verbs, walk: Walk
) -> None:
    (lead,) = _leads(crm, "Lovelace")
    due = "2027-01-31T09:00:00Z"
    for entity in ("task", "phonecall", "appointment", "email"):
        when = {"scheduledstart" if entity == "appointment" else "scheduledend": due}
        about = {"subject": entity, "prioritycode": 2, "regardingobjectid": ("lead", lead)}
        crm.desk.create(entity, about | when)
    crm.desk.create("annotation", {"subject": "annotation", "objectid": ("lead", lead)})
    rows, last = await walk(verbs, "activity")
    read = [row for row in rows if isinstance(row, CrmActivity)]
    assert {row.about for row in read} == {(lead,)}
    assert sorted((row.type, row.subject, row.status) for row in read) == [
        ("call", "phonecall", "Open"),
        ("email", "email", "Draft"),
        ("meeting", "appointment", "Free"),
        ("note", "annotation", None),
        ("task", "task", "Not Started"),
    ]
    told = {(row.priority, row.due_at) for row in read if row.type != "note"}
    assert told == {("High", datetime.fromisoformat(due))}
    note = next(row.record.id for row in rows if row.record.module == "annotation")
    crm.desk.change("annotation", note, {"subject": "Changed"})
    changed, again = await walk(verbs, "activity", last.server_time, last.mark)
    assert note in [row.record.id for row in changed]
    if last.mark is not None:
        assert json.loads(last.mark).keys() == json.loads(again.mark or "{}").keys()


async def test_activities_that_hang_on_nobody_are_about_the_people_who_take_part(
    crm: Dynamics, verbs: Verbs, walk: Walk
) -> None:
    ada, ben = _leads(crm, "Lovelace", "Babbage")
    grace = crm.desk.create("contact", {"lastname": "Hopper"})
    deal = crm.desk.create("opportunity", {"name": "Engines"})
    to = {"from": [Reference("systemuser", crm.user_id)], "to": [Reference("lead", ada)]}
    cc = {"cc": [Reference("contact", grace)], "regardingobjectid": ("opportunity", deal)}
    email = crm.desk.create("email", {"subject": "Prices"} | to | cc)
    call = crm.desk.create("phonecall", {"subject": "Ring", "regardingobjectid": ("lead", ben)} | to)
    gone = crm.desk.create("phonecall", {"subject": "Ring"} | to)
    crm.desk.change("phonecall", gone, {"to": []})
    rows, _ = await walk(verbs, "activity")
    about = {row.record.id: set(row.about) for row in rows if isinstance(row, CrmActivity)}
    assert about == {email: {deal, ada, grace}, call: {ben}, gone: set()}


async def test_activities_come_without_those_that_the_user_may_not_read(
    crm: Dynamics, verbs: Verbs, walk: Walk
) -> None:
    crm.desk.create("task", {"subject": "Call"})
    crm.desk.create("annotation", {"subject": "Visit"})
    crm.desk.forbid("annotation")
    rows, _ = await walk(verbs, "activity")
    assert [row.record.module for row in rows] == ["task"]


async def test_a_qualified_lead_is_told_with_its_contact(crm: Dynamics, verbs: Verbs, walk: Walk) -> None:
    ada, ben = _leads(crm, "Lovelace", "Babbage")
    contact = crm.desk.qualify(ada)
    rows, _ = await walk(verbs, "lead")
    became = {row.record.id: row.converted_to for row in rows if isinstance(row, Person)}
    assert became[ben] is None
    assert became[ada] is not None
    assert (became[ada].module, became[ada].id) == ("contact", contact)


async def test_users_accounts_and_opportunities_are_read_too(
    crm: Dynamics, verbs: Verbs, walk: Walk, ids: Ids
) -> None:
    account = crm.desk.create("account", {"name": "Engines Ltd"})
    deal = crm.desk.create("opportunity", {"name": "Engines", "customerid": ("account", account)})
    user = crm.desk.add_user("CONTOSO\\grace", disabled=True)
    assert ids((await walk(verbs, "account"))[0]) == {account}
    assert ids((await walk(verbs, "opportunity"))[0]) == {deal}
    users = {row.record.id: row for row in (await walk(verbs, "user"))[0]}
    assert user in users
    assert crm.user_id in users
