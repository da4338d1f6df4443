"""One request to modern REST, and all it may touch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from .. import reading, records, rights, rows
from ..faults import Faults, Happening, RowRefused
from ..modules import Module
from ..site import Protocols, Settings
from ..store import Row, Store
from .errors import ApiError, invalid, missing, not_authorized, not_found

Json = Mapping[str, Any]


@dataclass(slots=True)
class Tally:
    """What a call is charged for; a bulk's requests share one."""

    rows_written: int = 0


@dataclass(slots=True)
class Who:
    """The user behind a token; `token` is empty where none is needed."""

    user: Row
    zone: ZoneInfo
    token: str = ""
    traceparent: str | None = None


@dataclass(slots=True)
class Api:
    """`path`: what stood for the names in the route's pattern. `arguments`: query and body together.

    `status` is that of the answer if all goes well.
    """

    store: Store
    faults: Faults
    protocols: Protocols
    settings: Settings
    version: str
    happening: Happening
    path: Mapping[str, str]
    arguments: Json
    headers: Mapping[str, str]
    who: Who
    tally: Tally = field(default_factory=Tally)
    status: int = 200

    @property
    def user(self) -> str:
        return str(self.who.user["id"])

    @property
    def is_admin(self) -> bool:
        return bool(self.who.user["is_admin"])

    @property
    def module(self) -> Module:
        return self.store.modules[self.path["module"]]

    def given(self) -> dict[str, Any]:
        """The arguments as a record's fields."""
        return dict(self.arguments)

    def need(self, name: str) -> Any:
        """Raises missing_parameter."""
        if name not in self.arguments:
            raise missing(name, self.settings.missing_parameter)
        return self.arguments[name]

    def number(self, name: str, default: int) -> int:
        """Raises invalid_parameter."""
        value = self.arguments.get(name, default)
        try:
            return default if value in (None, "") else int(value)
        except (TypeError, ValueError):
            raise invalid(name) from None

    def allow(self, action: str, module: Module) -> None:
        """Raises not_authorized."""
        admins_only = module.name == "WebLogicHooks" or (
            module.name == "Users" and action in {"edit", "delete"}
        )
        if action in rights.denied(self.store, self.user, module.name) or (admins_only and not self.is_admin):
            raise not_authorized(action, module.name)

    def row(self, module: Module, key: str) -> Row:
        """A live record. Raises not_found."""
        row = reading.by_id(self.store, module, key)
        if row is None:
            raise not_found(module.name, key)
        return row

    def write(self, module: Module, values: dict[str, Any], also: records.Also | None = None) -> str:
        """Saves one row, counted and exposed to refusals: its id. Raises invalid_parameter, DiedWriting."""
        happening = Happening(
            self.happening.operation, "write", module.name, self.happening.alias or self.happening.operation
        )
        texts = {name: "" if value is None else str(value) for name, value in values.items()}

        def save() -> str:
            self.tally.rows_written += 1
            caller = records.Caller(self.user, self.is_admin, self.who.traceparent)
            return records.save(self.store, caller, module, values, "rest", also)

        try:
            return rows.write(self.store, self.faults, happening, texts, save)
        except RowRefused as refused:
            raise ApiError("invalid_parameter", str(refused)) from None
