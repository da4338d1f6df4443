"""Values of attributes: what may be stored, and how text becomes one.

Which refusal has which code: Microsoft's error code list; its texts: the contract notes and public threads.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from .errors import CrmError
from .record import Record, Reference
from .schema import LOOKUPS, OPTION_SETS, TEXTS, Attribute, AttributeType, Entity

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")
_NUMBERS: tuple[AttributeType, ...] = ("decimal", "double", "money")
_LARGEST: Mapping[AttributeType, int] = {"integer": 2**31 - 1, "bigint": 2**63 - 1}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def guid(text: object) -> str | None:
    """In lower case, without braces; None if it is none."""
    try:
        return str(UUID(text)) if isinstance(text, str) and len(text) in {36, 38} else None
    except ValueError:
        return None


def moment(value: str | datetime) -> str:
    """As stored: UTC, whole seconds. A time without offset is UTC. Raises ValueError."""
    if isinstance(value, str):
        if not _TIME.fullmatch(value):
            raise ValueError(value)
        value = datetime.fromisoformat(value)
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: str | date) -> str:
    """As stored. Raises ValueError."""
    if isinstance(value, datetime):
        value = value.date()
    return date.fromisoformat(value[:10]).isoformat() if isinstance(value, str) else value.isoformat()


def checked(entity: Entity, attribute: Attribute, value: Any) -> Any:
    """As stored; None stays None. Raises CrmError."""
    if value is None:
        return None
    try:
        return _CHECKS[attribute.type](entity, attribute, value)
    except (TypeError, ValueError):
        found = type(value).__name__
        raise CrmError("IncorrectAttributeValueType", attribute.name, attribute.type, found) from None


def literal(entity: Entity, attribute: Attribute, text: str) -> Any:
    """A text of a query, to compare with stored values; of lookups the id. Raises CrmError."""
    try:
        return _LITERALS.get(attribute.type, str)(text)
    except ValueError:
        raise CrmError("IncorrectAttributeValueType", attribute.name, attribute.type, "String") from None


def show(entity: Entity, record: Record, name: str) -> Any:
    """The value of any attribute, also of those that are no values; None = empty."""
    if name == entity.id:
        return record.id
    if name == "versionnumber":
        return record.version
    if name == "activitytypecode":
        return record.entity
    return record.values.get(name)


def full_name(values: dict[str, Any]) -> str | None:
    """Of a person; Dynamics composes it."""
    parts = (values.get(name) for name in ("firstname", "middlename", "lastname"))
    return " ".join(part for part in parts if part) or None


def _typed(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _text(entity: Entity, attribute: Attribute, value: Any) -> str | None:
    text = str(_typed(value, str))
    # nvarchar counts UTF-16: an emoji is two.
    if attribute.length is not None and len(text.encode("utf-16-le", "surrogatepass")) > 2 * attribute.length:
        raise CrmError("StringLengthTooLong", attribute.name, entity.name, attribute.length)
    return text or None


def _whole(entity: Entity, attribute: Attribute, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if abs(value) > _LARGEST.get(attribute.type, _LARGEST["integer"]):
        raise ValueError
    return value


def _option(entity: Entity, attribute: Attribute, value: Any) -> int:
    if attribute.option(_whole(entity, attribute, value)) is None:
        accepted = ",".join(str(option.value) for option in attribute.options)
        raise CrmError("PicklistValueOutOfRange", value, attribute.name, entity.name, accepted)
    return int(value)


def _number(entity: Entity, attribute: Attribute, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError
    return float(value)


def _lookup(entity: Entity, attribute: Attribute, value: Any) -> Reference:
    reference = _reference(value)
    if reference.entity not in attribute.targets:
        raise ValueError
    return reference


def _reference(value: Any) -> Reference:
    given = _typed(value, Reference)
    return Reference(given.entity, _key(given.id))


def _key(value: Any) -> str:
    key = guid(value)
    if key is None:
        raise ValueError
    return key


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError
    return _TRUTHS[text.lower()]


_CHECKS: Mapping[AttributeType, Callable[[Entity, Attribute, Any], Any]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(OPTION_SETS, _option),
    **dict.fromkeys(LOOKUPS, _lookup),
    **dict.fromkeys(_NUMBERS, _number),
    "integer": _whole,
    "bigint": _whole,
    "boolean": lambda entity, attribute, value: _typed(value, bool),
    "datetime": lambda entity, attribute, value: moment(_typed(value, str | datetime)),
    "date": lambda entity, attribute, value: day(_typed(value, str | date)),
    "uniqueidentifier": lambda entity, attribute, value: _key(value),
    "partylist": lambda entity, attribute, value: [_reference(party) for party in _typed(value, list)],
}
_LITERALS: Mapping[AttributeType, Callable[[str], Any]] = {
    **dict.fromkeys(OPTION_SETS, int),
    **dict.fromkeys(LOOKUPS, _key),
    **dict.fromkeys(_NUMBERS, float),
    "integer": int,
    "bigint": int,
    "boolean": _truth,
    "datetime": moment,
    "date": day,
    "uniqueidentifier": _key,
}
