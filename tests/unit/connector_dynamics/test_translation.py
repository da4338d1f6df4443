"""Dynamics's rows as Leadbus's."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector_dynamics.texts import day, moment, shown, text
from connector_dynamics.translation import FIELDS, KINDS, READ, Around, row_of
from connector_dynamics.values import fit
from connector_dynamics.wire import Attribute, AttributeType, Entry, Money, Option, Reference, Value
from leadbus.connector.contract import Account, CrmActivity, CrmList, Opportunity, Person, Row, User
from leadbus.messages import Fields, Record

ADA = "c4567bb6-47a3-e711-811b-e0071b6ac1b1"
GRACE = "1bfa3886-df7e-468c-8435-b5adfb0441ed"


def entry(entity: str, values: Mapping[str, Value], labels: Mapping[str, str] | None = None) -> Entry:
    return Entry(entity, ADA, values, labels or {})


def row(entity: str, values: Mapping[str, Value], **around: Any) -> Row:
    labels = around.pop("labels", None)
    return row_of(entry(entity, values, labels), Around(**around))


def person(values: Mapping[str, Value], entity: str = "lead", **around: Any) -> Person:
    found = row(entity, values, **around)
    assert isinstance(found, Person)
    return found


def opportunity(values: Mapping[str, Value], **around: Any) -> Opportunity:
    found = row("opportunity", values, **around)
    assert isinstance(found, Opportunity)
    return found


def shape(kind: AttributeType, name: str = "new_field", **more: Any) -> Attribute:
    return Attribute(name, name, kind, **more)


@pytest.mark.parametrize(
    ("kind", "value", "label", "expected"),
    [
        ("text", "Ada", "", "Ada"),
        ("integer", 1500, "1,500", "1500"),
        ("decimal", Decimal("12.500"), "12.50", "12.5"),
        ("money", Decimal("1E+3"), "$1,000.00", "1000"),
        ("boolean", False, "Allow", "false"),
        ("option", Option(8), "Web", "Web"),
        ("option", 8, "", "Own words"),
        ("status", 9, "", "9"),
        ("options", "8,1", "", "Own words;One"),
        ("lookup", Reference("campaign", GRACE, "May"), "May", GRACE),
        ("date", "1815-12-10", "12/10/1815", "1815-12-10"),
        ("date", "1815-12-09T23:00:00Z", "12/10/1815", "1815-12-10"),
        ("datetime", "2026-01-31T08:00:00Z", "1/31/2026 9:00 AM", "2026-01-31T08:00:00+00:00"),
    ],
)
def test_a_value_is_shown_in_the_kits_form_by_its_attributes_type(
    kind: AttributeType, value: Value, label: str, expected: str
) -> None:
    labels = {"new_field": label} if label else {}
    known = shape(kind, options={8: "Own words", 1: "One"})
    assert shown(entry("lead", {"new_field": value}, labels), "new_field", known) == expected


def test_what_is_not_there_is_an_empty_text() -> None:
    assert shown(entry("lead", {"new_field": None}), "new_field", shape("option")) == ""
    assert shown(entry("lead", {}), "new_field") == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "true"), (3, "3"), (Money("1.50"), "1.5"), (None, ""), ((Reference("lead", ADA),), ADA)],
)
def test_without_a_type_a_value_is_shown_by_its_own(value: Value, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("midnight", "there"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01"),
        ("2026-02-28T14:00:00Z", "2026-03-01"),  # Brisbane
        ("2026-03-01T08:00:00Z", "2026-03-01"),  # Los Angeles
    ],
)
def test_a_date_that_follows_the_users_zone_is_the_day_that_was_meant(midnight: str, there: str) -> None:
    assert day(midnight) == date.fromisoformat(there)


def test_what_is_no_date_time_or_amount_is_none() -> None:
    assert day("soon") is day("2026-13-01T00:00:00Z") is moment("soon") is moment(None) is None


def test_a_lead_is_read_with_its_words_and_its_owner() -> None:
    ada = person(
        {
            "emailaddress1": " Ada@Example.test ",
            "emailaddress2": "ada@example.test",
            "emailaddress3": "countess@example.test",
            "firstname": "Ada",
            "statecode": 0,
            "statuscode": 2,
            "donotbulkemail": False,
            "donotemail": False,
            "ownerid": Reference("systemuser", GRACE),
            "createdon": "2026-01-01T08:00:00Z",
            "modifiedon": "2026-01-02T08:00:00Z",
        },
        labels={"statuscode": "Contacted"},
        mapped=("firstname", "jobtitle"),
    )
    assert (ada.record, ada.kind) == (Record(module="lead", id=ADA), "lead")
    assert (ada.email, ada.emails) == ("ada@example.test", ("ada@example.test", "countess@example.test"))
    assert (ada.status, ada.open, ada.opted_out) == ("Contacted", True, False)
    assert ada.values == {"firstname": "Ada", "jobtitle": ""}
    assert ada.owner_id == GRACE
    assert ada.created_at == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert ada.changed_at == datetime(2026, 1, 2, 8, tzinfo=UTC)


def test_a_team_that_owns_a_record_is_no_user() -> None:
    assert person({"ownerid": Reference("team", GRACE)}).owner_id is None


@pytest.mark.parametrize(
    ("bulk", "any_email", "opted_out"),
    [(True, False, True), (False, True, True), (False, False, False), (None, None, False)],
)
def test_who_is_to_have_no_email_in_bulk_or_at_all_is_opted_out(
    bulk: bool | None, any_email: bool | None, opted_out: bool
) -> None:
    assert person({"donotbulkemail": bulk, "donotemail": any_email}).opted_out is opted_out


def test_where_neither_is_told_the_opt_out_is_not_known() -> None:
    assert person({}).opted_out is None


def test_a_qualified_lead_is_the_contact_that_has_come_of_it_or_was_named_on_it() -> None:
    named = {"statecode": 1, "parentcontactid": Reference("contact", "named")}
    assert person(named, contacts={ADA: "made"}).converted_to == Record(module="contact", id="made")
    assert person(named).converted_to == Record(module="contact", id="named")
    of_2011 = {"statecode": 1, "customerid": Reference("contact", "customer")}
    assert person(of_2011).converted_to == Record(module="contact", id="customer")
    assert not person(named).open


def test_an_open_lead_of_a_known_contact_is_not_converted() -> None:
    ada = person({"statecode": 0, "parentcontactid": Reference("contact", "named")})
    assert ada.converted_to is None
    assert ada.open


def test_a_disqualified_lead_is_closed_and_no_contact() -> None:
    ada = person({"statecode": 2, "statuscode": 4}, labels={"statuscode": "Lost"})
    assert (ada.open, ada.status, ada.converted_to) == (False, "Lost", None)


def test_a_contact_has_an_account_and_no_status() -> None:
    ada = person(
        {"parentcustomerid": Reference("account", GRACE), "statecode": 0, "statuscode": 1},
        "contact",
        labels={"statuscode": "Active"},
    )
    assert (ada.kind, ada.account_id, ada.status) == ("contact", GRACE, None)
    assert person({"parentcustomerid": Reference("contact", GRACE)}, "contact").account_id is None


def test_an_opportunity_has_its_contacts_and_the_lead_it_came_of() -> None:
    deal = opportunity(
        {
            "name": "200 engines",
            "customerid": Reference("account", "company"),
            "parentcontactid": Reference("contact", "ada"),
            "originatingleadid": Reference("lead", "lead"),
            "statecode": 0,
            "statuscode": 1,
            "estimatedvalue": Decimal("12500.5000"),
            "estimatedclosedate": "2027-01-31",
            "closeprobability": 40,
            "transactioncurrencyid": Reference("transactioncurrency", "euro"),
        },
        labels={"statuscode": "In Progress"},
        emails={
            "ada": ("ada@example.test", "king@example.test"),
            "lead": ("ada@example.test",),
            "other": ("x@example.test",),
        },
        sources={"ada": "Web", "lead": "Leadbus"},
        currencies={"euro": "EUR"},
    )
    assert deal.contact_ids == ("ada", "lead")
    assert deal.contact_emails == ("ada@example.test", "king@example.test")
    assert (deal.account_id, deal.lead_source, deal.stage) == ("company", "Leadbus", "In Progress")
    assert (deal.amount, deal.currency, deal.probability) == ("12500.5", "EUR", 40)
    assert deal.close_date == date(2027, 1, 31)


def test_a_customer_that_is_a_contact_is_one_of_an_opportunitys_people() -> None:
    deal = opportunity({"customerid": Reference("contact", "ada")})
    assert (deal.contact_ids, deal.account_id) == (("ada",), None)


def test_an_open_opportunity_stands_where_its_sales_process_does_and_a_closed_one_where_it_ended() -> None:
    values: dict[str, Value] = {
        "stepname": "3-Propose",
        "estimatedvalue": Decimal(100),
        "actualvalue": Decimal(90),
    }
    running = opportunity({**values, "statecode": 0}, labels={"statuscode": "In Progress"})
    won = opportunity({**values, "statecode": 1, "statuscode": 3}, labels={"statuscode": "Won"})
    lost = opportunity({**values, "statecode": 2, "statuscode": 5}, labels={"statuscode": "Out-Sold"})
    assert [deal.stage for deal in (running, won, lost)] == ["3-Propose", "Won", "Out-Sold"]
    assert [deal.amount for deal in (running, won, lost)] == ["100", "90", "100"]


@pytest.mark.parametrize(
    ("entity", "kind", "due"),
    [
        ("task", "task", "scheduledend"),
        ("phonecall", "call", "scheduledend"),
        ("appointment", "meeting", "scheduledstart"),
        ("email", "email", "scheduledend"),
    ],
)
def test_an_activity_is_about_what_it_regards(entity: str, kind: str, due: str) -> None:
    found = row(
        entity,
        {
            "subject": "Call her back",
            "regardingobjectid": Reference("lead", "ada"),
            "statuscode": 3,
            "prioritycode": 2,
            due: "2027-01-31T00:00:00Z",
        },
        labels={"statuscode": "In Progress", "prioritycode": "High"},
    )
    assert isinstance(found, CrmActivity)
    assert (found.type, found.subject, found.about) == (kind, "Call her back", ("ada",))
    assert (found.status, found.priority) == ("In Progress", "High")
    assert found.due_at == datetime(2027, 1, 31, tzinfo=UTC)


def test_a_note_is_about_what_it_hangs_on() -> None:
    note = row("annotation", {"subject": "Visit", "notetext": "Prices", "objectid": Reference("lead", "ada")})
    assert isinstance(note, CrmActivity)
    assert (note.type, note.subject, note.text, note.about) == ("note", "Visit", "Prices", ("ada",))
    assert (note.status, note.priority, note.due_at) == (None, None, None)


def test_accounts_users_and_lists_have_their_names() -> None:
    account = row("account", {"name": "Engines Ltd"})
    user = row(
        "systemuser",
        {"fullname": "Grace Hopper", "internalemailaddress": "Grace@Example.test", "isdisabled": True},
    )
    kinds = [row("list", {"listname": "Fair", "type": dynamic}) for dynamic in (False, True)]
    assert isinstance(account, Account)
    assert account.name == "Engines Ltd"
    assert isinstance(user, User)
    assert (user.name, user.email, user.active) == ("Grace Hopper", "grace@example.test", False)
    assert [one.list_type for one in kinds if isinstance(one, CrmList)] == ["Static", "Dynamic"]


@pytest.mark.parametrize("entity", sorted(KINDS))
def test_a_deleted_row_is_of_its_kinds_class_and_has_nothing_but_its_id(entity: str) -> None:
    gone = row_of(Entry(entity, ADA, deleted=True), Around(mapped=("name",)))
    live = row_of(Entry(entity, ADA), Around())
    assert type(gone) is type(live)
    assert (gone.deleted, gone.record.id, gone.values) == (True, ADA, {})
    assert not live.deleted


def test_every_standard_field_is_one_of_ours_and_every_kind_is_read_with_its_time_of_change() -> None:
    ours = set(Fields.model_fields)
    assert all(set(fields) <= ours for fields in FIELDS.values())
    assert set(READ) == set(KINDS)
    assert all("modifiedon" in attributes for attributes in READ.values())


def test_standard_fields_have_a_length_to_be_cut_to() -> None:
    long = "9" * 5_000
    for fields in FIELDS.values():
        for name in fields.values():
            assert name == "birthdate" or len(fit(name, long)) < 5_000, name
