"""Filters of modern REST as SQL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from ..modules import Field, Link, Module
from ..store import Store
from . import dates, values
from .errors import ApiError, invalid

Sql: TypeAlias = tuple[str, list[Any]]

_NOTHING: Sql = ("0", [])
_PERSON_NAME = "trim(coalesce({0}.first_name, '') || ' ' || coalesce({0}.last_name, ''))"
# Fields without a column that a filter reaches by another way.
_BY_LINK = {
    "email": ("email_addresses", "email_address"),
    "email1": ("email_addresses", "email_address"),
    "account_name": ("accounts", "name"),
    "account_id": ("accounts", "id"),
}


@dataclass(slots=True)
class Filter:
    """Compiles one request's filter; `names_deleted` is True once it asked for `deleted`."""

    store: Store
    user: str
    zone: ZoneInfo
    names_deleted: bool = field(default=False, init=False)

    def compile(self, module: Module, filter_: Any) -> Sql:
        """A condition on the module's table. Raises invalid_parameter."""
        if isinstance(filter_, Mapping):
            filter_ = [filter_]
        if not isinstance(filter_, list) or not all(isinstance(item, Mapping) for item in filter_):
            raise invalid("filter")
        parts = [self._term(module, name, value) for item in filter_ for name, value in item.items()]
        return _joined(parts, "AND", "1")

    def _term(self, module: Module, name: str, value: Any) -> Sql:
        if name in {"$and", "$or"}:
            if not isinstance(value, list):
                raise invalid("filter")
            parts = [self.compile(module, item) for item in value]
            return _joined(parts, name[1:].upper(), "1")
        if name.startswith("$"):
            return self._macro(module, name, value)
        if "." in name:
            link_name, _, field_name = name.partition(".")
            return self._across(module, link_name, field_name, value)
        found = module.all_fields.get(name)
        if found is None:
            raise ApiError("invalid_parameter", f"Invalid parameter: {name} is no field of {module.name}")
        if name == "deleted":
            self.names_deleted = True
        if found.source != "computed":
            table = module.table if found.source == "db" else module.custom_table
            return self._compare(found, f"{table}.{name}", value)
        if name in _BY_LINK and _BY_LINK[name][0] in module.links:
            return self._across(module, *_BY_LINK[name], value)
        if name in {"name", "full_name"} and "last_name" in module.fields:
            return self._compare(found, _PERSON_NAME.format(module.table), value)
        raise ApiError("invalid_parameter", f"Invalid parameter: {name} cannot be filtered by")

    def _macro(self, module: Module, name: str, value: Any) -> Sql:
        """$owner and $creator; nothing is anybody's favorite, followed or tracked here."""
        columns = {"$owner": "assigned_user_id", "$creator": "created_by"}
        if name in {"$favorite", "$following", "$tracker"}:
            return _NOTHING
        if name not in columns:
            raise ApiError("invalid_parameter", f"Did not recognize the operator: {name}")
        if value:
            return self._across(module, str(value), columns[name], self.user)
        return f"{module.table}.{columns[name]} = ?", [self.user]

    def _across(self, module: Module, link_name: str, field_name: str, value: Any) -> Sql:
        link = module.links.get(link_name)
        if link is None:
            raise ApiError("invalid_parameter", f"Invalid parameter: {link_name} is no link of {module.name}")
        related = self.store.modules[link.module]
        condition, parameters = self._term(related, field_name, value)
        live = f"{condition} AND {related.table}.deleted = 0"
        inner = f"SELECT {related.table}.id FROM {_from(related)} WHERE {live}"
        return f"{module.table}.id IN ({_owners(link)} AND {link.other} IN ({inner}))", parameters

    def _compare(self, field_: Field, column: str, value: Any) -> Sql:
        if isinstance(value, Mapping):
            return _joined([self._operate(field_, column, op, v) for op, v in value.items()], "AND", "1")
        return self._operate(field_, column, "$in" if isinstance(value, list) else "$equals", value)

    def _operate(self, field_: Field, column: str, operator: str, value: Any) -> Sql:
        # Addresses are looked up in the column that is indexed.
        if field_.name == "email_address" and operator in {"$equals", "$in"}:
            column += "_caps"
            value = [str(v).upper() for v in value] if isinstance(value, list) else str(value).upper()
        if operator in _COMPARISONS:
            return f"{column} {_COMPARISONS[operator]} ?", [self._plain(field_, value)]
        if operator in _LIKES:
            before, after, negation = _LIKES[operator]
            sql = f"coalesce({column}, '') {negation} LIKE ? ESCAPE '\\'"
            return sql, [f"{before}{_escaped(str(value))}{after}"]
        if operator in _EMPTY:
            return _EMPTY[operator].format(column), []
        if operator in _SPANS:
            first, after_last = _SPANS[operator](self, operator, value)
            return self._within(field_, column, first, after_last)
        if operator in _LISTS:
            return _LISTS[operator](column, [self._plain(field_, item) for item in _list(operator, value)])
        raise ApiError("invalid_parameter", f"Did not recognize the operator: {operator}")

    def _plain(self, field_: Field, value: Any) -> Any:
        if field_.type in {"date", "datetime"}:
            return values.moment(field_, value, self.zone) or ""
        return values.column(field_, value, self.zone)

    def _within(self, field_: Field, column: str, first: date | None, after_last: date | None) -> Sql:
        parts = [
            (f"{column} {sign} ?", [self._day(field_, day)])
            for sign, day in ((">=", first), ("<", after_last))
            if day is not None
        ]
        return _joined(parts, "AND", "1")

    def _day(self, field_: Field, day: date) -> str:
        if field_.type == "date":
            return day.isoformat()
        return values.utc(datetime.combine(day, time(), self.zone))

    def today(self) -> date:
        return self.store.clock().astimezone(UTC).astimezone(self.zone).date()


def _named_range(filter_: Filter, operator: str, value: Any) -> dates.Span:
    if value not in dates.RANGES:
        raise invalid(f"{operator} {value}")
    return dates.RANGES[value](filter_.today())


def _between_days(filter_: Filter, operator: str, value: Any) -> dates.Span:
    try:
        first, last = (date.fromisoformat(str(item)[:10]) for item in value)
    except (TypeError, ValueError):
        raise invalid(operator) from None
    return first, last + timedelta(days=1)


def _counted_days(filter_: Filter, operator: str, value: Any) -> dates.Span:
    try:
        return dates.COUNTED[operator](filter_.today(), int(value))
    except (TypeError, ValueError):
        raise invalid(operator) from None


def _in(column: str, items: list[Any]) -> Sql:
    return f"{column} IN ({_marks(items)})", items


def _not_in(column: str, items: list[Any]) -> Sql:
    return f"({column} IS NULL OR {column} NOT IN ({_marks(items)}))", items


def _between(column: str, items: list[Any]) -> Sql:
    if len(items) != 2:
        raise invalid("$between")
    return f"{column} BETWEEN ? AND ?", items


def _not_equals(column: str, items: list[Any]) -> Sql:
    return f"({column} IS NULL OR {column} <> ?)", items[:1]


_COMPARISONS = {"$equals": "=", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}
# What stands before and after the text, and the negation.
_LIKES = {
    "$starts": ("", "%", ""),
    "$ends": ("%", "", ""),
    "$contains": ("%", "%", ""),
    "$not_contains": ("%", "%", "NOT"),
}
_EMPTY = {
    "$is_null": "{0} IS NULL",
    "$not_null": "{0} IS NOT NULL",
    "$empty": "({0} IS NULL OR {0} = '')",
    "$not_empty": "({0} IS NOT NULL AND {0} <> '')",
}
_LISTS: Mapping[str, Callable[[str, list[Any]], Sql]] = {
    "$in": _in,
    "$not_in": _not_in,
    "$between": _between,
    "$not_equals": _not_equals,
}
_SPANS: Mapping[str, Callable[[Filter, str, Any], dates.Span]] = {
    "$dateRange": _named_range,
    "$dateBetween": _between_days,
    **dict.fromkeys(dates.COUNTED, _counted_days),
}


def _list(operator: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if operator == "$not_equals" or (operator != "$between" and value is not None):
        return [value]
    raise invalid(operator)


def _joined(parts: list[Sql], word: str, nothing: str) -> Sql:
    if not parts:
        return nothing, []
    return f"({f' {word} '.join(sql for sql, _ in parts)})", [value for _, found in parts for value in found]


def _from(module: Module) -> str:
    custom = module.custom_table
    return module.table + (f" LEFT JOIN {custom} ON {custom}.id_c = {module.table}.id" if custom else "")


def _owners(link: Link) -> str:
    fixed = "".join(f" AND {name} = '{value}'" for name, value in link.fixed)
    return f"SELECT {link.own} FROM {link.table} WHERE deleted = 0{fixed}"


def _marks(items: list[Any]) -> str:
    return ", ".join("?" * len(items))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
