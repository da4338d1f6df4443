"""Addresses and networks as people and servers write them."""

import pytest

from leadbus.errors import Rejected
from leadbus.security.networks import address_of, contained, network_of, written


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9/32 ", "203.0.113.9"),
        ("203.0.113.9/24", "203.0.113.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_has_one_spelling(given: str, kept: str) -> None:
    assert written(network_of(given)) == kept


@pytest.mark.parametrize(
    "given", ["", "x", "203.0.113", "203.0.113.9/33", "crm.example", "1.2.3.4,5.6.7.8", "*"]
)
def test_what_is_no_network_is_refused_with_how_to_write_one(given: str) -> None:
    with pytest.raises(Rejected, match=r"203\.0\.113\.0/24"):
        network_of(given)


@pytest.mark.parametrize(
    ("caller", "network", "inside"),
    [
        ("203.0.113.9", "203.0.113.0/24", True),
        ("203.0.114.9", "203.0.113.0/24", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("2001:db8::1", "2001:db8::/32", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("2001:db8::1", "0.0.0.0/0", False),
        ("203.0.113.9", "::/0", False),
        ("unknown", "0.0.0.0/0", False),
        (None, "0.0.0.0/0", False),
    ],
)
def test_a_caller_lies_in_a_network_of_its_own_kind(caller: str | None, network: str, inside: bool) -> None:
    assert contained(address_of(caller), [network_of(network)]) is inside
