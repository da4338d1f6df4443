"""Zoho's data centres: an organisation lives in one of them, and so does its sign-in.

Hosts: the official SDK's table. The API's host is never built from it, but taken from each token answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Environment = Literal["production", "sandbox", "developer"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class DataCentre:
    """One of the eight. accounts: where people sign in; api: production's host; crm: where people work.

    location: what a sign-in comes back with.
    """

    name: str
    location: str
    accounts: str
    api: str
    crm: str


def _zoho(name: str, location: str) -> DataCentre:
    return DataCentre(name, location, f"accounts.zoho.{name}", f"www.zohoapis.{name}", f"crm.zoho.{name}")


DATA_CENTRES: tuple[DataCentre, ...] = (
    _zoho("com", "us"),
    _zoho("eu", "eu"),
    _zoho("in", "in"),
    _zoho("com.au", "au"),
    _zoho("jp", "jp"),
    _zoho("com.cn", "cn"),
    DataCentre("ca", "ca", "accounts.zohocloud.ca", "www.zohoapis.ca", "crm.zohocloud.ca"),
    _zoho("sa", "sa"),
)
_BY_HOST: Mapping[str, DataCentre] = {
    host: centre
    for centre in DATA_CENTRES
    for host in (centre.accounts, centre.api, centre.crm, centre.crm.replace("crm.", "crmsandbox.", 1))
}
_API_HOSTS: Mapping[Environment, str] = {"sandbox": "sandbox.", "developer": "developer."}
_CRM_HOSTS: Mapping[Environment, str] = {"sandbox": "crmsandbox."}


def data_centre(text: str) -> str:
    """The name of a data centre, or the origin of an accounts server that is none of Zoho's.

    text: a name, a location, or any address of Zoho's in it. Raises ValueError if it is none of these.
    """
    value = text.strip().lower().rstrip("/")
    for centre in DATA_CENTRES:
        if value in (centre.name, f".{centre.name}", centre.location, centre.accounts, centre.crm):
            return centre.name
    origin = origin_of(value)
    if origin is None:
        names = ", ".join(centre.name for centre in DATA_CENTRES)
        raise ValueError(
            f"not one of Zoho's data centres ({names}), nor an address such as https://crm.zoho.eu"
        )
    known = _BY_HOST.get(origin.partition("://")[2])
    return known.name if known else origin


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address, in lower case; None if it is none, or carries a user."""
    try:
        parts = urlsplit(url.strip())
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        return None
    if not host or scheme not in _DEFAULT_PORTS or parts.username is not None or parts.password is not None:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def accounts_server(name: str) -> str:
    """Where people of a data centre sign in; an accounts server that is none of Zoho's is its own."""
    return next((f"https://{centre.accounts}" for centre in DATA_CENTRES if centre.name == name), name)


def of_accounts_server(url: str) -> DataCentre | None:
    """Whose accounts server it is; None if it is none of Zoho's, or not asked for over TLS."""
    origin = origin_of(url)
    return next((centre for centre in DATA_CENTRES if origin == f"https://{centre.accounts}"), None)


def api_of(api_domain: str, environment: Environment) -> str:
    """Where the API is. api_domain: of a token answer.

    That an answer for a sandbox may name the host of production is assumed; that `sandbox.` or `developer.`
    stands in place of its `www.` is in the official SDK. Raises ValueError if it is no web address.
    """
    origin = origin_of(api_domain)
    if origin is None:
        raise ValueError("no address of an API")
    scheme, _, host = origin.partition("://")
    if host in {centre.api for centre in DATA_CENTRES} and environment in _API_HOSTS:
        host = _API_HOSTS[environment] + host.removeprefix("www.")
    return f"{scheme}://{host}"


def crm_of(name: str, environment: Environment) -> str:
    """Where people work in the CRM. For sandboxes and other accounts servers it is assumed."""
    for centre in DATA_CENTRES:
        if centre.name == name:
            prefix = _CRM_HOSTS.get(environment, "crm.")
            return f"https://{prefix}{centre.crm.removeprefix('crm.')}"
    return name
