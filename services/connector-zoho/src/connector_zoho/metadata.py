"""What an organisation says about its modules: their fields, and what its user may do with them."""

import time
from collections.abc import Mapping
from typing import Any, Literal

from connector_zoho import values
from connector_zoho.client import ZohoClient
from connector_zoho.translation import KINDS, LEADS, TAGS, USERS, text
from connector_zoho.wire import outcomes
from leadbus.connector.contract import FieldInfo, FieldType

_NAMES: Mapping[FieldType, str] = {
    "text": "text textarea email phone website autonumber",
    "number": "integer bigint double decimal currency percent",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "option": "picklist",
    "options": "multiselectpicklist",
    "reference": "lookup ownerlookup userlookup multi_module_lookup",
}
_TYPES: Mapping[str, FieldType] = {name: kind for kind, names in _NAMES.items() for name in names.split()}
"""By `data_type` (Zoho's documentation, fields metadata)."""
_NOTHING = "-None-"
"""Among the options of a pick list, and no value of its own."""
_KEPT_SECONDS = 600.0
Shapes = Mapping[str, FieldInfo]


class Metadata:
    """For one connection. The fields of a module are asked for again after ten minutes, or by `describe`."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self._known: dict[str, tuple[float, Shapes]] = {}
        self._unique: dict[str, frozenset[str]] = {}

    async def describe(self, module: str) -> list[FieldInfo]:
        """The fields as they are now."""
        params = {"module": module}
        answer = await self._client.call("GET fields", "GET", "/settings/fields", params=params)
        fields = [field for field in outcomes(answer, "fields") if field.get("api_name")]
        found = [_info(field) for field in fields]
        self._unique[module] = frozenset(str(field["api_name"]) for field in fields if field.get("unique"))
        self._known[module] = time.monotonic(), {info.name: info for info in found}
        return found

    async def shapes(self, module: str) -> Shapes:
        """The fields by name, as they were some minutes ago at most."""
        asked, shapes = self._known.get(module, (None, {}))
        if asked is None or time.monotonic() - asked > _KEPT_SECONDS:
            await self.describe(module)
            shapes = self._known[module][1]
        return shapes

    async def unique(self, module: str) -> frozenset[str]:
        """Fields whose value only one record may have, as they were some minutes ago at most."""
        await self.shapes(module)
        return self._unique[module]

    def fit(self, name: str, value: str) -> str:
        """See `Capabilities`. Of the fields that `shapes` was asked for also by their own type and length."""
        fitting = values.fit(name, value)
        info = next((shapes[name] for _, shapes in self._known.values() if name in shapes), None)
        return text(values.written(info.type, fitting, info.length)) if info else fitting

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """What the user may do, by module; one that it may not even see is missing."""
        answer = await self._client.call("GET modules", "GET", "/settings/modules")
        listed = {str(row.get("api_name")): row for row in outcomes(answer, "modules")}
        rights: dict[str, frozenset[Literal["read", "write"]]] = {
            name: _rights(listed[name]) for name in KINDS if name in listed
        }
        # Whoever may change people may tag them; users are the administrator's.
        return {USERS: frozenset({"read"}), TAGS: rights.get(LEADS, frozenset()), **rights}


def _rights(module: Mapping[str, Any]) -> frozenset[Literal["read", "write"]]:
    readable = bool(module.get("api_supported")) and bool(module.get("viewable"))
    writable = readable and bool(module.get("creatable")) and bool(module.get("editable"))
    return frozenset(("read", "write") if writable else ("read",) if readable else ())


def _info(field: Mapping[str, Any]) -> FieldInfo:
    kind = _TYPES.get(str(field.get("data_type")), "other")
    length = field.get("length")
    offered = (option for option in field.get("pick_list_values") or () if isinstance(option, dict))
    options = [str(option.get("actual_value") or option.get("display_value")) for option in offered]
    may = field.get("operation_type") or {}
    is_fixed = field.get("read_only") or field.get("field_read_only") or not may.get("api_update", True)
    return FieldInfo(
        name=str(field["api_name"]),
        label=str(field.get("display_label") or field.get("field_label") or field["api_name"]),
        type=kind,
        length=length if kind == "text" and isinstance(length, int) else None,
        required=bool(field.get("system_mandatory")),
        writable=not is_fixed and field.get("data_type") not in {"autonumber", "formula"},
        custom=bool(field.get("custom_field")),
        options=tuple(o for o in options if o != _NOTHING) if kind in {"option", "options"} else None,
    )
