"""What a person enters to connect a Dynamics, and what the service itself is told."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from connector_dynamics import products
from leadbus.connector.settings import ConnectionSettings, Schedule, Schedules, Section
from leadbus.ids import derived_id
from leadbus.settings import Settings

LOGIN_URL = "https://login.microsoftonline.com"

# What people copy along with the address: services as Developer Resources shows them, pages of the CRM.
_ENDING = re.compile(
    r"/(?:XRMServices|api/data|main\.aspx|default\.aspx|loader\.aspx|apps|WebResources|_root|_static|tools"
    r"|sfa|cs|ma|m|uclient|AppWebServices)(?:/.*)?$|/web$",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_API_HOST = re.compile(r"\.api(?=\.crm\d*\.dynamics\.com$)")
"""contoso.api.crm4.dynamics.com is contoso.crm4.dynamics.com by another name."""
_ONLINE = re.compile(r"(^|\.)(crm\d*\.dynamics\.(com|cn)|crm\.(microsoftdynamics\.us|appsplatform\.us))$")


def _address(value: str) -> str:
    """The organisation's own address without what leads further in."""
    try:
        parts = urlsplit(value)
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        host = None
    if host is None or scheme not in _DEFAULT_PORTS:
        raise ValueError("not a web address, such as https://crm.example.com/organisation")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address must not carry a user name or password")
    shown = f"[{host}]" if ":" in host else _API_HOST.sub("", host)
    shown += f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{shown}{_ENDING.sub('', parts.path.rstrip('/')).rstrip('/')}"


def _optional_address(value: str) -> str:
    return _address(value) if value else ""


_Trimmed = StringConstraints(strip_whitespace=True)
_Address = Annotated[str, _Trimmed, AfterValidator(_address)]


class DynamicsAccess(Section):
    """How Leadbus signs in to the CRM: with user and password, or as an app registration (Dynamics 365)."""

    url: _Address = Field(
        min_length=1,
        max_length=2_000,
        description="The organisation web service URL, as the CRM shows it under Settings > Customizations >"
        " Developer Resources, with or without /web; the address at which people open the CRM is accepted"
        " too, such as https://contoso.crm4.dynamics.com.",
    )
    odata_url: Annotated[str, _Trimmed, AfterValidator(_optional_address)] = Field(
        "",
        max_length=2_000,
        description="The OData service URL, which the CRM shows beside it: accepted, and not needed, as it"
        " leads to the same organisation.",
    )
    user: Annotated[str, _Trimmed] = Field(
        "",
        max_length=255,
        description="On-premises: the CRM user in whose name Leadbus reads and writes; DOMAIN\\user and"
        " user@domain are accepted too.",
    )
    password: SecretStr = Field(SecretStr(""), max_length=1_000, description="That user's password.")
    domain: Annotated[str, _Trimmed] = Field(
        "", max_length=255, description="The user's Windows domain, where it has one."
    )
    organisation: Annotated[str, _Trimmed] = Field(
        "",
        max_length=255,
        pattern=r"^[^/\s]*$",
        description="The organisation's name, where the address lacks it: the one that people choose in the"
        " drop-down when they sign in.",
    )
    tenant: Annotated[str, _Trimmed] = Field(
        "",
        max_length=255,
        pattern=r"^[A-Za-z0-9.-]*$",
        description="Dynamics 365: the directory (tenant) id of the app registration.",
    )
    client_id: Annotated[str, _Trimmed] = Field(
        "", max_length=255, description="Dynamics 365: the application (client) id of the app registration."
    )
    client_secret: SecretStr = Field(
        SecretStr(""),
        max_length=1_000,
        description="Dynamics 365: a client secret of the app registration: its value, not its id.",
    )
    login_url: _Address = Field(
        LOGIN_URL,
        max_length=2_000,
        description="Dynamics 365: where the app registration signs in; another one for national clouds.",
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> "DynamicsAccess":
        app = (self.tenant, self.client_id, self.client_secret.get_secret_value())
        person = (self.user, self.password.get_secret_value())
        if not (all(app) or all(person)):
            raise ValueError(
                "give user and password (on-premises), or tenant, client_id and client_secret (Dynamics 365)"
            )
        if any(app) and any(person):
            raise ValueError("give either user and password, or tenant, client_id and client_secret")
        return self

    @property
    def as_app(self) -> bool:
        """Whether we sign in as an app registration."""
        return bool(self.client_id)

    @property
    def address(self) -> str:
        """The organisation's address, with its name where that was given beside it and is not in it."""
        parts = urlsplit(self.url)
        name = self.organisation.lower()
        has_one = parts.path.strip("/") or (parts.hostname or "").partition(".")[0] == name
        return self.url if not name or has_one or self.online else f"{self.url}/{self.organisation}"

    @property
    def online(self) -> bool:
        """Whether the address is one of Microsoft's own."""
        return bool(_ONLINE.search(urlsplit(self.url).hostname or ""))

    @property
    def windows_user(self) -> str:
        """The user as Windows writes it: DOMAIN\\user, user@domain, or without a domain."""
        if self.domain and "\\" not in self.user and "@" not in self.user:
            return f"{self.domain}\\{self.user}"
        return self.user


class DynamicsSchedules(Schedules):
    """As of every CRM, but for targets."""

    target: Schedule | None = Field(None, description="Dynamics has no targets.")


class DynamicsConnection(ConnectionSettings):
    """A tenant's connection to one Dynamics."""

    supported = products.PRODUCTS
    unsupported = products.UNSUPPORTED

    crm: Literal["dynamics"] = Field("dynamics", description="Which CRM it is.")
    access: DynamicsAccess = Field(description="The CRM's address, and how Leadbus signs in to it.")
    schedules: DynamicsSchedules = Field(
        DynamicsSchedules(), description="When each kind of record is read from the CRM."
    )

    @property
    def organisation_id(self) -> str:
        """The CRM organisation: the same however its address was written, be it http or https."""
        return derived_id("dynamics", self.access.address.partition("://")[2].lower())

    @property
    def address(self) -> str:
        """The organisation's address."""
        return self.access.address


class DynamicsSettings(Settings):
    """What connector-dynamics is told besides what every service is told."""

    port: int = Field(
        8084,
        validation_alias="CONNECTOR_DYNAMICS_PORT",
        ge=0,
        le=65_535,
        description="The port of connector-dynamics's HTTP API; 0 = any that is free.",
    )
    public_url: str = Field(
        "",
        validation_alias="CONNECTOR_DYNAMICS_PUBLIC_URL",
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="The address at which a browser reaches connector-dynamics, for links in mails; empty ="
        " http://127.0.0.1:<port>.",
    )
