"""What people do in the CRM's own pages, and what a judge may look at: plain functions on the tables."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from . import admin, emails, links, reading
from .admin import (
    add_oauth_key,
    add_team,
    end_sessions,
    expire_access,
    join_team,
    register_platform,
    set_password,
    set_timezone,
)
from .door import md5, unlock
from .modules import Module
from .records import GLOBAL_TEAM, Caller, save
from .rights import allow, deny
from .rows import accept, refuse
from .store import Row, Store

__all__ = [
    "ADMIN",
    "GLOBAL_TEAM",
    "accept",
    "add_oauth_key",
    "add_option",
    "add_team",
    "add_user",
    "allow",
    "change",
    "create",
    "deny",
    "end_sessions",
    "expire_access",
    "join_team",
    "load",
    "opportunity",
    "put_on_list",
    "records",
    "refuse",
    "register_platform",
    "set_password",
    "set_timezone",
    "unlock",
]

ADMIN = "1"
_HAND = Caller(ADMIN)


def module_of(store: Store, name: str) -> Module:
    """Raises ValueError for a module that does not exist."""
    if name not in store.modules:
        raise ValueError(f"no such module: {name}")
    return store.modules[name]


def add_user(
    store: Store,
    user_name: str,
    password: str,
    *,
    last_name: str,
    first_name: str = "",
    is_admin: bool = False,
    email: str = "",
    key: str | None = None,
) -> str:
    """The new user's id."""
    values = {
        "user_name": user_name,
        "user_hash": md5(password),
        "first_name": first_name,
        "last_name": last_name,
        "is_admin": str(int(is_admin)),
        "status": "Active",
        "email1": email,
    }
    return create(store, "Users", values | ({"id": key} if key else {}))


def add_option(store: Store, module: str, field: str, name: str, label: str | None = None) -> None:
    """Adds a value to the drop-down list behind a field; raises ValueError if it has none."""
    described = module_of(store, module).fields.get(field)
    if described is None or described.options is None:
        raise ValueError(f"{module}.{field} has no options")
    store.insert("options", {"dom": described.options, "name": name, "label": label or name})


def create(store: Store, module: str, fields: Mapping[str, str]) -> str:
    """The new record's id; with `id` among the fields, that one."""
    new = {"new_with_id": "1"} if fields.get("id") else {}
    return save(store, _HAND, module_of(store, module), {**fields, **new}, "hand")


def load(store: Store, module: str, rows: Iterable[Mapping[str, str]]) -> int:
    """Creates records by the hundred thousand, see `admin.load`: the number of them."""
    return admin.load(store, module_of(store, module), rows)


def change(store: Store, module: str, key: str, fields: Mapping[str, str]) -> None:
    """An edit in the CRM's form: email1 and email_opt_out count, `deleted`=1 deletes. ValueError if gone."""
    if reading.by_id(store, module_of(store, module), key) is None:
        raise ValueError(f"{module} has no such record")
    save(store, _HAND, module_of(store, module), {**fields, "id": key}, "hand")


def put_on_list(store: Store, target_list: str, module: str, key: str, *, off: bool = False) -> None:
    """Adds a person to a target list, or takes it off."""
    link = module_of(store, module).links["prospect_lists"]
    with store.transaction():
        if off:
            links.remove(store, link, key, [target_list])
        else:
            links.add(store, link, key, [target_list], {})
        event = "after_relationship_delete" if off else "after_relationship_add"
        links.tell(store, event, module, key, link, [target_list])


def on_list(store: Store, target_list: str) -> list[str]:
    """The ids of the people on a target list."""
    rows = store.rows(
        "SELECT related_id FROM prospect_lists_prospects WHERE deleted = 0 AND prospect_list_id = ?",
        (target_list,),
    )
    return sorted(row["related_id"] for row in rows)


def opportunity(
    store: Store,
    email: str,
    name: str,
    stage: str,
    amount: str,
    *,
    account: str = "",
    date_closed: str = "",
    first_name: str = "",
    last_name: str = "",
) -> dict[str, str]:
    """An opportunity with the contact that has this email; contact and account are created if missing.

    The lead with that email, if there is one, gives its names and is marked as converted, as Sugar's
    conversion page does. Answers the ids of opportunity, contact and account.
    """
    with store.transaction():
        lead = _person(store, "Leads", email)
        contact = _person(store, "Contacts", email)
        known = (
            links.first_related(store, store.modules["Contacts"].links["accounts"], contact["id"])
            if contact
            else None
        )
        company = {"name": account or name, "assigned_user_id": ADMIN}  # as the form fills in
        account_id = known["id"] if known else create(store, "Accounts", company)
        if contact is None:
            names = {
                "first_name": first_name or (lead or {}).get("first_name") or "",
                "last_name": last_name or (lead or {}).get("last_name") or email.partition("@")[0],
            }
            contact_id = create(store, "Contacts", {**names, "email1": email, "account_id": account_id})
        else:
            contact_id = contact["id"]
        fields = {"name": name, "sales_stage": stage, "amount": amount, "account_id": account_id}
        key = create(store, "Opportunities", fields | ({"date_closed": date_closed} if date_closed else {}))
        links.add(store, store.modules["Opportunities"].links["contacts"], key, [contact_id], {})
        if lead is not None:
            converted = {"contact_id": contact_id, "account_id": account_id, "opportunity_id": key}
            change(store, "Leads", lead["id"], {**converted, "converted": "1", "status": "Converted"})
    return {"opportunity": key, "contact": contact_id, "account": account_id}


def records(store: Store, module: str) -> list[dict[str, Any]]:
    """All rows, deleted ones too, as stored, with what SOAP never shows.

    Beside the columns: `email` (primary address or None), `emails` (all), `created` (ISO 8601, UTC,
    milliseconds) and `traceparent` of the call that created the record (None for a person's hand).
    """
    described = module_of(store, module)
    custom = f" LEFT JOIN {described.custom_table} ON id_c = id" if described.custom_table else ""
    rows = store.rows(
        f"SELECT r.*, created_ms, traceparent FROM (SELECT * FROM {described.table}{custom}) r"
        " LEFT JOIN creations c ON c.module = ? AND c.id = r.id ORDER BY created_ms, r.id",
        (module,),
    )
    return [_judged(store, described, row) for row in rows]


def _judged(store: Store, module: Module, row: Row) -> dict[str, Any]:
    addresses = [address["email_address"] for address in emails.of(store, module.name, row["id"])]
    created = row.pop("created_ms")
    row.pop("id_c", None)
    row.pop("user_hash", None)
    moment = (
        datetime.fromtimestamp(created / 1000, UTC).isoformat(timespec="milliseconds") if created else None
    )
    return {**row, "deleted": bool(row["deleted"]), "created": moment, "emails": addresses} | {
        "email": addresses[0] if addresses else None
    }


def _person(store: Store, module: str, email: str) -> Row | None:
    """The oldest live record with the address."""
    rows = (
        reading.by_id(store, store.modules[module], key) for key in emails.records_with(store, module, email)
    )
    return next(filter(None, rows), None)
