"""A record of any module, and how a table's row has it: values as JSON.

Values are kept so: texts, numbers and booleans as they come; a lookup or owner as the other record's id
(text); date and time as text in UTC (`2026-01-12T10:30:00Z`); tags as a list of their names.
"""

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .schema import Module

Row: TypeAlias = dict[str, Any]

COLUMNS = (
    "id, module, created, modified, created_by, modified_by, converted, locked, deleted, deleted_at,"
    " deleted_by, created_ms, changed_ms, traceparent, body"
)
INSERT = f"INSERT INTO records ({COLUMNS}, name, email) VALUES ({', '.join('?' * 17)})"
UPDATE = (
    "UPDATE records SET modified = ?, modified_by = ?, converted = ?, locked = ?, deleted = ?,"
    " deleted_at = ?, deleted_by = ?, changed_ms = ?, body = ?, name = ?, email = ? WHERE id = ?"
)


@dataclass(slots=True)
class Record:
    """A record of any module. Times: seconds since 1970; *_by: ids of users; deleted: recycle, permanent."""

    id: str
    module: str
    values: Row
    created: int = 0
    modified: int = 0
    created_by: str = ""
    modified_by: str = ""
    converted: bool = False
    locked: bool = False
    deleted: str | None = None
    deleted_at: int | None = None
    deleted_by: str | None = None
    created_ms: int = 0
    changed_ms: int = 0
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a record: event create, edit or delete; by: the user's id.

    fields: the names of those that are others now. values: the new ones, as stored.
    """

    event: str
    module: str
    id: str
    by: str
    fields: tuple[str, ...] = ()
    values: Row = field(default_factory=dict)


def to_insert(module: Module, record: Record) -> tuple[Any, ...]:
    """For INSERT."""
    return (
        int(record.id),
        record.module,
        record.created,
        record.modified,
        record.created_by,
        record.modified_by,
        record.converted,
        record.locked,
        record.deleted,
        record.deleted_at,
        record.deleted_by,
        record.created_ms,
        record.changed_ms,
        record.traceparent,
        json.dumps(record.values, ensure_ascii=False),
        name_of(module, record.values),
        record.values.get("Email"),
    )


def to_update(module: Module, record: Record) -> tuple[Any, ...]:
    """For UPDATE."""
    return (
        record.modified,
        record.modified_by,
        record.converted,
        record.locked,
        record.deleted,
        record.deleted_at,
        record.deleted_by,
        record.changed_ms,
        json.dumps(record.values, ensure_ascii=False),
        name_of(module, record.values),
        record.values.get("Email"),
        int(record.id),
    )


def from_row(row: sqlite3.Row) -> Record:
    """Of a SELECT of COLUMNS."""
    return Record(
        id=str(row[0]),
        module=row[1],
        created=row[2],
        modified=row[3],
        created_by=row[4],
        modified_by=row[5],
        converted=bool(row[6]),
        locked=bool(row[7]),
        deleted=row[8],
        deleted_at=row[9],
        deleted_by=row[10],
        created_ms=row[11],
        changed_ms=row[12],
        traceparent=row[13],
        values=json.loads(row[14]),
    )


def name_of(module: Module, values: Row) -> str:
    """What the record is called where another points to it."""
    if module.title == "Full_Name":
        return f"{values.get('First_Name') or ''} {values.get('Last_Name') or ''}".strip()
    return values.get(module.title) or ""


def as_number(key: object) -> int | None:
    """An id as SQLite has it: clients send texts, the official SDK sends numbers. None = no id."""
    if isinstance(key, bool) or not isinstance(key, int | str):
        return None
    text = str(key)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
