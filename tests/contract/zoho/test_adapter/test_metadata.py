"""Fields and rights as the simulator describes them."""

import pytest

from connector_zoho.client import ZohoClient
from connector_zoho.metadata import Metadata
from connector_zoho.translation import FIELDS, KINDS, PEOPLE, READ
from leadbus.connector.contract import FieldInfo
from sandbox.zoho import Zoho


@pytest.fixture
def metadata(client: ZohoClient) -> Metadata:
    return Metadata(client)


async def by_name(metadata: Metadata, module: str) -> dict[str, FieldInfo]:
    return {info.name: info for info in await metadata.describe(module)}


async def test_fields_have_their_types_lengths_and_what_is_required(metadata: Metadata) -> None:
    fields = await by_name(metadata, "Leads")
    assert {
        name: fields[name].type for name in ("Company", "Email", "Phone", "Description")
    } == dict.fromkeys(("Company", "Email", "Phone", "Description"), "text")
    types = {
        "Owner": "reference",
        "Lead_Status": "option",
        "Email_Opt_Out": "boolean",
        "Annual_Revenue": "number",
        "Created_Time": "datetime",
        "Tag": "other",
    }
    assert {name: fields[name].type for name in types} == types
    assert (await by_name(metadata, "Contacts"))["Date_of_Birth"].type == "date"
    assert (fields["First_Name"].length, fields["Phone"].length, fields["Owner"].length) == (40, 30, None)
    assert [name for name, info in fields.items() if info.required] == ["Last_Name"]
    assert {info.writable for info in fields.values() if info.name in {"Created_Time", "Full_Name"}} == {
        False
    }
    assert fields["Email"].writable
    assert "Leadbus" in (fields["Lead_Source"].options or ())
    assert fields["Email"].options is None


async def test_every_field_that_we_read_or_write_is_there(metadata: Metadata) -> None:
    for module, names in READ.items():
        missing = set(names) - (await by_name(metadata, module)).keys()
        assert not missing, module
    for module, kind in PEOPLE.items():
        assert not set(FIELDS[kind].values()) - (await by_name(metadata, module)).keys()


async def test_a_custom_field_is_seen_when_it_is_asked_for_again(crm: Zoho, metadata: Metadata) -> None:
    assert "Interests" not in await metadata.shapes("Leads")
    crm.desk.add_field("Leads", "Interests", "multiselectpicklist", options="Pumps|Valves")
    calls = crm.calls.total()
    assert "Interests" not in await metadata.shapes("Leads")
    assert crm.calls.total() == calls
    interests = (await by_name(metadata, "Leads"))["Interests"]
    assert (interests.type, interests.custom) == ("options", True)
    assert interests.options == ("Pumps", "Valves")
    assert (await metadata.shapes("Leads"))["Interests"] == interests


async def test_rights_are_told_by_module(crm: Zoho, metadata: Metadata) -> None:
    rights = await metadata.rights()
    both = frozenset({"read", "write"})
    assert rights == {**dict.fromkeys(KINDS, both), "Users": {"read"}}
    crm.desk.forbid("Leads")
    crm.desk.forbid("Notes", ["view"])
    rights = await metadata.rights()
    assert (rights["Leads"], rights["Notes"], rights["Contacts"]) == ({"read"}, frozenset(), both)
    assert rights["Tags"] == {"read"}  # whoever may not change people may not tag them
