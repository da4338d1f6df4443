"""Web Logic Hooks: what happened becomes a job at once, and is sent later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from .. import reading
from ..modules import Module
from ..store import Change, Row, Store
from . import values

_IRREGULAR = {"Opportunities": "Opportunity", "EmailAddresses": "EmailAddress"}


@dataclass(slots=True)
class Hooks:
    """Watches a store's records."""

    store: Store

    def wants(self, module: str) -> bool:
        sql = "SELECT 1 FROM weblogichooks WHERE webhook_target_module = ? AND deleted = 0"
        return self.store.value(sql, (module,)) is not None

    def changed(self, change: Change) -> None:
        hooks = self.store.rows(
            "SELECT url, request_method FROM weblogichooks"
            " WHERE webhook_target_module = ? AND trigger_event = ? AND deleted = 0",
            (change.module, change.event),
        )
        if not hooks:
            return
        body = json.dumps(self._body(change))
        for hook in hooks:
            method = (hook["request_method"] or "POST").upper()
            self.store.insert("hook_jobs", {"url": hook["url"], "method": method, "body": body})

    def _body(self, change: Change) -> Mapping[str, Any]:
        module = self.store.modules[change.module]
        custom = f" LEFT JOIN {module.custom_table} ON id_c = id" if module.custom_table else ""
        after = self.store.row(f"SELECT * FROM {module.table}{custom} WHERE id = ?", (change.key,)) or {}
        body = {
            "isUpdate": change.before is not None,
            "dataChanges": _changes(module, change.before, after) if change.before else {},
            "bean": _IRREGULAR.get(module.name, module.name.removesuffix("s")),
            "data": self._data(module, after),
            "event": change.event,
        }
        if change.related:
            other, key = change.related
            body |= {"related_module": other, "related_id": key}
        return body

    def _data(self, module: Module, row: Row) -> dict[str, Any]:
        zone = ZoneInfo("UTC")
        shown: dict[str, Any] = {}
        for name, field in module.all_fields.items():
            if name == "user_hash":
                continue
            if field.source != "computed":
                shown[name] = values.shown(field, row[name], zone)
            elif name in {"email1", "email2", "full_name", "name", "account_id", "account_name"}:
                shown[name] = reading.computed(self.store, module, row, name) or ""
        return shown


def _changes(module: Module, before: Row, after: Row) -> dict[str, Any]:
    zone = ZoneInfo("UTC")
    return {
        name: {
            "field_name": name,
            "data_type": field.type,
            "before": values.shown(field, before[name], zone),
            "after": values.shown(field, after[name], zone),
        }
        for name, field in module.all_fields.items()
        if field.source != "computed" and name != "date_modified" and before.get(name) != after.get(name)
    }
