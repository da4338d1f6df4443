"""JSON into the kit's texts and back, without a call."""

from decimal import Decimal
from typing import Any

import pytest

from connector_sugar.modern import values
from leadbus.connector.contract import FieldType

READ: list[tuple[FieldType, Any, str]] = [
    ("text", None, ""),
    ("text", "", ""),
    ("text", "2026-01-12", "2026-01-12"),
    ("text", 7, "7"),
    ("boolean", True, "true"),
    ("boolean", False, "false"),
    ("boolean", "1", "true"),
    ("boolean", "0", "false"),
    ("boolean", "on", "true"),
    ("number", 7, "7"),
    ("number", "1234.500000", "1234.5"),
    ("number", Decimal("10.00"), "10"),
    ("number", Decimal("1E+3"), "1000"),
    ("number", "many", "many"),
    ("date", "1985-04-17", "1985-04-17"),
    ("date", "1985-04-17T00:00:00+02:00", "1985-04-17"),
    ("datetime", "2026-01-12T10:30:00+02:00", "2026-01-12T08:30:00+00:00"),
    ("datetime", "2026-01-12T10:30:00Z", "2026-01-12T10:30:00+00:00"),
    ("datetime", "some day", "some day"),
    ("options", ["a", "b"], "a;b"),
    ("options", "^a^,^b^", "a;b"),
    ("options", [], ""),
    ("reference", [{"id": "1", "name": "Global"}, {"id": "2", "name": "West"}], "Global;West"),
    ("other", {"name": "x"}, "x"),
]
WRITTEN: list[tuple[FieldType, str, Any]] = [
    ("text", "abc", "abc"),
    ("text", "abcdefgh", "abcde"),
    ("text", "", ""),
    ("boolean", "true", True),
    ("boolean", "false", False),
    ("boolean", "", False),
    ("number", "-7", -7),
    ("number", "12345678901234567.89", "12345678901234567.89"),
    ("number", "", None),
    ("date", "1985-04-17", "1985-04-17"),
    ("date", "", ""),
    ("datetime", "2026-01-12T10:30:00+02:00", "2026-01-12T08:30:00+00:00"),
    ("options", "a;b", ["a", "b"]),
    ("options", "", []),
]


@pytest.mark.parametrize(("kind", "value", "text"), READ)
def test_a_value_is_read(kind: FieldType, value: Any, text: str) -> None:
    assert values.read(kind, value) == text


@pytest.mark.parametrize(("kind", "text", "value"), WRITTEN)
def test_a_value_is_written(kind: FieldType, text: str, value: Any) -> None:
    written = values.write(kind, text, 5)
    assert (type(written), written) == (type(value), value)


def entry(address: str, **flags: Any) -> dict[str, Any]:
    return {"email_address": address, "primary_address": False, "email_address_id": "x", **flags}


def test_an_address_list_without_flags_says_nothing_of_opt_out() -> None:
    assert values.emails([{"email_address": " A@B.example "}])[0].opted_out is None
    assert values.emails(None) == ()
    assert values.new_emails("a@b.example", None) == [
        {"email_address": "a@b.example", "primary_address": True}
    ]


def test_a_written_list_keeps_the_other_entries_as_they_were_read() -> None:
    known = [entry("a@b.example", primary_address="1", opt_out="0"), entry("c@d.example", opt_out="1")]
    assert values.changed_emails(known, None, True) == [
        {"email_address": "a@b.example", "primary_address": True, "opt_out": True},
        {"email_address": "c@d.example", "primary_address": False, "opt_out": True},
    ]


def test_opting_in_is_written_only_when_it_is_said() -> None:
    known = [entry("a@b.example", primary_address=True, opt_out=True)]
    [kept] = values.changed_emails(known, "new@b.example", None) or []
    assert kept == {"email_address": "new@b.example", "primary_address": True, "opt_out": True}
    [said] = values.changed_emails(known, "new@b.example", False) or []
    assert said["opt_out"] is False


def test_what_is_the_same_in_another_letter_case_is_no_new_address() -> None:
    known = [entry("Ann@B.example", primary_address=True, opt_out=False)]
    assert values.changed_emails(known, "ann@b.example", None) is None
    assert values.changed_emails(known, "ann@b.example", False) is None
    [kept] = values.changed_emails(known, "ann@b.example", True) or []
    assert kept["email_address"] == "Ann@B.example"


def test_a_record_without_address_gets_one_and_cannot_be_opted_out_without() -> None:
    assert values.changed_emails([], "a@b.example", True) == values.new_emails("a@b.example", True)
    assert values.changed_emails(None, None, True) is None
