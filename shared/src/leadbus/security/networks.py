"""Addresses and networks, of IPv4 and IPv6, as people and HTTP servers write them."""

import ipaddress
from collections.abc import Iterable

from leadbus.errors import Rejected

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_of(text: str) -> Network:
    """`203.0.113.9`, `203.0.113.0/24`, `2001:db8::/32`; an address is the network of itself alone.

    Raises:
        Rejected: it is none of these.
    """
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise Rejected(
            "This is neither an address nor a network: write it as 203.0.113.9, 203.0.113.0/24 or"
            " 2001:db8::/32.",
            field="address",
        ) from None
    mapped = found.network_address.ipv4_mapped if found.version == 6 and found.prefixlen >= 96 else None
    return ipaddress.ip_network((mapped, found.prefixlen - 96), strict=False) if mapped else found


def address_of(text: str | None) -> Address | None:
    """The address of a caller; None if it has none (a Unix socket, rubbish from a proxy).

    A dual-stack socket shows an IPv4 caller as `::ffff:203.0.113.9`: that is the same caller.
    """
    try:
        found = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return (found.version == 6 and found.ipv4_mapped) or found


def written(network: Network) -> str:
    """The one spelling of a network; of a single address without its length."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def contained(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether the address, if there is one, lies in one of the networks."""
    return address is not None and any(address in network for network in networks)
