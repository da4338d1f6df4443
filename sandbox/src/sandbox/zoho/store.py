"""The organisation's database: SQLite, one table for the records of all modules."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from zlib import crc32

from . import catalogue, tables
from .record import (
    COLUMNS,
    INSERT,
    UPDATE,
    Change,
    Record,
    Row,
    as_number,
    from_row,
    name_of,
    to_insert,
    to_update,
)
from .schema import Field, Module

__all__ = ["Change", "Clock", "Record", "Row", "Store", "Watcher", "as_number", "name_of", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]
Watcher: TypeAlias = Callable[[list[Change]], None]


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One connection, autocommit; a file survives the process's end, `:memory:` does not.

    watchers hear of the changes of a call at once, when its transaction is over.
    """

    def __init__(self, path: str = ":memory:", clock: Clock = utc_now, zgid: str = "20000000001") -> None:
        self.clock = clock
        self.watchers: list[Watcher] = []
        self.modules: dict[str, Module] = {}
        # Organisations have prefixes of their own, so that ids of two never meet.
        self._first = (1_000_000 + crc32(zgid.encode()) % 8_000_000) * 10**12
        self._told: list[Change] = []
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(tables.SCRIPT)
        with self.transaction():
            if self.value("SELECT next FROM sequence") is None:
                self.execute("INSERT INTO sequence VALUES (?)", (self._first + 1,))
            self._load_schema()

    def close(self) -> None:
        self._db.close()

    # Time and ids

    def now(self) -> int:
        """Seconds since 1970."""
        return int(self.clock().timestamp())

    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)

    def next_id(self, many: int = 1) -> str:
        """19 digits; of many, the first: the others follow."""
        return str(self.value("UPDATE sequence SET next = next + ? RETURNING next", (many,)) - many)

    # SQL

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

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested, the outermost decides, and tells the watchers after it."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._told.clear()
            raise
        self._db.execute("COMMIT")
        told, self._told = self._told, []
        if told:
            for watcher in self.watchers:
                watcher(told)

    # Records

    def get(self, module: str, key: object) -> Record | None:
        """The record if it is there and not deleted; a converted lead is there."""
        number = as_number(key)
        if number is None:
            return None
        found = self.find("id = ? AND module = ? AND deleted IS NULL", (number, module))
        return found[0] if found else None

    def find(
        self, where: str, parameters: Sequence[Any] = (), order: str = "id", limit: int = -1, offset: int = 0
    ) -> list[Record]:
        """Deleted ones too, unless `where` says otherwise."""
        sql = f"SELECT {COLUMNS} FROM records WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
        return [from_row(row) for row in self._db.execute(sql, (*parameters, limit, offset))]

    def names(self, keys: Iterable[str]) -> dict[str, str]:
        """What records are called, by id."""
        wanted = [int(key) for key in set(keys)]
        found: dict[str, str] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ", ".join("?" * len(part))
            sql = f"SELECT id, name FROM records WHERE id IN ({marks})"
            found |= {str(row[0]): row[1] or "" for row in self._db.execute(sql, part)}
        return found

    def add(
        self, module: str, values: Row, by: str, traceparent: str | None = None, key: str | None = None
    ) -> Record:
        """A new record, unchecked: `values` as stored."""
        now = self.now_ms()
        record = Record(key or self.next_id(), module, values, now // 1000, now // 1000, by, by)
        record.created_ms = record.changed_ms = now
        record.traceparent = traceparent
        with self.transaction():
            self._db.execute(INSERT, to_insert(self.modules[module], record))
            self.tell(Change("create", module, record.id, by, tuple(values), values))
        return record

    def load(self, records: Iterable[Record]) -> None:
        """Many at once, as they are; nobody is told."""
        with self.transaction():
            self._db.executemany(
                INSERT, (to_insert(self.modules[record.module], record) for record in records)
            )

    def save(self, record: Record, by: str, changed: Row) -> None:
        """`changed` are the values that are others now; the record gets them, and a new Modified_Time."""
        record.values |= changed
        record.changed_ms = self.now_ms()
        record.modified, record.modified_by = record.changed_ms // 1000, by
        with self.transaction():
            self.write(record)
            self.tell(Change("edit", record.module, record.id, by, tuple(changed), changed))

    def delete(self, record: Record, by: str, *, permanent: bool = False) -> None:
        """To the recycle bin, or for ever."""
        record.deleted, record.deleted_by = ("permanent" if permanent else "recycle"), by
        record.changed_ms = self.now_ms()
        record.deleted_at = record.changed_ms // 1000
        with self.transaction():
            self.write(record)
            self.tell(Change("delete", record.module, record.id, by))

    def write(self, record: Record) -> None:
        """As it is; nobody is told."""
        self._db.execute(UPDATE, to_update(self.modules[record.module], record))

    def tell(self, change: Change) -> None:
        """For the watchers, when the transaction is over."""
        if self.watchers:
            self._told.append(change)

    # What the administrator changes

    def put_field(self, module: str, described: Field) -> None:
        """Adds it, or takes it in place of the one with its name."""
        if not described.id:
            described = replace(described, id=self.next_id())
        self.modules[module].put(described)
        self.execute(
            "INSERT OR REPLACE INTO fields VALUES (?, ?, ?)",
            (module, described.name, json.dumps(asdict(described))),
        )

    def tag_id(self, module: str, name: str) -> str:
        """Of the tag; it is made if there is none."""
        known = self.value("SELECT id FROM tags WHERE module = ? AND name = ?", (module, name))
        if known is None:
            known = self.next_id()
            self.execute("INSERT INTO tags VALUES (?, ?, ?, ?)", (known, module, name, self.now()))
        return str(known)

    def _load_schema(self) -> None:
        self.modules = catalogue.modules()
        known = {row["name"]: row["id"] for row in self.rows("SELECT * FROM modules")}
        stored = {(row["module"], row["name"]): row["body"] for row in self.rows("SELECT * FROM fields")}
        for name, module in self.modules.items():
            if name not in known:
                known[name] = self.next_id()
                self.execute("INSERT INTO modules VALUES (?, ?)", (name, known[name]))
            module.id = known[name]
            for described in list(module.fields.values()):
                if (name, described.name) not in stored:
                    self.put_field(name, described)
        for (name, _), body in stored.items():
            given = json.loads(body)
            self.modules[name].put(Field(**given | {"options": tuple(given["options"])}))
