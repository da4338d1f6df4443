"""What the site says about itself and its user."""

import hashlib
import json
from typing import Any

from .. import rights
from ..modules import Field, Module
from ..store import Store
from .api import Api
from .errors import not_found
from .rendering import user_name

_SECTIONS = ("server_info", "full_module_list", "modules", "acl")


def ping(api: Api) -> Any:
    return "pong"


def metadata(api: Api) -> Any:
    """`type_filter`: sections, none = all; `module_filter`: modules; `only_hash`: nothing but the hash."""
    wanted = _names(api, "type_filter") or list(_SECTIONS)
    found = {name: _SECTION[name](api) for name in wanted if name in _SECTION}
    digest = {"_hash": _hash(found)}
    return digest if str(api.arguments.get("only_hash", "")).lower() in {"1", "true"} else found | digest


def me(api: Api) -> Any:
    user = api.who.user
    preferences = {"timezone": str(api.who.zone), "datepref": "Y-m-d", "timepref": "H:i"}
    found = {
        "type": "admin" if user["is_admin"] else "user",
        "id": user["id"],
        "user_name": user["user_name"],
        "full_name": user_name(api.store, user["id"]),
        "preferences": preferences,
        "is_manager": False,
        "acl": _acl(api),
    }
    if "Teams" in api.store.modules:
        rows = api.store.rows(
            "SELECT t.id, t.name FROM team_memberships m JOIN teams t ON t.id = m.team_id"
            " WHERE m.user_id = ? AND m.deleted = 0 AND t.deleted = 0 ORDER BY t.name",
            (user["id"],),
        )
        found["my_teams"] = rows
    return {"current_user": found}


def options(api: Api) -> Any:
    """The value map behind a field. Raises not_found if it has none."""
    field = api.module.all_fields.get(api.path["field"])
    if field is None or not field.options or field.type == "bool":
        raise not_found(api.module.name, api.path["field"])
    return _options(api.store, field)


def _server_info(api: Api) -> Any:
    site = api.protocols
    return {
        "flavor": site.flavor,
        "version": site.version,
        "build": "1000",
        "product_name": f"SugarCRM {site.flavor}",
        "gmt_time": api.store.now(),
    }


def _full_module_list(api: Api) -> Any:
    found = {name: name for name in api.store.modules}
    return found | {"_hash": _hash(found)}


def _modules(api: Api) -> Any:
    asked = _names(api, "module_filter")
    return {
        name: _module(api.store, module)
        for name, module in api.store.modules.items()
        if not asked or name in asked
    }


def _acl(api: Api) -> Any:
    """Only what is not allowed is named; what is missing is allowed."""
    found: dict[str, dict[str, Any]] = {}
    for name in api.store.modules:
        denied = dict.fromkeys(sorted(rights.denied(api.store, api.user, name)), "no")
        if name == "Users" and not api.is_admin:
            denied |= {"edit": "no", "delete": "no", "admin": "no"}
        found[name] = denied | {"fields": {}, "_hash": _hash(denied)}
    return found


def _module(store: Store, module: Module) -> dict[str, Any]:
    described: dict[str, Any] = {
        name: _field(store, field) for name, field in module.all_fields.items() if name != "user_hash"
    }
    for name, link in module.links.items():
        described.setdefault(name, {"name": name, "type": "link", "module": link.module, "source": "non-db"})
    return {"fields": described, "_hash": _hash(described)}


def _field(store: Store, field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": field.type, "vname": field.label}
    described |= {"required": True} if field.required else {}
    described |= {"len": field.length} if field.length else {}
    described |= {"default": field.default} if field.default is not None else {}
    described |= {"source": "non-db"} if field.source == "computed" else {}
    if field.options and field.type == "enum":
        described["options"] = _options(store, field)
    return described


def _options(store: Store, field: Field) -> dict[str, str]:
    rows = store.rows("SELECT name, label FROM options WHERE dom = ? ORDER BY rowid", (field.options,))
    return {row["name"]: row["label"] for row in rows}


def _names(api: Api, argument: str) -> list[str]:
    return [name.strip() for name in str(api.arguments.get(argument) or "").split(",") if name.strip()]


def _hash(content: Any) -> str:
    return hashlib.md5(json.dumps(content, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


_SECTION = {
    "server_info": _server_info,
    "full_module_list": _full_module_list,
    "modules": _modules,
    "acl": _acl,
}
