"""A record of any entity, and how a table's row has it: values as JSON.

Values are kept so: texts, numbers and booleans as they come (money and decimals as numbers); an option as
its number; date and time as text in UTC (`2026-01-12T10:30:00Z`), a date as `2026-01-12`; a lookup as
`Reference`, parties of an activity as a list of them. What is empty is not there.
"""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Values: TypeAlias = dict[str, Any]

COLUMNS = "id, entity, version, deleted, created_ms, changed_ms, traceparent, body"
# Columns that are searched by; they repeat what the body says.
_SEARCHED = "modified, email, about"
INSERT = f"INSERT INTO records ({COLUMNS}, {_SEARCHED}) VALUES ({', '.join('?' * 11)})"
UPDATE = (
    "UPDATE records SET version = ?, deleted = ?, changed_ms = ?, body = ?, modified = ?, email = ?,"
    " about = ? WHERE entity = ? AND id = ?"
)
ABOUT = ("regardingobjectid", "objectid", "entityid")
"""Lookups of which an entity has at most one, and by whose value its records are often searched."""


class Reference(NamedTuple):
    """Another record."""

    entity: str
    id: str


@dataclass(slots=True)
class Record:
    """id: a GUID in lower case. version: its versionnumber. traceparent: of the call that created it."""

    id: str
    entity: str
    values: Values
    version: int = 0
    deleted: bool = False
    created_ms: int = 0
    changed_ms: int = 0
    traceparent: str | None = None

    @property
    def reference(self) -> Reference:
        return Reference(self.entity, self.id)

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'


def to_insert(record: Record) -> tuple[Any, ...]:
    """For INSERT."""
    return (
        record.id,
        record.entity,
        record.version,
        record.deleted,
        record.created_ms,
        record.changed_ms,
        record.traceparent,
        json.dumps(record.values, ensure_ascii=False),
        *_searched(record),
    )


def to_update(record: Record) -> tuple[Any, ...]:
    """For UPDATE."""
    body = json.dumps(record.values, ensure_ascii=False)
    key = (record.entity, record.id)
    return (record.version, record.deleted, record.changed_ms, body, *_searched(record), *key)


def from_row(row: sqlite3.Row | tuple[Any, ...], first: int = 0) -> Record:
    """Of a SELECT of COLUMNS, which begin at column `first`."""
    key, entity, version, deleted, created_ms, changed_ms, traceparent, body = tuple(row)[first : first + 8]
    values = {name: _read(value) for name, value in json.loads(body).items()}
    return Record(key, entity, values, version, bool(deleted), created_ms, changed_ms, traceparent)


def _searched(record: Record) -> tuple[Any, ...]:
    values = record.values
    about = next((of.id for name in ABOUT if isinstance(of := values.get(name), Reference)), None)
    return values.get("modifiedon"), values.get("emailaddress1"), about


def _read(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], list):
        return [Reference(*reference) for reference in value]
    return Reference(*value) if value else []
