"""What is to be done about each error of modern REST."""

import json
from pathlib import Path

import pytest

from connector_sugar.modern import faults
from leadbus.errors import (
    AddressRefused,
    AuthExpired,
    AuthRefused,
    Conflict,
    Gone,
    LeadbusError,
    OutcomeUnknown,
    Rejected,
    Transient,
    Unsupported,
)

SAMPLES = Path(__file__).parents[5] / "shared/contracts/sugar/rest/samples/v11-errors.json"
BY_LABEL: dict[str, tuple[type[LeadbusError], type[LeadbusError]]] = {
    "need_login": (AuthExpired, AuthExpired),
    "invalid_grant": (AuthExpired, AuthExpired),
    "not_authorized": (Unsupported, Rejected),
    "client_not_allowed": (AddressRefused, AddressRefused),
    "not_found": (Gone, Gone),
    "no_method": (Unsupported, Unsupported),
    "edit_conflict": (Conflict, Conflict),
    "metadata_out_of_date": (Transient, Transient),
    "request_too_large": (Rejected, Rejected),
    "missing_parameter": (Unsupported, Rejected),
    "invalid_parameter": (Unsupported, Rejected),
    "request_failure": (Transient, Rejected),
    "client_outdated": (Unsupported, Unsupported),
    "maintenance": (Transient, Transient),
    "fatal_error": (Transient, OutcomeUnknown),
    "incorrect_version": (Transient, Transient),
}
BY_STATUS: list[tuple[int, type[LeadbusError], type[LeadbusError]]] = [
    (200, Transient, OutcomeUnknown),
    (302, Transient, Transient),
    (401, AddressRefused, AddressRefused),
    (403, AddressRefused, AddressRefused),
    (404, Transient, Transient),
    (413, Rejected, Rejected),
    (500, Transient, OutcomeUnknown),
    (502, Transient, OutcomeUnknown),
    (503, Transient, Transient),
]


def body(label: str, text: str = "") -> dict[str, str]:
    return {"error": label, "error_message": text}


def test_every_label_of_the_table_is_tested() -> None:
    assert BY_LABEL.keys() == faults.LABELS.keys()


@pytest.mark.parametrize("label", BY_LABEL)
@pytest.mark.parametrize("status", [400, 412, 422])
def test_a_label_decides_whatever_the_status(label: str, status: int) -> None:
    reading, writing = BY_LABEL[label]
    assert isinstance(faults.of_contents(status, body(label), writing=False), reading)
    assert isinstance(faults.of_contents(status, body(label), writing=True), writing)


@pytest.mark.parametrize(("status", "reading", "writing"), BY_STATUS)
def test_an_answer_that_is_no_json(
    status: int, reading: type[LeadbusError], writing: type[LeadbusError]
) -> None:
    assert isinstance(faults.of_page(status, writing=False), reading)
    assert isinstance(faults.of_page(status, writing=True), writing)


@pytest.mark.parametrize("contents", [None, [], "no", {"error": 7}, {}])
def test_an_error_without_a_label_goes_by_its_status(contents: object) -> None:
    assert isinstance(faults.of_contents(422, contents, writing=True), Rejected)
    assert isinstance(faults.of_contents(500, contents, writing=True), OutcomeUnknown)
    assert faults.of_contents(200, contents, writing=True) is None


def test_a_field_is_named_only_if_it_is_one_of_the_modules() -> None:
    text = "Brakuje parametru: last_name"
    found = faults.of_contents(422, body("missing_parameter", text), writing=True, fields={"last_name"})
    assert isinstance(found, Rejected)
    assert (found.field, str(found)) == ("last_name", "The CRM requires a value for last_name.")
    secret = faults.of_contents(
        422, body("invalid_parameter", "ann@example.com"), writing=True, fields={"city"}
    )
    assert isinstance(secret, Rejected)
    assert (secret.field, "ann" in str(secret)) == (None, False)


@pytest.mark.parametrize(
    ("grant", "status", "label", "text", "error"),
    [
        ("password", 401, "need_login", "", AuthRefused),
        ("password", 400, "need_login", "", AuthRefused),
        ("password", 401, "invalid_grant", "", AuthRefused),
        ("refresh_token", 400, "invalid_grant", "", AuthExpired),
        ("refresh_token", 401, "need_login", "", AuthExpired),
        ("password", 422, "invalid_parameter", "EXCEPTION_INVALID_PLATFORM", AuthRefused),
        ("refresh_token", 422, "invalid_parameter", "EXCEPTION_INVALID_PLATFORM", AuthRefused),
        ("password", 401, "invalid_client", "", AuthRefused),
        ("password", 503, "maintenance", "", Transient),
        ("password", 500, "fatal_error", "", Transient),
    ],
)
def test_an_answer_to_a_sign_in(
    grant: str, status: int, label: str, text: str, error: type[LeadbusError]
) -> None:
    assert isinstance(faults.of_sign_in(status, body(label, text), grant), error)


def test_every_error_of_the_contract_is_known_by_its_label() -> None:
    if not SAMPLES.exists():
        pytest.skip(f"the contract's sample is not there: {SAMPLES}")
    labels = {sample["body"]["error"] for sample in json.loads(SAMPLES.read_text(encoding="utf-8"))}
    assert labels <= faults.LABELS.keys()
