"""Leadbus's rows into SugarCRM's fields and back."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connector_sugar import translation
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.translation import Around, row_of
from connector_sugar.wire import Email, Entry
from leadbus.connector.contract import (
    CrmActivity,
    NewAccount,
    NewActivity,
    NewPerson,
    Opportunity,
    Person,
    PersonChange,
)
from leadbus.messages import Fields, Record

LEAD = Record(module="Leads", id="l1")
CONTACT = Record(module="Contacts", id="c1")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def new(kind: str = "lead", **more: Any) -> NewPerson:
    return NewPerson("id-1", kind, "ann@example.com", {"last_name": "One"}, "Leadbus", **more)  # type: ignore[arg-type]


def person_of(module: str, *emails: Email, **values: str) -> Person:
    row = row_of(module, Entry("1", values, emails), Around())
    assert isinstance(row, Person)
    return row


def test_a_new_lead_carries_its_id_email_source_and_the_status_that_the_kit_is_told() -> None:
    change = translation.new_person(new(opted_out=True, owner_id="u1"), None, ["t1", "t2"])
    assert (change.id, change.email, change.opted_out, change.teams) == (
        "id-1",
        "ann@example.com",
        True,
        ("t1", "t2"),
    )
    assert change.values == {
        "last_name": "One",
        "lead_source": "Leadbus",
        "status": CAPABILITIES.new_lead_status,
        "assigned_user_id": "u1",
    }


def test_a_new_contact_has_no_status_but_an_account_and_a_target_has_neither() -> None:
    contact = translation.new_person(new("contact", account_id="a1"), None)
    assert contact.values == {"last_name": "One", "lead_source": "Leadbus", "account_id": "a1"}
    target = translation.new_person(new("target", account_id="a1"), None)
    assert target.values == {"last_name": "One"}
    assert target.opted_out is None


def test_every_standard_field_has_a_place_on_a_lead() -> None:
    standard = Fields.model_fields.keys() - {"custom"}
    assert translation.FIELDS["lead"].keys() == standard
    assert standard - translation.FIELDS["contact"].keys() == {"company", "website"}
    assert standard - translation.FIELDS["target"].keys() == {"website"}


def test_what_a_kind_requires_can_be_given() -> None:
    assert CAPABILITIES.required["lead"] <= translation.FIELDS["lead"].keys()
    assert CAPABILITIES.required.keys() == translation.FIELDS.keys()


@pytest.mark.parametrize(
    ("score_field", "score", "written"), [("s_c", 7, "7"), ("s_c", None, None), (None, 7, None)]
)
def test_the_score_is_written_to_its_field_if_there_is_one(
    score_field: str | None, score: int | None, written: str | None
) -> None:
    change = translation.person_change(PersonChange(LEAD, {"phone_work": "1"}, score), score_field)
    assert change.values == {"phone_work": "1"} | ({"s_c": written} if written else {})


def test_what_is_not_told_is_not_written() -> None:
    change = translation.person_change(PersonChange(LEAD), "s_c")
    assert (change.id, change.values, change.email, change.opted_out) == ("l1", {}, None, None)
    told = PersonChange(LEAD, lead_source="Fair", owner_id="u1", email="new@example.com", opted_out=False)
    change = translation.person_change(told, None)
    assert change.values == {"lead_source": "Fair", "assigned_user_id": "u1"}
    assert (change.email, change.opted_out) == ("new@example.com", False)


def test_values_are_cut_to_what_the_column_holds_after_cleaning() -> None:
    values = {
        "last_name": "\x00" + "é" * 120,
        "primary_address_postalcode": "1" * 30,
        "description": "a\r\nb" + "c" * 9_000,
    }
    written = translation.person_change(PersonChange(LEAD, values), None).values
    assert written["last_name"] == "é" * 100
    assert written["primary_address_postalcode"] == "1" * 20
    assert written["description"] == "a\nb" + "c" * 9_000


def test_an_account_always_has_an_owner() -> None:
    assert translation.new_account(NewAccount("a1", "Acme"), "me").values["assigned_user_id"] == "me"
    owned = translation.new_account(NewAccount("a1", "Acme", "u1"), "me", ["t1"])
    assert (owned.values, owned.teams) == ({"name": "Acme", "assigned_user_id": "u1"}, ("t1",))


@pytest.mark.parametrize("record", [LEAD, CONTACT])
@pytest.mark.parametrize("kind", ["note", "task", "call"])
def test_an_activity_hangs_on_its_record(record: Record, kind: Any) -> None:
    values = translation.new_activity(NewActivity("n1", record, kind, "Demo", "More"), NOON).values
    assert (values["name"], values["description"]) == ("Demo", "More")
    assert (values["parent_type"], values["parent_id"]) == (record.module, record.id)
    assert values.get("contact_id") == ("c1" if record is CONTACT and kind != "call" else None)


def test_a_call_is_due_now_unless_told_and_a_task_never() -> None:
    task = translation.new_activity(NewActivity("n1", LEAD, "task", "Demo"), NOON).values
    call = translation.new_activity(NewActivity("n1", LEAD, "call", "Demo"), NOON).values
    assert "date_due" not in task
    assert (task["status"], task["priority"]) == ("Not Started", "Medium")
    assert (call["status"], call["date_start"]) == ("Planned", NOON.isoformat())
    later = NOON.replace(hour=15)
    due = translation.new_activity(NewActivity("n1", LEAD, "task", "Demo", due_at=later), NOON)
    assert due.values["date_due"] == later.isoformat()


@pytest.mark.parametrize(
    ("status", "converted", "is_open"),
    [
        ("New", "false", True),
        ("Recycled", "false", True),
        ("Dead", "false", False),
        ("Converted", "false", False),
        ("New", "true", False),
    ],
)
def test_a_lead_is_open_until_it_is_dead_or_converted(status: str, converted: str, is_open: bool) -> None:
    person = person_of(
        "Leads", status=status, converted=converted, date_entered=NOON.isoformat(), contact_id="c1"
    )
    assert (person.open, person.status, person.created_at) == (is_open, status, NOON)
    assert person.converted_to == (CONTACT if converted == "true" else None)


def test_a_person_has_its_primary_address_and_all_others() -> None:
    emails = (Email("b@x.example"), Email("a@x.example", primary=True, opted_out=True))
    person = person_of("Contacts", *emails, account_id="a1", status="x", assigned_user_id="")
    assert (person.email, person.emails, person.opted_out) == (
        "a@x.example",
        ("b@x.example", "a@x.example"),
        True,
    )
    assert (person.kind, person.account_id, person.status, person.owner_id) == ("contact", "a1", None, None)
    assert person_of("Prospects").opted_out is None


def test_only_mapped_fields_are_among_the_values() -> None:
    row = row_of("Leads", Entry("1", {"status": "New", "size_c": "9"}), Around(["size_c", "lost_c"]))
    assert row.values == {"size_c": "9"}


def test_an_opportunity_is_read_with_what_is_known_only() -> None:
    values = {
        "name": "Deal",
        "sales_stage": "Prospecting",
        "amount": "5",
        "currency_id": "e",
        "date_closed": "2026-02-03",
        "probability": "10",
        "account_id": "a1",
    }
    linked = {"contacts": [{"id": "c2"}, {"id": "c1"}, {}]}
    around = Around(emails={"c1": ["b@x.example"], "c2": ["a@x.example"]}, currencies={"e": "EUR"})
    read = row_of("Opportunities", Entry("o1", values, linked=linked), around)
    assert isinstance(read, Opportunity)
    assert (read.contact_ids, read.contact_emails) == (("c2", "c1"), ("a@x.example", "b@x.example"))
    assert (read.amount, read.currency, read.close_date, read.probability, read.account_id) == (
        "5",
        "EUR",
        date(2026, 2, 3),
        10,
        "a1",
    )
    bare = row_of("Opportunities", Entry("o2", {"date_closed": "?"}, deleted=True), Around())
    assert isinstance(bare, Opportunity)
    assert (bare.stage, bare.amount, bare.close_date, bare.probability, bare.deleted) == (
        None,
        None,
        None,
        None,
        True,
    )


def test_an_activity_is_about_all_it_hangs_on_once() -> None:
    linked = {"contacts": [{"id": "c1"}, {"id": "c2"}], "leads": [{"id": "l1"}]}
    values = {"name": "Meet", "parent_id": "c1", "date_start": NOON.isoformat(), "priority": ""}
    read = row_of("Meetings", Entry("m1", values, linked=linked), Around())
    assert isinstance(read, CrmActivity)
    assert (read.type, read.about, read.due_at, read.priority) == (
        "meeting",
        ("c1", "c2", "l1"),
        NOON,
        None,
    )


def test_the_kit_knows_every_module_that_is_read_or_written() -> None:
    assert {module for modules in CAPABILITIES.modules.values() for module in modules} == set(
        translation.READ
    )
    assert set(CAPABILITIES.activities.values()) <= set(CAPABILITIES.modules["activity"])
    assert set(translation.MEMBERS.values()) == set(translation.PEOPLE)


def test_every_step_can_be_told_with_what_is_known_of_the_finding() -> None:
    for step, text in CAPABILITIES.steps.items():
        told = text.format(module="Leads", value="Leadbus", rights="read", name="lead_source")
        assert "{" not in told
        assert ("Target Lists" if step == "list" else "Admin") in told
