"""Which records a bulk read takes: its criteria as SQL. Source: Zoho's documentation, the official SDK."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from . import moments
from .errors import ApiError
from .schema import Module
from .store import Row, as_number

Condition: TypeAlias = tuple[str, list[Any]]
"""SQL, and the values for its marks."""

EMPTY = "${EMPTY}"
_COLUMNS = {
    "id": "id",
    "Created_Time": "created",
    "Modified_Time": "modified",
    "Created_By": "created_by",
    "Modified_By": "modified_by",
    "Converted__s": "converted",
    "Email": "email",
    "Full_Name": "name",
}
_MARKS = {
    "less_than": "<",
    "less_equal": "<=",
    "greater_than": ">",
    "greater_equal": ">=",
}
_PATTERNS = {"contains": "%{}%", "not_contains": "%{}%", "starts_with": "{}%", "ends_with": "%{}"}


def condition(module: Module, given: Row) -> Condition:
    """A field compared with a value, or a group of such. Raises ApiError."""
    group = given.get("group")
    if not group:
        return _compared(module, given)
    operator = str(given.get("group_operator", "and")).upper()
    if operator not in {"AND", "OR"}:
        raise ApiError("GROUP_OPERATOR_NOT_SUPPORTED", message="the group operator is not supported")
    parts = [condition(module, part) for part in group]
    return "(" + f" {operator} ".join(sql for sql, _ in parts) + ")", [
        value for _, values in parts for value in values
    ]


def _compared(module: Module, given: Row) -> Condition:
    name = (given.get("field") or given).get("api_name")
    if name != "id" and name not in module.fields:
        raise ApiError("FIELD_IN_CRITERIA_NOT_AVAILABLE", {"api_name": name}, "the field is not available")
    column = column_of(module, name)
    comparator, value = str(given.get("comparator")), given.get("value")
    made = _COMPARATORS.get(comparator)
    if made is None:
        raise ApiError(
            "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED",
            {"comparator": comparator},
            "the comparator is not supported",
        )
    try:
        values = [_stored(module, name, one) for one in (value if isinstance(value, list) else [value])]
    except (ValueError, AttributeError):
        raise ApiError("VALUE_TYPE_NOT_SUPPORTED", {"api_name": name}, "the value is not supported") from None
    return made(column, comparator, values)


def column_of(module: Module, name: str) -> str:
    """SQL for a field's value; texts compare whatever their letters' case, a missing boolean is false."""
    value = f"json_extract(body, '$.\"{name}\"')"
    kind = module.fields[name].type if name in module.fields else ""
    if kind == "boolean":
        value = f"coalesce({value}, 0)"
    elif kind not in {"lookup", "ownerlookup"}:
        value += " COLLATE NOCASE"
    return _COLUMNS.get(name, value)


def _stored(module: Module, name: str, value: Any) -> Any:
    """The value as the store has it."""
    kind = module.fields[name].type if name in module.fields else "bigint"
    if value == EMPTY:
        return None
    if name in {"Created_Time", "Modified_Time"}:
        return moments.seconds(value)
    if kind == "datetime":
        return moments.stored(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    if name == "id":
        return as_number(value)
    return value


def _equal(column: str, comparator: str, values: list[Any]) -> Condition:
    if values == [None]:
        return f"({column} IS {'NOT ' if comparator == 'not_equal' else ''}NULL)", []
    if comparator == "not_equal":
        return f"({column} IS NOT ?)", values
    return f"({column} = ?)", values


def _among(column: str, comparator: str, values: list[Any]) -> Condition:
    marks = ", ".join("?" * len(values))
    return f"({column} {'NOT ' if comparator == 'not_in' else ''}IN ({marks}))", values


def _ordered(column: str, comparator: str, values: list[Any]) -> Condition:
    return f"({column} {_MARKS[comparator]} ?)", values


def _like(column: str, comparator: str, values: list[Any]) -> Condition:
    negated = "NOT " if comparator.startswith("not") else ""
    text = str(values[0]).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"({column} {negated}LIKE ? ESCAPE '\\')", [_PATTERNS[comparator].format(text)]


def _between(column: str, comparator: str, values: list[Any]) -> Condition:
    return f"({column} {'NOT ' if comparator == 'not_between' else ''}BETWEEN ? AND ?)", values


_COMPARATORS: Mapping[str, Callable[[str, str, list[Any]], Condition]] = {
    **dict.fromkeys(("equal", "not_equal"), _equal),
    **dict.fromkeys(("in", "not_in"), _among),
    **dict.fromkeys(_MARKS, _ordered),
    **dict.fromkeys(_PATTERNS, _like),
    **dict.fromkeys(("between", "not_between"), _between),
}
