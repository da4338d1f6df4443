"""Envelopes of the organisation service: ours by its schemas, and what it answers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from connector_dynamics.soap import decoding, metadata
from connector_dynamics.soap.decoding import Collection, Fault, decode
from connector_dynamics.soap.encoding import Concurrency, Fetch, Filters, Guid, Message, Row, Settings, encode
from connector_dynamics.soap.names import ENVELOPE, PAIRS, SERVICES, TYPE, XRM, XRM_2012
from connector_dynamics.wire import Money, Option, Reference
from leadbus.errors import Gone, OutcomeUnknown, Rejected, Unsupported

CONTRACT = Path(__file__).parents[4] / "shared" / "contracts" / "dynamics" / "soap"
LEAD = "c4567bb6-47a3-e711-811b-e0071b6ac1b1"
needs_contract = pytest.mark.skipif(not CONTRACT.exists(), reason=f"the envelopes are not there: {CONTRACT}")


def recorded(name):
    return (CONTRACT / "envelopes" / name).read_bytes()


def request_of(content):
    return etree.fromstring(content).find(f"{{{ENVELOPE}}}Body/{{{SERVICES}}}Execute/{{{SERVICES}}}request")


def pairs(element):
    """What a collection of keys and values has: type and text of each."""
    return {
        pair[0].text: (pair[1].get(TYPE, "").rpartition(":")[2], "".join(pair[1].itertext()))
        for pair in element
    }


@pytest.fixture(scope="module")
def schemas():
    """Of the WSDL."""
    imports = "".join(
        f'<import namespace="{namespace}" schemaLocation="{name}.xsd"/>'
        for name, namespace in (("xsd0", SERVICES), ("xsd16", XRM_2012))
    )
    text = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>'
    return etree.XMLSchema(etree.fromstring(text, base_url=f"{CONTRACT}/wsdl/"))


EVERYTHING = {
    "lastname": "O'Neil <&> \x00Łódź",
    "leadsourcecode": Option(8),
    "numberofemployees": 12,
    "donotbulkemail": True,
    "budgetamount": Money("1500.50"),
    "exchangerate": Decimal("1.0000000000"),
    "estimatedclosedate": date(2026, 1, 31),
    "schedulefollowup": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    "ownerid": Reference("systemuser", LEAD),
    "campaignid": None,
    "to": (Reference("lead", LEAD),),
}


def test_every_value_is_written_with_its_type():
    message = Message(
        "Create", {"Target": Row("lead", LEAD, EVERYTHING), "SuppressDuplicateDetection": False}
    )
    request = request_of(encode(message))
    target = request.find(f"{{{XRM}}}Parameters")[0][1]
    written = pairs(target.find(f"{{{XRM}}}Attributes"))
    assert written["lastname"] == ("string", "O'Neil <&> Łódź")
    assert written["leadsourcecode"] == ("OptionSetValue", "8")
    assert written["numberofemployees"] == ("int", "12")
    assert written["donotbulkemail"] == ("boolean", "true")
    assert written["budgetamount"] == ("Money", "1500.50")
    assert written["exchangerate"] == ("decimal", "1.0000000000")
    assert written["estimatedclosedate"] == ("dateTime", "2026-01-31T00:00:00Z")
    assert written["schedulefollowup"] == ("dateTime", "2026-01-31T09:30:00Z")
    assert written["ownerid"] == ("EntityReference", f"{LEAD}systemuser")
    assert written["campaignid"] == ("", "")
    assert written["to"][0] == "ArrayOfEntity"
    assert [etree.QName(child).localname for child in target] == [
        "Attributes",
        "EntityState",
        "FormattedValues",
        "Id",
        "LogicalName",
        "RelatedEntities",
    ]


@needs_contract
@pytest.mark.parametrize(
    "message",
    [
        Message("WhoAmI", {}),
        Message("Create", {"Target": Row("lead", LEAD, EVERYTHING), "SuppressDuplicateDetection": False}),
        Message(
            "Update",
            {
                "Target": Row("lead", LEAD, {"lastname": "x"}, "123"),
                "ConcurrencyBehavior": Concurrency("IfRowVersionMatches"),
            },
        ),
        Message("RetrieveMultiple", {"Query": Fetch("<fetch/>")}),
        Message("RetrieveEntity", {"EntityFilters": Filters("Attributes"), "MetadataId": Guid(LEAD)}),
        Message("AddListMembersList", {"ListId": Guid(LEAD), "MemberIds": frozenset({LEAD})}),
        Message("ExecuteMultiple", {"Requests": [Message("WhoAmI", {})], "Settings": Settings()}),
    ],
    ids=lambda message: message.name,
)
def test_our_envelopes_are_as_the_service_s_schemas_have_them(schemas, message):
    execute = request_of(encode(message)).getparent()
    assert schemas.validate(execute), schemas.error_log


@needs_contract
def test_rows_are_read_with_their_values_labels_and_page():
    found = decode(recorded("execute_fetchxml_response.xml"))
    assert not isinstance(found, Fault)
    collection = found["EntityCollection"]
    assert isinstance(collection, Collection)
    assert not collection.more
    assert collection.entries
    assert all(entry.entity == collection.entries[0].entity for entry in collection.entries)
    assert all(entry.id == entry.id.lower() and len(entry.id) == 36 for entry in collection.entries)
    assert not any(isinstance(held, etree._Element) for e in collection.entries for held in e.values.values())


@needs_contract
def test_who_we_are_is_read():
    found = decode(recorded("execute_whoami_response.xml"))
    assert set(found) == {"UserId", "BusinessUnitId", "OrganizationId"}
    assert all(len(id_) == 36 for id_ in found.values())


@needs_contract
def test_a_fault_is_read_with_its_code():
    found = decode(recorded("fault_unknown_attribute.xml"))
    assert isinstance(found, Fault)
    assert found.code == 0x80041103
    assert type(found.error(writing=False)) is Unsupported
    assert "column" in str(found.error(writing=False))


@needs_contract
def test_a_fault_within_a_fault_is_found():
    found = decode(recorded("fault_nested_inner.xml"))
    assert isinstance(found, Fault)
    assert found.code is not None


@needs_contract
def test_a_fault_of_the_server_s_own_says_nothing_of_what_was_done():
    found = decode(recorded("fault_internal.xml"))
    assert found == Fault(None)
    assert type(found.error(writing=True)) is OutcomeUnknown


def answered(results):
    return f"""<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><ExecuteResponse xmlns="{SERVICES}">
      <ExecuteResult xmlns:a="{XRM}" xmlns:b="{PAIRS}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"
        xmlns:x="http://www.w3.org/2001/XMLSchema"><a:Results>{results}</a:Results></ExecuteResult>
    </ExecuteResponse></s:Body></s:Envelope>""".encode().replace(b"\n", b"")


def pair(name, type_, text):
    both = f"<b:key>{name}</b:key><b:value i:type='{type_}'>{text}</b:value>"
    return f"<a:KeyValuePairOfstringanyType>{both}</a:KeyValuePairOfstringanyType>"


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("x:string", "text", "text"),
        ("x:string", "", ""),
        ("x:int", "12", 12),
        ("x:boolean", "true", True),
        ("x:decimal", "1.50", Decimal("1.50")),
        ("x:double", "0.5", Decimal("0.5")),
        ("x:dateTime", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"),
        ("g:guid", LEAD.upper(), LEAD),
        ("a:OptionSetValue", "<a:Value>3</a:Value>", 3),
        ("a:Money", "<a:Value>9.5</a:Value>", Decimal("9.5")),
        (
            "a:EntityReference",
            f"<a:Id>{LEAD}</a:Id><a:LogicalName>lead</a:LogicalName><a:Name>N</a:Name>",
            Reference("lead", LEAD, "N"),
        ),
        (
            "a:AliasedValue",
            "<a:AttributeLogicalName>x</a:AttributeLogicalName><a:EntityLogicalName>y</a:EntityLogicalName>"
            "<a:Value i:type='x:string'>linked</a:Value>",
            "linked",
        ),
    ],
)
def test_values_are_read_by_their_types(type_, text, value):
    assert decode(answered(pair("it", type_, text))) == {"it": value}


def test_what_failed_among_several_is_read_with_its_place():
    fault = (
        "<n:Fault><a:ErrorCode>-2147220969</a:ErrorCode><a:ErrorDetails/><a:Message>m</a:Message></n:Fault>"
    )
    item = f"{fault}<n:RequestIndex>4</n:RequestIndex>"
    items = f"<n:ExecuteMultipleResponseItem>{item}</n:ExecuteMultipleResponseItem>"
    responses = pair("Responses", "n:ExecuteMultipleResponseItemCollection", items).replace(
        "<b:value", "<b:value xmlns:n='http://schemas.microsoft.com/xrm/2012/Contracts'"
    )
    (failure,) = decode(answered(responses))["Responses"]
    assert failure.index == 4
    assert type(failure.fault.error(writing=True)) is Gone


def test_a_limit_s_pause_is_read_from_the_fault():
    detail = (
        "<a:ErrorCode>-2147015902</a:ErrorCode><a:ErrorDetails><a:KeyValuePairOfstringanyType>"
        "<b:key>Retry-After</b:key><b:value i:type='g:duration'>PT35S</b:value>"
        "</a:KeyValuePairOfstringanyType></a:ErrorDetails><a:Message>m</a:Message>"
    )
    fault = f"""<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><s:Fault><faultcode>s:Client</faultcode><detail>
      <a:OrganizationServiceFault xmlns:a="{XRM}" xmlns:b="{PAIRS}"
        xmlns:i="http://www.w3.org/2001/XMLSchema-instance">{detail}</a:OrganizationServiceFault>
      </detail></s:Fault></s:Body></s:Envelope>"""
    error = decode(fault.encode()).error(writing=True)
    assert error.retry_after == 35.0


@pytest.mark.parametrize(
    "content",
    [
        b"<html/>",
        b"no xml",
        b"",
        b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + answered("&x;"),
    ],
)
def test_what_is_no_envelope_is_not_read(content):
    with pytest.raises((ValueError, LookupError, etree.LxmlError)):
        decode(content)


@needs_contract
def test_options_of_a_recorded_column_are_read():
    element = etree.parse(CONTRACT / "recorded" / "retrieve_attribute_picklist_response.xml").find(
        f".//{{{PAIRS}}}value"
    )
    column = metadata._attribute(element)
    assert (column.name, column.label, column.type) == ("industrycode", "Industry", "option")
    assert column.options is not None
    assert column.options[1] == "Accounting"
    assert not column.custom


def test_a_value_of_no_row_stays_as_it_is():
    found = decode(answered(pair("it", "m:EntityMetadata", "<a:X/>")))
    assert decoding.child(found["it"], "X") is not None


def test_a_value_that_nobody_can_write_is_an_error_of_ours():
    with pytest.raises(TypeError):
        encode(Message("Create", {"Target": object()}))


def test_errors_of_values_name_the_column():
    fault = Fault(0x80044331, "The length of the 'subject' attribute of the 'task' entity exceeded it.")
    error = fault.error(writing=True)
    assert isinstance(error, Rejected)
    assert error.field == "subject"
