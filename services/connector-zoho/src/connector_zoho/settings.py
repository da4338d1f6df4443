"""What a person enters to connect a Zoho CRM, and what the service itself is told."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from connector_zoho import data_centres
from connector_zoho.data_centres import Environment
from leadbus.connector.settings import ConnectionSettings, Schedule, Schedules, Section
from leadbus.connector.settings.secret import MASKED
from leadbus.ids import derived_id
from leadbus.settings import Settings

_IN_ADDRESS = re.compile(r"^(?:https?://[^\s]*/)?org(\d+)(?:[/?#]\S*)?$", re.IGNORECASE)

_HOOK = re.compile(r"https?://[^\s/@]+(/\S*)?/hooks/[^\s/]+/[^\s/]+")


def _organisation(value: object) -> object:
    """The number, also where `org` or the CRM's address was copied with it; YAML reads it as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    found = _IN_ADDRESS.match(value.strip()) if isinstance(value, str) else None
    return found[1] if found else value


def _hook(value: SecretStr) -> SecretStr:
    address = value.get_secret_value().strip()
    if address not in ("", MASKED) and not _HOOK.fullmatch(address):
        raise ValueError("not the address of a hook, such as https://.../hooks/<connection>/<token>")
    return SecretStr(address)


_Trimmed = StringConstraints(strip_whitespace=True)


class ZohoAccess(Section):
    """How Leadbus signs in to the CRM."""

    user: Annotated[str, _Trimmed, StringConstraints(to_lower=True)] = Field(
        min_length=3,
        max_length=255,
        pattern=r"^[^\s@]+@[^\s@]+$",
        description="The email address of the CRM user in whose name Leadbus reads and writes; a sign-in as"
        " anybody else is refused.",
    )
    organisation: Annotated[str, BeforeValidator(_organisation), _Trimmed] = Field(
        max_length=30,
        pattern=r"^\d+$",
        description="The number in the CRM's address, behind org: 20000000001 in"
        " https://crm.zoho.eu/crm/org20000000001/tab/Home; the whole address is accepted too.",
    )
    data_centre: Annotated[str, _Trimmed, AfterValidator(data_centres.data_centre)] = Field(
        "com",
        min_length=2,
        max_length=500,
        description="Where the organisation lives: com, eu, in, com.au, jp, com.cn, ca or sa, as its address"
        " ends (crm.zoho.eu); that address is accepted too.",
    )
    environment: Environment = Field(
        "production",
        description="Whether it is the organisation itself, one of its sandboxes, or a developer's.",
    )
    client_id: Annotated[str, _Trimmed] = Field(
        min_length=1,
        max_length=255,
        description="The client id from Zoho's API console: of a server-based application for a sign-in with"
        " the browser, of a self client for a grant token.",
    )
    client_secret: SecretStr = Field(
        min_length=1, max_length=1_000, description="The client secret that stands beside it."
    )
    grant_token: SecretStr = Field(
        SecretStr(""),
        max_length=1_000,
        description="A grant token of a self client (API console > Self Client > Generate Code), if nobody"
        " signs in with the browser: it is used once, within the minutes chosen there.",
    )

    @property
    def accounts_server(self) -> str:
        """Where people sign in, as an address."""
        return data_centres.accounts_server(self.data_centre)


def _at(cron: str) -> Schedule:
    return Schedule(cron=cron)


_FOUR_TIMES = _at("0 0,6,12,18 * * *")


class ZohoSchedules(Schedules):
    """Zoho's own times: changes are pushed besides, where the connection has a hook."""

    lead: Schedule | None = Field(_FOUR_TIMES, description="Leads: status, owner, fields, conversion.")
    contact: Schedule | None = Field(_FOUR_TIMES, description="Contacts.")
    target: Schedule | None = Field(None, description="Zoho has no targets.")
    account: Schedule | None = Field(_FOUR_TIMES, description="Accounts (companies).")
    user: Schedule | None = Field(_FOUR_TIMES, description="The CRM's users, who can own leads.")
    opportunity: Schedule | None = Field(_FOUR_TIMES, description="Deals.")
    activity: Schedule | None = Field(_FOUR_TIMES, description="Tasks, calls, events and notes.")
    list: Schedule | None = Field(_FOUR_TIMES, description="Campaigns and tags, and who is on them.")
    comparison: Schedule | None = Field(
        _at("0 3 * * 0"),
        description="Everything is read again and compared, which finds what changes did not tell.",
    )


class ZohoConnection(ConnectionSettings):
    """A tenant's connection to one Zoho CRM."""

    supported = (
        "Zoho CRM in every edition and data centre, also sandbox and developer ones, by REST v8; signed in to"
        " with a browser",
    )
    unsupported = ("Bigin by Zoho CRM, which is another product with an API of its own",)

    crm: Literal["zoho"] = Field("zoho", description="Which CRM it is.")
    access: ZohoAccess = Field(description="The CRM's organisation and user.")
    hook_url: Annotated[SecretStr, AfterValidator(_hook)] = Field(
        SecretStr(""),
        max_length=2_000,
        description="The connection's hook, as `leadbus keys create <tenant> --scope hook` prints it: Leadbus"
        " has the CRM push its changes there. Without it changes are read on schedule only.",
    )
    schedules: ZohoSchedules = Field(
        ZohoSchedules(), description="When each kind of record is read from the CRM."
    )

    @property
    def organisation_id(self) -> str:
        """The CRM organisation: the same for all connections that share its records."""
        access = self.access
        return derived_id(
            "zoho", urlsplit(access.accounts_server).netloc, access.environment, access.organisation
        )

    @property
    def address(self) -> str:
        """The accounts server, which is asked first."""
        return self.access.accounts_server

    @property
    def push_to(self) -> str | None:
        """See `ConnectionSettings`."""
        return self.hook_url.get_secret_value() or None


class ZohoSettings(Settings):
    """What connector-zoho is told besides what every service is told."""

    port: int = Field(
        8083,
        validation_alias="CONNECTOR_ZOHO_PORT",
        ge=0,
        le=65_535,
        description="The port of connector-zoho's HTTP API; 0 = any that is free.",
    )
    public_url: str = Field(
        "",
        validation_alias="CONNECTOR_ZOHO_PUBLIC_URL",
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="The address at which a browser reaches connector-zoho: Zoho sends people back to its"
        " /v1/sign-in, which is one of the OAuth client's redirect URIs, and links in mails lead there;"
        " empty = http://127.0.0.1:<port>.",
    )
