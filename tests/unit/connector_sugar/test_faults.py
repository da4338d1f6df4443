"""What is to be done about each fault and each accident on the way."""

import httpx
import pytest

from connector_sugar import faults
from leadbus.errors import (
    AddressRefused,
    AuthExpired,
    AuthRefused,
    LeadbusError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)

SOAP = [
    ("-1", Transient, OutcomeUnknown),
    ("10", AuthRefused, AuthRefused),
    ("11", AuthExpired, AuthExpired),
    ("20", Unsupported, Unsupported),
    ("40", Unsupported, Rejected),
    ("1009", AuthRefused, AuthRefused),
    ("1012", AuthRefused, AuthRefused),
    ("SOAP-ENV:Client", Unsupported, Unsupported),
    ("4711", Transient, OutcomeUnknown),
    (None, Transient, OutcomeUnknown),
]
PAGES = [
    (200, Transient, Transient),
    (302, Transient, Transient),
    (401, AddressRefused, AddressRefused),
    (403, AddressRefused, AddressRefused),
    (404, Transient, Transient),
    (500, Transient, OutcomeUnknown),
    (502, Transient, OutcomeUnknown),
    (503, Transient, Transient),
    (504, Transient, OutcomeUnknown),
]
ACCIDENTS = [
    (httpx.ConnectError(""), Transient, Transient),
    (httpx.ConnectTimeout(""), Transient, Transient),
    (httpx.PoolTimeout(""), Transient, Transient),
    (httpx.ReadTimeout(""), Transient, OutcomeUnknown),
    (httpx.WriteTimeout(""), Transient, OutcomeUnknown),
    (TimeoutError(), Transient, OutcomeUnknown),
    (httpx.ReadError(""), Transient, OutcomeUnknown),
    (httpx.RemoteProtocolError(""), Transient, OutcomeUnknown),
]


@pytest.mark.parametrize(("code", "reading", "writing"), SOAP)
def test_a_fault_means_something_else_for_a_write_than_for_a_read(
    code: str | None, reading: type[LeadbusError], writing: type[LeadbusError]
) -> None:
    assert isinstance(faults.of_fault(code, writing=False), reading)
    assert isinstance(faults.of_fault(code, writing=True), writing)


@pytest.mark.parametrize(("status", "reading", "writing"), PAGES)
def test_a_web_page_in_place_of_soap_is_judged_by_its_status(
    status: int, reading: type[LeadbusError], writing: type[LeadbusError]
) -> None:
    assert isinstance(faults.of_status(status, None, writing=False), reading)
    assert isinstance(faults.of_status(status, None, writing=True), writing)


@pytest.mark.parametrize(("error", "reading", "writing"), ACCIDENTS)
def test_only_a_write_that_never_left_was_surely_not_carried_out(
    error: httpx.HTTPError, reading: type[LeadbusError], writing: type[LeadbusError]
) -> None:
    assert isinstance(faults.of_transport(error, writing=False), reading)
    assert isinstance(faults.of_transport(error, writing=True), writing)


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    asked = faults.of_status(429, "17", writing=True)
    assert isinstance(asked, RateLimited)
    assert asked.retry_after == 17.0
    assert type(faults.of_status(503, "Wed, 21 Oct 2026 07:28:00 GMT", writing=False)) is Transient


def test_every_meaning_is_a_sentence_for_a_person() -> None:
    meanings = [*faults.FAULTS.values(), *faults.STATUSES.values(), faults.OTHER_FAULT, faults.PAGE]
    assert all(
        m.sentence[0].isupper() and m.sentence.endswith(".") and len(m.sentence) > 20 for m in meanings
    )
