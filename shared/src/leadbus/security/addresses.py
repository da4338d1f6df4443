"""Addresses that users give us: none may lead into a network that only we can reach."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from leadbus.errors import Rejected, Transient
from leadbus.security.networks import Address, Network
from leadbus.settings import ConfigurationError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_VARIABLE = "LEADBUS_ALLOW_INTERNAL_ADDRESSES"
_CARRIERS = ipaddress.ip_network("100.64.0.0/10")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class HostUnknown(Transient):
    """No name server that we can ask knows the host, at present."""

    def __init__(self, host: str) -> None:
        super().__init__(f"The host name {host} cannot be resolved: check its spelling.")


class AddressGuard:
    """Says whether a user-given URL may be called.

    allowed: `LEADBUS_ALLOW_INTERNAL_ADDRESSES`, hosts and CIDRs separated by commas. A name is resolved at
    every check and all its addresses must pass. Check again before each connection: names change.
    """

    def __init__(self, allowed: str = "", resolve: Resolve | None = None) -> None:
        self._hosts: set[str] = set()
        self._networks: list[Network] = []
        self._resolve = resolve or _resolve
        for entry in filter(None, (part.strip().lower() for part in allowed.split(","))):
            self._allow(entry)

    async def check(self, url: str) -> list[str]:
        """The addresses that `url` leads to; connect to one of these and to no other.

        Raises:
            Rejected: not an http(s) URL, or it leads to an internal network; the text says what to do.
            HostUnknown: the name cannot be resolved at present.
        """
        host, port = _host_and_port(url)
        literal = _literal(host)
        addresses = [str(literal)] if literal else list(await self._resolve(host, port))
        if host not in self._hosts:
            for text in addresses:
                self._require_public(ipaddress.ip_address(text.partition("%")[0]))
        return addresses

    def _allow(self, entry: str) -> None:
        try:
            self._networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            if "/" in entry or ":" in entry:
                raise ConfigurationError(f"{_VARIABLE}: {entry} is neither a host nor a network.") from None
            self._hosts.add(entry.rstrip("."))

    def _require_public(self, address: Address) -> None:
        inner = _unwrapped(address)
        if any(candidate in network for candidate in (address, inner) for network in self._networks):
            return
        if not inner.is_global or inner.is_multicast or inner in _CARRIERS:
            raise Rejected(
                "This address leads to an internal network. Give the CRM's public address;"
                f" if it really lives there, the operator can allow it in {_VARIABLE}.",
                field="url",
            )


def _host_and_port(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        host, port = "", 0
    else:
        if parts.scheme not in {"http", "https"} or parts.username is not None or parts.password is not None:
            host = ""
    if not host:
        raise Rejected(
            "This is not a usable address: give it as https://host/path, without a user name.", "url"
        )
    return host, port


def _literal(host: str) -> Address | None:
    """The address, if one was written, in any notation a resolver takes (0x7f.1, 2130706433)."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.ip_address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError, ValueError):
        return None


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps (mapped, 6to4, NAT64), else the address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour or address
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostUnknown(host) from None
    return sorted({str(entry[4][0]) for entry in found})
