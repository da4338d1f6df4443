"""Values on their way between JSON and columns."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..modules import Field
from .errors import ApiError

_TRUE = frozenset({"1", "true", "on", "yes"})


def column(field: Field, value: Any, zone: ZoneInfo) -> str | int | float | None:
    """As the column keeps it. Raises invalid_parameter for dates that are none; long texts are cut."""
    if field.type == "bool":
        return int(str(value).lower() in _TRUE)
    if field.type in {"int", "currency", "double"}:
        return _number(field, value)
    if field.type in {"date", "datetime"}:
        return moment(field, value, zone)
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return text if field.length is None else text[: field.length]


def shown(field: Field, value: Any, zone: ZoneInfo) -> Any:
    """As JSON has it: real booleans and numbers, amounts as text with six decimals; only numbers are null."""
    if field.type == "bool":
        return bool(value)
    if field.type == "int":
        return value
    if field.type in {"currency", "double"}:
        return None if value is None else f"{value:.6f}"
    if value is None or value == "":
        return ""
    return iso(value, zone) if field.type == "datetime" else value


def iso(stored: str, zone: ZoneInfo) -> str:
    """`Y-m-d H:i:s` in UTC as ISO 8601 with the user's offset."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).astimezone(zone).isoformat(timespec="seconds")


def moment(field: Field, value: Any, zone: ZoneInfo) -> str | None:
    """A date, or a moment in UTC; without an offset the user's own is meant."""
    if value in (None, ""):
        return None
    text = str(value)
    try:
        if field.type == "date":
            return datetime.fromisoformat(text[:10]).strftime("%Y-%m-%d")
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError("invalid_parameter", f"Invalid parameter: {field.name}") from None
    return utc(read if read.tzinfo else read.replace(tzinfo=zone))


def utc(moment_: datetime) -> str:
    return moment_.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def columns(fields: Mapping[str, Field], given: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The given fields that are columns, or are made into ones by saving; unknown ones are left out."""
    return {name: column(fields[name], value, zone) for name, value in given.items() if name in fields}


def _number(field: Field, value: Any) -> int | float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if field.type == "int" else number
