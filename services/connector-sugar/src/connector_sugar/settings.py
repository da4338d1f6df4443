"""What a person enters to connect a SugarCRM, and what the service itself is told."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from leadbus.connector.settings import ConnectionSettings, Section
from leadbus.ids import derived_id
from leadbus.settings import Settings

# What people copy along with the address: the guide's /web, entry scripts, service addresses, WSDL queries.
_ENDING = re.compile(
    r"/(?:web|index\.php|soap\.php|(?:custom/)?service/v\d+(?:_\d+)*(?:/(?:soap|rest)\.php)?"
    r"|rest/v\d+(?:_\d+)*)(?:/.*)?$",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _site_url(value: str) -> str:
    """The CRM's own address without what leads further in: no path of a service, no query, no last slash."""
    try:
        parts = urlsplit(value)
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        host = None
    if host is None or scheme not in _DEFAULT_PORTS:
        raise ValueError("not a web address, such as https://crm.example.com")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must not carry a user name or password")
    shown = f"[{host}]" if ":" in host else host
    shown += f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    path = _ENDING.sub("", parts.path.rstrip("/")).rstrip("/")
    return f"{scheme}://{shown}{path}"


SiteUrl = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), AfterValidator(_site_url)
]


class SugarAccess(Section):
    """How Leadbus signs in to the CRM."""

    url: SiteUrl = Field(
        description="The address at which people sign in to the CRM, such as https://crm.example.com;"
        " with /web or as the address of its WSDL it is accepted too."
    )
    user: str = Field(
        min_length=1, max_length=255, description="The CRM user in whose name Leadbus reads and writes."
    )
    password: SecretStr = Field(min_length=1, max_length=1_000, description="That user's password.")


class SugarConnection(ConnectionSettings):
    """A tenant's connection to one SugarCRM."""

    crm: Literal["sugar"] = "sugar"
    access: SugarAccess = Field(description="The CRM's address and user.")

    @property
    def organisation_id(self) -> str:
        """The CRM organisation: the same however its address was written, be it http or https."""
        return derived_id("sugar", self.access.url.partition("://")[2])

    @property
    def address(self) -> str:
        """The CRM's address."""
        return self.access.url


class ConnectorSugarSettings(Settings):
    """What connector-sugar is told besides what every service is told."""

    port: int = Field(
        8082,
        validation_alias="CONNECTOR_SUGAR_PORT",
        ge=0,
        le=65_535,
        description="The port of connector-sugar's HTTP API; 0 = any that is free.",
    )
