"""Email addresses: one row per address, shared by all records that have it."""

import re
from collections.abc import Sequence

from .store import Row, Store, new_id

_VALID = re.compile(r"[\w.!#$&*+/=?^`{}~'-]+@(?:\w+(?:[.-]+\w+)*\.[\w-]{2,}|\d{1,3}(?:\.\d{1,3}){3})")


def of(store: Store, module: str, record: str) -> list[Row]:
    """A record's live addresses, its primary one first, else in the order they were added."""
    return store.rows(
        "SELECT ea.*, r.primary_address FROM email_addr_bean_rel r"
        " JOIN email_addresses ea ON ea.id = r.email_address_id"
        " WHERE r.bean_id = ? AND r.bean_module = ? AND r.deleted = 0 AND ea.deleted = 0"
        " ORDER BY r.primary_address DESC, r.rowid",
        (record, module),
    )


def add(store: Store, module: str, record: str, address: str, *, primary: bool, flags: Row) -> None:
    """Links an address; an invalid one is dropped silently. `flags`: opt_out and invalid_email, if told."""
    address = address.strip()
    if not _VALID.fullmatch(address):
        return
    now = store.now()
    known = store.value(
        "SELECT id FROM email_addresses WHERE email_address_caps = ? AND deleted = 0", (address.upper(),)
    )
    key = known or new_id()
    if known:
        # The letter case of whoever wrote last wins.
        store.update("email_addresses", {"email_address": address, "date_modified": now, **flags}, "id", key)
    else:
        row = {"id": key, "email_address": address, "email_address_caps": address.upper()}
        blank = {"invalid_email": 0, "opt_out": 0, "date_created": now, "date_modified": now, "deleted": 0}
        store.insert("email_addresses", {**row, **blank, **flags})
    if primary:
        store.execute(
            "UPDATE email_addr_bean_rel SET primary_address = 0 WHERE bean_id = ? AND bean_module = ?",
            (record, module),
        )
    changed = store.execute(
        "UPDATE email_addr_bean_rel SET deleted = 0, primary_address = ?, date_modified = ?"
        " WHERE bean_id = ? AND bean_module = ? AND email_address_id = ?",
        (int(primary), now, record, module, key),
    )
    if not changed:
        link = {"id": new_id(), "bean_id": record, "email_address_id": key, "bean_module": module}
        store.insert(
            "email_addr_bean_rel",
            {**link, "primary_address": int(primary), "date_modified": now, "deleted": 0},
        )


def replace(store: Store, module: str, record: str, wanted: Sequence[Row]) -> None:
    """The record has these addresses and no others.

    `wanted`: email_address, primary_address, and opt_out and invalid_email if told.
    """
    drop(store, module, record)
    first = next((index for index, row in enumerate(wanted) if row.get("primary_address")), 0)
    for index, row in enumerate(wanted):
        flags: Row = {name: row[name] for name in ("opt_out", "invalid_email") if name in row}
        add(store, module, record, row["email_address"], primary=index == first, flags=flags)


def drop(store: Store, module: str, record: str) -> None:
    """Unlinks all addresses of a record; the addresses stay."""
    store.execute(
        "UPDATE email_addr_bean_rel SET deleted = 1, date_modified = ? WHERE bean_id = ? AND bean_module = ?",
        (store.now(), record, module),
    )


def records_with(store: Store, module: str, address: str) -> list[str]:
    """Ids of the module's records that have the address, oldest link first."""
    rows = store.rows(
        "SELECT r.bean_id FROM email_addr_bean_rel r JOIN email_addresses ea ON ea.id = r.email_address_id"
        " WHERE ea.email_address_caps = ? AND r.bean_module = ? AND r.deleted = 0 AND ea.deleted = 0"
        " ORDER BY r.rowid",
        (address.strip().upper(), module),
    )
    return [row["bean_id"] for row in rows]
