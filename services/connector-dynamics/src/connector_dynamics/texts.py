"""Values as the CRM has them in the one form that the kit has for all CRMs: texts, dates, figures. Pure."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from connector_dynamics.wire import Attribute, Entry, Reference, Value
from leadbus.connector.figures import plain

_HALF_A_DAY = timedelta(hours=12)


def shown(entry: Entry, name: str, shape: Attribute | None = None) -> str:
    """A value in the kit's form, by the attribute's type; where that is not known, by the value's own."""
    value = entry.values.get(name)
    if value is None:
        return ""
    kind = shape.type if shape else None
    if kind in {"option", "state", "status"}:
        return word_of(entry, name, shape)
    if kind == "options":
        return ";".join(_label(shape, number) for number in str(value).split(","))
    if kind in {"date", "local_date", "datetime"}:
        return _time(value, is_day=kind != "datetime")
    return text(value)


def word_of(entry: Entry, name: str, shape: Attribute | None = None) -> str:
    """The label of an option, else its number; empty where there is none."""
    value = entry.values.get(name)
    return "" if value is None else entry.labels.get(name) or _label(shape, value)


def text(value: Value) -> str:
    """A value by its own type: a lookup by its id, several joined by `;`."""
    match value:
        case None | "":
            return ""
        case bool():
            return "true" if value else "false"
        case Reference():
            return value.id
        case tuple():
            return ";".join(member.id for member in value)
        case datetime() | date():
            return value.isoformat()
    return (plain(value) if isinstance(value, int | Decimal) else None) or str(value)


def moment(value: Value) -> datetime | None:
    """A time in UTC; None for what is none."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        return read and (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def day(value: Value) -> date | None:
    """A date. Columns of dates that follow the user's zone come as midnight there in UTC, so that the
    nearest midnight in UTC is the day that was meant (assumed; up to 12 hours from Greenwich)."""
    try:
        if isinstance(value, str) and len(value) > len("2026-01-31"):
            at = moment(value)
            return (at + _HALF_A_DAY).date() if at else None
        return date.fromisoformat(value) if isinstance(value, str) else None
    except (OverflowError, ValueError):
        return None


def reference(entry: Entry, name: str, *entities: str) -> str | None:
    """The id that a lookup holds, if it is of one of these entities."""
    value = entry.values.get(name)
    return value.id if isinstance(value, Reference) and value.entity in entities else None


def _label(shape: Attribute | None, value: Value) -> str:
    number = text(value)
    options = (shape.options if shape else None) or {}
    return options.get(int(number), number) if number.lstrip("-").isdecimal() else number


def _time(value: Value, *, is_day: bool) -> str:
    found = day(value) if is_day else moment(value)
    if found is None:
        return text(value)
    return found.isoformat(timespec="seconds") if isinstance(found, datetime) else found.isoformat()


def number_of(value: Value) -> int | None:
    return int(value) if isinstance(value, int | Decimal) else None
