"""Rows out of modern REST."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector_sugar.modern import reading as reading_module
from leadbus.errors import Transient, Unsupported
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.site import SUGAR_7, SUITECRM_7, Protocols, Settings

FIELDS = ("last_name", "status", "converted", "date_entered", "birthdate", "lead_score_c")


def lead(crm: SugarCRM, **values: str) -> str:
    return desk.create(crm.store, "Leads", {"last_name": "Kot", **values})


async def test_values_come_in_the_kits_form_whatever_the_users_time_zone(crm: SugarCRM, site: Any) -> None:
    desk.set_timezone(crm.store, desk.ADMIN, "Asia/Tokyo")
    key = lead(crm, birthdate="1990-02-03", lead_score_c="71", converted="1", email1="Ann@Example.com")
    [entry] = await site.by_id("Leads", [key], FIELDS)
    at = datetime.fromisoformat(desk.records(crm.store, "Leads")[0]["date_entered"]).replace(tzinfo=UTC)
    assert entry.values == {
        "last_name": "Kot",
        "status": "",
        "converted": "true",
        "date_entered": at.isoformat(),
        "birthdate": "1990-02-03",
        "lead_score_c": "71",
    }
    assert entry.modified_at == at
    assert [(e.address, e.primary, e.opted_out) for e in entry.emails] == [("ann@example.com", True, False)]


async def test_flags_that_old_sites_spell_as_texts_are_read(start: Any, open_site: Any) -> None:
    async with start(protocols=SUGAR_7, settings=Settings(email_flags_as_text=True)) as crm:
        site = open_site(crm.url)
        key = lead(crm, email1="a@b.example", email_opt_out="1", email2="c@d.example")
        [entry] = await site.by_id("Leads", [key], ())
        assert [(e.primary, e.opted_out) for e in entry.emails] == [(True, True), (False, False)]
        await site.close()


async def test_amounts_are_plain_decimals(crm: SugarCRM, site: Any) -> None:
    ids = desk.opportunity(crm.store, "a@b.example", "Deal", "Prospecting", "1234.50")
    [entry] = await site.by_id("Opportunities", [ids["opportunity"]], ("amount", "date_closed"))
    assert entry.values["amount"] == "1234.5"


async def test_rows_by_id_include_deleted_ones_marked_so(crm: SugarCRM, site: Any) -> None:
    keys = [lead(crm) for _ in range(3)]
    desk.change(crm.store, "Leads", keys[1], {"deleted": "1"})
    entries = await site.by_id("Leads", [*keys, "never"], ())
    assert {entry.id: entry.deleted for entry in entries} == {
        keys[0]: False,
        keys[1]: True,
        keys[2]: False,
    }


async def test_many_ids_and_small_pages_of_the_server_lose_nothing(start: Any, open_site: Any) -> None:
    async with start(settings=Settings(largest_page=7)) as crm:
        site = open_site(crm.url)
        keys = {lead(crm) for _ in range(250)}
        assert {entry.id for entry in await site.by_id("Leads", keys, ())} == keys
        await site.close()


async def test_people_are_found_by_any_address_in_one_call_over_all_modules(crm: SugarCRM, site: Any) -> None:
    keys = {
        module: desk.create(
            crm.store,
            module,
            {"last_name": "Kot", "email1": f"x@{module}.example", "email2": "Two@b.example"},
        )
        for module in ("Leads", "Contacts", "Prospects")
    }
    gone = lead(crm, email1="two@b.example")
    desk.change(crm.store, "Leads", gone, {"deleted": "1"})
    await asyncio.gather(*(site.by_email(module, ["none@b.example"], ()) for module in keys))
    before = crm.calls.total()
    found = await asyncio.gather(*(site.by_email(module, ["two@b.example"], ()) for module in keys))
    assert crm.calls.total() - before == 1
    assert [[entry.id for entry in entries] for entries in found] == [[key] for key in keys.values()]


async def test_one_modules_refusal_among_reads_made_together_is_its_own(crm: SugarCRM, site: Any) -> None:
    key = lead(crm, email1="a@b.example")
    await asyncio.gather(*(site.by_email(module, ["a@b.example"], ()) for module in ("Leads", "Contacts")))
    desk.deny(crm.store, desk.ADMIN, "Contacts", "list")
    asked = (site.by_email(module, ["a@b.example"], ()) for module in ("Leads", "Contacts"))
    results: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
    found, refused = results
    assert [entry.id for entry in found] == [key]
    assert isinstance(refused, Unsupported)


async def test_rows_are_found_by_a_value_without_regard_to_case(crm: SugarCRM, site: Any) -> None:
    key = desk.create(crm.store, "Accounts", {"name": "Kot sp. z o.o."})
    found = await site.by_value("Accounts", "name", ["KOT SP. Z O.O.", "Other"], ("name",))
    assert [(entry.id, entry.values["name"]) for entry in found] == [(key, "Kot sp. z o.o.")]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "ROWS", 10)


async def walk(site: Any, since: datetime | None, **how: Any) -> list[Any]:
    """All pages; the places between them are those the adapter would keep."""
    found: list[Any] = []
    after = None
    while True:
        page = await site.changed("Leads", since, after, ("last_name",), {}, **how)
        found += page.entries
        if not page.more:
            return found
        last = page.entries[-1]
        after = (last.modified_at.isoformat(), last.id)


@pytest.mark.usefixtures("small_pages")
async def test_a_full_read_walks_by_time_and_id_and_counts_all_once(crm: SugarCRM, site: Any) -> None:
    keys = [lead(crm) for _ in range(35)]
    desk.change(crm.store, "Leads", keys[0], {"deleted": "1"})
    first = await site.changed("Leads", None, None, (), {})
    assert (first.total, first.more, len(first.entries)) == (34, True, 10)
    found = await walk(site, None)
    assert sorted(entry.id for entry in found) == sorted(keys[1:])


@pytest.mark.usefixtures("small_pages")
async def test_rows_that_change_while_pages_are_read_shift_nothing(crm: SugarCRM, site: Any) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"id": f"k{at:02}", "last_name": "Kot", "date_modified": f"2026-01-01 00:00:{at // 4:02}"}
        for at in range(40)
    ]
    desk.load(crm.store, "Leads", rows)
    page = await site.changed("Leads", long_ago, None, (), {})
    seen = [entry.id for entry in page.entries]
    desk.change(crm.store, "Leads", "k00", {"last_name": "Changed"})
    while page.more:
        last = page.entries[-1]
        page = await site.changed("Leads", long_ago, (last.modified_at.isoformat(), last.id), (), {})
        seen += [entry.id for entry in page.entries]
    assert seen == [*(f"k{at:02}" for at in range(40)), "k00"]


async def test_changes_include_deletions_from_their_time_on(crm: SugarCRM, site: Any) -> None:
    rows = [{"id": "old", "last_name": "Kot", "date_modified": "2026-01-01 00:00:00"}]
    desk.load(crm.store, "Leads", rows)
    key = lead(crm)
    desk.change(crm.store, "Leads", key, {"deleted": "1"})
    found = await walk(site, datetime.now(UTC) - timedelta(hours=1))
    assert [(entry.id, entry.deleted) for entry in found] == [(key, True)]


@pytest.mark.usefixtures("small_pages")
async def test_only_rows_of_the_wanted_teams_are_read(crm: SugarCRM, site: Any) -> None:
    west = desk.add_team(crm.store, "West")
    others = [lead(crm) for _ in range(25)]
    ours = [lead(crm, team_id=west, team_set_id=west, email1=f"p{at}@b.example") for at in range(2)]
    assert sorted(e.id for e in await walk(site, None, teams=[west])) == sorted(ours)
    assert len(await walk(site, None)) == len(ours) + len(others)
    found = await site.by_email("Leads", ["p0@b.example"], (), teams=["other"])
    assert found == []
    assert (await site.teams()) == {"Global": desk.GLOBAL_TEAM, "West": west}


async def test_a_site_without_teams_says_so(start: Any, open_site: Any) -> None:
    async with start(protocols=SUGAR_7) as crm:
        site = open_site(crm.url)
        with pytest.raises(Unsupported, match="teams"):
            await site.teams()
        await site.close()


async def test_related_rows_come_with_a_page_of_changes(crm: SugarCRM, site: Any) -> None:
    deals = [desk.opportunity(crm.store, f"p{at}@b.example", "Deal", "Prospecting", "1") for at in range(60)]
    page = await site.changed("Opportunities", None, None, ("name",), {"contacts": ("id",)})
    assert {entry.id: [row["id"] for row in entry.linked["contacts"]] for entry in page.entries} == {
        deal["opportunity"]: [deal["contact"]] for deal in deals
    }
    assert crm.calls["rest POST bulk"] == 2


@pytest.mark.usefixtures("small_pages")
async def test_members_of_a_list_come_in_pages_with_their_addresses(crm: SugarCRM, site: Any) -> None:
    target_list = desk.create(crm.store, "ProspectLists", {"name": "Newsletter", "list_type": "default"})
    keys = [lead(crm, email1=f"p{at}@b.example") for at in range(23)]
    for key in keys:
        desk.put_on_list(crm.store, target_list, "Leads", key)
    found: list[Any] = []
    more = True
    while more:
        page = await site.linked("ProspectLists", target_list, "leads", len(found))
        found += page.entries
        more = page.more
    assert sorted(entry.id for entry in found) == sorted(keys)
    assert all(entry.emails[0].primary for entry in found)


async def test_fields_are_described_with_types_lengths_and_options(crm: SugarCRM, site: Any) -> None:
    fields = {field.name: field for field in await site.fields("Leads")}
    assert (fields["last_name"].type, fields["last_name"].length, fields["last_name"].required) == (
        "text",
        100,
        True,
    )
    source = fields["lead_source"]
    assert source.type == "option"
    assert source.options is not None
    assert "Web Site" in source.options
    assert (fields["lead_score_c"].type, fields["lead_score_c"].custom) == ("number", True)
    assert (fields["birthdate"].type, fields["converted"].type) == ("date", "boolean")
    assert fields["date_modified"].type == "datetime"
    assert not fields["date_modified"].writable
    assert fields["assigned_user_id"].type == "reference"
    assert "notes" not in fields, "a link is no field"
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    again = {field.name: field for field in await site.fields("Leads")}
    assert "Leadbus" in (again["lead_source"].options or ())


async def test_a_module_that_does_not_exist_is_unsupported(site: Any) -> None:
    with pytest.raises(Unsupported, match="module"):
        await site.fields("Nothing")
    with pytest.raises(Unsupported):
        await site.by_id("Currencies", ["x"], ("iso4217",))


async def test_rights_are_what_is_not_denied(crm: SugarCRM, site: Any) -> None:
    desk.deny(crm.store, desk.ADMIN, "Tasks", "edit")
    desk.deny(crm.store, desk.ADMIN, "Opportunities")
    rights = await site.rights()
    assert rights["Leads"] == {"read", "write"}
    assert rights["Tasks"] == {"read"}
    assert rights["Opportunities"] == frozenset()
    assert "_hash" not in rights
    assert await site.user_id() == desk.ADMIN


async def test_the_site_tells_what_it_is_by_its_own_clock(start: Any, open_site: Any) -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    async with start(clock=lambda: at) as crm:
        site = open_site(crm.url)
        info = await site.info()
        assert info.now == at
        assert info.choice.startswith(f"SugarCRM {info.flavor} {info.version} speaks REST v11_27;")
        await site.close()


async def test_the_newest_version_known_to_both_is_found_in_a_few_calls(start: Any, open_site: Any) -> None:
    for versions in (("v10",), ("v10", "v11"), ("v10", "v11", "v11_1", "v11_2")):
        async with start(protocols=Protocols((), (), versions, "ENT", "8.0.0")) as crm:
            site = open_site(crm.url)
            assert f"REST {versions[-1]};" in (await site.info()).choice
            assert crm.calls["rest GET ping"] <= 6
            await site.close()


@pytest.mark.parametrize("fault", ["html_instead_of_json", "server_error_html", "too_many_requests"])
async def test_answers_that_are_no_json_are_trouble_that_passes(crm: SugarCRM, site: Any, fault: Any) -> None:
    crm.faults.add(fault, operation="rest POST Leads/filter", seconds=7, times=1)
    with pytest.raises(Transient) as raised:
        await site.by_id("Leads", ["x"], ())
    assert getattr(raised.value, "retry_after", 7) == 7
    assert await site.by_id("Leads", ["x"], ()) == []


async def test_a_site_without_modern_rest_is_not_served(start_crm: Any, open_site: Any) -> None:
    from connector_sugar.faults import NotServed

    async with start_crm(protocols=SUITECRM_7) as crm:
        site = open_site(crm.url)
        with pytest.raises(NotServed):
            await site.sign_in()
        await site.close()
