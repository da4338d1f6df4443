"""Leadbus's values and rows as Zoho's JSON: typed, cut, and never more than is known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector_zoho import values
from connector_zoho.capabilities import CAPABILITIES, CREDITS
from leadbus.connector.contract import (
    Conversion,
    FieldInfo,
    FieldType,
    NewAccount,
    NewActivity,
    NewPerson,
    PersonChange,
)
from leadbus.connector.together import rows_per_call
from leadbus.messages import Record

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEAD, CONTACT = Record(module="Leads", id="61"), Record(module="Contacts", id="62")
SHAPES = {
    "Score": FieldInfo("Score", "Score", "number"),
    "Segments": FieldInfo("Segments", "Segments", "options"),
    "Code": FieldInfo("Code", "Code", "text", length=5),
}


def somebody(**known: Any) -> NewPerson:
    facts: dict[str, Any] = {"kind": "lead", "values": {}, "lead_source": "Leadbus"} | known
    return NewPerson(id="ours", email="ann@example.com", **facts)


def activity(record: Record = LEAD, **known: Any) -> NewActivity:
    facts: dict[str, Any] = {"type": "note", "subject": "Clicked the offer"} | known
    return NewActivity(id="ours", record=record, **facts)


@pytest.mark.parametrize(
    ("kind", "text", "json"),
    [
        ("text", "Ann", "Ann"),
        ("text", "", None),
        ("option", "Trade Show", "Trade Show"),
        ("number", "71", 71),
        ("number", "-71.0", -71),
        ("number", "12500.50", 12500.5),
        ("number", "", None),
        ("number", "many", "many"),
        ("number", "1E999999", "1E999999"),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("boolean", "", False),
        ("date", "1990-02-03", "1990-02-03"),
        ("date", "1990-02-03T00:00:00+00:00", "1990-02-03"),
        ("date", "", None),
        ("datetime", "2026-03-01T09:30:00+02:00", "2026-03-01T07:30:00+00:00"),
        ("datetime", "2026-03-01T09:30:00", "2026-03-01T09:30:00+00:00"),
        ("datetime", "soon", "soon"),
        ("options", "red;blue", ["red", "blue"]),
        ("options", "", []),
        ("reference", "554023000000630001", {"id": "554023000000630001"}),
        ("reference", "", None),
    ],
)
def test_a_value_is_written_as_its_fields_type_wants_it(kind: FieldType, text: str, json: Any) -> None:
    shown = values.written(kind, text)
    assert (shown, type(shown)) == (json, type(json))


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("First_Name", "x" * 41, "x" * 40),
        ("Last_Name", "x" * 81, "x" * 80),
        ("Company", "x" * 201, "x" * 200),
        ("Last_Name", " Kot\r\nLis ", "Kot Lis"),
        ("Last_Name", f"{'x' * 79} y", "x" * 79),
        ("Description", "one\r\ntwo\n", "one\ntwo"),
        ("Description", "a\x00b\ud800c", "abc"),
        ("Phone", "+48 (600) 100-200", "+48 (600) 100-200"),
        ("Phone", "+48 (0) 600 - 100 - 200 - 300 ext. 12", "+480600100200300x12"),
        ("Fax", "1" * 40, "1" * 30),
        ("Anything_of_theirs", "x" * 1_000, "x" * 1_000),
    ],
)
def test_a_value_is_fitted_to_what_the_field_keeps_and_fitting_it_again_changes_nothing(
    name: str, value: str, kept: str
) -> None:
    assert values.fit(name, value) == kept
    assert values.fit(name, kept) == kept


def test_a_new_lead_has_what_is_known_and_nothing_else() -> None:
    new = somebody(values={"Last_Name": "Kot", "Score": "1", "Segments": "a;b", "Code": "123456"}, score=71)
    assert values.new_person(new, "Score", SHAPES) == {
        "Last_Name": "Kot",
        "Score": 71,
        "Segments": ["a", "b"],
        "Code": "12345",
        "Email": "ann@example.com",
        "Lead_Source": "Leadbus",
        "Lead_Status": "Not Contacted",
    }


@pytest.mark.parametrize("known", [True, False, None])
def test_an_opt_out_is_written_only_if_it_is_known(known: bool | None) -> None:
    expected = {} if known is None else {"Email_Opt_Out": known}
    change = PersonChange(LEAD, opted_out=known)
    for body in (
        values.new_person(somebody(opted_out=known), None, {}),
        values.person_change(change, None, {}),
    ):
        assert {name: value for name, value in body.items() if name == "Email_Opt_Out"} == expected


def test_a_new_contact_belongs_to_its_account_and_owner() -> None:
    body = values.new_person(somebody(kind="contact", account_id="63", owner_id="23"), None, {})
    assert body == {
        "Email": "ann@example.com",
        "Lead_Source": "Leadbus",
        "Account_Name": {"id": "63"},
        "Owner": {"id": "23"},
    }
    assert "Account_Name" not in values.new_person(somebody(account_id="63"), None, {})


def test_a_change_names_its_record_and_what_changes_alone() -> None:
    assert values.person_change(PersonChange(LEAD), "Score", SHAPES) == {"id": "61"}
    change = PersonChange(LEAD, {"Phone": ""}, 5, "new@example.com", True, "23", "Leadbus")
    assert values.person_change(change, "Score", SHAPES) == {
        "id": "61",
        "Phone": None,
        "Score": 5,
        "Email": "new@example.com",
        "Email_Opt_Out": True,
        "Owner": {"id": "23"},
        "Lead_Source": "Leadbus",
    }


def test_an_email_is_never_cut_as_it_would_be_somebody_elses() -> None:
    email = f"{'x' * 120}@example.com"
    assert values.person_change(PersonChange(LEAD, email=email), None, {})["Email"] == email


def test_an_account_without_an_owner_is_left_to_the_user_who_signed_in() -> None:
    assert values.new_account(NewAccount("ours", "Kot sp. z o.o.")) == {"Account_Name": "Kot sp. z o.o."}
    assert values.new_account(NewAccount("ours", "Kot", owner_id="23"))["Owner"] == {"id": "23"}


def test_a_note_hangs_on_its_record_and_never_comes_without_a_content() -> None:
    body = values.new_activity(activity(), WARSAW, NOW)
    assert body == {
        "Note_Title": "Clicked the offer",
        "Note_Content": "Clicked the offer",
        "Parent_Id": {"module": {"api_name": "Leads"}, "id": "61"},
    }
    long = values.new_activity(activity(subject="x" * 200, text="y" * 70_000), WARSAW, NOW)
    assert (len(long["Note_Title"]), len(long["Note_Content"])) == (120, 65_535)


@pytest.mark.parametrize(
    ("record", "link"),
    [
        (CONTACT, {"Who_Id": {"id": "62"}}),
        (LEAD, {"What_Id": {"id": "61"}, "$se_module": "Leads"}),
    ],
)
def test_a_task_is_with_a_contact_and_about_a_lead(record: Record, link: dict[str, Any]) -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    new = activity(record, type="task", text="Asked for a quote", due_at=late, owner_id="23")
    assert values.new_activity(new, WARSAW, NOW) == {
        "Subject": "Clicked the offer",
        "Description": "Asked for a quote",
        "Status": "Not Started",
        "Priority": "Normal",
        "Due_Date": "2026-03-02",
        "Owner": {"id": "23"},
        **link,
    }


@pytest.mark.parametrize(
    ("due", "begins"),
    [
        (None, NOW),
        (NOW - timedelta(days=1), NOW),
        (NOW + timedelta(hours=2), NOW + timedelta(hours=2)),
    ],
)
def test_a_call_to_make_lies_ahead_and_takes_time(due: datetime | None, begins: datetime) -> None:
    body = values.new_activity(activity(type="call", due_at=due), WARSAW, NOW)
    assert body["Call_Start_Time"] == begins.isoformat()
    assert (body["Call_Type"], body["Outbound_Call_Status"]) == ("Outbound", "Scheduled")
    assert body["Call_Duration"].strip("0:")


def test_a_conversion_attaches_what_is_given_and_tells_nobody() -> None:
    plain = values.conversion(Conversion(LEAD), (), {})
    assert plain == {"overwrite": False, "notify_lead_owner": False, "notify_new_entity_owner": False}
    full = values.conversion(Conversion(LEAD, CONTACT, "63", "23"), ("vip",), {"Accounts": "64"})
    assert {name: value for name, value in full.items() if name not in plain} == {
        "Contacts": {"id": "62"},
        "Accounts": {"id": "64"},
        "assign_to": {"id": "23"},
        "carry_over_tags": {"Contacts": ["vip"]},
    }


@pytest.mark.parametrize(
    ("rows", "size"), [(1, 10), (20, 20), (45, 20), (100, 20), (101, 30), (400, 80), (2_000, 100)]
)
def test_rows_are_spread_over_calls_by_tens(rows: int, size: int) -> None:
    assert rows_per_call(CAPABILITIES, rows, step=10) == size
    spread = -(-rows // size) * -(-size // 10)
    assert spread - CREDITS["update"](rows) < size // 10, "it costs hardly more credits than whole calls"


def test_all_that_the_kit_may_say_of_a_finding_is_filled_in() -> None:
    for step, text in CAPABILITIES.steps.items():
        said = text.format(module="Leads", value="Leadbus", rights="read", name="Lead_Source")
        assert ("Campaigns >" if step == "list" else "Setup >") in said
        assert not set("{}") & set(said)
