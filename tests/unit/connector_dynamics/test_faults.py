"""Dynamics's codes, and what happens on the way to it, as errors with a sentence."""

import json
from pathlib import Path

import pytest

from connector_dynamics import faults
from leadbus.errors import (
    AddressRefused,
    AuthRefused,
    Conflict,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)

CONTRACT = Path(__file__).parents[4] / "shared" / "contracts" / "dynamics"


def body(code, message=""):
    return {"error": {"code": code, "message": message}}


def test_every_code_worth_a_rule_has_one():
    if not CONTRACT.exists():
        pytest.skip(f"the samples are not there: {CONTRACT}")
    listed = json.loads((CONTRACT / "metadata" / "error_codes.json").read_text())["codes"]
    without = {c["name"] for c in listed if int(c["hex"], 16) not in faults.CODES}
    # Nothing of ours can meet it: lists are never locked by us.
    assert without == {"LockStatusNotValidForDynamicList"}


@pytest.mark.parametrize(
    ("code", "reading", "writing"),
    [
        ("0x80040237", Conflict, Conflict),
        ("0x80040333", Unsupported, faults.Duplicate),
        ("0x80040217", Gone, Gone),
        ("0x80040220", Unsupported, Rejected),
        ("0x80072560", faults.NotAMember, faults.NotAMember),
        ("0x8004A112", AuthRefused, AuthRefused),
        ("0x80041103", Unsupported, Rejected),
        ("0x80060882", Conflict, Conflict),
        ("0x80040265", Transient, Rejected),
        ("0x80040216", Transient, OutcomeUnknown),
        ("0x80072326", RateLimited, RateLimited),
        ("0x80044352", faults.MarkTooOld, faults.MarkTooOld),
        ("0x80044151", Transient, Transient),
        ("0x80099999", Unsupported, Rejected),
    ],
)
def test_a_code_decides_in_both_notations(code, reading, writing):
    signed = int(code, 16) - (1 << 32)
    for writes, error in ((False, reading), (True, writing)):
        assert type(faults.of_answer(400, body(code), writing=writes)) is error
        assert type(faults.of_fault(signed, "", writing=writes)) is error


def test_a_code_goes_before_the_status():
    assert type(faults.of_answer(500, body("0x80040333"), writing=True)) is faults.Duplicate
    assert type(faults.of_answer(412, body("0x80040333"), writing=True)) is faults.Duplicate


def test_without_a_code_the_status_decides_about_one_record():
    gone = body("", "account With Id = 0 Does Not Exist")
    assert type(faults.of_answer(404, gone, writing=True, by_id=True)) is Gone
    changed = body("", "The version of the existing record doesn't match.")
    assert type(faults.of_answer(412, changed, writing=True, by_id=True)) is Conflict


def test_what_dynamics_itself_forbids_is_no_firewall():
    assert type(faults.of_answer(403, body("0x80099999"), writing=True)) is Rejected
    assert type(faults.of_answer(403, None, writing=True)) is AddressRefused


def test_a_column_is_named_however_the_text_has_it():
    for code, said in (
        (
            "0x80041103",
            "'Lead' entity doesn't contain attribute with Name = 'new_size' with NameMapping.",
        ),
        ("0x8004431A", "The value 7 of 'new_size' on record of type 'lead' is outside the valid range."),
        ("0x80044354", "Invalid Attribute Value Type for new_size. Expected: int, Found: string"),
        ("0x80048D19", "Invalid property 'new_size' was found in entity 'Microsoft.Dynamics.CRM.lead'."),
    ):
        error = faults.of_answer(400, body(code, said), writing=True)
        assert (type(error), getattr(error, "field", "")) == (Rejected, "new_size")
        assert "new_size" in str(error)


def test_nothing_is_read_out_of_a_plug_in_s_message():
    said = faults.of_answer(400, body("0x80040265", "Wrong 'lovelace' attribute"), writing=True)
    assert isinstance(said, Rejected)
    assert said.field is None


def test_a_page_that_is_not_there_is_no_deleted_record():
    assert type(faults.of_answer(404, None, writing=True, by_id=True)) is faults.NotServed


def test_a_privilege_and_a_column_are_named_and_nothing_else_of_the_text():
    denied = faults.of_answer(
        403,
        body("0x80040220", "Principal user (Id=1, type=8) is missing prvCreateLead privilege for ada@x.test"),
        writing=True,
    )
    assert "prvCreateLead" in str(denied)
    assert "ada@" not in str(denied)
    long = faults.of_answer(
        400,
        body("0x80044331", "The length of the 'subject' attribute of the 'task' entity exceeded '200'."),
        writing=True,
    )
    assert isinstance(long, Rejected)
    assert long.field == "subject"
    assert "subject" in str(long)
    undeclared = "An undeclared property 'new_Size' which only has property annotations was found."
    missing = faults.of_answer(400, body("0x0", undeclared), writing=True)
    assert isinstance(missing, Rejected)
    assert missing.field == "new_Size"


def test_a_plug_in_s_message_is_not_repeated():
    said = faults.of_answer(400, body("0x80040265", "ada@example.test is on our black list"), writing=True)
    assert "ada@" not in str(said)
    assert "plug-in" in str(said)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("35", 35.0), ("00:00:35", 35.0), ("1.02:03:04", 93_784.0), ("PT35S", 35.0), ("PT1H2M3.5S", 3_723.5)],
)
def test_a_pause_is_read_in_every_form(header, seconds):
    assert faults.seconds(header) == seconds


def test_a_limit_says_how_long_to_wait_but_not_for_ever():
    limited = faults.of_answer(429, body("0x80072322"), writing=True, retry_after="35")
    assert isinstance(limited, RateLimited)
    assert limited.retry_after == 35.0
    for_ever = faults.of_status(503, "1000000", writing=False)
    assert isinstance(for_ever, RateLimited)
    assert for_ever.retry_after == faults.LONGEST_WAIT
    assert faults.seconds("soon") is None
