"""A record as modern REST shows it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from .. import emails, reading
from ..modules import Module
from ..store import Row, Store
from . import teams, values
from .api import Api

Record: TypeAlias = dict[str, Any]

_ALWAYS = ("id", "date_modified")
_NEVER = frozenset({"user_hash"})


def fields(api: Api) -> list[str] | None:
    """The fields that were asked for, None = all."""
    asked = api.arguments.get("fields")
    if not asked:
        return None
    names = asked.split(",") if isinstance(asked, str) else asked
    return [str(name["name"] if isinstance(name, dict) else name).strip() for name in names]


def record(api: Api, module: Module, row: Row, wanted: Sequence[str] | None = None) -> Record:
    """The wanted fields (None = all); id and date_modified come always, unknown ones never."""
    known = module.all_fields
    names = (
        known if wanted is None else [name for name in dict.fromkeys([*_ALWAYS, *wanted]) if name in known]
    )
    shown: Record = {"id": row["id"], "_module": module.name}
    shown |= {name: _value(api, module, row, name) for name in names if name not in _NEVER}
    return shown | {"_acl": {"fields": {}}}


def addresses(store: Store, module: str, key: str, *, as_text: bool) -> list[Record]:
    """The `email` list; its flags are booleans, or `"0"` and `"1"` on old sites."""
    flag: Callable[[Any], Any] = (lambda value: str(int(bool(value)))) if as_text else bool
    return [
        {
            "email_address": row["email_address"],
            "primary_address": flag(row["primary_address"]),
            "reply_to_address": flag(0),
            "invalid_email": flag(row["invalid_email"]),
            "opt_out": flag(row["opt_out"]),
            "email_address_id": row["id"],
        }
        for row in emails.of(store, module, key)
    ]


def _value(api: Api, module: Module, row: Row, name: str) -> Any:
    field = module.all_fields[name]
    if name in _COMPUTED:
        return _COMPUTED[name](api, module, row)
    if field.source == "computed":
        found = reading.computed(api.store, module, row, name)
        return values.shown(field, found, api.who.zone)
    return values.shown(field, row[name], api.who.zone)


def _email(api: Api, module: Module, row: Row) -> Any:
    return addresses(api.store, module.name, row["id"], as_text=api.settings.email_flags_as_text)


def _user(column: str) -> "_Computation":
    def compute(api: Api, module: Module, row: Row) -> str:
        return user_name(api.store, row[column])

    return compute


def user_name(store: Store, key: str | None) -> str:
    """The full name."""
    user = store.row("SELECT first_name, last_name FROM users WHERE id = ?", (key or "",)) or {}
    return " ".join(filter(None, (user.get("first_name"), user.get("last_name"))))


def _no(api: Api, module: Module, row: Row) -> bool:
    return False


def _teams(api: Api, module: Module, row: Row) -> Any:
    return teams.of(api.store, row)


_Computation: TypeAlias = Callable[[Api, Module, Row], Any]
_COMPUTED: Mapping[str, _Computation] = {
    "email": _email,
    "assigned_user_name": _user("assigned_user_id"),
    "modified_by_name": _user("modified_user_id"),
    "created_by_name": _user("created_by"),
    "team_name": _teams,
    "my_favorite": _no,
    "following": _no,
}
