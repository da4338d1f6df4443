"""What a condition of FetchXML, a QueryExpression or a $filter means, in the words of `query`.

Source: Microsoft's operator reference of FetchXML; days are those of UTC, weeks and months are counted back
from now (assumed).
"""

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from .errors import CrmError
from .query import Condition, Filter, Operator, Part
from .schema import Attribute, Entity
from .values import day, literal

_PLAIN: Mapping[str, Operator] = {
    "eq": "eq",
    "ne": "ne",
    "neq": "ne",
    "gt": "gt",
    "ge": "ge",
    "lt": "lt",
    "le": "le",
    "like": "like",
    "not-like": "not-like",
    "in": "in",
    "not-in": "not-in",
    "null": "null",
    "not-null": "not-null",
}
_PATTERNS: Mapping[str, tuple[Operator, str]] = {
    "begins-with": ("like", "{}%"),
    "not-begin-with": ("not-like", "{}%"),
    "ends-with": ("like", "%{}"),
    "not-end-with": ("not-like", "%{}"),
}
_USER: Mapping[str, Operator] = {"eq-userid": "eq", "ne-userid": "ne"}
_DAYS = ("on", "not-on", "on-or-after", "on-or-before", "today", "yesterday", "last-seven-days")


def _months_before(now: datetime, count: int) -> datetime:
    year, month = divmod(now.year * 12 + now.month - 1 - count, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


_UNITS: Mapping[str, Callable[[datetime, int], datetime]] = {
    "minutes": lambda now, count: now - timedelta(minutes=count),
    "hours": lambda now, count: now - timedelta(hours=count),
    "days": lambda now, count: now - timedelta(days=count),
    "weeks": lambda now, count: now - timedelta(weeks=count),
    "months": _months_before,
    "years": lambda now, count: _months_before(now, 12 * count),
}


class Asked(NamedTuple):
    """By whom (a systemuser's id) and when."""

    user: str
    now: datetime


def attribute_of(entity: Entity, name: str) -> Attribute:
    """Raises QueryBuilderNoAttribute."""
    attribute = entity.attributes.get(name)
    if attribute is None:
        raise CrmError("QueryBuilderNoAttribute", entity.name, name)
    return attribute


def condition(
    entity: Entity, name: str, operator: str, values: Sequence[Any], asked: Asked, link: str = ""
) -> Part:
    """operator: FetchXML's name of it. values: texts, or of the attribute's own type. Raises CrmError."""
    attribute = attribute_of(entity, name)
    if operator in _PLAIN:
        kept = (
            () if operator.endswith("null") else tuple(stored(entity, attribute, value) for value in values)
        )
        return Condition(name, _PLAIN[operator], kept, link)
    if operator in _USER:
        return Condition(name, _USER[operator], (asked.user,), link)
    if operator in _PATTERNS:
        plain, pattern = _PATTERNS[operator]
        return Condition(name, plain, tuple(pattern.format(value) for value in values), link)
    if operator in ("between", "not-between") and len(values) == 2:
        low, high = (stored(entity, attribute, value) for value in values)
        parts = (Condition(name, "ge", (low,), link), Condition(name, "le", (high,), link))
        return Filter("and", parts, negated=operator.startswith("not-"))
    first, before = _span(operator, values, asked)
    bounds: tuple[tuple[Operator, datetime | None], ...] = (("ge", first), ("lt", before))
    spanned = tuple(
        Condition(name, plain, (stored(entity, attribute, moment),), link)
        for plain, moment in bounds
        if moment is not None
    )
    return Filter("and", spanned, negated=operator == "not-on")


def stored(entity: Entity, attribute: Attribute, value: Any) -> Any:
    """The value as records have it; of lookups the id. Raises IncorrectAttributeValueType."""
    if isinstance(value, bool):
        return literal(entity, attribute, str(value).lower())
    return literal(entity, attribute, value.isoformat() if isinstance(value, datetime) else str(value))


def _span(operator: str, values: Sequence[Any], asked: Asked) -> tuple[datetime | None, datetime | None]:
    """From when, and before when. Raises InvalidArgument."""
    try:
        if operator in _DAYS:
            return _days(operator, date.fromisoformat(day(values[0])) if values else asked.now.date())
        kind, _, unit = operator.replace("older-than", "olderthan").partition("-x-")
        past = _UNITS[unit](asked.now, int(values[0]))
        if kind == "last":
            return past, asked.now + timedelta(seconds=1)
        if kind == "next":
            return asked.now, asked.now + (asked.now - past)
        if kind == "olderthan":
            return None, past
    except (ValueError, KeyError, IndexError, OverflowError):
        pass
    raise CrmError("InvalidArgument")


def _days(operator: str, given: date) -> tuple[datetime | None, datetime | None]:
    began = datetime(given.year, given.month, given.day, tzinfo=UTC)
    one = timedelta(days=1)
    return {
        "on": (began, began + one),
        "not-on": (began, began + one),
        "today": (began, began + one),
        "yesterday": (began - one, began),
        "last-seven-days": (began - 7 * one, began + one),
        "on-or-after": (began, None),
        "on-or-before": (None, began + one),
    }[operator]
