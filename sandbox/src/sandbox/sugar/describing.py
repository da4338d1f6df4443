"""get_module_fields and get_available_modules: what the server says about itself."""

from typing import Any

from . import rights
from .modules import Field, Module
from .store import Store

_ACTIONS = ("edit", "delete", "list", "view", "import", "export")


def module_fields(store: Store, module: Module, wanted: list[str]) -> dict[str, Any]:
    """Fields and links in the catalogue's order; `wanted` empty = all."""
    return {
        "module_name": module.name,
        "table_name": module.table,
        "module_fields": [
            _field(store, field) for field in module.fields.values() if not wanted or field.name in wanted
        ],
        "link_fields": [
            {
                "name": name,
                "type": "link",
                "relationship": link.table,
                "module": link.module,
                "bean_name": link.module,
            }
            for name, link in module.links.items()
            if not wanted or name in wanted
        ],
    }


def available_modules(store: Store, version: str, user: str, *, is_admin: bool) -> dict[str, Any]:
    if version == "v2":
        return {"modules": list(store.modules)}
    found = store.modules.values()
    return {"modules": [_module(store, module, user, is_admin=is_admin) for module in found]}


def _field(store: Store, field: Field) -> dict[str, Any]:
    options = store.rows("SELECT name, label FROM options WHERE dom = ? ORDER BY rowid", (field.options,))
    described: dict[str, Any] = {
        "name": field.name,
        "type": field.type,
        "group": field.group,
        "label": field.label,
        "required": int(field.required),
        "options": [{"name": option["name"], "value": option["label"]} for option in options],
    }
    if field.default is not None:
        described["default_value"] = field.default
    return described


def _module(store: Store, module: Module, user: str, *, is_admin: bool) -> dict[str, Any]:
    may_write = is_admin or module.name != "Users"
    denied = rights.denied(store, user, module.name)
    access = {
        action: "1" if action not in denied and (may_write or action in {"list", "view"}) else ""
        for action in _ACTIONS
    }
    return {
        "module_key": module.name,
        "module_label": module.label,
        "favorite_enabled": False,
        "acls": [{"action": action, "access": value} for action, value in access.items()],
    }
