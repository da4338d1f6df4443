"""One organisation, with everything its calls are answered from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from .limits import Limits
from .record import Record, Reference
from .store import Store

VERSIONS: Mapping[str, str] = {
    "2011 RTM": "5.0.9688.583",
    "2011": "5.0.9690.4376",
    "2013": "6.1.2.112",
    "2015": "7.0.1.129",
    "2015 Update 1": "7.1.0.1059",
    "2016": "8.2.2.112",
    "9.0": "9.0.6.9",
    "9.1": "9.1.10.17",
    "9.2": "9.2.24053.165",
}
"""Full version number by the name one is asked for by."""


@dataclass(frozen=True, slots=True)
class Settings:
    """version: of `VERSIONS`. online: Dynamics 365, with OAuth and limits; else on premises, with NTLM.

    user, password, domain: of who may sign in by NTLM. client_id, client_secret, tenant: of the application.
    page_size: rows that a page has at most. track_days: how long a delta token is good.
    """

    version: str = "9.2"
    online: bool = True
    organisation: str = "contoso"
    user: str = "leadbus"
    password: str = "secret"
    domain: str = "CONTOSO"
    client_id: str = "11111111-aaaa-4aaa-8aaa-111111111111"
    client_secret: str = "secret"
    tenant: str = "22222222-bbbb-4bbb-8bbb-222222222222"
    page_size: int = 5000
    track_days: int = 7

    @property
    def windows_user(self) -> str:
        r"""`DOMAIN\user`."""
        return f"{self.domain}\\{self.user}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A plug-in of the customer's: no record of the entity may have the value in that attribute."""

    entity: str
    attribute: str
    value: object
    message: str


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Published: two records of the entity are duplicates if these attributes are alike."""

    entity: str
    attributes: tuple[str, ...]


@dataclass(slots=True)
class Site:
    """url: scheme, host and port. refused_rows: by `refusals`, so far. disabled: nobody may sign in.

    member: our user is one of the organisation. roles: it has any. tracked_from: delta tokens given before
    that version have expired.
    """

    store: Store
    settings: Settings
    limits: Limits
    url: str = ""
    refusals: list[Refusal] = field(default_factory=list)
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    refused_rows: int = 0
    tracked_from: int = 0
    disabled: bool = False
    member: bool = True
    roles: bool = True

    @property
    def full_version(self) -> str:
        return VERSIONS[self.settings.version]

    @property
    def version(self) -> tuple[int, int]:
        """(9, 2)."""
        major, minor = self.full_version.split(".")[:2]
        return int(major), int(minor)

    @property
    def root(self) -> str:
        """Path of the organisation: on premises its name comes before everything else."""
        return "" if self.settings.online else f"/{self.settings.organisation}"

    @property
    def organization_id(self) -> str:
        return self.fixed_id("organization")

    @property
    def business_unit_id(self) -> str:
        return self.fixed_id("businessunit")

    def fixed_id(self, name: str) -> str:
        """Always the same for the organisation."""
        return str(uuid5(NAMESPACE_URL, f"{self.settings.organisation}/{name}"))

    @property
    def application(self) -> Reference:
        """The user in whose name the application acts (online), or the one of the settings."""
        return Reference("systemuser", self.fixed_id("systemuser/1"))

    @property
    def person(self) -> Reference:
        """Who sits at the desk."""
        return Reference("systemuser", self.fixed_id("systemuser/2"))

    @property
    def currency(self) -> Reference:
        return Reference("transactioncurrency", self.fixed_id("transactioncurrency"))

    def user(self, name: str) -> Record | None:
        """By domain name, `DOMAIN\\user` or `user@domain`, in whatever case."""
        where = (
            "entity = 'systemuser' AND deleted = 0 AND json_extract(body, '$.domainname') = ? COLLATE NOCASE"
        )
        found = self.store.find(where, (name,))
        return found[0] if found else None

    def may(self, user: str, action: str, entity: str) -> bool:
        """action: create, read, write, delete or assign."""
        sql = "SELECT 1 FROM denied WHERE user = ? AND entity = ? AND action = ?"
        return self.store.value(sql, (user, entity, action)) is None
