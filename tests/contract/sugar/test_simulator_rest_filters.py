"""Filters, orders and pages of modern REST."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.sugar import SugarCRM, desk

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
async def site(start_crm: Any) -> AsyncIterator[SugarCRM]:
    """Four contacts, A to D, at a known time."""
    async with start_crm(clock=lambda: NOW) as crm:
        other = desk.add_user(crm.store, "ada", "x", last_name="Nowak")
        account = desk.create(crm.store, "Accounts", {"name": "Kot 100%"})
        rows = (
            {"first_name": "Ann", "lead_score_c": "10", "birthdate": "2026-03-14", "email1": "a@b.test"},
            {"first_name": "ann_1", "lead_score_c": "20", "birthdate": "2026-03-15", "do_not_call": "1"},
            {"first_name": "Bob", "lead_score_c": "30", "birthdate": "2026-02-10", "assigned_user_id": other},
            {"title": "Boss", "birthdate": "2025-12-31", "account_id": account, "assigned_user_id": "1"},
        )
        for name, row in zip("ABCD", rows, strict=True):
            desk.create(crm.store, "Contacts", {"id": f"c-{name}", "last_name": name, **row})
        yield crm


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"last_name": "A"}, "A"),
        ({"last_name": {"$equals": "a"}}, "A"),
        ({"last_name": {"$not_equals": "A"}}, "BCD"),
        ({"title": {"$not_equals": "Boss"}}, "ABC"),
        ({"first_name": {"$starts": "an"}}, "AB"),
        ({"first_name": {"$ends": "_1"}}, "B"),
        ({"first_name": {"$contains": "n"}}, "AB"),
        ({"first_name": {"$contains": "%"}}, ""),
        ({"first_name": {"$not_contains": "n"}}, "CD"),
        ({"last_name": {"$in": ["A", "D"]}}, "AD"),
        ({"last_name": ["A", "D"]}, "AD"),
        ({"last_name": {"$in": []}}, ""),
        ({"first_name": {"$not_in": ["Ann", "Bob"]}}, "BD"),
        ({"first_name": {"$is_null": None}}, "D"),
        ({"first_name": {"$not_null": None}}, "ABC"),
        ({"title": {"$empty": ""}}, "ABC"),
        ({"title": {"$not_empty": ""}}, "D"),
        ({"lead_score_c": {"$lt": 20}}, "A"),
        ({"lead_score_c": {"$lte": "20"}}, "AB"),
        ({"lead_score_c": {"$gt": 10, "$lt": 30}}, "B"),
        ({"lead_score_c": {"$between": [20, 30]}}, "BC"),
        ({"do_not_call": True}, "B"),
        ({"do_not_call": "0"}, "ACD"),
        ({"$or": [{"last_name": "A"}, {"$and": [{"last_name": "C"}, {"first_name": "Bob"}]}]}, "AC"),
        ({"$owner": ""}, "D"),
        ({"$creator": ""}, "ABCD"),
        ({"$favorite": ""}, ""),
        ({"email": {"$in": ["A@B.test"]}}, "A"),
        ({"email_addresses.email_address": {"$starts": "a@"}}, "A"),
        ({"account_name": {"$contains": "100%"}}, "D"),
        ({"accounts.name": {"$starts": "Kot"}}, "D"),
        ({"full_name": "Bob C"}, "C"),
        ({"birthdate": {"$dateRange": "today"}}, "B"),
        ({"birthdate": {"$dateRange": "yesterday"}}, "A"),
        ({"birthdate": {"$dateRange": "tomorrow"}}, ""),
        ({"birthdate": {"$dateRange": "last_7_days"}}, "AB"),
        ({"birthdate": {"$dateRange": "this_month"}}, "AB"),
        ({"birthdate": {"$dateRange": "last_month"}}, "C"),
        ({"birthdate": {"$dateRange": "last_year"}}, "D"),
        ({"birthdate": {"$dateRange": "this_year"}}, "ABC"),
        ({"birthdate": {"$dateBetween": ["2026-02-10", "2026-03-14"]}}, "AC"),
        ({"birthdate": {"$last_x_days": 2}}, "AB"),
        ({"birthdate": {"$next_x_days": 1}}, "B"),
        ({"birthdate": {"$more_x_days_ago": 1}}, "CD"),
        ({"birthdate": {"$more_x_days_ahead": 1}}, ""),
        ({"date_modified": {"$dateRange": "today"}}, "ABCD"),
        ({"date_modified": {"$gte": "2026-03-15T13:00:00+01:00"}}, "ABCD"),
        ({"date_modified": {"$gt": "2026-03-15T12:00:00Z"}}, ""),
    ],
)
async def test_an_operator_lets_the_right_ones_through(rest: Any, filter_: Any, expected: str) -> None:
    assert await rest.found("Contacts", filter_) == [f"c-{name}" for name in expected]


@pytest.mark.parametrize(
    "filter_",
    [
        {"nonsense": "x"},
        {"last_name": {"$almost": "x"}},
        {"$almost": "x"},
        {"accounts.nonsense": "x"},
        {"nobody.name": "x"},
        {"parent_name": "x"},
        {"birthdate": {"$dateRange": "someday"}},
        {"date_modified": {"$gt": "yesterday"}},
        {"last_name": {"$between": ["A"]}},
        {"$or": "x"},
    ],
)
async def test_a_filter_that_is_none_is_refused(rest: Any, filter_: Any) -> None:
    body = {"filter": [filter_]}
    assert await rest.refused("POST", "/Contacts/filter", body) == (422, "invalid_parameter")


async def test_a_filter_may_be_in_the_query_string(rest: Any) -> None:
    for query in (
        "filter[0][last_name][$in][]=A&filter[0][last_name][$in][]=B",
        "filter[0][$or][0][last_name]=A&filter[0][$or][1][last_name][$equals]=B",
        'filter=[{"last_name":{"$lte":"B"}}]',
    ):
        for path in ("/Contacts", "/Contacts/filter"):
            page = await rest.do("GET", f"{path}?{query}&order_by=last_name:desc&fields=last_name")
            assert [record["last_name"] for record in page["records"]] == ["B", "A"]
        assert await rest.do("GET", f"/Contacts/count?{query}") == {"record_count": 2}


async def test_pages_go_on_until_minus_one(rest: Any) -> None:
    how = {"order_by": "last_name:asc,id:asc", "max_num": 3}
    first = await rest.do("POST", "/Contacts/filter", how)
    assert (len(first["records"]), first["next_offset"]) == (3, 3)
    last = await rest.do("POST", "/Contacts/filter", {**how, "offset": 3})
    assert ([record["id"] for record in last["records"]], last["next_offset"]) == (["c-D"], -1)
    exact = await rest.do("POST", "/Contacts/filter", {**how, "max_num": 4})
    assert (len(exact["records"]), exact["next_offset"]) == (4, -1)
    past = await rest.do("POST", "/Contacts/filter", {**how, "offset": 99})
    assert past == {"next_offset": -1, "records": []}
    assert await rest.refused("POST", "/Contacts/filter", {"order_by": "nonsense"}) == (
        422,
        "invalid_parameter",
    )
    assert await rest.refused("POST", "/Contacts/filter", {"max_num": "x"}) == (422, "invalid_parameter")


async def test_pages_have_twenty_records_and_never_more_than_the_server_allows(
    site: SugarCRM, rest: Any
) -> None:
    assert desk.load(site.store, "Leads", ({"last_name": f"L{at}"} for at in range(1003))) == 1003
    default = await rest.do("GET", "/Leads?fields=id")
    assert (len(default["records"]), default["next_offset"]) == (20, 20)
    large = await rest.do("GET", "/Leads?fields=id&max_num=5000")
    assert (len(large["records"]), large["next_offset"]) == (1000, 1000)


async def test_many_records_are_loaded_and_read_in_windows(site: SugarCRM, rest: Any) -> None:
    minutes = [f"2026-01-01 00:{at // 60:02}:{at % 60:02}" for at in range(0, 3000, 10)]
    rows = [
        {"last_name": f"T{at}", "email1": f"t{at}@load.test", "date_modified": minute, "lead_source": "Email"}
        for at, minute in enumerate(minutes)
    ]
    desk.load(site.store, "Prospects", rows)
    seen: list[str] = []
    window: dict[str, Any] = {"$gte": "2026-01-01T00:00:00Z"}
    while True:
        how = {"filter": [{"date_modified": window}], "order_by": "date_modified:asc,id:asc", "max_num": 100}
        page = (await rest.do("POST", "/Prospects/filter", {**how, "fields": "email1"}))["records"]
        seen += [record["email1"] for record in page]
        if len(page) < 100:
            break
        window = {"$gt": page[-1]["date_modified"]}
    assert seen == [row["email1"] for row in rows]
