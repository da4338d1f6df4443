"""QueryExpression, FetchExpression and their pages."""

import pytest
from soap_client import LEAD, XRM, Service, attributes, string, text


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([("emailaddress1", "Equal", string("b@kot.test"))], ["Baker"]),
        ([("emailaddress1", "NotNull", "")], ["Adams", "Baker"]),
        ([("lastname", "BeginsWith", string("C"))], ["Cole"]),
        ([("lastname", "In", string("Adams") + string("Cole"))], ["Adams", "Cole"]),
        ([("leadsourcecode", "Equal", text("d:int", 8))], ["Adams"]),
        ([("createdon", "LastXDays", text("d:int", 1))], ["Adams", "Baker", "Cole"]),
        ([("createdon", "OlderThanXMonths", text("d:int", 1))], []),
        ([("lastname", "Like", string("%a%")), ("emailaddress1", "Null", "")], []),
    ],
)
async def test_query_expressions(
    old: Service, conditions: list[tuple[str, str, str]], expected: list[str]
) -> None:
    for name, email, source in (
        ("Adams", "a@kot.test", 8),
        ("Baker", "b@kot.test", None),
        ("Cole", None, None),
    ):
        old.crm.desk.create("lead", {"lastname": name, "emailaddress1": email, "leadsourcecode": source})
    given = "".join(
        f"<b:ConditionExpression><b:AttributeName>{name}</b:AttributeName><b:Operator>{operator}</b:Operator>"
        f"<b:Values>{values.replace('c:value', 'f:anyType')}</b:Values></b:ConditionExpression>"
        for name, operator, values in conditions
    )
    answer = await old.call(expression(f"<b:Conditions>{given}</b:Conditions>"))
    assert [attributes(one)["lastname"] for one in answer.iter(f"{{{XRM}}}Entity")] == expected


def expression(criteria: str = "", page: str = "") -> str:
    order = "<b:AttributeName>lastname</b:AttributeName><b:OrderType>Ascending</b:OrderType>"
    return (
        "<RetrieveMultiple><query i:type='b:QueryExpression'><b:ColumnSet><b:Columns>"
        f"<f:string>lastname</f:string></b:Columns></b:ColumnSet><b:Criteria>{criteria}</b:Criteria><b:EntityName>lead</b:EntityName><b:Orders>"
        f"<b:OrderExpression>{order}</b:OrderExpression></b:Orders>{page}</query></RetrieveMultiple>"
    )


async def test_pages_have_a_cookie_that_leads_on(old: Service) -> None:
    for number in range(5):
        old.crm.desk.create("lead", {"lastname": f"Kot {number}"})
    seen, cookie = [], ""
    for page in range(1, 5):
        place = f"<b:Count>2</b:Count><b:PageNumber>{page}</b:PageNumber>"
        info = f"{place}<b:PagingCookie>{cookie}</b:PagingCookie>"
        answer = await old.call(expression(page=f"<b:PageInfo>{info}</b:PageInfo>"))
        seen.append([attributes(one)["lastname"] for one in answer.iter(f"{{{XRM}}}Entity")])
        cookie = (answer.findtext(f".//{{{XRM}}}PagingCookie") or "").replace("<", "&lt;")
        assert answer.findtext(f".//{{{XRM}}}TotalRecordCount") == "-1"
        if answer.findtext(f".//{{{XRM}}}MoreRecords") == "false":
            break
    assert seen == [["Kot 0", "Kot 1"], ["Kot 2", "Kot 3"], ["Kot 4"]]


async def test_linked_columns_are_aliased_values(old: Service) -> None:
    await old.create("lead", LEAD)
    [told] = await old.fetch(
        "<fetch><entity name='lead'><attribute name='lastname'/><link-entity name='systemuser'"
        " from='systemuserid' to='owninguser' alias='o'><attribute name='domainname'/></link-entity></entity>"
        "</fetch>"
    )
    assert told["o.domainname"].endswith("CONTOSO\\leadbus")
