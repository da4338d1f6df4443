"""What the organisation is made of: itself, its users, modules, fields and tags."""

from collections.abc import Callable, Mapping
from typing import Any

from .errors import ApiError, success
from .mapping import CONVERT, targets
from .operations import Call, Operation, Reply
from .schema import Field, Module
from .store import Row
from .users import User, shown

_PER_PAGE = 200
_BASE = "/crm/{version}/"
_USERS: Mapping[str, Callable[[User, User], bool]] = {
    "AllUsers": lambda user, caller: True,
    "ActiveUsers": lambda user, caller: user.active,
    "DeactiveUsers": lambda user, caller: not user.active,
    "ConfirmedUsers": lambda user, caller: user.confirmed,
    "NotConfirmedUsers": lambda user, caller: not user.confirmed,
    "ActiveConfirmedUsers": lambda user, caller: user.may_own,
    "AdminUsers": lambda user, caller: user.admin,
    "ActiveConfirmedAdmins": lambda user, caller: user.may_own and user.admin,
    "CurrentUser": lambda user, caller: user.id == caller.id,
}


def org(call: Call) -> Reply:
    settings, primary = call.site.settings, call.site.primary
    known = {
        "id": f"{primary.id[:7]}000000000001",
        "company_name": "Example sp. z o.o.",
        "primary_email": primary.email,
        "primary_zuid": primary.zuid,
        "zgid": settings.zgid,
        "type": "production",
        "time_zone": settings.time_zone,
        "country_code": settings.country,
        "currency": settings.currency,
        "iso_code": settings.iso_code,
        "domain_name": f"org{settings.zgid}",
        "license_details": {
            "paid": settings.edition != "free",
            "paid_type": settings.edition,
            "users_license_purchased": len(call.site.users),
            "trial_type": None,
            "trial_expiry": None,
        },
    }
    return Reply(200, {"org": [known]})


def users(call: Call) -> Reply:
    kind = call.params.get("type", "AllUsers")
    if kind not in _USERS:
        raise ApiError("INVALID_DATA", {"param_name": "type"})
    page, per_page = call.number("page", 1, 10**6), call.number("per_page", _PER_PAGE, _PER_PAGE)
    wanted = [user for user in call.site.users if _USERS[kind](user, call.user)]
    found = wanted[(page - 1) * per_page : page * per_page]
    if not found:
        return Reply(204)
    more = len(wanted) > page * per_page
    info = {"per_page": per_page, "count": len(found), "page": page, "more_records": more}
    return Reply(200, {"users": [shown(user) for user in found], "info": info})


def user(call: Call) -> Reply:
    found = call.site.users.get(call.path["id"])
    return Reply(200, {"users": [shown(found)]}) if found else Reply(204)


def modules(call: Call) -> Reply:
    return Reply(200, {"modules": [_module(call, module) for module in call.store.modules.values()]})


def module(call: Call) -> Reply:
    return Reply(200, {"modules": [_module(call, call.module)]})


def fields(call: Call) -> Reply:
    described = call.named(call.required("module"))
    mapped = {name: call.store.modules[name].fields for name in CONVERT}
    shown_fields = [
        _field(field) | {"convert_mapping": _mapping(described, field, mapped)}
        for field in described.fields.values()
        if field.name[0] != "$"
    ]
    return Reply(200, {"fields": shown_fields})


def tags(call: Call) -> Reply:
    described = call.named(call.required("module"))
    rows = call.store.rows("SELECT id, name FROM tags WHERE module = ? ORDER BY name", (described.name,))
    if not rows:
        return Reply(204)
    known = [row | {"color_code": None} for row in rows]
    info = {"count": len(known), "allowed_count": 100}
    return Reply(200, {"tags": known, "info": info})


def add_tags(call: Call) -> Reply:
    """Source: the official SDK."""
    described = call.named(call.required("module"))
    made: list[Row] = []
    for row in call.rows("tags"):
        key = call.store.tag_id(described.name, str(row.get("name")))
        made.append(success({"id": key}, "tags created successfully"))
    return Reply(201, {"tags": made})


def _module(call: Call, described: Module) -> Row:
    may = {
        flag: call.site.may(call.user, action, described)
        for flag, action in (
            ("creatable", "create"),
            ("editable", "edit"),
            ("deletable", "delete"),
            ("viewable", "view"),
        )
    }
    return {
        "id": described.id,
        "api_name": described.name,
        "module_name": described.name,
        "singular_label": described.singular,
        "plural_label": described.name,
        "generated_type": "default",
        "api_supported": True,
        **may,
        "visible": True,
        "modified_time": None,
    }


def _field(field: Field) -> Row:
    writable = not field.read_only
    lookup: Row = {"module": {"api_name": field.to, "id": None}} if field.to and field.to != "*" else {}
    return {
        "id": field.id,
        "api_name": field.name,
        "field_label": field.label,
        "display_label": field.label,
        "data_type": field.type,
        "json_type": field.json_type,
        "length": field.length,
        "system_mandatory": field.required,
        "read_only": field.read_only,
        "field_read_only": field.read_only,
        "custom_field": field.custom,
        "unique": {"casesensitive": "false"} if field.unique else {},
        "visible": True,
        "filterable": field.type != "textarea",
        "sortable": field.type != "textarea",
        "searchable": True,
        "webhook": True,
        "virtual_field": False,
        "type": "used",
        "lookup": lookup,
        "pick_list_values": [
            _option(field, option, number) for number, option in enumerate(field.options, 1)
        ],
        "operation_type": dict.fromkeys(("web_update", "api_create", "web_create", "api_update"), writable),
    }


def _mapping(described: Module, field: Field, mapped: Mapping[str, Mapping[str, Field]]) -> Row:
    """What a lead's field becomes at its conversion, by module."""
    made: Row = dict.fromkeys(mapped)
    for module, name in targets(field.name).items():
        if described.name == "Leads" and name:
            made[module] = {"name": name, "id": mapped[module][name].id}
    return made


def _option(field: Field, option: str, number: int) -> Row:
    names = dict.fromkeys(("display_value", "actual_value", "reference_value"), option)
    key = str(int(field.id) * 1_000 + number)[-19:]
    return {**names, "sequence_number": number, "id": key, "type": "used"}


def _read(name: str, address: str, scope: str, answer: Any) -> Operation:
    return Operation(name, "GET", _BASE + address, "read", scope, answer)


OPERATIONS = (
    _read("org", "org", "org.READ", org),
    _read("users", "users", "users.READ", users),
    _read("users", "users/{id}", "users.READ", user),
    _read("modules", "settings/modules", "settings.READ", modules),
    _read("modules", "settings/modules/{module}", "settings.READ", module),
    _read("fields", "settings/fields", "settings.READ", fields),
    _read("tags", "settings/tags", "settings.READ", tags),
    Operation("add tags", "POST", f"{_BASE}settings/tags", "other", "settings.CREATE", add_tags),
)
