"""Leadbus's rows as Dynamics's attributes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector_dynamics import values
from connector_dynamics.wire import Attribute, AttributeType, Double, Long, Money, Option, Reference, Value
from leadbus.connector.contract import NewAccount, NewActivity, NewPerson, PersonChange
from leadbus.errors import Rejected
from leadbus.messages import Record

ADA, GRACE = "c4567bb6-47a3-e711-811b-e0071b6ac1b1", "1bfa3886-df7e-468c-8435-b5adfb0441ed"
LEAD = Record(module="lead", id=ADA)
OPTIONS = {1: "Advertisement", 8: "Web", 9: "web"}


def shape(kind: AttributeType, **more: Any) -> Attribute:
    return Attribute("new_field", "Field", kind, **more)


def new(kind: Any = "lead", **more: Any) -> NewPerson:
    given = {"values": {"lastname": "Lovelace"}, "lead_source": "Leadbus"} | more
    return NewPerson(ADA, kind, "ada@example.test", **given)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "Ada", "Ada"),
        ("integer", "61", 61),
        ("integer", "61.0", 61),
        ("decimal", "1.5", Decimal("1.5")),
        ("money", "12500.50", Money("12500.50")),
        ("boolean", "Yes", True),
        ("date", "1815-12-10", date(1815, 12, 10)),
        ("date", "1815-12-10T00:00:00Z", date(1815, 12, 10)),
        ("local_date", "1815-12-10", datetime(1815, 12, 10, tzinfo=UTC)),
        ("long", "9223372036854775807", Long(2**63 - 1)),
        ("double", "0.25", Double("0.25")),
        ("datetime", "2026-01-31T09:00:00+01:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("datetime", "2026-01-31T08:00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("option", "Web", Option(8)),
        ("option", "web", Option(9)),
        ("option", "WEB", Option(8)),
        ("options", "Web;Advertisement", "8,1"),
        ("lookup", GRACE, Reference("campaign", GRACE)),
    ],
)
def test_a_value_is_written_by_its_attributes_type(kind: AttributeType, value: str, expected: Value) -> None:
    written = values.written("new_field", value, shape(kind, options=OPTIONS, targets=("campaign",)))
    assert written == expected
    assert type(written) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "many"),
        ("integer", "2147483648"),
        ("long", "9223372036854775808"),
        ("date", "1752-12-31"),
        ("local_date", "1752-12-31"),
        ("datetime", "9999-12-31T23:59:59-05:00"),
        ("integer", "1.5"),
        ("decimal", "NaN"),
        ("money", "12,50"),
        ("boolean", "perhaps"),
        ("date", "soon"),
        ("datetime", "soon"),
        ("option", "Telephone"),
        ("options", "Web;Telephone"),
        ("lookup", GRACE),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_field_and_not_repeated(
    kind: AttributeType, value: str
) -> None:
    with pytest.raises(Rejected) as refused:
        values.written("new_field", value, shape(kind, options=OPTIONS, targets=("account", "contact")))
    assert refused.value.field == "new_field"
    assert value not in str(refused.value)


@pytest.mark.parametrize("kind", ["text", "integer", "date", "option", "lookup"])
def test_nothing_empties_a_field(kind: AttributeType) -> None:
    assert values.written("new_field", "", shape(kind)) is None


def test_nothing_is_false_where_there_is_no_empty() -> None:
    assert values.written("new_field", "", shape("boolean")) is False


def test_a_text_is_cut_to_the_organisations_own_length() -> None:
    assert values.written("firstname", "Augusta Ada", shape("text", length=7)) == "Augusta"
    assert values.written("new_unknown", "Augusta Ada", None) == "Augusta Ada"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("firstname", " Ada \r\n Augusta\x00 ", "Ada Augusta"),
        ("firstname", "x" * 49 + " y", "x" * 49),
        ("description", "One\r\n\r\ntwo", "One\n\ntwo"),
        ("mobilephone", "+44 (0) 20 7946 0018 (her own)", "+4402079460018"),
        ("mobilephone", "+44 20 7946 0018", "+44 20 7946 0018"),
        ("new_field", " as it is ", "as it is"),
    ],
)
def test_a_value_is_altered_by_us_as_the_field_would(name: str, value: str, kept: str) -> None:
    assert values.fit(name, value) == kept
    assert values.fit(name, kept) == kept


def test_a_new_lead_has_its_source_as_topic_and_nothing_about_an_opt_out_nobody_knows() -> None:
    written = values.new_person(new(owner_id=GRACE), None, {}, Option(100))
    assert written == {
        "lastname": "Lovelace",
        "emailaddress1": "ada@example.test",
        "subject": "Leadbus",
        "leadsourcecode": Option(100),
        "ownerid": Reference("systemuser", GRACE),
    }


def test_a_topic_that_is_mapped_stays() -> None:
    written = values.new_person(new(values={"subject": "Spring offer"}), None, {}, None)
    assert written["subject"] == "Spring offer"


def test_a_new_contact_has_its_account_score_and_opt_out() -> None:
    shapes = {"new_score": shape("integer")}
    written = values.new_person(
        new("contact", account_id=GRACE, score=61, opted_out=True), "new_score", shapes, None
    )
    assert written["parentcustomerid"] == Reference("account", GRACE)
    assert (written["new_score"], written["donotbulkemail"]) == (61, True)
    assert "subject" not in written
    assert "donotemail" not in written


def test_a_change_says_only_what_it_names() -> None:
    assert values.person_change(PersonChange(LEAD), "new_score", {}, None) == {}
    change = PersonChange(LEAD, {"jobtitle": ""}, email="countess@example.test", opted_out=False)
    assert values.person_change(change, None, {"jobtitle": shape("text")}, None) == {
        "jobtitle": None,
        "emailaddress1": "countess@example.test",
        "donotbulkemail": False,
    }


def test_an_account_has_a_name_of_one_line() -> None:
    assert values.new_account(NewAccount(ADA, "Engines\nLtd ")) == {"name": "Engines Ltd"}


def test_a_note_hangs_on_its_record() -> None:
    note = NewActivity(GRACE, LEAD, "note", "Visited", "Prices")
    assert values.new_activity(note, "me") == {
        "subject": "Visited",
        "notetext": "Prices",
        "objectid": Reference("lead", ADA),
    }


def test_a_task_regards_its_record_and_is_its_owners_until_it_is_due() -> None:
    due = datetime(2027, 1, 31, tzinfo=UTC)
    task = NewActivity(GRACE, LEAD, "task", "Call back", "", due, owner_id="grace")
    assert values.new_activity(task, "me") == {
        "subject": "Call back",
        "description": None,
        "regardingobjectid": Reference("lead", ADA),
        "scheduledend": due,
        "ownerid": Reference("systemuser", "grace"),
    }


@pytest.mark.parametrize(("owner", "caller"), [("grace", "grace"), (None, "me")])
def test_a_call_goes_out_from_its_owner_to_the_person(owner: str | None, caller: str) -> None:
    call = values.new_activity(NewActivity(GRACE, LEAD, "call", "Ring her", owner_id=owner), "me")
    assert call["from"] == (Reference("systemuser", caller),)
    assert call["to"] == (Reference("lead", ADA),)
    assert call["directioncode"] is True
