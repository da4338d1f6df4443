"""Queries as FetchXML, ours and a marketing list's own."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from connector_dynamics import fetch
from connector_dynamics.wire import Condition, Filter, Link, Query
from leadbus.errors import Transient, Unsupported


def parsed(text):
    return etree.fromstring(text)


def test_a_query_has_its_columns_its_filters_and_an_order_that_ends_with_the_id():
    where = Filter(
        (
            Condition("emailaddress1", "in", ("a+b@x.test", "<o'neil>@x.test")),
            Filter((Condition("statecode", "eq", (0,)), Condition("ownerid", "null")), "or"),
            Condition("modifiedon", "ge", (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),)),
        )
    )
    element = parsed(fetch.of_query(Query("lead", ("lastname",), where, order=("modifiedon",), size=50)))
    assert element.get("count") == "50"
    assert element.get("page") == "1"
    assert element.get("paging-cookie") is None
    assert [a.get("name") for a in element.iter("attribute")] == ["lastname", "leadid"]
    assert [o.get("attribute") for o in element.iter("order")] == ["modifiedon", "leadid"]
    assert [v.text for v in element.iter("value")] == ["a+b@x.test", "<o'neil>@x.test"]
    assert [(c.get("operator"), c.get("value")) for c in element.iter("condition")] == [
        ("in", None),
        ("eq", "0"),
        ("null", None),
        ("ge", "2026-01-02T03:04:05Z"),
    ]
    assert [f.get("type") for f in element.iter("filter")] == ["and", "or"]


def test_rows_of_another_entity_are_linked():
    link = Link("contact", "contactid", "parentcontactid", "c", ("emailaddress1",), outer=True)
    element = parsed(fetch.of_query(Query("opportunity", ("name",), links=(link,))))
    linked = element.find("entity/link-entity")
    assert dict(linked.attrib) == {
        "name": "contact",
        "from": "contactid",
        "to": "parentcontactid",
        "alias": "c",
        "link-type": "outer",
    }
    assert linked.find("attribute").get("name") == "emailaddress1"
    assert element.find("entity/filter") is None


def test_what_xml_cannot_carry_is_left_out():
    element = parsed(
        fetch.of_query(Query("lead", (), Filter((Condition("lastname", "eq", ("a\x00\x0bb",)),))))
    )
    assert element.find(".//condition").get("value") == "ab"


def test_the_next_page_is_asked_for_by_its_number_and_the_cookie_of_this_one():
    cookie = '<cookie page="1"><leadid last="{1}" first="{0}" /></cookie>'
    second = fetch.token(None, cookie)
    element = parsed(fetch.of_query(Query("lead", ()), second))
    assert element.get("page") == "2"
    assert element.get("paging-cookie") == cookie
    third = fetch.token(second, "")
    assert parsed(fetch.of_query(Query("lead", ()), third)).get("page") == "3"


def test_a_page_of_somebody_else_s_is_none():
    with pytest.raises(Transient):
        fetch.of_query(Query("lead", ()), "nonsense")


def test_a_list_s_query_keeps_its_conditions_and_gets_our_columns():
    theirs = """<fetch version="1.0" count="5" top="3" page="2"><entity name="contact">
      <attribute name="fullname"/><order attribute="fullname" descending="true"/>
      <filter><condition attribute="address1_city" operator="eq" value="Oslo"/></filter>
      <link-entity name="account" from="accountid" to="parentcustomerid" alias="a"><all-attributes/>
        <filter><condition attribute="name" operator="like" value="%ltd%"/></filter></link-entity>
    </entity></fetch>"""
    entity, text = fetch.of_others(theirs, ["emailaddress1"])
    element = parsed(text)
    assert entity == "contact"
    assert (element.get("count"), element.get("page"), element.get("top")) == ("1000", "1", None)
    assert [a.get("name") for a in element.iter("attribute")] == ["emailaddress1", "contactid"]
    assert [o.get("attribute") for o in element.iter("order")] == ["contactid"]
    assert [c.get("attribute") for c in element.iter("condition")] == ["address1_city", "name"]
    assert not list(element.iter("all-attributes"))


@pytest.mark.parametrize(
    "theirs",
    [
        "",
        "no xml",
        "<other/>",
        '<fetch><entity name="new_thing"/></fetch>',
        '<fetch aggregate="true"><entity name="contact"/></fetch>',
        '<!DOCTYPE fetch [<!ENTITY e SYSTEM "file:///etc/passwd">]><fetch><entity name="&e;"/></fetch>',
    ],
)
def test_what_is_no_list_of_rows_is_refused(theirs):
    with pytest.raises(Unsupported):
        fetch.of_others(theirs, ["fullname"])
