"""Values of fields as the older services spell them."""

import pytest

from connector_sugar.legacy.operations import FieldRow
from connector_sugar.legacy.values import Types, field_info, from_site, to_site
from leadbus.connector.contract import FieldType

SPELT: list[tuple[FieldType, str, str]] = [
    ("boolean", "true", "1"),
    ("boolean", "false", "0"),
    ("boolean", "", ""),
    ("datetime", "2026-01-02T03:04:05+00:00", "2026-01-02 03:04:05"),
    ("datetime", "", ""),
    ("date", "2026-01-02", "2026-01-02"),
    ("options", "a;b c", "^a^,^b c^"),
    ("options", "", ""),
    ("number", "1.5", "1.5"),
    ("text", "a^,^b 1", "a^,^b 1"),
]


@pytest.mark.parametrize(("kind", "ours", "theirs"), SPELT)
def test_values_are_spelt_for_the_site_and_back(kind: FieldType, ours: str, theirs: str) -> None:
    assert to_site(ours, kind) == theirs
    assert from_site(theirs, kind) == ours


def test_other_spellings_are_read_as_well() -> None:
    assert from_site("true", "boolean") == "true"
    assert from_site("on", "boolean") == "true"
    assert from_site("0000-00-00", "date") == ""
    assert from_site("0000-00-00 00:00:00", "datetime") == ""
    assert from_site("^a^", "options") == from_site("a", "options") == "a"
    assert to_site("2026-01-02T05:04:05+02:00", "datetime") == "2026-01-02 03:04:05"


async def test_types_are_asked_once_and_only_of_fields_that_not_every_site_has() -> None:
    asked: list[str] = []

    async def describe(module: str) -> list[FieldRow]:
        asked.append(module)
        return [FieldRow("colours_c", "multienum", "Colours:", False, ("red", "blue"))]

    types = Types(describe)
    assert (await types.of("Leads", ["last_name", "converted"]))["converted"] == "boolean"
    assert asked == []
    for _ in range(2):
        known = await types.of("Leads", ["last_name", "colours_c", "no_such_c"])
        assert (known.get("colours_c"), known.get("no_such_c")) == ("options", None)
    assert asked == ["Leads"]


def test_a_field_is_described_as_people_know_it() -> None:
    info = field_info(FieldRow("colours_c", "multienum", "Colours:", True, ("red",)))
    assert (info.label, info.type, info.required) == ("Colours", "options", True)
    assert (info.custom, info.options) == (True, ("red",))
    assert not field_info(FieldRow("account_name", "relate", "Account", False, None)).writable
    assert field_info(FieldRow("assigned_user_id", "relate", "User", False, None)).writable
