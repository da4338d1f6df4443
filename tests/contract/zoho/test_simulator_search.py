"""The simulator's search, COQL and count; by the contract notes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

PEOPLE = (
    {"Last_Name": "Kot", "Email": "Ewa@kot.test", "City": "Krakow", "Annual_Revenue": 10},
    {
        "Last_Name": "Kotek",
        "Email": "ola@kotek.test",
        "City": "Gdynia",
        "Email_Opt_Out": True,
        "Phone": "123",
    },
    {"Last_Name": "Lis (jr)", "Email": "jan@lis.test", "City": "Krakow", "Tag": ["vip"]},
)


@pytest.fixture
def people(crm: Any) -> list[str]:
    return [crm.desk.create("Leads", person) for person in PEOPLE]


async def found(api: Any, **params: str) -> list[str]:
    """Last names, sorted."""
    answer = await api.ask("GET", "/Leads/search", params=params)
    assert answer.status_code in {200, 204}, answer.text
    return sorted(row["Last_Name"] for row in answer.json()["data"]) if answer.content else []


async def asked(api: Any, where: str, **more: str) -> list[str]:
    """Last names, in the answer's order."""
    query = f"select id, Last_Name from Leads where {where} {more.get('then', '')}"
    answer = await api.ask("POST", "/coql", {"select_query": query})
    assert answer.status_code in {200, 204}, answer.text
    return [row["Last_Name"] for row in answer.json()["data"]] if answer.content else []


@pytest.mark.usefixtures("people")
async def test_equals_on_text_means_contains(api: Any) -> None:
    assert await found(api, criteria="(Last_Name:equals:Kot)") == ["Kot", "Kotek"]
    assert await found(api, criteria="(Last_Name:starts_with:Kote)") == ["Kotek"]
    assert await found(api, criteria=r"(Last_Name:equals:Lis \(jr\))") == ["Lis (jr)"]
    assert await found(api, criteria="((City:equals:Krakow)and(Last_Name:equals:Kot))") == ["Kot"]
    assert await found(api, criteria="((City:equals:Gdynia)or(Last_Name:equals:Lis))") == [
        "Kotek",
        "Lis (jr)",
    ]
    assert await found(api, criteria="(Tag:equals:vip)") == ["Lis (jr)"]
    assert await found(api, criteria="(Annual_Revenue:greater_than:5)") == ["Kot"]
    assert await found(api, criteria="(Email_Opt_Out:equals:true)") == ["Kotek"]
    assert await found(api, criteria="(Email:in:ewa@kot.test,jan@lis.test)") == ["Kot", "Lis (jr)"]


@pytest.mark.usefixtures("people")
async def test_email_phone_and_word_are_ways_of_their_own(api: Any) -> None:
    assert await found(api, email="ewa@kot.test") == ["Kot"]
    assert await found(api, phone="123") == ["Kotek"]
    assert await found(api, word="gdynia") == ["Kotek"]
    assert await found(api, email="ewa@kot") == []
    assert await api.refused("GET", "/Leads/search") == (400, "REQUIRED_PARAM_MISSING")
    assert await api.refused("GET", "/Leads/search?criteria=(Email:equals") == (400, "INVALID_QUERY")
    assert await api.refused("GET", "/Leads/search?criteria=(Nothing:equals:x)") == (400, "INVALID_QUERY")
    eleven = "or".join(["(City:equals:x)"] * 11)
    assert await api.refused("GET", "/Leads/search", params={"criteria": eleven}) == (400, "LIMIT_EXCEEDED")


async def test_the_index_lags_behind_writes(start_zoho: Any, connect_zoho: Any) -> None:
    clock = [datetime(2026, 5, 1, 12, 0, tzinfo=UTC)]
    options = {"search_lag_seconds": 30.0, "clock": lambda: clock[0]}
    async with start_zoho(**options) as crm, connect_zoho(crm) as api:
        crm.desk.create("Leads", PEOPLE[0])
        assert await found(api, email="ewa@kot.test") == []
        assert await asked(api, "Email = 'ewa@kot.test'") == ["Kot"]
        clock[0] += timedelta(seconds=30)
        assert await found(api, email="ewa@kot.test") == ["Kot"]


@pytest.mark.usefixtures("people")
async def test_coql_compares_joins_orders_and_limits(api: Any) -> None:
    assert await asked(api, "Email in ('EWA@kot.test', 'jan@lis.test')") == ["Kot", "Lis (jr)"]
    assert await asked(api, "Email_Opt_Out = 'false'") == ["Kot", "Lis (jr)"]
    assert await asked(api, "Last_Name like 'Kot%'", then="order by Last_Name desc") == ["Kotek", "Kot"]
    assert await asked(api, "City = 'Krakow' and Last_Name != 'Kot'") == ["Lis (jr)"]
    both = "((City = 'Krakow' and Last_Name = 'Kot') or City = 'Gdynia')"
    assert await asked(api, both) == ["Kot", "Kotek"]
    assert await asked(api, "Phone is not null") == ["Kotek"]
    assert await asked(api, "Annual_Revenue >= 10") == ["Kot"]
    assert await asked(api, "City is not null", then="order by Last_Name limit 1, 1") == ["Kotek"]
    assert await asked(api, "City is not null", then="order by Last_Name limit 1 offset 2") == ["Lis (jr)"]
    assert await asked(api, "Modified_Time >= '2020-01-01T00:00:00+00:00' and City = 'Gdynia'") == ["Kotek"]
    assert await asked(api, "Modified_Time < '2020-01-01T00:00:00+00:00'") == []


async def test_coql_gives_other_records_by_their_ids_and_says_if_there_is_more(
    api: Any, crm: Any, people: list[str]
) -> None:
    query = "select Owner, Last_Name from Leads where id is not null limit 2"
    answer = await api.do("POST", "/coql", {"select_query": query})
    assert answer["data"][0] == {
        "id": people[0],
        "Owner": {"id": crm.site.primary.id},
        "Last_Name": "Kot",
    }
    assert answer["info"] == {"count": 2, "more_records": True}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Leads", "SYNTAX_ERROR"),
        ("select id from Leads where City = 'a' and City = 'b' and City = 'c'", "SYNTAX_ERROR"),
        ("select id from Leads where City ~ 'a'", "SYNTAX_ERROR"),
        ("select id from Sheep where City = 'a'", "INVALID_MODULE"),
        ("select id, Wool from Leads where City = 'a'", "INVALID_QUERY"),
        ("select id from Leads where Description = 'a'", "INVALID_QUERY"),
        ("select id from Leads where Email_Opt_Out = 'no'", "INVALID_QUERY"),
        ("select id from Leads where Modified_Time > 'today'", "INVALID_QUERY"),
        ("select City, City from Leads where City = 'a'", "DUPLICATE_DATA"),
        ("select id from Leads where City = 'a' limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Leads where City = 'a' limit 99000, 2000", "LIMIT_EXCEEDED"),
        (f"select id from Leads where City in ({', '.join(['1'] * 51)})", "LIMIT_EXCEEDED"),
    ],
)
async def test_a_wrong_query_is_refused(api: Any, query: str, code: str) -> None:
    assert await api.refused("POST", "/coql", {"select_query": query}) == (400, code)


@pytest.mark.usefixtures("people")
async def test_counting_takes_one_way_of_asking(api: Any) -> None:
    async def count(**params: str) -> Any:
        return (await api.do("GET", "/Leads/actions/count", params=params))["count"]

    assert await count() == 3
    assert await count(criteria="(City:equals:Krakow)") == 2
    assert await count(email="nobody@example.test") == 0
    refused = await api.refused("GET", "/Leads/actions/count", params={"word": "a", "email": "b"})
    assert refused == (400, "AMBIGUITY_DURING_PROCESSING")


async def test_converted_leads_are_found_only_if_asked_for(api: Any, crm: Any, people: list[str]) -> None:
    crm.desk.convert(people[0])
    assert await asked(api, "City = 'Krakow'") == ["Lis (jr)"]
    assert await asked(api, "City = 'Krakow' and Converted__s = 'true'") == ["Kot"]
    assert await found(api, criteria="(City:equals:Krakow)", converted="both") == ["Kot", "Lis (jr)"]
    listed = await api.do("GET", "/Leads?fields=Converted_Contact,Converted__s&converted=true")
    assert [(row["id"], row["Converted__s"]) for row in listed["data"]] == [(people[0], True)]
    assert await api.refused("GET", f"/Leads/{people[0]}") == (400, "INVALID_DATA")
    assert (await api.ask("GET", f"/Leads/{people[0]}?converted=true")).status_code == 200
    updated = await api.ask("PUT", "/Leads", {"data": [{"id": people[0], "City": "x"}]})
    assert updated.json()["data"][0]["code"] == "INVALID_DATA"
