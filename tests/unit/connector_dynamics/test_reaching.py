"""What keeps a call from the server, as errors that name host and port."""

import socket
import ssl

import httpx
import pytest

from connector_dynamics import faults, reaching
from leadbus.errors import AddressRefused, OutcomeUnknown, Transient
from leadbus.security.addresses import HostUnknown


def test_a_firewall_that_answers_nothing_is_told_with_the_port_to_open():
    error = reaching.of_transport(httpx.ConnectTimeout(""), "https://crm.example.com:5555/x", writing=True)
    assert isinstance(error, AddressRefused)
    assert "5555" in str(error)
    assert "firewall" in str(error)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (9, "not valid yet"),
        (10, "expired"),
        (18, "self-signed"),
        (20, "intermediate"),
        (21, "intermediate"),
        (62, "host name"),
        (64, "host name"),
        (1, "not valid"),
    ],
)
def test_a_certificate_is_told_with_what_is_wrong_with_it(code, word):
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code = code
    error = httpx.ConnectError("")
    error.__cause__ = RuntimeError()
    error.__cause__.__cause__ = cause
    found = reaching.of_transport(error, "https://crm.example.com", writing=True)
    assert type(found) is faults.Untrusted
    assert "port 443 of crm.example.com" in str(found)
    assert word in str(found)


def test_a_write_that_broke_off_may_have_been_done_and_one_that_never_left_not():
    sent = reaching.of_transport(httpx.ReadTimeout(""), "https://crm.example.com", writing=True)
    assert type(sent) is OutcomeUnknown
    unsent = reaching.of_transport(httpx.ConnectError(""), "https://crm.example.com", writing=True)
    assert type(unsent) is faults.NotReached
    broken = reaching.of_transport(httpx.RemoteProtocolError(""), "https://crm.example.com", writing=False)
    assert type(broken) is Transient


def test_a_name_that_nobody_knows_is_no_firewall():
    error = httpx.ConnectError("")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    found = reaching.of_transport(error, "https://crm.example.com/x", writing=True)
    assert type(found) is HostUnknown
    assert "crm.example.com" in str(found)


def test_http_to_what_may_speak_https_says_so_and_leaves_a_write_open():
    dropped = httpx.RemoteProtocolError("")
    assert "with https" in str(reaching.of_transport(dropped, "http://crm.example.com", writing=False))
    assert "with https" not in str(reaching.of_transport(dropped, "https://crm.example.com", writing=False))
    assert type(reaching.of_transport(dropped, "http://crm.example.com", writing=True)) is OutcomeUnknown
