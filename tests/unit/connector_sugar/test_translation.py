"""Leadbus's words into SugarCRM's fields and back."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from connector_sugar import translation
from connector_sugar.wire import Entry
from leadbus.connector.contract import NewActivity, NewPerson, PersonChange
from leadbus.messages import Fields, Record

LEAD = Record(module="Leads", id="l1")
CONTACT = Record(module="Contacts", id="c1")


def new(kind: str = "lead", **values: str) -> NewPerson:
    return NewPerson("id-1", kind, "ann@example.com", values, "Leadbus")  # type: ignore[arg-type]


def test_a_new_lead_carries_its_id_email_source_and_the_status_new() -> None:
    pairs = translation.person_pairs(new(last_name="One", company="Acme", website="https://a.example"), None)
    assert pairs == {
        "id": "id-1",
        "new_with_id": "1",
        "email1": "ann@example.com",
        "status": "New",
        "lead_source": "Leadbus",
        "last_name": "One",
        "account_name": "Acme",
        "website": "https://a.example",
    }


def test_a_new_contact_has_neither_status_nor_company_nor_website() -> None:
    pairs = translation.person_pairs(new("contact", last_name="One", company="Acme", website="x"), None)
    assert pairs.keys() == {"id", "new_with_id", "email1", "lead_source", "last_name"}


def test_every_standard_field_has_a_place_on_a_lead() -> None:
    standard = Fields.model_fields.keys() - {"custom"}
    assert translation.COLUMNS["Leads"].keys() == standard


def test_custom_fields_are_not_written() -> None:
    assert "custom.size" not in str(translation.person_pairs(new(**{"custom.size": "9"}), None))


@pytest.mark.parametrize(
    ("score_field", "score", "written"), [("s_c", 7, "7"), ("s_c", None, None), (None, 7, None)]
)
def test_the_score_is_written_to_its_field_if_there_is_one(
    score_field: str | None, score: int | None, written: str | None
) -> None:
    change = PersonChange(LEAD, {"phone": "1"}, score)
    pairs = translation.change_pairs(change, score_field)
    assert pairs == {"id": "l1", "phone_work": "1"} | ({"s_c": written} if written else {})


def test_values_are_cut_to_what_the_column_holds_after_cleaning() -> None:
    pairs = translation.person_pairs(
        new(last_name="\x00" + "é" * 120, postal_code="1" * 30, comments="a\r\nb" + "c" * 9_000), None
    )
    assert pairs["last_name"] == "é" * 100
    assert pairs["primary_address_postalcode"] == "1" * 20
    assert pairs["description"] == "a\nb" + "c" * 9_000


def test_an_activity_becomes_a_note_that_says_what_when_and_where() -> None:
    at = datetime(2026, 1, 31, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    note = translation.note_pairs(
        NewActivity("n1", LEAD, "Submitted a form", at, "Demo", "https://a.example/x")
    )
    assert note == {
        "id": "n1",
        "new_with_id": "1",
        "name": "Submitted a form: Demo",
        "description": "2026-01-31 12:00:00 UTC\nhttps://a.example/x",
        "parent_type": "Leads",
        "parent_id": "l1",
    }


def test_a_note_on_a_contact_names_it_twice_and_may_lack_subject_and_address() -> None:
    note = translation.note_pairs(
        NewActivity("n1", CONTACT, "Opened an email", datetime(2026, 1, 1, tzinfo=UTC))
    )
    assert (note["parent_type"], note["parent_id"], note["contact_id"]) == ("Contacts", "c1", "c1")
    assert note["name"] == "Opened an email"
    assert note["description"] == "2026-01-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("status", "converted", "is_open"),
    [
        ("New", "0", True),
        ("Recycled", "0", True),
        ("Dead", "0", False),
        ("Converted", "0", False),
        ("New", "1", False),
    ],
)
def test_a_lead_is_open_until_it_is_dead_or_converted(status: str, converted: str, is_open: bool) -> None:
    entry = Entry("l1", {"status": status, "converted": converted, "date_entered": "2026-01-01 00:00:01"})
    person = translation.person_of(entry, "Leads")
    assert (person.open, person.status) == (is_open, status)
    assert person.created_at == datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_a_person_is_read_with_its_email_in_lower_case_and_whether_it_is_deleted() -> None:
    values = {"email1": " Ann@Example.com", "deleted": "1", "date_modified": "2026-01-02 00:00:00"}
    person = translation.person_of(Entry("c1", values), "Contacts")
    assert (person.email, person.deleted, person.status, person.open) == ("ann@example.com", True, None, True)
    assert person.changed_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_all_addresses_of_a_record_count_in_lower_case() -> None:
    entry = Entry(
        "l1", {"email1": "A@x.example"}, {"email_addresses": [{"email_address": "B@x.example"}, {}]}
    )
    assert translation.emails_of(entry) == {"a@x.example", "b@x.example"}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234.5", "1234.5"),
        ("1234.500000", "1234.5"),
        ("100", "100"),
        ("0", "0"),
        ("-3.10", "-3.1"),
        ("1e3", "1000"),
        ("1.23456789", "1.234568"),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
        ("1" * 16, None),
        ("9" * 60, None),
        ("1,5", None),
    ],
)
def test_amounts_are_plain_decimals_that_a_message_can_carry(text: str, amount: str | None) -> None:
    assert translation.amount_of(text) == amount


def test_an_opportunity_is_read_with_what_is_known_only() -> None:
    full = Entry(
        "o1",
        {
            "name": "Deal",
            "sales_stage": "Prospecting",
            "amount": "5",
            "date_closed": "2026-02-03",
            "probability": "10",
            "lead_source": "Leadbus",
            "deleted": "0",
        },
    )
    read = translation.opportunity_of(full, {"b@x.example", "a@x.example"}, "EUR")
    assert read.contact_emails == ("a@x.example", "b@x.example")
    assert (read.amount, read.currency, read.close_date, read.probability) == (
        "5",
        "EUR",
        date(2026, 2, 3),
        10,
    )
    bare = translation.opportunity_of(Entry("o2", {"date_closed": "0000-00-00", "deleted": "1"}), set(), None)
    assert (bare.stage, bare.amount, bare.close_date, bare.probability, bare.deleted) == (
        None,
        None,
        None,
        None,
        True,
    )
