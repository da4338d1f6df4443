"""Reading by the simulator's Web API: filters, orders, pages, what records lead to, and metadata."""

from typing import Any
from urllib.parse import quote

import pytest
from lxml import etree

PEOPLE = (
    {"lastname": "Doe", "emailaddress1": "jane+tag@example.com", "numberofemployees": 5, "leadsourcecode": 8},
    {
        "lastname": "O'Neil",
        "emailaddress1": "o'neil@example.com",
        "numberofemployees": 50,
        "donotemail": True,
    },
    {"lastname": "kot", "jobtitle": "CEO", "createdon": "2026-01-31T12:00:00Z"},
)


@pytest.fixture
def leads(crm: Any) -> list[str]:
    return [crm.desk.create("lead", person) for person in PEOPLE]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("emailaddress1 eq 'JANE+tag@example.com'", ["Doe"]),
        ("lastname eq 'o''neil'", ["O'Neil"]),
        ("emailaddress1 eq null", ["kot"]),
        ("emailaddress1 ne 'jane+tag@example.com'", ["O'Neil", "kot"]),
        ("numberofemployees gt 5 or lastname eq 'KOT'", ["O'Neil", "kot"]),
        ("not (numberofemployees ge 5)", ["kot"]),
        ("10 gt numberofemployees", ["Doe"]),
        ("contains(emailaddress1,'neil') and donotemail eq true", ["O'Neil"]),
        ("startswith(lastname,'k') or endswith(lastname,'oe')", ["Doe", "kot"]),
        ("createdon lt 2026-02-01T00:00:00+01:00", ["kot"]),
        ('Microsoft.Dynamics.CRM.In(PropertyName=\'leadsourcecode\',PropertyValues=["7","8"])', ["Doe"]),
        (
            "Microsoft.Dynamics.CRM.OnOrBefore(PropertyName='createdon',PropertyValue='2026-01-31')",
            ["kot"],
        ),
        ("leadsourcecode ne null and (statecode eq 0)", ["Doe"]),
    ],
)
@pytest.mark.usefixtures("leads")
async def test_a_filter_finds_what_it_means(api: Any, wanted: str, found: list[str]) -> None:
    rows = await api.rows(f"leads?$select=lastname&$orderby=lastname&$filter={quote(wanted)}")
    assert sorted(row["lastname"] for row in rows) == sorted(found)


@pytest.mark.parametrize(
    "query",
    [
        "$filter=Lastname eq 'Doe'",
        "$filter=ownerid eq 6cd81853-7b75-e911-a97a-000d3a34a1bd",
        "$filter=_ownerid_value eq '6cd81853-7b75-e911-a97a-000d3a34a1bd'",
        "$filter=createdon gt '2026-01-01'",
        "$filter=lastname eq Doe",
        "$filter=lastname like 'Doe'",
        "$filter=(lastname eq 'Doe'",
        "$select=fullnam",
        "$orderby=lastname up",
        "$skip=5",
        "$top=x",
    ],
)
async def test_what_is_no_query_is_a_bad_request(api: Any, query: str) -> None:
    assert await api.refused("GET", f"leads?{query}") == (400, "0x80060888")


async def test_a_plus_in_an_address_is_a_space(api: Any, leads: list[str]) -> None:
    path = "leads?$filter=emailaddress1 eq 'jane{}tag@example.com'"
    assert await api.rows(path.format("+")) == []
    assert [row["leadid"] for row in await api.rows(path.format("%2B"))] == [leads[0]]


async def test_pages_follow_by_links_and_by_key(api: Any, crm: Any) -> None:
    crm.desk.load("lead", ({"lastname": f"Doe {at % 3}", "numberofemployees": at} for at in range(7)))
    path = "leads?$select=numberofemployees&$orderby=lastname desc&$filter=numberofemployees ge 0"
    page = await api.get(path, Prefer="odata.maxpagesize=3")
    assert [len(page["value"]), "@odata.nextLink" in page] == [3, True]
    seen = [row["numberofemployees"] for row in page["value"]]
    # Whoever leaves the first page does not push the rest away.
    crm.desk.change("lead", page["value"][0]["leadid"], {"lastname": "A"})
    while link := page.get("@odata.nextLink"):
        page = await api.get(link, Prefer="odata.maxpagesize=3")
        seen += [row["numberofemployees"] for row in page["value"]]
    assert sorted(set(seen)) == list(range(7))
    assert len(await api.rows(path, Prefer="odata.maxpagesize=2")) == 7
    assert len((await api.get("leads?$top=2"))["value"]) == 2
    assert "@odata.nextLink" not in await api.get("leads?$top=2")


@pytest.mark.usefixtures("leads")
async def test_counts_are_plain_numbers(api: Any) -> None:
    text = (await api.ask("GET", "leads/$count?$filter=lastname eq 'Doe'")).text
    assert text.lstrip("\ufeff") == "1"
    assert (await api.get("leads?$top=1&$count=true"))["@odata.count"] == 3


async def test_a_records_others_are_reached_and_expanded(api: Any, crm: Any, leads: list[str]) -> None:
    account = crm.desk.create("account", {"name": "Doe Ltd"})
    contact = crm.desk.create(
        "contact",
        {"lastname": "Doe", "emailaddress1": "doe@example.com", "parentcustomerid": ("account", account)},
    )
    sale = crm.desk.create(
        "opportunity",
        {
            "name": "Spring",
            "originatingleadid": leads[0],
            "customerid": ("contact", contact),
            "parentcontactid": contact,
        },
    )
    crm.desk.create("task", {"subject": "Call", "regardingobjectid": ("lead", leads[0])})
    row = await api.get(
        f"leads({leads[0]})?$select=lastname&$expand=Lead_Tasks($select=subject),opportunity_originating_lead"
    )
    assert [task["subject"] for task in row["Lead_Tasks"]] == ["Call"]
    assert [one["opportunityid"] for one in row["opportunity_originating_lead"]] == [sale]
    [found] = await api.rows(
        "opportunities?$select=name&$expand=parentcontactid($select=lastname),customerid_contact"
        "&$filter=parentcontactid/emailaddress1 eq 'DOE@example.com'"
    )
    assert found["parentcontactid"]["lastname"] == "Doe"
    assert found["customerid_contact"]["contactid"] == contact
    assert (await api.get(f"contacts({contact})/parentcustomerid_account"))["name"] == "Doe Ltd"
    assert (await api.ask("GET", f"leads({leads[1]})/parentcontactid")).status_code == 204
    assert [one["contactid"] for one in await api.rows(f"accounts({account})/contact_customer_accounts")] == [
        contact
    ]


async def test_labels_come_if_they_are_asked_for(api: Any, leads: list[str]) -> None:
    name = "leadsourcecode@OData.Community.Display.V1.FormattedValue"
    path = f"leads({leads[0]})?$select=leadsourcecode,createdon"
    prefer = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
    assert (await api.get(path, Prefer=prefer))[name] == "Web"
    assert name not in await api.get(path)


async def test_a_privilege_to_read_is_asked_for(api: Any, crm: Any, leads: list[str]) -> None:
    crm.desk.forbid("lead", ["read"])
    for path in ("leads", f"leads({leads[0]})", "leads?$deltatoken=1"):
        assert await api.refused("GET", path) == (403, "0x80040220")


async def test_addresses_that_lead_nowhere_are_not_found(api: Any, crm: Any) -> None:
    for path in ("Leads", "nothing", f"{crm.url}/api/data/v9.9/leads", f"{crm.url}/api/data/v7.0/leads"):
        assert await api.refused("GET", path) == (404, "0x8006088A")
    assert await api.refused("POST", "WhoAmI") == (405, "0x80060890")
    assert (await api.ask("GET", f"{crm.url}/api/data/v8.2/leads")).status_code == 200


async def test_who_and_what_the_organisation_is(api: Any, crm: Any) -> None:
    who = await api.get("WhoAmI")
    assert (who["UserId"], who["OrganizationId"]) == (crm.user_id, crm.site.organization_id)
    assert (await api.get("RetrieveVersion()"))["Version"] == crm.site.full_version
    [organisation] = await api.rows("organizations")
    assert (organisation["organizationid"], organisation["name"]) == (who["OrganizationId"], "contoso")
    users = await api.rows("systemusers?$select=fullname,isdisabled")
    assert {user["fullname"] for user in users} == {"Ada Nowak", "Leadbus"}


async def test_metadata_tell_columns_options_and_navigation_names(api: Any, crm: Any) -> None:
    crm.desk.add_attribute("lead", "new_PartnerId", "lookup", to="account")
    crm.desk.add_option("lead", "leadsourcecode", "Webinar")
    lead = "EntityDefinitions(LogicalName='lead')"
    picklist = (
        f"{lead}/Attributes(LogicalName='leadsourcecode')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    )
    told = await api.get(f"{picklist}?$select=LogicalName&$expand=OptionSet($select=Options)")
    labels = {option["Label"]["UserLocalizedLabel"]["Label"] for option in told["OptionSet"]["Options"]}
    assert {"Web", "Webinar", "Leadbus"} <= labels
    wanted = "$select=LogicalName,MaxLength,IsValidForCreate&$filter=AttributeOf eq null"
    attributes = {row["LogicalName"]: row for row in (await api.get(f"{lead}/Attributes?{wanted}"))["value"]}
    assert attributes["lastname"]["MaxLength"] == 50
    assert not attributes["createdon"]["IsValidForCreate"]
    ways = (await api.get(f"{lead}/ManyToOneRelationships"))["value"]
    names = {way["ReferencingAttribute"]: way["ReferencingEntityNavigationPropertyName"] for way in ways}
    assert names["new_partnerid"] == "new_PartnerId"
    [entity] = (
        await api.get("EntityDefinitions?$select=ChangeTrackingEnabled&$filter=EntitySetName eq 'leads'")
    )["value"]
    assert (entity["ChangeTrackingEnabled"], "LogicalName" in entity) == (True, False)
    assert await api.refused("GET", "EntityDefinitions(LogicalName='nothing')") == (400, "0x80041102")
    document = etree.fromstring((await api.ask("GET", "$metadata")).content)
    names_there = {node.get("Name") for node in document.iter("{*}NavigationProperty")}
    assert {"new_PartnerId", "regardingobjectid_lead_task", "Lead_Tasks"} <= names_there
