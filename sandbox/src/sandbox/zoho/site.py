"""One organisation, with everything its calls are answered from."""

from dataclasses import dataclass, field

from .limits import EDITIONS, Limits
from .schema import Module
from .store import Store
from .users import User, Users


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the organisation. location: its data centre, as a sign-in tells it.

    search_lag_seconds: how long the search index does not know a change. bulk_seconds: how long a job takes.
    bulk_rows: the most that a bulk read answers.
    """

    edition: str = "enterprise"
    zgid: str = "20000000001"
    time_zone: str = "Europe/Warsaw"
    country: str = "PL"
    currency: str = "Polish Zloty"
    iso_code: str = "PLN"
    location: str = "eu"
    search_lag_seconds: float = 0.0
    bulk_seconds: float = 0.0
    bulk_rows: int = 200_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A validation rule: no record of the module may have the value in that field."""

    module: str
    field: str
    value: str


@dataclass(slots=True)
class Site:
    """url: where accounts server and API are. refused_rows: by `refusals`, so far.

    page_tokens_from: those made before (seconds since 1970) have expired. bulk_fails: new jobs end so.
    conversions_scheduled: that is all they answer. callbacks_dropped: none is sent.
    """

    store: Store
    settings: Settings
    users: Users
    limits: Limits
    url: str = ""
    refusals: list[Refusal] = field(default_factory=list)
    refused_rows: int = 0
    page_tokens_from: int = 0
    bulk_fails: bool = False
    conversions_scheduled: bool = False
    callbacks_dropped: bool = False

    @classmethod
    def open(cls, store: Store, settings: Settings, credits: int | None) -> "Site":
        """Raises KeyError for an edition that does not exist."""
        limits = Limits(store.clock, EDITIONS[settings.edition], credits)
        return cls(store, settings, Users(store), limits)

    @property
    def primary(self) -> User:
        """Whose organisation it is: the first user."""
        return next(iter(self.users))

    def may(self, user: User, action: str, module: Module) -> bool:
        """action: view, create, edit or delete."""
        sql = "SELECT 1 FROM denied WHERE user = ? AND module = ? AND action = ?"
        return self.store.value(sql, (user.id, module.name, action)) is None
