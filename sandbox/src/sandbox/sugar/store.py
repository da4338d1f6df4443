"""The CRM's database: SQLite with Sugar's tables, so that a SOAP `query` is really executed."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

from . import schema
from .modules import Module, edition
from .options import OPTIONS

Row: TypeAlias = dict[str, Any]
Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a record. `before`: its row until then, None for a new one.

    `related`: module and id of the other record, for the two events of relationships.
    """

    event: str
    module: str
    key: str
    before: Row | None = None
    related: tuple[str, str] | None = None


class Watcher(Protocol):
    def wants(self, module: str) -> bool: ...

    def changed(self, change: Change) -> None: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One connection, autocommit; a file survives the process's end, `:memory:` does not.

    `modules` are what the site has; the tables are the same for every site. `watcher`, if there is one,
    hears of changed records.
    """

    def __init__(
        self,
        path: str = ":memory:",
        clock: Clock = utc_now,
        modules: Mapping[str, Module] | None = None,
    ) -> None:
        self.clock = clock
        self.modules = modules or edition(teams=False, modern=True)
        self.watcher: Watcher | None = None
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.create_function("now", 0, self.now)
        self._db.create_function("utc_timestamp", 0, self.now)
        self._db.create_function("concat", -1, _concat, deterministic=True)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA cache_size=-65536")
        if self._db.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
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

    def insert_many(self, table: str, rows: Sequence[Row]) -> None:
        """All rows have the keys of the first."""
        if rows:
            names, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
            self._db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

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
        """Makes what is missing: everything in a new file, what a later version added in an old one."""
        for statement in schema.statements():
            self._db.execute(statement)
        for table, columns in schema.columns().items():
            known = {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}
            for name, column in columns.items():
                if name not in known:
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        for statement in schema.indexes():
            self._db.execute(statement)
        if self.value("SELECT count(*) FROM options") == 0:
            entries = ((dom, *entry) for dom, found in OPTIONS.items() for entry in found)
            self._db.executemany("INSERT INTO options VALUES (?, ?, ?)", entries)
        self._db.execute(f"PRAGMA user_version = {schema.VERSION}")


def new_id() -> str:
    return str(uuid.uuid4())


def _concat(*parts: object) -> str | None:
    return None if None in parts else "".join(str(part) for part in parts)
