"""What Zoho's codes mean, on the answers of the contract notes."""

import json
from pathlib import Path

import httpx
import pytest

from connector_zoho import faults, refusals
from leadbus.errors import (
    AddressRefused,
    AuthExpired,
    AuthRefused,
    Conflict,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "zoho" / "samples"


def envelope(code, **details):
    return {"code": code, "details": details, "message": "ada@example.test is wrong", "status": "error"}


@pytest.mark.parametrize(
    ("code", "reading", "writing"),
    [
        ("INVALID_TOKEN", AuthExpired, AuthExpired),
        ("INVALID_OAUTHTOKEN", AuthExpired, AuthExpired),
        ("AUTHENTICATION_FAILURE", AuthRefused, AuthRefused),
        ("OAUTH_SCOPE_MISMATCH", AuthRefused, AuthRefused),
        ("NO_PERMISSION", Unsupported, Rejected),
        ("ID_ALREADY_CONVERTED", faults.AlreadyConverted, faults.AlreadyConverted),
        ("NOT_SUBSCRIBED", faults.NotSubscribed, faults.NotSubscribed),
        ("ALREADY_MODIFIED", Conflict, Conflict),
        ("RECORD_LOCKED", Transient, Transient),
        ("RECORD_IN_BLUEPRINT", Transient, Transient),
        ("NOT_APPROVED", Transient, Transient),
        ("EXPIRED_VALUE", faults.PageLost, faults.PageLost),
        ("TOKEN_BOUND_DATA_MISMATCH", faults.PageLost, faults.PageLost),
        ("PAGINATION_LIMIT_EXCEEDED", faults.TooManyPages, faults.TooManyPages),
        ("INVALID_MODULE", Unsupported, Rejected),
        ("INTERNAL_ERROR", Transient, OutcomeUnknown),
        ("SYNTAX_ERROR", Unsupported, Rejected),
        ("A_CODE_OF_TOMORROW", Unsupported, Rejected),
    ],
)
def test_codes_of_whole_answers(code, reading, writing):
    assert type(faults.of_envelope(400, envelope(code), writing=False)) is reading
    assert type(faults.of_envelope(400, envelope(code), writing=True)) is writing


@pytest.mark.parametrize("key", ["data", "watch", "users", "tags"])
def test_an_answer_whose_rows_have_outcomes_is_no_error_whatever_its_status(key):
    for status in (200, 202, 207, 400, 403, 412):
        rows = {key: [envelope("INVALID_DATA"), {"code": "SUCCESS", "status": "success"}]}
        assert faults.of_answer(status, rows, writing=True) is None


def test_a_refused_sign_in_is_one_in_a_row_and_flat():
    mismatch = envelope("OAUTH_SCOPE_MISMATCH")
    for body in (mismatch, {"data": [mismatch]}):
        assert isinstance(faults.of_answer(401, body, writing=True), AuthRefused)


def test_good_answers_are_those_of_a_good_status_that_say_no_error():
    listed = {"data": [{"id": "1", "Email": None}], "info": {}}
    assert faults.of_answer(200, listed, writing=False) is None
    assert faults.of_answer(304, None, writing=False) is None
    assert faults.of_answer(204, None, writing=False) is None
    assert isinstance(faults.of_answer(200, envelope("EXPIRED_VALUE"), writing=False), faults.PageLost)
    assert isinstance(faults.of_answer(302, {}, writing=False), faults.NotServed)


@pytest.mark.parametrize("body", [None, {}, [], "ok", {"status": "ok"}, {"data": None}, {"data": {}}])
def test_what_is_not_in_zohos_form_does_not_pass_for_no_rows(body):
    assert type(faults.of_answer(200, body, writing=False)) is Transient
    for told in ({"data": []}, {"tags": [{"name": "a"}]}, {"count": 0}):
        assert faults.of_answer(200, told, writing=False) is None


def test_an_unknown_code_of_a_failing_server_may_have_been_carried_out():
    broken = envelope("SOMETHING_BROKE")
    assert type(faults.of_envelope(500, broken, writing=True)) is OutcomeUnknown
    assert type(faults.of_envelope(500, broken, writing=False)) is Transient


@pytest.mark.parametrize(
    ("code", "details", "kind", "says"),
    [
        ("MANDATORY_NOT_FOUND", {"api_name": "Last_Name"}, Rejected, "requires a value for Last_Name"),
        ("INVALID_DATA", {"api_name": "Email", "expected_data_type": "email"}, Rejected, "of the type email"),
        ("INVALID_DATA", {"api_name": "Phone", "maximum_length": 30}, Rejected, "at most 30 characters"),
        ("DUPLICATE_DATA", {"api_name": "Email", "id": "1"}, faults.Duplicate, "allows only once"),
        ("DEPENDENT_MISMATCH", {"api_name": "Stage"}, Rejected, "does not go with"),
        ("A_CODE_OF_TOMORROW", {}, Rejected, "A_CODE_OF_TOMORROW"),
    ],
)
def test_a_refused_row_names_field_and_reason(code, details, kind, says):
    error = faults.of_row(envelope(code, **details))
    assert type(error) is kind
    assert error.field == details.get("api_name")
    assert says in str(error)


@pytest.mark.parametrize("details", [{"api_name": "id"}, {"resource_path_index": 1}])
def test_an_id_that_is_not_there_any_more_is_gone(details):
    assert type(faults.of_row(envelope("INVALID_DATA", **details))) is Gone
    assert type(faults.of_envelope(400, envelope("INVALID_DATA", **details), writing=False)) is Gone


def test_nothing_that_zoho_says_of_a_person_is_repeated():
    for code in (*faults.CODES, "A_CODE_OF_TOMORROW", "bad code of ada@example.test"):
        for details in ({}, {"api_name": "Email"}, {"api_name": "Email", "expected_data_type": "email"}):
            assert "ada@" not in str(faults.of_row(envelope(code, **details)))
            assert "ada@" not in str(faults.of_envelope(400, envelope(code, **details), writing=True))


@pytest.mark.parametrize(
    ("status", "reading", "writing"),
    [
        (200, faults.NotServed, OutcomeUnknown),
        (302, faults.NotServed, OutcomeUnknown),
        (403, AddressRefused, AddressRefused),
        (404, faults.NotServed, faults.NotServed),
        (500, Transient, OutcomeUnknown),
        (502, Transient, OutcomeUnknown),
        (503, Transient, OutcomeUnknown),
    ],
)
def test_pages_instead_of_answers(status, reading, writing):
    assert type(faults.of_page(status, writing=False)) is reading
    assert type(faults.of_page(status, writing=True)) is writing


def test_a_write_that_never_left_was_not_carried_out_and_one_without_an_answer_may_have_been():
    assert isinstance(faults.of_transport(httpx.ConnectError("x"), writing=True), AddressRefused)
    assert isinstance(faults.of_transport(httpx.ReadTimeout("x"), writing=True), OutcomeUnknown)
    assert isinstance(faults.of_transport(httpx.ReadError("x"), writing=True), OutcomeUnknown)
    assert isinstance(faults.of_transport(TimeoutError(), writing=True), OutcomeUnknown)
    assert type(faults.of_transport(httpx.ReadError("x"), writing=False)) is Transient


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("invalid_client", refusals.ClientRefused),
        ("invalid_client_secret", refusals.ClientRefused),
        ("invalid_redirect_uri", refusals.ClientRefused),
        ("invalid_code", refusals.SignInRefused),
        ("access_denied", refusals.SignInRefused),
        ("general_error", Transient),
    ],
)
def test_refused_token_requests_are_known_by_their_word_whatever_the_status(word, kind):
    for status in (200, 400):
        error = refusals.of_sign_in(status, {"error": word})
        assert type(error) is kind
        assert isinstance(error, AuthRefused) == (kind is not Transient)


def test_too_many_token_requests_are_a_pause_and_no_refusal():
    error = refusals.of_sign_in(400, {"error": "Access Denied", "status": "failure"})
    assert isinstance(error, RateLimited)
    assert error.retry_after >= 600
    assert refusals.of_sign_in(200, {"access_token": "x"}) is None


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the samples are not there: {SAMPLES}")
def test_every_error_of_the_contract_notes_is_known():
    said = json.loads((SAMPLES / "errors.json").read_text()) + json.loads(
        (SAMPLES / "convert-errors.json").read_text()
    )
    rows = [row for sample in said for row in sample["body"].get("data", [sample["body"]])]
    assert {row["code"] for row in rows} <= faults.CODES.keys()
    words = [sample["body"]["error"] for sample in json.loads((SAMPLES / "oauth-errors.json").read_text())]
    assert set(words) - {"Access Denied"} <= refusals.SIGN_IN.keys()
