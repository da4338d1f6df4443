"""No user-given address leads into a network that only we can reach."""

from collections.abc import Sequence

import pytest

from leadbus.errors import Rejected, Transient
from leadbus.security.addresses import AddressGuard
from leadbus.settings import ConfigurationError


def resolving(**hosts: Sequence[str]) -> AddressGuard:
    return AddressGuard(resolve=_resolver(hosts))


def _resolver(hosts: dict[str, Sequence[str]]):  # type: ignore[no-untyped-def]
    async def resolve(host: str, port: int) -> Sequence[str]:
        return hosts[host]

    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://0.0.0.0/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1:8443/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1%25eth0]/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
    ],
)
async def test_an_internal_address_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(Rejected, match="internal network"):
        await AddressGuard().check(url)


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "example.com", "https://", "https://user:pw@example.com/", "http://a:b:c/"]
)
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Rejected, match="not a usable address") as wrong:
        await AddressGuard().check(url)
    assert "pw" not in str(wrong.value)


async def test_a_public_address_passes_and_is_named() -> None:
    assert await AddressGuard().check("https://8.8.8.8/crm") == ["8.8.8.8"]
    assert await resolving(**{"crm.example": ["8.8.4.4"]}).check("https://CRM.example./x") == ["8.8.4.4"]


async def test_one_internal_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(Rejected):
        await resolving(**{"crm.example": ["8.8.8.8", "10.0.0.1"]}).check("https://crm.example/")


async def test_a_real_name_is_resolved() -> None:
    with pytest.raises(Rejected, match="internal network"):
        await AddressGuard().check("http://localhost:8080/")


async def test_a_name_that_does_not_resolve_may_resolve_later() -> None:
    with pytest.raises(Transient, match="spelling"):
        await AddressGuard().check("https://nowhere.invalid/")


async def test_the_operator_may_allow_networks_and_hosts() -> None:
    guard = AddressGuard("127.0.0.0/8, crm.internal", _resolver({"crm.internal": ["10.0.0.9"]}))
    assert await guard.check("http://127.0.0.1:8080/") == ["127.0.0.1"]
    assert await guard.check("https://crm.internal/") == ["10.0.0.9"]
    with pytest.raises(Rejected):
        await guard.check("http://10.0.0.9/")


def test_an_allowance_that_is_neither_host_nor_network_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="LEADBUS_ALLOW_INTERNAL_ADDRESSES"):
        AddressGuard("10.0.0.0/99")
