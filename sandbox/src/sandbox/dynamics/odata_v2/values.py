"""Values in OData v2's JSON. Source: Microsoft's pages on the OData endpoint, the contract's samples."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import CrmError
from ..record import Reference
from ..schema import Attribute
from ..store import Store

TYPES = "Microsoft.Crm.Sdk.Data.Services"
_DATE = re.compile(r"/Date\((-?\d+)\)/")


def encoded(attribute: Attribute, value: Any, store: Store) -> Any:
    """What is empty has its complex type all the same."""
    if attribute.is_lookup:
        return _complex("EntityReference", _reference(value, store))
    if attribute.options:
        return _complex("OptionSetValue", {"Value": value})
    if attribute.type == "money":
        return _complex("Money", {"Value": None if value is None else f"{value:.4f}"})
    look = None if value is None else _LOOKS.get(attribute.type)
    return look(value) if look else value


def decoded(attribute: Attribute, value: Any) -> Any:
    """As `records` takes it. Raises IncorrectAttributeValueType."""
    try:
        if isinstance(value, dict) and attribute.is_lookup:
            return None if value.get("Id") is None else Reference(value["LogicalName"], value["Id"].lower())
        if isinstance(value, dict):
            return _number(attribute, value["Value"])
        if isinstance(value, str) and (found := _DATE.fullmatch(value)):
            return datetime.fromtimestamp(int(found[1]) / 1000, UTC)
        return _number(attribute, value)
    except (KeyError, ValueError):
        found_type = type(value).__name__
        raise CrmError("IncorrectAttributeValueType", attribute.name, attribute.type, found_type) from None


def _number(attribute: Attribute, value: Any) -> Any:
    """Fractions come as texts."""
    return float(value) if attribute.type in ("money", "decimal") and isinstance(value, str) else value


def _complex(kind: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {"__metadata": {"type": f"{TYPES}.{kind}"}, **members}


def _reference(value: Reference | None, store: Store) -> dict[str, Any]:
    if value is None:
        return {"Id": None, "LogicalName": None, "Name": None}
    return {"Id": value.id, "LogicalName": value.entity, "Name": store.title(value)}


def _date(value: str) -> str:
    moment = datetime.fromisoformat(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"/Date({int(moment.timestamp() * 1000)})/"


_LOOKS: Mapping[str, Callable[[Any], Any]] = {
    "datetime": _date,
    "date": _date,
    "decimal": lambda value: f"{value:.10f}",
    "bigint": str,
}
