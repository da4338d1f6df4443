"""Converting leads by the API: one at once, many by a job, and what there is to attach a lead to.

Source: Zoho's documentation and the contract notes; ids are plain before v5, the answer is one before v6.
Validation errors of a conversion are answered with 202.
"""

from collections.abc import Mapping
from typing import Any

from .conversion import PLACE, Converted, Converter, Wish
from .errors import ApiError, RowError, bad_id, success
from .operations import Call, Operation, Reply
from .rendering import shown
from .store import Record, Row, name_of
from .values import Checker

_DONE = "The record has been converted successfully"
_MOST_LEADS = 50
_CREDITS = 5
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "Contacts": ("Full_Name", "Email", "Account_Name"),
    "Accounts": ("Account_Name", "Phone", "Account_Type", "Website"),
}


def convert(call: Call) -> Reply:
    """Raises ID_ALREADY_CONVERTED, RECORD_LOCKED, INVALID_DATA."""
    lead = _lead(call, call.path["id"])
    [given] = call.rows(most=1)
    try:
        made = _converter(call).convert(lead, _wish(call, given))
    except RowError as refused:
        return Reply(202, {"data": [refused.row]})
    if call.site.conversions_scheduled:
        return Reply(202, {"data": [_scheduled(call.store.next_id())]}, rows=1)
    details = {module: record and _reference(call, record) for module, record in made.by_module().items()}
    if call.version < 6:
        return Reply(body={"data": [_plain(made)]}, rows=1)
    return Reply(body={"data": [success(details, _DONE)]}, rows=1)


def options(call: Call) -> Reply:
    """Without a body where there is nothing to attach the lead to."""
    lead, converter = _lead(call, call.path["id"]), _converter(call)
    found = {"Contacts": converter.matching_contact(lead), "Accounts": converter.matching_account(lead)}
    if not any(found.values()):
        return Reply(204)
    preferred = "Contacts" if found["Contacts"] else "Accounts"
    rows = {module: record and [_option(call, record, _OPTIONS[module])] for module, record in found.items()}
    matched = {module: record and [_matched(call, lead, record)] for module, record in found.items()}
    body = {
        "module_preference": _module_reference(call, preferred),
        **rows,
        "preference_field_matched_value": matched,
        "modules_with_multiple_layouts": None,
    }
    return Reply(body={"__conversion_options": body})


def convert_many(call: Call) -> Reply:
    """Raises ApiError. The job has done its work at once; it tells so when its time is over."""
    given = call.body if isinstance(call.body, dict) else {}
    ids = given.get("ids")
    if not ids:
        raise ApiError("MANDATORY_NOT_FOUND", {"api_name": "ids", "json_path": "$.ids"})
    if len(ids) > _MOST_LEADS:
        raise ApiError("LIMIT_EXCEEDED", {"api_name": "ids", "json_path": "$.ids", "limit": _MOST_LEADS})
    counts = {"converted": 0, "skipped": 0, "failed": 0}
    for key in ids:
        try:
            _converter(call).convert(_lead(call, key), _wish(call, given))
            counts["converted"] += 1
        except ApiError as refused:
            counts["skipped" if refused.code == "ID_ALREADY_CONVERTED" else "failed"] += 1
        except RowError:
            counts["failed"] += 1
    job = call.store.next_id()
    values = (int(job), call.store.clock().timestamp(), len(ids), *counts.values())
    call.store.execute("INSERT INTO mass_conversions VALUES (?, ?, ?, ?, ?, ?)", values)
    return Reply(202, _scheduled(job), rows=len(ids))


def many_converted(call: Call) -> Reply:
    sql = "SELECT * FROM mass_conversions WHERE id = CAST(? AS INTEGER)"
    job = call.store.row(sql, (call.required("job_id"),))
    if job is None:
        raise ApiError("INVALID_DATA", {"param_name": "job_id"})
    over = call.store.clock().timestamp() - job["made"] >= call.site.settings.bulk_seconds
    counts = {
        "Total_Count": job["total"],
        "Converted_Count": job["converted"] if over else 0,
        "Not_Converted_Count": job["skipped"] if over else job["total"],
        "Failed_Count": job["failed"] if over else 0,
        "Status": "completed" if over else "in progress",
    }
    return Reply(body={"data": [counts]})


def _credits(call: Call) -> int:
    return _CREDITS


def _always(call: Call) -> bool:
    """Conversions have the limit of heavy calls. Source: Zoho's documentation."""
    return True


_ONE = "/crm/{version}/{module}/{id}"
_MANY = "/crm/{version}/{module}/actions/mass_convert"
_JOBS = "mass_convert.leads"
OPERATIONS = (
    Operation(
        "convert", "POST", f"{_ONE}/actions/convert", "write", "modules.CREATE", convert, _credits, _always
    ),
    Operation("conversion options", "GET", f"{_ONE}/__conversion_options", "read", "modules.READ", options),
    Operation("mass convert", "POST", _MANY, "write", f"{_JOBS}.CREATE", convert_many, _credits, _always),
    Operation("GET mass convert", "GET", _MANY, "read", f"{_JOBS}.READ", many_converted),
)


def _scheduled(job: str) -> Row:
    """Assumed: the work is done at once all the same."""
    return success({"job_id": job}, "The conversion is scheduled") | {"code": "SCHEDULED"}


def _converter(call: Call) -> Converter:
    return Converter(call.site, call.user.id, call.traceparent)


def _lead(call: Call, key: Any) -> Record:
    """One that can be converted. Raises ApiError."""
    if call.module.name != "Leads":
        raise ApiError("INVALID_MODULE", {"resource_path_index": 0})
    call.allow("edit", call.module)
    lead = call.store.get("Leads", key)
    if lead is None:
        raise bad_id()
    if lead.converted:
        raise ApiError("ID_ALREADY_CONVERTED", {"resource_path_index": 1})
    if lead.locked:
        raise ApiError("RECORD_LOCKED", {"resource_path_index": 1})
    return lead


def _wish(call: Call, given: Row) -> Wish:
    """Raises RowError."""
    tags = given.get("carry_over_tags")
    return Wish(
        contact=_existing(call, given, "Contacts"),
        account=_existing(call, given, "Accounts"),
        deal=_deal(call, given),
        owner=_owner(call, given),
        overwrite=given.get("overwrite") is True,
        tags=tags if isinstance(tags, dict) else {},
    )


def _existing(call: Call, given: Row, module: str) -> Record | None:
    if not given.get(module):
        return None
    key, where = _id(call, given, module)
    record = call.store.get(module, key)
    if record is None:
        raise RowError("INVALID_DATA", {"api_name": "id", "json_path": where})
    return record


def _owner(call: Call, given: Row) -> str | None:
    if not given.get("assign_to"):
        return None
    key, where = _id(call, given, "assign_to")
    user = call.site.users.get(key)
    if user is None or not user.may_own:
        raise RowError("INVALID_DATA", {"api_name": "id", "json_path": where})
    return user.id


def _id(call: Call, given: Row, name: str) -> tuple[Any, str]:
    """The id and its place. Raises INVALID_DATA."""
    value = given[name]
    if call.version < 5:
        return value, f"{PLACE}.{name}"
    if not isinstance(value, dict):
        details = {"api_name": name, "json_path": f"{PLACE}.{name}", "expected_data_type": "jsonobject"}
        raise RowError("INVALID_DATA", details)
    return value.get("id"), f"{PLACE}.{name}.id"


def _deal(call: Call, given: Row) -> Row | None:
    if not given.get("Deals"):
        return None
    deals = call.store.modules["Deals"]
    call.allow("create", deals)
    if not isinstance(given["Deals"], dict):
        details = {"api_name": "Deals", "json_path": f"{PLACE}.Deals", "expected_data_type": "jsonobject"}
        raise RowError("INVALID_DATA", details)
    try:
        return Checker(call.site, deals).check(given["Deals"], 0, new=True)
    except RowError as refused:
        place = refused.row["details"]
        if path := place.get("json_path"):
            place["json_path"] = path.replace(f"{PLACE}.", f"{PLACE}.Deals.", 1)
        raise


def _reference(call: Call, record: Record) -> Row:
    return {"name": name_of(call.store.modules[record.module], record.values), "id": record.id}


def _plain(made: Converted) -> Row:
    return {module: record and record.id for module, record in made.by_module().items()}


def _option(call: Call, record: Record, fields: tuple[str, ...]) -> Row:
    [row] = shown(call.site, call.user, call.store.modules[record.module], [record], fields)
    return row | {"$editable": True, "$approval_state": "approved", "Locked__s": record.locked}


def _matched(call: Call, lead: Record, record: Record) -> Row:
    """By which field the record was found."""
    email, company = str(lead.values.get("Email")), str(lead.values.get("Company"))
    if record.module == "Accounts":
        name, value = "Account_Name", company
    elif str(record.values.get("Email")).lower() == email.lower():
        name, value = "Email", email
    else:
        name, value = "Full_Name", name_of(call.store.modules["Leads"], lead.values)
    field = call.store.modules[record.module].fields[name]
    described = {"api_name": name, "field_label": field.label, "unique": field.unique, "id": field.id}
    return {"field": described, "matched_lead_value": value}


def _module_reference(call: Call, name: str) -> Row:
    return {"api_name": name, "id": call.store.modules[name].id}
