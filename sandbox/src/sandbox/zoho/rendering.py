"""Records as the API answers them: times in the user's time zone, other records by id and name."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from . import moments
from .schema import Field, Module
from .site import Site
from .store import Record, Row, name_of
from .users import User

# Fields that are no values of a record.
_SYSTEM: Mapping[str, Callable[[Site, ZoneInfo, Record], Any]] = {
    "Created_Time": lambda site, zone, record: moments.shown(record.created, zone),
    "Modified_Time": lambda site, zone, record: moments.shown(record.modified, zone),
    "Created_By": lambda site, zone, record: _user(site, record.created_by),
    "Full_Name": lambda site, zone, record: name_of(site.store.modules[record.module], record.values),
    "Modified_By": lambda site, zone, record: _user(site, record.modified_by),
}


def shown(
    site: Site, user: User, module: Module, records: Iterable[Record], fields: Collection[str] | None = None
) -> list[Row]:
    """fields: shown beside the id; names that no field has are passed over. None = all, and more."""
    records, zone = list(records), user.zone
    described = [field for name, field in module.fields.items() if fields is None or name in fields]
    pointing = [field.name for field in described if field.type == "lookup"]
    names = site.store.names(
        key for record in records for name in pointing if (key := record.values.get(name))
    )
    rows = []
    for record in records:
        row: Row = {"id": record.id}
        for field in described:
            system = _SYSTEM.get(field.name)
            row[field.name] = (
                system(site, zone, record) if system else _value(site, zone, module, record, field, names)
            )
        if fields is None:
            row |= {"$converted": record.converted, "$approval_state": "approved", "$editable": True}
        rows.append(row)
    return rows


def outcome(site: Site, user: User, record: Record) -> Row:
    """The details of a row that was written."""
    return {
        "Modified_Time": moments.shown(record.modified, user.zone),
        "Modified_By": site.users.reference(record.modified_by),
        "Created_Time": moments.shown(record.created, user.zone),
        "id": record.id,
        "Created_By": site.users.reference(record.created_by),
        "$approval_state": "approved",
    }


def _value(
    site: Site, zone: ZoneInfo, module: Module, record: Record, field: Field, names: Mapping[str, str]
) -> Any:
    value = record.values.get(field.name)
    if field.type == "boolean":
        return bool(value)
    if field.type == "text_tags":
        tags = ((name, site.store.tag_id(module.name, name)) for name in value or ())
        return [{"name": name, "id": key, "color_code": None} for name, key in tags]
    if value is not None and field.type == "datetime":
        return moments.stored_shown(value, zone)
    if value is not None and field.type == "lookup":
        return _reference(site, record, field, value, names)
    return _user(site, value) if field.type == "ownerlookup" else value


def _reference(site: Site, record: Record, field: Field, key: str, names: Mapping[str, str]) -> Row:
    """A note also says of which module the record is that it belongs to."""
    reference: Row = {"name": names.get(key, ""), "id": key}
    if field.name == "Parent_Id" and (parent := site.store.modules.get(record.values.get("$se_module", ""))):
        reference["module"] = {"api_name": parent.name, "id": parent.id}
    return reference


def _user(site: Site, key: str | None) -> Row | None:
    user = site.users.get(key or "")
    return {**user.reference(), "email": user.email} if user else None
