"""Rows into modern REST: whole bulks, an outcome for each row, nothing twice."""

from collections.abc import Sequence
from typing import Any

import pytest

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.faults import NotServed
from connector_sugar.wire import Change
from leadbus.errors import Conflict, Gone, LeadbusError, OutcomeUnknown, Rejected, Transient
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.site import SUGAR_7, SUGAR_12, Settings

DONE = type(None)


def kinds(outcomes: Sequence[object]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def change(new: Change, **values: str) -> Change:
    return Change(new.id, values)


def written(crm: SugarCRM) -> int:
    return crm.calls["rest POST bulk"]


async def test_new_rows_go_in_whole_bulks_under_our_ids(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    rows = [new(f"p{at}@example.com", first_name="Ann", birthdate="1990-02-03") for at in range(120)]
    assert await site.create("Leads", rows) == [row.id for row in rows]
    assert stored().keys() == {row.id for row in rows}
    one = stored()[rows[7].id]
    assert (one["email"], one["first_name"], one["birthdate"]) == ("p7@example.com", "Ann", "1990-02-03")
    assert crm.calls.total() <= 12


async def test_few_rows_share_one_bulk(crm: SugarCRM, site: Any, new: Any, calls: Any) -> None:
    rows = [new() for _ in range(CAPABILITIES.fewest_rows_per_write)]
    await site.create("Leads", rows)
    [bulk] = [traces for operation, _, traces in calls.seen if operation == "POST bulk" and traces]
    assert bulk == [row.traceparent for row in rows]


async def test_one_refused_row_among_many_names_its_field(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    rows = [new(last_name="" if at == 7 else "Kot") for at in range(30)]
    outcomes = await site.create("Leads", rows)
    assert isinstance(outcomes[7], Rejected)
    assert (outcomes[7].field, "last_name" in str(outcomes[7])) == ("last_name", True)
    assert stored().keys() == {row.id for row in rows} - {rows[7].id}


async def test_a_refusals_own_text_is_never_repeated(crm: SugarCRM, site: Any, new: Any) -> None:
    crm.faults.add("refuse_row", field="last_name", matches="Kot", message="ann@example.com is no good")
    [outcome] = await site.create("Leads", [new(last_name="Kot")])
    assert isinstance(outcome, Rejected)
    assert "ann@example.com" not in str(outcome)


async def test_creating_what_exists_is_a_conflict_and_changes_nothing(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    first = new("ann@example.com", last_name="First")
    await site.create("Leads", [first])
    again = Change(first.id, {"last_name": "Second"}, email="ann@example.com")
    assert kinds(await site.create("Leads", [again, new()])) == [Conflict, str]
    assert stored()[first.id]["last_name"] == "First"
    desk.change(crm.store, "Leads", first.id, {"deleted": "1"})
    assert kinds(await site.create("Leads", [again])) == [Conflict]


@pytest.mark.parametrize("rows", [1, 60])
async def test_a_reply_lost_after_the_write_leaves_no_second_record(
    crm: SugarCRM, site: Any, new: Any, stored: Any, rows: int
) -> None:
    crm.faults.add("lost_reply_after_write", operation="rest POST bulk", times=1)
    people = [new(f"p{at}@example.com") for at in range(rows)]
    assert await site.create("Leads", people) == [p.id for p in people]
    assert stored().keys() == {p.id for p in people}


async def test_every_reply_lost_still_leaves_one_record_each(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    people = [new() for _ in range(3)]
    crm.faults.add("lost_reply_after_write", operation="rest POST bulk")
    assert await site.create("Leads", people) == [p.id for p in people]
    assert stored().keys() == {p.id for p in people}


async def test_a_lost_write_that_cannot_be_looked_up_is_unknown(crm: SugarCRM, site: Any, new: Any) -> None:
    await site.create("Leads", [new()])
    crm.faults.add("lost_reply_after_write", operation="rest POST bulk", times=1)
    looked_before = int(crm.protocols is SUGAR_12)
    crm.faults.add("http_500", operation="rest POST Leads/filter", skip=looked_before)
    with pytest.raises(OutcomeUnknown):
        await site.create("Leads", [new()])


async def test_a_lost_reply_to_an_update_is_repeated(crm: SugarCRM, site: Any, new: Any, stored: Any) -> None:
    people = [new() for _ in range(3)]
    await site.create("Leads", people)
    crm.faults.add("lost_reply_after_write", operation="rest POST bulk", times=1)
    outcomes = await site.update("Leads", [change(p, primary_address_city="Rome") for p in people])
    assert outcomes == [None] * 3
    assert {row["primary_address_city"] for row in stored().values()} == {"Rome"}


async def test_a_write_that_stays_without_a_reply_is_unknown_not_failed(
    crm: SugarCRM, site: Any, new: Any
) -> None:
    await site.create("Leads", [new()])
    crm.faults.add("server_error_html", operation="rest POST bulk")
    with pytest.raises(OutcomeUnknown):
        await site.create("Leads", [new(), new()])
    assert written(crm) <= 4


@pytest.mark.parametrize("protocols", [SUGAR_7, SUGAR_12])
async def test_a_row_on_which_the_server_dies_is_told_from_the_others(
    start: Any, open_site: Any, new: Any, protocols: Any
) -> None:
    async with start(protocols=protocols) as crm:
        site = open_site(crm.url)
        await site.create("Leads", [new()])
        rows = [new(last_name="bad" if at == 2 else "good") for at in range(6)]
        crm.faults.add("died_writing", field="last_name", matches="bad")
        outcomes = await site.create("Leads", rows)
        # It dies after storing the row: which is there, whatever the server said.
        assert outcomes == [row.id for row in rows]
        assert len(desk.records(crm.store, "Leads")) == 7
        await site.close()


async def test_a_server_that_dies_on_one_update_parks_that_row_alone(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    people = [new() for _ in range(5)]
    await site.create("Leads", people)
    crm.faults.add("died_writing", field="id", matches=people[1].id)
    outcomes = await site.update("Leads", [change(p, primary_address_city="Rome") for p in people])
    assert kinds(outcomes) == [DONE, Rejected, DONE, DONE, DONE]
    assert sum(row["primary_address_city"] == "Rome" for row in stored().values()) == 5


async def test_a_bulk_that_is_too_large_is_halved_and_the_limit_remembered(
    start: Any, open_site: Any, new: Any
) -> None:
    async with start(protocols=SUGAR_7, settings=Settings(largest_bulk=30)) as crm:
        site = open_site(crm.url)
        await site.create("Leads", [new()])
        before = written(crm)
        rows = [new() for _ in range(200)]
        assert await site.create("Leads", rows) == [row.id for row in rows]
        assert written(crm) - before == 4 + 8
        before = written(crm)
        assert await site.create("Leads", [new() for _ in range(100)])
        assert written(crm) - before == 4
        await site.close()


async def test_a_site_that_gives_its_own_ids_answers_them_and_is_not_written_twice(
    start: Any, open_site: Any, new: Any
) -> None:
    async with start(protocols=SUGAR_12, settings=Settings(own_ids=False)) as crm:
        site = open_site(crm.url)
        row = new("ann@example.com")
        [record] = await site.create("Leads", [row])
        assert isinstance(record, str)
        assert record != row.id
        assert await site.create("Leads", [row]) == [record]
        crm.faults.add("lost_reply_after_write", operation="rest POST bulk", times=1)
        other = new("bob@example.com")
        [found] = await site.create("Leads", [other])
        assert {r["id"] for r in desk.records(crm.store, "Leads")} == {record, found}
        await site.close()


async def test_without_own_ids_and_upsert_a_lost_write_is_not_repeated_blindly(
    start: Any, open_site: Any, new: Any
) -> None:
    async with start(protocols=SUGAR_7, settings=Settings(own_ids=False)) as crm:
        site = open_site(crm.url)
        await site.create("Leads", [new()])
        crm.faults.add("lost_reply_after_write", operation="rest POST bulk", times=1)
        with pytest.raises(OutcomeUnknown):
            await site.create("Leads", [new()])
        assert len(desk.records(crm.store, "Leads")) == 2
        await site.close()


async def test_a_site_whose_upsert_is_missing_after_all_is_written_to_plainly(
    start: Any, open_site: Any, new: Any
) -> None:
    async with start(protocols=SUGAR_12, settings=Settings(integrate_since=99)) as crm:
        site = open_site(crm.url)
        row = new()
        assert await site.create("Leads", [row]) == [row.id]
        assert kinds(await site.create("Leads", [row])) == [Conflict]
        await site.close()


async def test_updates_of_deleted_or_unknown_rows_are_gone(crm: SugarCRM, site: Any, new: Any) -> None:
    rows = [new("ann@example.com"), new(), new()]
    await site.create("Leads", rows[:2])
    desk.change(crm.store, "Leads", rows[0].id, {"deleted": "1"})
    outcomes = await site.update("Leads", [change(row, primary_address_city="Rome") for row in rows])
    assert kinds(outcomes) == [Gone, DONE, Gone]
    with_emails = [Change(row.id, {}, email="new@example.com") for row in rows]
    assert kinds(await site.update("Leads", with_emails)) == [Gone, DONE, Gone]
    assert kinds(await site.update("Leads", [Change(row.id, {}) for row in rows])) == [Gone, DONE, Gone]


async def test_a_new_email_takes_the_primary_place_and_leaves_the_others(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    row = new("ann@example.com")
    await site.create("Leads", [row])
    desk.change(crm.store, "Leads", row.id, {"email2": "home@example.com"})
    assert await site.update("Leads", [Change(row.id, {}, email="ann@example.org")]) == [None]
    assert stored()[row.id]["emails"] == ["ann@example.org", "home@example.com"]
    assert await site.update("Leads", [Change(row.id, {}, email="home@example.com")]) == [None]
    assert stored()[row.id]["emails"] == ["home@example.com"]


async def test_opting_out_keeps_address_and_the_rest_of_the_list(crm: SugarCRM, site: Any, new: Any) -> None:
    row = new("ann@example.com")
    await site.create("Leads", [row])
    desk.change(crm.store, "Leads", row.id, {"email2": "home@example.com"})
    assert await site.update("Leads", [Change(row.id, {}, opted_out=True)]) == [None]
    [entry] = await site.by_id("Leads", [row.id], ())
    assert [(e.address, e.primary, e.opted_out) for e in entry.emails] == [
        ("ann@example.com", True, True),
        ("home@example.com", False, False),
    ]
    assert await site.update("Leads", [Change(row.id, {}, email="new@example.com")]) == [None]
    [entry] = await site.by_id("Leads", [row.id], ())
    assert entry.emails[0].opted_out, "an opted-out person stays so at a new address"


async def test_an_opt_out_that_is_not_known_is_not_written(crm: SugarCRM, site: Any, new: Any) -> None:
    desk.create(crm.store, "Contacts", {"last_name": "Kot", "email1": "a@b.example", "email_opt_out": "1"})
    row = new("a@b.example")
    await site.create("Leads", [row])
    [entry] = await site.by_id("Leads", [row.id], ())
    assert entry.emails[0].opted_out, "one address, one opt-out, whoever has it"


async def test_values_are_written_by_the_type_of_their_fields(
    crm: SugarCRM, site: Any, new: Any, stored: Any
) -> None:
    row = new(lead_score_c="71", do_not_call="true", birthdate="1990-02-03", title="x" * 300)
    await site.create("Leads", [row])
    kept = stored()[row.id]
    assert (kept["lead_score_c"], kept["do_not_call"], kept["birthdate"]) == (71, 1, "1990-02-03")
    assert kept["title"] == "x" * 100
    task = Change("t-1", {"name": "Call", "date_due": "2026-03-01T09:30:00+02:00"})
    assert await site.create("Tasks", [task]) == ["t-1"]
    assert stored("Tasks")["t-1"]["date_due"] == "2026-03-01 07:30:00"
    cleared = change(row, lead_score_c="", birthdate="", do_not_call="false")
    assert await site.update("Leads", [cleared]) == [None]
    kept = stored()[row.id]
    assert (kept["lead_score_c"], kept["birthdate"], kept["do_not_call"]) == (None, None, 0)


async def test_rows_are_written_with_their_teams(crm: SugarCRM, site: Any, new: Any) -> None:
    team = desk.add_team(crm.store, "West")
    row = Change("l-1", {"last_name": "Kot"}, teams=(team, desk.GLOBAL_TEAM))
    assert await site.create("Leads", [row]) == ["l-1"]
    [entry] = await site.by_id("Leads", ["l-1"], ("team_name", "team_id"))
    assert entry.values["team_name"] == "West;Global"
    assert entry.values["team_id"] == team


async def test_new_rows_are_related_to_others(crm: SugarCRM, site: Any, new: Any) -> None:
    lead = new()
    await site.create("Leads", [lead])
    call = {"name": "Intro", "status": "Planned", "date_start": "2026-03-01T09:30:00+00:00"}
    calls = [
        Change(key, call, links={"leads": [target]}) for key, target in (("c-1", lead.id), ("c-2", "no"))
    ]
    outcomes = await site.create("Calls", calls)
    assert kinds(outcomes) == [str, Rejected]
    listing = await site.linked("Calls", "c-1", "leads", 0)
    assert [entry.id for entry in listing.entries] == [lead.id]


async def test_denied_rights_park_the_rows_with_a_reason(crm: SugarCRM, site: Any, new: Any) -> None:
    desk.deny(crm.store, desk.ADMIN, "Leads", "edit")
    [outcome] = await site.create("Leads", [new()])
    assert isinstance(outcome, Rejected)
    assert "role" in str(outcome)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("html_instead_of_json", OutcomeUnknown),
        ("too_many_requests", Transient),
        ("maintenance", Transient),
    ],
)
async def test_trouble_with_all_rows_is_raised(
    crm: SugarCRM, site: Any, new: Any, fault: Any, error: type[LeadbusError]
) -> None:
    await site.create("Leads", [new()])
    crm.faults.add(fault, operation="rest POST bulk")
    with pytest.raises(error) as raised:
        await site.create("Leads", [new() for _ in range(30)])
    assert not isinstance(raised.value, NotServed)
