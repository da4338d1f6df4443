"""The CRM's database: SQLite with Sugar's tables, so that a SOAP `query` is really executed."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias

from .modules import JOIN_TABLES, MODULES
from .options import OPTIONS

Row: TypeAlias = dict[str, Any]
Clock: TypeAlias = Callable[[], datetime]

SCHEMA_VERSION = 1


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One connection, autocommit; a file survives the process's end, `:memory:` does not."""

    def __init__(self, path: str = ":memory:", clock: Clock = utc_now) -> None:
        self.clock = clock
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("now", 0, self.now)
        self._db.create_function("utc_timestamp", 0, self.now)
        self._db.create_function("concat", -1, _concat, deterministic=True)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if self._db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            with self.transaction():
                self._create()

    def close(self) -> None:
        self._db.close()

    def now(self) -> str:
        """Server time, UTC, `Y-m-d H:i:s`."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return [dict(row) for row in self._db.execute(sql, parameters)]

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        row = self._db.execute(sql, parameters).fetchone()
        return dict(row) if row else None

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self._db.execute(sql, parameters).fetchone()
        return row[0] if row else None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """The number of rows changed."""
        return self._db.execute(sql, parameters).rowcount

    def insert(self, table: str, row: Row) -> None:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))

    def update(self, table: str, row: Row, key: str, value: str) -> None:
        if row:
            assignments = ", ".join(f"{name} = ?" for name in row)
            self._db.execute(f"UPDATE {table} SET {assignments} WHERE {key} = ?", [*row.values(), value])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested, the outermost decides."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _create(self) -> None:
        for statement in _schema():
            self._db.execute(statement)
        for dom, entries in OPTIONS.items():
            for name, label in entries:
                self.insert("options", {"dom": dom, "name": name, "label": label})
        self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def new_id() -> str:
    return str(uuid.uuid4())


def _concat(*parts: object) -> str | None:
    return None if None in parts else "".join(str(part) for part in parts)


def _schema() -> Iterator[str]:
    for module in MODULES.values():
        columns = [
            field.column + (" PRIMARY KEY NOT NULL" if field.name == "id" else "")
            for field in module.columns("db")
        ]
        yield f"CREATE TABLE {module.table} ({', '.join(columns)}) WITHOUT ROWID"
        yield f"CREATE INDEX {module.table}_modified ON {module.table} (date_modified)"
        if module.custom_table:
            custom = ", ".join(field.column for field in module.columns("custom"))
            yield f"CREATE TABLE {module.custom_table} (id_c TEXT COLLATE NOCASE PRIMARY KEY, {custom})"
    # Beside the real tables, so that no SOAP query or field list can ever show it.
    yield "CREATE TABLE creations (module, id, created_ms INTEGER, traceparent, PRIMARY KEY (module, id))"
    for table, columns_ in JOIN_TABLES.items():
        typed = ", ".join(c if " " in c else f"{c} TEXT COLLATE NOCASE" for c in columns_)
        rest = "date_modified TEXT, deleted INTEGER DEFAULT 0"
        yield f"CREATE TABLE {table} (id TEXT PRIMARY KEY, {typed}, {rest})"
        yield f"CREATE INDEX {table}_first ON {table} ({columns_[0]})"
        yield f"CREATE INDEX {table}_second ON {table} ({columns_[1]})"
    yield "CREATE INDEX email_addresses_caps ON email_addresses (email_address_caps)"
    for table in ("notes", "tasks", "calls"):
        yield f"CREATE INDEX {table}_parent ON {table} (parent_id)"
    yield "CREATE TABLE options (dom TEXT, name TEXT, label TEXT)"
