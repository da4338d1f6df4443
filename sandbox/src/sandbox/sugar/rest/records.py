"""Records: create, read, change, delete, list, count."""

from typing import Any

from .. import emails
from ..modules import Module
from . import teams, values
from .api import Api
from .errors import ApiError, invalid, missing
from .lists import Listing
from .rendering import Record, fields, record

# The server sets these itself.
_READ_ONLY = frozenset({"id", "date_modified", "date_entered", "created_by", "modified_user_id", "deleted"})
_FLAGS = ("opt_out", "invalid_email")


def listing(api: Api) -> Any:
    api.allow("list", api.module)
    return Listing(api, api.module).page()


def count(api: Api) -> Any:
    api.allow("list", api.module)
    found = Listing(api, api.module).count()
    return {"record_count": str(found) if api.settings.count_as_text else found}


def read(api: Api) -> Any:
    api.allow("view", api.module)
    return record(api, api.module, api.row(api.module, api.path["record"]), fields(api))


def create(api: Api) -> Any:
    return created(api, api.module, api.given())


def change(api: Api) -> Any:
    return changed(api, api.module, api.path["record"], api.given())


def delete(api: Api) -> Any:
    module, key = api.module, api.path["record"]
    api.allow("delete", module)
    api.row(module, key)
    return {"id": api.write(module, {"id": key, "deleted": 1})}


def created(api: Api, module: Module, given: dict[str, Any]) -> Record:
    """Raises missing_parameter for a required field, invalid_parameter for an id that exists."""
    api.allow("edit", module)
    for field in module.fields.values():
        needed = (
            field.required and field.source == "db" and not field.default and field.name not in _SET_BY_SAVING
        )
        if needed and given.get(field.name) in (None, ""):
            raise missing(field.name, api.settings.missing_parameter)
    key = str(given.get("id") or "") if api.settings.own_ids else ""
    if key and api.store.value(f"SELECT 1 FROM {module.table} WHERE id = ?", (key,)) is not None:
        raise ApiError("invalid_parameter", f"Record already exists: {key} in module: {module.name}")
    return _save(api, module, given, {"id": key, "new_with_id": "1"} if key else {})


def changed(api: Api, module: Module, key: str, given: dict[str, Any]) -> Record:
    """Only what is given. Raises not_found, edit_conflict."""
    api.allow("edit", module)
    row = api.row(module, key)
    read_at = api.headers.get("x-timestamp")
    if (
        read_at
        and values.moment(module.fields["date_modified"], read_at, api.who.zone) != row["date_modified"]
    ):
        text = "Edit conflict, please reload the record data."
        raise ApiError("edit_conflict", text, record=record(api, module, row))
    return _save(api, module, given, {"id": key})


_SET_BY_SAVING = frozenset({"id", "email_address_caps"})


def _save(api: Api, module: Module, given: dict[str, Any], identity: dict[str, str]) -> Record:
    writable = {name: value for name, value in given.items() if name not in _READ_ONLY}
    addresses = (
        _addresses(writable.pop("email")) if "email" in module.modern and "email" in writable else None
    )
    team_name = writable.pop("team_name", None)
    row = values.columns(module.all_fields, writable, api.who.zone)
    if "team_name" in module.fields and team_name is not None:
        row |= teams.columns(api.store, team_name)
    elif "team_set_id" in module.fields and row.get("team_id"):
        row["team_set_id"] = teams.make_set(api.store, [row["team_id"]])
    if addresses:
        # For validations: the address as the old name has it.
        row["email1"] = next((a["email_address"] for a in addresses if a["primary_address"]), "")

    def replace_addresses(key: str) -> None:
        if addresses is not None:
            emails.replace(api.store, module.name, key, addresses)

    key = api.write(module, {**row, **identity}, replace_addresses)
    return record(api, module, api.row(module, key))


def _addresses(given: Any) -> list[dict[str, Any]]:
    """An `email` list as rows; exactly one is primary. Raises invalid_parameter."""
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid("email")
    found = []
    for item in given:
        address = str(item.get("email_address") or "")
        if not address:
            raise invalid("email")
        flags = {name: _flag(item[name]) for name in _FLAGS if name in item}
        found.append(
            {"email_address": address, "primary_address": _flag(item.get("primary_address")), **flags}
        )
    if found and not any(item["primary_address"] for item in found):
        found[0]["primary_address"] = 1
    return found


def _flag(value: Any) -> int:
    return int(str(value).lower() in {"1", "true"})
