"""Saving a record: what each protocol and a salesperson's hand do to the tables."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import emails, links, reading
from .modules import Field, Module
from .soapfault import fault
from .store import Change, Row, Store, new_id
from .text import stored

Via = Literal["set_entry", "set_entries", "hand", "rest"]
Values = Mapping[str, Any]
"""Texts by field name; from modern REST values as their columns keep them."""
Also = Callable[[str], None]

ID_LENGTH = 36
GLOBAL_TEAM = "1"
# Set by the server where the caller leaves them out or empty.
_STAMPS = ("date_entered", "date_created", "date_modified")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who saves: a user, and the W3C trace the call belongs to.

    `changes_emails`: an update by SOAP or legacy REST changes the address and its flags.
    """

    user: str
    is_admin: bool = True
    traceparent: str | None = None
    changes_emails: bool = False


def save(
    store: Store,
    caller: Caller,
    module: Module,
    values: Values,
    via: Via,
    also: Also | None = None,
) -> str:
    """Creates or updates; answers the id as Sugar does (also where nothing was stored).

    `also` is run with the id in the same transaction. Raises fault -1 where the server dies:
    `new_with_id` with an id that exists, deleting a lead with tasks.
    """
    given = str(values.get("id", ""))
    if not given or values.get("new_with_id", "0") not in {"", "0"}:
        with store.transaction():
            key = _create(store, caller, module, values, via)
            if also:
                also(key)
            _tell(store, Change("after_save", module.name, key))
        return key
    before = reading.by_id(store, module, given)
    if before is None:
        return given
    with store.transaction():
        _update(store, caller, module, values, via)
        if also:
            also(given)
        _tell(
            store,
            Change("after_delete" if _is_deletion(values) else "after_save", module.name, given, before),
        )
    if via == "set_entry" and _is_deletion(values) and _has_tasks(store, module, given):
        raise fault(-1)
    return given


def _create(store: Store, caller: Caller, module: Module, values: Values, via: Via) -> str:
    given = str(values.get("id", ""))
    if module.name == "Contacts" and via == "set_entries":
        values = _with_account(store, caller, values)
        if not given and (duplicate := _duplicate_contact(store, values)):
            emails.drop(store, module.name, duplicate)
            return duplicate
    key = given[:ID_LENGTH] or new_id()
    now = store.now()
    row: Row = {field.name: stored(field, field.default) for field in module.columns("db") if field.default}
    if via == "rest" and "email_address_caps" in module.fields:
        row["email_address_caps"] = str(values.get("email_address", "")).upper()
    row |= {name: now for name in _STAMPS if name in module.fields}
    if "created_by" in module.fields:
        row["created_by"] = caller.user
    if "team_id" in module.fields:
        team = values.get("team_id") or GLOBAL_TEAM
        row |= {"team_id": team, "team_set_id": team}
    row |= _columns(store, caller, module, values, via) | {"id": key}
    try:
        store.insert(module.table, row)
    except sqlite3.IntegrityError:
        raise fault(-1) from None
    store.insert(
        "creations",
        {
            "module": module.name,
            "id": key,
            "created_ms": int(store.clock().timestamp() * 1000),
            "traceparent": caller.traceparent,
        },
    )
    _save_custom(store, module, key, values, via)
    _save_emails(store, module, key, values, via)
    _save_account(store, module, key, values)
    return given or key


def _update(store: Store, caller: Caller, module: Module, values: Values, via: Via) -> None:
    key = values["id"]
    row = _columns(store, caller, module, values, via)
    row.pop("id", None)
    store.update(module.table, row, "id", key)
    _save_custom(store, module, key, values, via)
    _save_account(store, module, key, values)
    # SuiteCRM 7.12.5 ignores the address on a SOAP update (issues 10513, 9960, 8293); its form does not.
    if via in {"hand", "rest"} or caller.changes_emails:
        _save_emails(store, module, key, values, via)
    # set_entries only sets the flag, except for Contacts; set_entry and people also cut the ties.
    if _is_deletion(values) and (via != "set_entries" or module.name == "Contacts"):
        links.remove_all(store, module, key)


def _columns(store: Store, caller: Caller, module: Module, values: Values, via: Via) -> Row:
    row: Row = {
        field.name: _column(field, values[field.name], via)
        for field in module.columns("db")
        if field.name in values
    }
    if values.get("update_date_modified", "1") not in {"", "0", "false"}:
        row["date_modified"] = store.now()
    row = {name: value for name, value in row.items() if name not in _STAMPS or values.get(name, "set")}
    if "modified_user_id" in module.fields:
        row["modified_user_id"] = caller.user
    return row


def _column(field: Field, value: Any, via: Via) -> Any:
    return value if via == "rest" else stored(field, value)


def _save_custom(store: Store, module: Module, key: str, values: Values, via: Via) -> None:
    if module.custom_table:
        store.execute(f"INSERT OR IGNORE INTO {module.custom_table} (id_c) VALUES (?)", (key,))
        given = [field for field in module.columns("custom") if field.name in values]
        row = {field.name: _column(field, values[field.name], via) for field in given}
        store.update(module.custom_table, row, "id_c", key)


def _save_emails(store: Store, module: Module, key: str, values: Values, via: Via) -> None:
    if "email1" not in module.fields:
        return
    names = {"opt_out": "email_opt_out", "invalid_email": "invalid_email"}
    flags: Row = {
        column: _column(module.fields[name], values[name], via)
        for column, name in names.items()
        if name in values
    }
    if address := values.get("email1"):
        emails.add(store, module.name, key, address, primary=True, flags=flags)
    elif flags and (known := emails.of(store, module.name, key)):
        store.update("email_addresses", flags, "id", known[0]["id"])
    if address := values.get("email2"):
        emails.add(store, module.name, key, address, primary=False, flags={})


def _save_account(store: Store, module: Module, key: str, values: Values) -> None:
    link = module.links.get("accounts")
    if link is None or "account_id" not in values:
        return
    store.execute(
        f"UPDATE {link.table} SET deleted = 1 WHERE {link.own} = ? AND {link.other} <> ?",
        (key, values["account_id"]),
    )
    if values["account_id"]:
        links.add(store, link, key, [values["account_id"]], {})


def _with_account(store: Store, caller: Caller, values: Values) -> Values:
    """set_entries turns a contact's account_name into an account [read in source: add_create_account]."""
    name = values.get("account_name")
    if not name or values.get("account_id"):
        return values
    known = store.value("SELECT id FROM accounts WHERE name = ? AND deleted = 0", (name,))
    return {
        **values,
        "account_id": known or save(store, caller, store.modules["Accounts"], {"name": name}, "hand"),
    }


def _duplicate_contact(store: Store, values: Values) -> str | None:
    """The contact with the same first name, last name and address, as set_entries looks for it."""
    if not values.get("email1") or not values.get("last_name"):
        return None
    for key in emails.records_with(store, "Contacts", values["email1"]):
        row = store.row("SELECT first_name, last_name FROM contacts WHERE id = ? AND deleted = 0", (key,))
        names = ("first_name", "last_name")
        if row and all((row[name] or "").strip() == values.get(name, "").strip() for name in names):
            return key
    return None


def _tell(store: Store, change: Change) -> None:
    if store.watcher is not None and store.watcher.wants(change.module):
        store.watcher.changed(change)


def _is_deletion(values: Values) -> bool:
    return str(values.get("deleted") or "0") != "0"


def _has_tasks(store: Store, module: Module, key: str) -> bool:
    sql = "SELECT 1 FROM tasks WHERE parent_type = 'Leads' AND parent_id = ? AND deleted = 0"
    return module.name == "Leads" and store.value(sql, (key,)) is not None
