"""Values between modern REST's JSON and the kit's texts, by type of field.

Booleans are real ones from v10 on, but texts inside `email` on old sites; times carry the user's offset.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connector_sugar.wire import Email
from leadbus.connector.contract import FieldType
from leadbus.connector.figures import plain

_TRUE = frozenset({"1", "true", "on", "yes"})


def is_true(value: Any) -> bool:
    """In any spelling."""
    return str(value).lower() in _TRUE


def moment(value: Any) -> datetime | None:
    """A time in UTC; None for what is none. Without an offset it is taken for UTC."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def iso(at: datetime) -> str:
    """A time as SugarCRM takes it, with its offset."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


# Reading ----------------------------------------------------------------------------------------------


def read(kind: FieldType, value: Any) -> str:
    """A field's value in the kit's form."""
    if value is None or value == "":
        return ""
    return _READ.get(kind, _read_text)(value)


def _read_text(value: Any) -> str:
    """Also of lists, such as teams and tags: the names of what they list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(filter(None, (_read_text(item) for item in value)))
    if isinstance(value, dict):
        return str(value.get("name") or "")
    return str(value)


def _read_number(value: Any) -> str:
    return plain(value) or str(value)


def _read_boolean(value: Any) -> str:
    return "true" if is_true(value) else "false"


def _read_date(value: Any) -> str:
    return str(value)[:10]


def _read_time(value: Any) -> str:
    at = moment(value)
    return iso(at) if at else str(value)


def _read_options(value: Any) -> str:
    """A list; on old sites its stored form `^a^,^b^`."""
    options = value if isinstance(value, list) else str(value).strip("^").split("^,^")
    return ";".join(str(option) for option in options if option != "")


_READ: Mapping[FieldType, Callable[[Any], str]] = {
    "number": _read_number,
    "boolean": _read_boolean,
    "date": _read_date,
    "datetime": _read_time,
    "options": _read_options,
}


def emails(value: Any) -> tuple[Email, ...]:
    """A record's addresses in lower case, the primary one first."""
    entries = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    found = [
        Email(
            str(item["email_address"]).strip().lower(),
            is_true(item.get("primary_address")),
            is_true(item["opt_out"]) if "opt_out" in item else None,
        )
        for item in entries
        if item.get("email_address")
    ]
    return tuple(sorted(found, key=lambda email: not email.primary))


# Writing ----------------------------------------------------------------------------------------------


def write(kind: FieldType, text: str, length: int | None) -> Any:
    """A value of the kit as JSON. Texts are cut here as the CRM would: what is written is what is read."""
    if kind in _WRITE:
        return _WRITE[kind](text) if text else _EMPTY.get(kind)
    return text[:length]


def _write_number(text: str) -> Any:
    """As a text: JSON's own numbers would lose digits."""
    return int(text) if text.lstrip("-").isdecimal() else text


def _write_time(text: str) -> str:
    at = moment(text)
    return iso(at) if at else text


_WRITE: Mapping[FieldType, Callable[[str], Any]] = {
    "number": _write_number,
    "boolean": is_true,
    "date": lambda text: text[:10],
    "datetime": _write_time,
    "options": lambda text: text.split(";"),
}
_EMPTY: Mapping[FieldType, Any] = {"boolean": False, "options": [], "date": "", "datetime": ""}


def new_emails(address: str, opted_out: bool | None) -> list[dict[str, Any]]:
    """The address list of a new record. What is not known of its opt-out is not written."""
    return [{"email_address": address, "primary_address": True, **_flag(opted_out)}]


def changed_emails(known: Any, address: str | None, opted_out: bool | None) -> list[dict[str, Any]] | None:
    """The whole list with its primary address changed; None if there is nothing to change.

    The list replaces the present one, so that all other entries are written as they were read. An address
    that takes the place of one that is opted out is opted out too, unless it is said not to be.
    """
    entries = [
        {name: is_true(value) if name in _FLAGS else value for name, value in item.items() if name in _KEPT}
        for item in (known if isinstance(known, list) else ())
        if isinstance(item, dict)
    ]
    before = [dict(item) for item in entries]
    primary = next((item for item in entries if item.get("primary_address")), entries[0] if entries else None)
    if primary is None:
        return new_emails(address, opted_out) if address else None
    if address and not _same(primary, address):
        opted_out = True if opted_out is None and primary.get("opt_out") else opted_out
        listed = next((item for item in entries if _same(item, address)), None)
        if listed is None:
            primary.clear()
            primary.update({"email_address": address, "primary_address": True})
        else:
            entries.remove(primary)
            listed["primary_address"] = True
            primary = listed
    if opted_out is not None:
        primary["opt_out"] = opted_out
    return entries if entries != before else None


_FLAGS = frozenset({"primary_address", "opt_out", "invalid_email"})
_KEPT = _FLAGS | {"email_address"}


def _flag(opted_out: bool | None) -> dict[str, bool]:
    return {} if opted_out is None else {"opt_out": opted_out}


def _same(item: Mapping[str, Any], address: str) -> bool:
    return str(item.get("email_address", "")).lower() == address.lower()


def team_list(ids: Sequence[str]) -> list[dict[str, Any]]:
    """`team_name` with these teams, the first one primary."""
    return [{"id": key, "primary": at == 0} for at, key in enumerate(ids)]


def teams_of(value: Any) -> frozenset[str]:
    """Ids in a read `team_name`."""
    teams = value if isinstance(value, list) else ()
    return frozenset(str(team["id"]) for team in teams if isinstance(team, dict) and "id" in team)
