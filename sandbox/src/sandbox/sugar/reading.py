"""Reading records: rows by a checked query, and a row's fields as SOAP shows them."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from . import emails, links, sql
from .modules import Link, Module
from .soapfault import database_failure
from .store import Row, Store
from .text import shown

Pair: TypeAlias = dict[str, str]
Entry: TypeAlias = dict[str, Any]

DEFAULT_PAGE = 20
# Sugar writes these before all others, whatever order was asked for.
_FIRST = ("assigned_user_name", "modified_by_name", "created_by_name")
_MISSING = "Access to this object is denied since it has been deleted or does not exist"
_NOT_IN_V2 = frozenset({"email_opt_out", "invalid_email"})
_ADDRESS_FIELDS = {
    "email1": (0, "email_address"),
    "email2": (1, "email_address"),
    "email_opt_out": (0, "opt_out"),
    "invalid_email": (0, "invalid_email"),
}


class Selection:
    """A module's rows that match a SOAP query."""

    def __init__(
        self, store: Store, module: Module, query: str, *, version: str, with_deleted: bool = False
    ) -> None:
        self._store, self._module = store, module
        table, custom = module.table, module.custom_table
        join = f" LEFT JOIN {custom} ON {custom}.id_c = {table}.id" if custom else ""
        conditions = [] if with_deleted else [f"{table}.deleted = 0"]
        if query.strip():
            conditions.append(f"({sql.where(query, module, prefixed=version != 'v2')}\n)")
        self._join = join
        self._where = " AND ".join(conditions) or "1"
        self._parameters: list[str] = []

    def related_to(self, link: Link, own: str) -> "Selection":
        self._where += f" AND {self._module.table}.id IN ({links.related_ids(link)})"
        self._parameters.append(own)
        return self

    def count(self) -> int:
        table, custom = self._module.table, self._module.custom_table
        join = self._join if custom and custom in self._where.lower() else ""
        return int(self._run(f"SELECT count(*) AS n FROM {table}{join} WHERE {self._where}")[0]["n"])

    def page(self, order_by: str, offset: int, limit: int) -> list[Row]:
        """`limit` -1 = all."""
        order = sql.order(order_by, self._module)
        source = f"{self._module.table}{self._join} WHERE {self._where}"
        return self._run(f"SELECT * FROM {source} ORDER BY {order} LIMIT {limit} OFFSET {max(offset, 0)}")

    def _run(self, statement: str) -> list[Row]:
        try:
            return self._store.rows(statement, self._parameters)
        except sqlite3.Error:
            raise database_failure() from None


def by_id(store: Store, module: Module, key: str) -> Row | None:
    """A live record's row with its custom columns."""
    custom = f" LEFT JOIN {module.custom_table} ON id_c = id" if module.custom_table else ""
    return store.row(f"SELECT * FROM {module.table}{custom} WHERE id = ? AND deleted = 0", (key,))


def entry(store: Store, module: Module, row: Row, wanted: Sequence[str], version: str) -> Entry:
    """entry_value: the wanted fields (none = all) that have a value at all; unknown ones are left out."""
    names = list(dict.fromkeys(wanted)) or list(module.fields)
    ordered = [name for name in _FIRST if name in names] + [name for name in names if name not in _FIRST]
    pairs = (
        (name, _shown(store, module, row, name))
        for name in ordered
        if name in module.fields and not (version == "v2" and name in _NOT_IN_V2)
    )
    return _entry(module, row["id"], {name: value for name, value in pairs if value is not None})


def missing(module: Module, key: str) -> Entry:
    return _entry(module, key, {"warning": _MISSING, "deleted": "1"})


def _entry(module: Module, key: str, pairs: Mapping[str, str]) -> Entry:
    return {"id": key, "module_name": module.name, "name_value_list": name_values(pairs)}


def name_values(pairs: Mapping[str, str | None]) -> list[dict[str, str | None]]:
    return [{"name": name, "value": value} for name, value in pairs.items()]


def computed(store: Store, module: Module, row: Row, name: str) -> Any:
    """A field without a column, as it is; None where it does not exist for this record."""
    if name in _ADDRESS_FIELDS:
        index, column = _ADDRESS_FIELDS[name]
        addresses = emails.of(store, module.name, row["id"])
        absent = "" if column == "email_address" else 0
        return addresses[index][column] if index < len(addresses) else absent
    return _COMPUTED[name](store, module, row)


def _shown(store: Store, module: Module, row: Row, name: str) -> str | None:
    if name == "user_hash":
        return ""
    if module.fields[name].source != "computed":
        return shown(row[name])
    value = computed(store, module, row, name)
    return None if value is None else shown(value)


def _user_name(column: str) -> "_Computation":
    def compute(store: Store, module: Module, row: Row) -> str:
        return store.value("SELECT user_name FROM users WHERE id = ?", (row[column],)) or ""

    return compute


def _full_name(store: Store, module: Module, row: Row) -> str:
    return " ".join(filter(None, (row.get(n) for n in ("salutation", "first_name", "last_name"))))


def _account(column: str) -> "_Computation":
    def compute(store: Store, module: Module, row: Row) -> str | None:
        account = links.first_related(store, module.links["accounts"], row["id"])
        return account[column] if account else None

    return compute


def _name_of(id_column: str, module_name: str | None = None) -> "_Computation":
    def compute(store: Store, module: Module, row: Row) -> str:
        related = store.modules.get(module_name or row["parent_type"] or "")
        found = by_id(store, related, row[id_column] or "") if related else None
        if not related or not found:
            return ""
        is_column = related.fields["name"].source == "db" if "name" in related.fields else False
        return found["name"] or "" if is_column else _full_name(store, related, found)

    return compute


_Computation: TypeAlias = Callable[[Store, Module, Row], str | None]
_COMPUTED: Mapping[str, _Computation] = {
    "name": _full_name,
    "full_name": _full_name,
    "assigned_user_name": _user_name("assigned_user_id"),
    "modified_by_name": _user_name("modified_user_id"),
    "created_by_name": _user_name("created_by"),
    "account_id": _account("id"),
    "account_name": _account("name"),
    "campaign_name": _name_of("campaign_id", "Campaigns"),
    "contact_name": _name_of("contact_id", "Contacts"),
    "parent_name": _name_of("parent_id"),
    "team_name": _name_of("team_id", "Teams"),
}
