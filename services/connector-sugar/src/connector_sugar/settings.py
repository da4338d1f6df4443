"""What a person enters to connect a SugarCRM, and what the service itself is told."""

import json
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from leadbus.connector.settings import ConnectionSettings, Section
from leadbus.ids import derived_id
from leadbus.messages.base import Name
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
    platform: str = Field(
        "leadbus",
        pattern=r"^[A-Za-z0-9_-]{1,127}$",
        description="The API platform, from Sugar 7 on: under a platform of its own Leadbus ends no other"
        " session of the user. It is registered under Admin > API platforms.",
    )
    client_id: str = Field(
        "sugar",
        min_length=1,
        max_length=255,
        description="The OAuth key, from Sugar 7 on; sugar is the one that every site has.",
    )
    client_secret: SecretStr = Field(
        SecretStr(""), max_length=1_000, description="The OAuth key's secret; the key sugar has none."
    )


class SugarConnection(ConnectionSettings):
    """A tenant's connection to one SugarCRM."""

    supported = (
        "Sugar 7 to 14, by REST v10 to v11",
        "SugarCRM 5 and 6, by REST v4_1, or SOAP v2 to v4_1",
        "SuiteCRM 7, by REST v4_1, or SOAP v2 to v4_1",
    )

    crm: Literal["sugar"] = Field("sugar", description="Which CRM it is.")
    access: SugarAccess = Field(description="The CRM's address and user.")
    teams: tuple[Name, ...] = Field(
        (),
        max_length=50,
        description="Exact names of the teams that this tenant works in, where several tenants share one"
        " SugarCRM: records are written with the first, and only records of these teams are read.",
    )

    @property
    def organisation_id(self) -> str:
        """The CRM organisation: the same however its address was written, be it http or https."""
        return derived_id("sugar", self.access.url.partition("://")[2])

    @property
    def team_scope(self) -> str:
        """See `ConnectionSettings`: the same whatever order the teams are named in."""
        return json.dumps(sorted(self.teams)) if self.teams else ""

    @property
    def team_names(self) -> tuple[str, ...]:
        """See `ConnectionSettings`."""
        return self.teams

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
    public_url: str = Field(
        "",
        validation_alias="CONNECTOR_SUGAR_PUBLIC_URL",
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="The address at which a browser reaches connector-sugar, for links in mails; empty ="
        " http://127.0.0.1:<port>.",
    )
