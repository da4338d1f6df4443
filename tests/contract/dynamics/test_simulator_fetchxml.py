"""FetchXML: what it finds, how it pages, and what it refuses."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.dynamics import Dynamics
from sandbox.dynamics.comparing import Asked
from sandbox.dynamics.cookies import cookie_of
from sandbox.dynamics.errors import CrmError
from sandbox.dynamics.fetchxml import cookie_of_web_api, decoded, parse
from sandbox.dynamics.query import Found
from sandbox.dynamics.searching import search

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
PEOPLE: list[dict[str, Any]] = [
    {"lastname": "Adams", "emailaddress1": "a+b@kot.test", "leadsourcecode": 8, "numberofemployees": 5},
    {"lastname": "Baker", "emailaddress1": "BAKER@kot.test", "leadsourcecode": 1, "numberofemployees": 50},
    {"lastname": "O'Neil", "companyname": "50% off", "donotbulkemail": True},
    {"lastname": "Żak", "emailaddress1": "zak@lis.test", "budgetamount": 1500.5},
]


@pytest.fixture
async def crm() -> AsyncIterator[Dynamics]:
    crm = Dynamics(version="2013", clock=lambda: NOW)
    for number, person in enumerate(PEOPLE):
        crm.desk.create("lead", person | {"createdon": f"2026-05-{16 + number}T10:00:00Z"})
    yield crm
    crm.store.close()


def found(crm: Dynamics, inside: str, head: str = "") -> Found:
    query = parse(
        f"<fetch {head}><entity name='lead'>{inside}</entity></fetch>",
        crm.store.entities,
        Asked(crm.user_id, NOW),
    )
    return search(crm.store, query)


def names(crm: Dynamics, inside: str, head: str = "") -> list[str]:
    matches = found(crm, f"<order attribute='lastname'/>{inside}", head).matches
    return [match.record.values["lastname"] for match in matches]


def where(attribute: str, operator: str, *values: str) -> str:
    given = "".join(f"<value>{value}</value>" for value in values)
    return f"<filter><condition attribute='{attribute}' operator='{operator}'>{given}</condition></filter>"


@pytest.mark.parametrize(
    ("attribute", "operator", "values", "expected"),
    [
        ("emailaddress1", "eq", ["A+B@KOT.TEST"], ["Adams"]),
        ("emailaddress1", "in", ["a+b@kot.test", "zak@lis.test"], ["Adams", "Żak"]),
        ("emailaddress1", "null", [], ["O'Neil"]),
        ("emailaddress1", "not-null", [], ["Adams", "Baker", "Żak"]),
        ("emailaddress1", "like", ["%kot%"], ["Adams", "Baker"]),
        ("emailaddress1", "ends-with", ["lis.test"], ["Żak"]),
        ("lastname", "begins-with", ["o'"], ["O'Neil"]),
        ("lastname", "not-begin-with", ["A"], ["Baker", "O'Neil", "Żak"]),
        ("leadsourcecode", "eq", ["8"], ["Adams"]),
        ("leadsourcecode", "ne", ["8"], ["Baker", "O'Neil", "Żak"]),
        ("numberofemployees", "between", ["5", "49"], ["Adams"]),
        ("numberofemployees", "gt", ["5"], ["Baker"]),
        ("budgetamount", "ge", ["1500.5"], ["Żak"]),
        ("donotbulkemail", "eq", ["1"], ["O'Neil"]),
        ("createdon", "on", ["2026-05-17"], ["Baker"]),
        ("createdon", "not-on", ["2026-05-17"], ["Adams", "O'Neil", "Żak"]),
        ("createdon", "on-or-after", ["2026-05-18"], ["O'Neil", "Żak"]),
        ("createdon", "on-or-before", ["2026-05-17"], ["Adams", "Baker"]),
        ("createdon", "ge", ["2026-05-18T12:00:00+02:00"], ["O'Neil", "Żak"]),
        ("createdon", "yesterday", [], ["Żak"]),
        ("createdon", "last-x-days", ["2"], ["Żak"]),
        ("createdon", "last-x-hours", ["50"], ["O'Neil", "Żak"]),
        ("createdon", "olderthan-x-days", ["3"], ["Adams", "Baker"]),
        ("createdon", "olderthan-x-months", ["1"], []),
        ("createdon", "last-seven-days", [], ["Adams", "Baker", "O'Neil", "Żak"]),
        ("ownerid", "eq-userid", [], []),
    ],
)
def test_conditions(
    crm: Dynamics, attribute: str, operator: str, values: list[str], expected: list[str]
) -> None:
    assert names(crm, where(attribute, operator, *values)) == expected


def test_filters_nest(crm: Dynamics) -> None:
    inside = (
        "<filter type='and'><condition attribute='statecode' operator='eq' value='0'/><filter type='or'>"
        "<condition attribute='lastname' operator='eq' value='Adams'/>"
        "<condition attribute='companyname' operator='eq' value='50% off'/></filter></filter>"
    )
    assert names(crm, inside) == ["Adams", "O'Neil"]


def test_attributes_compare_with_each_other(crm: Dynamics) -> None:
    inside = "<filter><condition attribute='createdon' operator='lt' valueof='modifiedon'/></filter>"
    assert names(crm, inside) == names(crm, "")
    assert names(crm, inside.replace("'lt'", "'ge'")) == []


def test_columns_are_those_named_or_all(crm: Dynamics) -> None:
    entities, asked = crm.store.entities, Asked("", NOW)

    def columns(inside: str) -> Any:
        return parse(f"<fetch><entity name='lead'>{inside}</entity></fetch>", entities, asked).columns

    assert columns("<attribute name='lastname'/><attribute name='emailaddress1'/>") == (
        "lastname",
        "emailaddress1",
    )
    assert columns("<all-attributes/>") is None
    assert columns("") is None
    assert columns("<no-attrs/>") == ()


def test_linked_records_are_joined_and_filter(crm: Dynamics) -> None:
    [lead] = found(crm, where("lastname", "eq", "Adams")).matches
    campaign = crm.desk.create("campaign", {"name": "Spring"})
    crm.desk.change("lead", lead.record.id, {"campaignid": campaign})
    link = (
        "<link-entity name='campaign' from='campaignid' to='campaignid' alias='c' link-type='{}'>"
        "<attribute name='name'/></link-entity>"
    )
    [match] = found(crm, link.format("inner")).matches
    assert match.linked["c"] is not None
    assert match.linked["c"].values["name"] == "Spring"
    matches = found(crm, "<order attribute='lastname'/>" + link.format("outer")).matches
    assert [match.linked["c"] is not None for match in matches] == [True, False, False, False]
    outside = "<filter><condition entityname='c' attribute='name' operator='null'/></filter>"
    assert names(crm, link.format("outer") + outside) == ["Baker", "O'Neil", "Żak"]


def test_members_of_a_list_come_by_a_link_of_links(crm: Dynamics) -> None:
    marketing_list = crm.desk.create("list", {"listname": "Kots", "createdfromcode": 4})
    leads = [match.record.id for match in found(crm, "<order attribute='lastname'/>").matches]
    crm.desk.add_members(marketing_list, leads[:2])
    link = (
        "<link-entity name='listmember' from='entityid' to='leadid'><link-entity name='list' from='listid'"
        f" to='listid'>{where('listname', 'eq', 'Kots')}</link-entity></link-entity>"
    )
    assert names(crm, link) == ["Adams", "Baker"]


def test_top_and_total(crm: Dynamics) -> None:
    assert names(crm, "", "top='2'") == ["Adams", "Baker"]
    assert found(crm, "", "returntotalrecordcount='true' count='1'").total == 4
    assert found(crm, "").total is None


def test_pages_follow_by_cookie_and_lose_nobody(crm: Dynamics) -> None:
    order = "<order attribute='lastname' descending='true'/>"
    entity = crm.store.entities["lead"]
    head, seen = "count='1'", []
    for page in range(2, 7):
        query = parse(
            f"<fetch {head}><entity name='lead'>{order}</entity></fetch>", crm.store.entities, Asked("", NOW)
        )
        one = search(crm.store, query)
        seen += [match.record.values["lastname"] for match in one.matches]
        if page == 2:
            # Who has been read goes away; by page numbers alone somebody would be passed over.
            crm.desk.delete("lead", one.matches[0].record.id)
        if not one.more:
            break
        cookie = cookie_of(one, page - 1, entity, query.orders) or ""
        assert f'<cookie page="{page - 1}"><lastname last="' in cookie
        escaped = cookie.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        head = f"count='1' page='{page}' paging-cookie=\"{escaped}\""
    assert seen == ["Żak", "O'Neil", "Baker", "Adams"]


def test_pages_without_a_cookie_go_by_number(crm: Dynamics) -> None:
    assert names(crm, "", "count='3' page='2'") == ["Żak"]


def test_the_web_apis_cookie_is_the_samples(crm: Dynamics) -> None:
    cookie = '<cookie page="1"><fullname last="Susanna (sample)" first="Y" /></cookie>'
    wrapped = cookie_of_web_api(2, cookie)
    assert wrapped == (
        '<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e%253cfullname%2520'
        "last%253d%2522Susanna%2520%2528sample%2529%2522%2520first%253d%2522Y%2522%2520%252f%253e%253c%252fcookie%253e"
        '" istracking="False" />'
    )
    assert decoded(wrapped.split('"')[3]) == cookie


@pytest.mark.parametrize(
    ("fetch", "name"),
    [
        ("<fetch", "BadRequest"),
        ("<entity name='lead'/>", "BadRequest"),
        ("<fetch><entity name='nothing'/></fetch>", "QueryBuilderNoEntity"),
        ("<fetch><entity name='lead'><attribute name='x'/></entity></fetch>", "QueryBuilderNoAttribute"),
        ("<fetch><entity name='lead'><order attribute='x'/></entity></fetch>", "QueryBuilderNoAttribute"),
        ("<fetch aggregate='true'><entity name='lead'/></fetch>", "BadRequest"),
        ("<fetch count='x'><entity name='lead'/></fetch>", "BadRequest"),
        ("<fetch top='5' page='1'><entity name='lead'/></fetch>", "BadRequest"),
        (
            f"<fetch><entity name='lead'>{where('lastname', 'sounds-like', 'x')}</entity></fetch>",
            "InvalidArgument",
        ),
        (
            f"<fetch><entity name='lead'>{where('leadsourcecode', 'eq', 'Web')}</entity></fetch>",
            "IncorrectAttributeValueType",
        ),
        (
            "<fetch page='2' paging-cookie='&lt;cookie page=\"1\"/>'><entity name='lead'/></fetch>",
            "BadRequest",
        ),
    ],
)
def test_what_is_no_fetch_is_refused(crm: Dynamics, fetch: str, name: str) -> None:
    with pytest.raises(CrmError) as refused:
        parse(fetch, crm.store.entities, Asked("", NOW))
    assert refused.value.name == name
