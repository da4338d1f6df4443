"""Full readings by file, against the simulator's bulk read."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector_zoho import changes
from connector_zoho.bulk import Bulk
from connector_zoho.client import ZohoClient
from connector_zoho.pages import Place
from connector_zoho.reading import Reading
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Page, Person, Row
from leadbus.errors import Unsupported
from leadbus.messages import Record
from sandbox.zoho import Zoho

MADE, LOOKED, FETCHED = "POST bulk/read", "GET bulk/read/:id", "GET bulk/read/:id/result"
Open = Callable[..., Reading]


@pytest.fixture
def open_reading(read_with: Callable[..., Reading]) -> Open:
    """Readings that take everything above ten rows by file; keywords map further fields."""

    def opened(**more: str) -> Reading:
        mapped = {"Interests": "lead", "Visit": "lead", **more}
        fields = [{"of": of, "field": f"custom.{name}", "crm_field": name} for name, of in mapped.items()]
        return read_with(bulk_above=10, fields=fields)

    return opened


async def pages(reading: Reading, kind: Kind, token: str | None = None) -> list[Page[Row]]:
    found = [await reading.changed(kind, None, token)]
    while (token := found[-1].next) is not None:
        found.append(await reading.changed(kind, None, token))
    return found


def people(crm: Zoho, module: str, number: int, **values: Any) -> list[str]:
    rows = [{"Last_Name": f'"N", {n}', "Email": f"P{n}@x.test", **values} for n in range(number)]
    return crm.desk.load(module, rows)


def ids(found: list[Page[Row]]) -> list[str]:
    return [row.record.id for page in found for row in page.rows]


async def test_everything_comes_by_file_a_thousand_rows_a_page_for_a_handful_of_calls(
    crm: Zoho, open_reading: Open
) -> None:
    keys = people(crm, "Contacts", 2_500)
    found = await pages(open_reading(), "contact")
    assert sorted(ids(found)) == sorted(keys)
    assert [len(page.rows) for page in found] == [1_000, 1_000, 500]
    assert {page.total for page in found} == {2_500}
    assert len({page.server_time for page in found}) == 1
    assert (crm.calls[MADE], crm.calls[LOOKED], crm.calls[FETCHED], crm.calls["list"]) == (1, 1, 1, 0)


async def test_a_row_from_a_file_is_the_same_as_one_that_is_read(crm: Zoho, open_reading: Open) -> None:
    crm.desk.add_field("Leads", "Interests", "multiselectpicklist", options="Pumps|Valves|Bolts")
    crm.desk.add_field("Leads", "Visit", "datetime")
    user = crm.desk.add_user("grace@x.test")
    keys = people(
        crm,
        "Leads",
        12,
        Owner=user,
        Email_Opt_Out=True,
        Lead_Status="Contacted",
        Interests=["Pumps", "Bolts"],
        Visit="2026-01-12T10:30:00+01:00",
        Description="One line\nand, another",
    )
    reading = open_reading()
    filed = {row.record.id: row for page in await pages(reading, "lead") for row in page.rows}
    read = await reading.read([Record(module="Leads", id=key) for key in keys])
    assert crm.calls[MADE] == 1
    assert filed == read
    row = filed[keys[0]]
    assert isinstance(row, Person)
    assert (row.owner_id, row.opted_out, row.email) == (user, True, "p0@x.test")
    assert (row.values["Interests"], row.values["Description"]) == ("Pumps;Bolts", "One line\nand, another")


async def test_converted_leads_follow_the_file_that_leaves_them_out(crm: Zoho, open_reading: Open) -> None:
    keys = people(crm, "Leads", 20, Company="Engines")
    contact = crm.desk.convert(keys[0])
    found = await pages(open_reading(), "lead")
    assert sorted(ids(found)) == sorted(keys)
    (converted,) = [row for page in found for row in page.rows if isinstance(row, Person) and not row.open]
    assert converted.converted_to == Record(module="Contacts", id=contact)


async def test_another_process_goes_on_in_the_middle_of_a_file(crm: Zoho, open_reading: Open) -> None:
    keys = people(crm, "Contacts", 2_500)
    first = await open_reading().changed("contact", None, None)
    rest = await pages(open_reading(), "contact", first.next)
    assert sorted(ids([first, *rest])) == sorted(keys)
    assert (crm.calls[MADE], crm.calls[FETCHED]) == (1, 2)


async def test_a_page_that_is_asked_for_once_more_is_the_same_page(crm: Zoho, open_reading: Open) -> None:
    people(crm, "Contacts", 2_500)
    reading = open_reading()
    first = await reading.changed("contact", None, None)
    second = await reading.changed("contact", None, first.next)
    third = await reading.changed("contact", None, second.next)
    assert ids([third]) != ids([second])
    assert await reading.changed("contact", None, first.next) == second
    both = await asyncio.gather(*(reading.changed("contact", None, first.next) for _ in range(2)))
    assert both == [second, second]


async def test_more_rows_than_one_file_holds_come_in_several(crm: Zoho, open_reading: Open) -> None:
    crm.site.settings = replace(crm.site.settings, bulk_rows=1_000)
    keys = people(crm, "Contacts", 2_500)
    found = await pages(open_reading(), "contact")
    assert sorted(ids(found)) == sorted(keys)
    assert crm.calls[MADE] == 3


async def test_while_a_file_is_prepared_pages_are_empty_and_their_token_stays_good(
    crm: Zoho, client: ZohoClient, open_reading: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LATER_LOOKS", (0.0, 0.01))
    crm.site.settings = replace(crm.site.settings, bulk_seconds=3_600)
    keys = people(crm, "Contacts", 20)
    job = await Bulk(client).begin("Contacts", ["Email"], None)
    token = replace(Place("Contacts", "file", server_time=datetime.now(UTC)), job=job).token()
    reading = open_reading()
    page = await reading.changed("contact", None, token)
    assert (page.rows, page.next) == ([], token)
    crm.site.settings = replace(crm.site.settings, bulk_seconds=0)
    assert sorted(ids(await pages(reading, "contact", token))) == sorted(keys)
    assert crm.calls[MADE] == 1


async def test_where_a_file_fails_everything_comes_page_by_page(crm: Zoho, open_reading: Open) -> None:
    keys = people(crm, "Leads", 450)
    crm.site.bulk_fails = True
    found = await pages(open_reading(), "lead")
    assert sorted(ids(found)) == sorted(keys)
    assert crm.calls["list"] == 3


async def test_a_mapped_field_that_is_not_there_any_more_does_not_keep_the_file_from_coming(
    crm: Zoho, open_reading: Open
) -> None:
    keys = people(crm, "Contacts", 20, Phone="1")
    (page,) = await pages(open_reading(Gone="contact"), "contact")
    assert sorted(ids([page])) == sorted(keys)
    assert {row.values["Phone"] for row in page.rows} == {"1"}
    assert (crm.calls[MADE], crm.calls["list"]) == (1, 0)


async def test_where_there_is_no_room_for_a_file_everything_comes_page_by_page(
    crm: Zoho, open_reading: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    keys = people(crm, "Contacts", 20)
    found = await pages(open_reading(), "contact")
    assert sorted(ids(found)) == sorted(keys)
    assert (crm.calls[FETCHED], crm.calls["list"]) == (0, 1)


async def test_a_job_that_zoho_does_not_know_any_more_is_begun_anew(crm: Zoho, open_reading: Open) -> None:
    keys = people(crm, "Contacts", 20)
    now = datetime.now(UTC)
    token = replace(Place("Contacts", "file", server_time=now), job="99", row=1_000).token()
    found = await pages(open_reading(), "contact", token)
    assert sorted(ids(found)) == sorted(keys)
    assert crm.calls[MADE] == 1


async def test_a_page_token_of_the_next_file_that_has_expired_begins_with_the_first_file(
    crm: Zoho, open_reading: Open
) -> None:
    keys = people(crm, "Contacts", 20)
    lost = Place("Contacts", "file", server_time=datetime.now(UTC)).next_file("lost")
    found = await pages(open_reading(), "contact", lost.token())
    assert sorted(ids(found)) == sorted(keys)


async def test_changes_never_come_by_file(crm: Zoho, open_reading: Open) -> None:
    keys = people(crm, "Contacts", 20)
    since = datetime.now(UTC) - timedelta(hours=1)
    page = await open_reading().changed("contact", since, None)
    assert sorted(ids([page])) == sorted(keys)
    assert crm.calls[MADE] == 0


async def test_a_file_that_our_user_may_not_have_is_refused(crm: Zoho, client: ZohoClient) -> None:
    crm.desk.forbid("Contacts", ["view"])
    with pytest.raises(Unsupported):
        await Bulk(client).begin("Contacts", ["Email"], None)
