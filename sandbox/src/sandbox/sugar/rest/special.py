"""Routes beyond plain records: search for duplicates, upsert by our own key, conversion of leads."""

from typing import Any

from .. import links
from ..modules import Module
from . import records
from .api import Api
from .errors import ApiError, invalid, missing, no_method
from .filters import Filter
from .rendering import Record, fields, record

_CONVERSION = ("Contacts", "Accounts", "Opportunities")
_LEAD_COLUMNS = {"Contacts": "contact_id", "Accounts": "account_id", "Opportunities": "opportunity_id"}
_KEY_ARGUMENTS = frozenset({"sync_key_field_name", "sync_key_field_value", "fields"})
_PEOPLE = ("Leads", "Contacts", "Prospects")


def duplicate_check(api: Api) -> Any:
    """Records with one of the addresses or with the same names, best first; a create refuses none of them."""
    api.allow("list", api.module)
    module, given = api.module, api.given()
    addresses = [item.get("email_address") for item in given.get("email") or [] if isinstance(item, dict)]
    names = ["first_name", "last_name"] if module.name in _PEOPLE else ["name"]
    same_names = [{name: given[name]} for name in names if given.get(name)]
    parts: list[dict[str, Any]] = [{"email": {"$in": addresses}}] if addresses else []
    parts += [{"$and": same_names}] if same_names else []
    if not parts:
        return {"next_offset": -1, "records": []}
    filter_ = Filter(api.store, api.user, api.who.zone)
    ranks = [filter_.compile(module, part) for part in parts]
    rank = " + ".join(sql for sql, _ in ranks)
    values = [value for _, found in ranks for value in found]
    custom = module.custom_table
    join = f" LEFT JOIN {custom} ON {custom}.id_c = {module.table}.id" if custom else ""
    rows = api.store.rows(
        f"SELECT *, {rank} AS rank FROM {module.table}{join}"
        f" WHERE {module.table}.deleted = 0 AND ({' OR '.join(sql for sql, _ in ranks)})"
        f" ORDER BY rank DESC, date_modified DESC LIMIT {api.settings.page}",
        [*values, *values],
    )
    return {
        "next_offset": -1,
        "records": [record(api, module, row) | {"duplicate_check_rank": row["rank"]} for row in rows],
    }


def upsert(api: Api) -> Any:
    """The record whose key field has the value is changed, or one is created with it.

    Shape as the vendor's php-rest-client reads it: `record` is the id, or with `fields` the record; 201 for
    a new one.
    """
    field, value = _key_of(api)
    key = _keyed(api, field, value)
    given = {name: item for name, item in api.given().items() if name not in _KEY_ARGUMENTS} | {field: value}
    made = records.changed(api, api.module, key, given) if key else records.created(api, api.module, given)
    api.status = 200 if key else 201
    wanted = fields(api)
    if wanted is None:
        return {"record": made["id"]}
    return {"record": record(api, api.module, api.row(api.module, made["id"]), wanted)}


def by_key(api: Api) -> Any:
    """The record with our key, as `record`. Raises not_found."""
    field, value = _key_of(api)
    api.allow("view", api.module)
    row = api.row(api.module, _keyed(api, field, value) or value)
    return {"record": record(api, api.module, row, fields(api))}


def _keyed(api: Api, field: str, value: str) -> str | None:
    sql = f"SELECT id FROM {api.module.table} WHERE {field} = ? AND deleted = 0"
    key: str | None = api.store.value(sql, (value,))
    return key


def _key_of(api: Api) -> tuple[str, str]:
    """Field and value of our key, from the path or the body. Raises no_method on older versions."""
    minor = int(api.version.partition("_")[2] or 0)
    if minor < api.settings.integrate_since:
        raise no_method(4)
    field = str(api.path.get("field") or api.arguments.get("sync_key_field_name") or "sync_key")
    known = api.module.all_fields.get(field)
    if known is None or known.source != "db":
        raise invalid(field)
    return field, str(api.path.get("value") or api.need("sync_key_field_value"))


def convert(api: Api) -> Any:
    """A lead becomes a contact with an account and an opportunity: known ones, or new ones."""
    if api.path["module"] != "Leads":
        raise no_method(3)
    api.allow("edit", api.module)
    lead = api.row(api.module, api.path["record"])
    asked = api.need("modules")
    if not isinstance(asked, dict) or set(asked) - set(_CONVERSION):
        raise invalid("modules")
    if "Contacts" not in asked:
        raise missing("Contacts", api.settings.missing_parameter)
    made = {name: _made(api, api.store.modules[name], asked[name]) for name in _CONVERSION if name in asked}
    _tie(api, {name: found["id"] for name, found in made.items()})
    values = {_LEAD_COLUMNS[name]: found["id"] for name, found in made.items()}
    api.write(api.module, {**values, "id": lead["id"], "converted": 1, "status": "Converted"})
    return {
        "modules": [
            record(api, api.store.modules[name], api.row(api.store.modules[name], found["id"]))
            for name, found in made.items()
        ]
    }


def _made(api: Api, module: Module, given: Any) -> Record:
    if not isinstance(given, dict):
        raise invalid(module.name)
    known = given.get("id") and api.store.value(
        f"SELECT 1 FROM {module.table} WHERE id = ? AND deleted = 0", (given["id"],)
    )
    if known:
        return record(api, module, api.row(module, given["id"]))
    if given.get("id") and not api.settings.own_ids:
        raise ApiError("not_found", f"Could not find record: {given['id']} in module: {module.name}")
    return records.created(api, module, given)


def _tie(api: Api, ids: dict[str, str]) -> None:
    modules = api.store.modules
    pairs = (("Contacts", "accounts", "Accounts"), ("Opportunities", "accounts", "Accounts"))
    with api.store.transaction():
        for own, link, other in (*pairs, ("Opportunities", "contacts", "Contacts")):
            if own in ids and other in ids:
                links.add(api.store, modules[own].links[link], ids[own], [ids[other]], {})
