"""The organisation's database: SQLite, one table for the records of all entities."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import uuid4

from . import catalogue
from .record import COLUMNS, INSERT, UPDATE, Record, Reference, Values, from_row, to_insert, to_update
from .schema import Attribute, Entity, Option

__all__ = ["Clock", "Record", "Reference", "Store", "Values", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]

_FIRST_VERSION = 1_000_000
# Lookups by which records are often searched, beside those that have a column.
_LOOKUPS = ("originatingleadid", "customerid", "parentcontactid", "listid", "parentcustomerid")
_SCRIPT = """
CREATE TABLE IF NOT EXISTS sequence (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    id TEXT NOT NULL, entity TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, traceparent TEXT, body TEXT NOT NULL,
    modified TEXT, email TEXT COLLATE NOCASE, about TEXT, PRIMARY KEY (entity, id)
);
CREATE INDEX IF NOT EXISTS records_by_version ON records (entity, version);
CREATE INDEX IF NOT EXISTS records_by_change ON records (entity, modified, id);
CREATE INDEX IF NOT EXISTS records_by_email ON records (email, entity) WHERE email IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_about ON records (about) WHERE about IS NOT NULL;
CREATE TABLE IF NOT EXISTS attributes (
    entity TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (entity, name)
);
CREATE TABLE IF NOT EXISTS switches (entity TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (entity, name));
CREATE TABLE IF NOT EXISTS denied (user TEXT, entity TEXT, action TEXT, PRIMARY KEY (user, entity, action));
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, secret TEXT NOT NULL);
""" + "".join(
    f"CREATE INDEX IF NOT EXISTS records_by_{name} ON records (json_extract(body, '$.{name}[1]'))"
    f" WHERE json_extract(body, '$.{name}[1]') IS NOT NULL;\n"
    for name in _LOOKUPS
)

# What SQLite is to think of the indexes: it cannot know yet that few records share an email, while it would
# rather read all of an entity in the order of ids.
_STATISTICS = (
    """
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 VALUES
    ('records', 'records_by_email', '100000 2 1'), ('records', 'records_about', '100000 5'),
    ('records', 'records_by_change', '1000000 100000 100 1'),
    ('records', 'records_by_version', '1000000 100000 1'),
    ('records', 'sqlite_autoindex_records_1', '1000000 100000 1');
"""
    + "".join(
        f"INSERT INTO sqlite_stat1 VALUES ('records', 'records_by_{name}', '100000 5');\n"
        for name in _LOOKUPS
    )
    + "ANALYZE sqlite_schema;"
)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One connection, autocommit; a file survives the process's end, `:memory:` does not.

    entities: by logical name, with what the administrator has added.
    """

    def __init__(self, path: str = ":memory:", clock: Clock = utc_now) -> None:
        self.clock = clock
        self.entities: dict[str, Entity] = catalogue.entities()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCRIPT + _STATISTICS)
        with self.transaction():
            if self.value("SELECT version FROM sequence") is None:
                self.execute("INSERT INTO sequence VALUES (?)", (_FIRST_VERSION,))
        self._load_schema()

    def close(self) -> None:
        self._db.close()

    # Time

    def now(self) -> str:
        """As values have it, without fractions of a second, as Dynamics keeps times."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def now_ms(self) -> int:
        return int(self.clock().timestamp() * 1000)

    @property
    def version(self) -> int:
        """The last versionnumber given."""
        return int(self.value("SELECT version FROM sequence"))

    # SQL

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self._db.execute(sql, parameters).fetchone()
        return row[0] if row else None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """The number of rows changed."""
        return self._db.execute(sql, parameters).rowcount

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

    # Records, unchecked

    def get(self, entity: str, key: str) -> Record | None:
        """The record if it is there and not deleted; of an activity, also under `activitypointer`."""
        for member in self.entities[entity].members:
            found = self.find("entity = ? AND id = ? AND deleted = 0", (member, key.lower()))
            if found:
                return found[0]
        return None

    def find(
        self, where: str, parameters: Sequence[Any] = (), order: str = "id", limit: int = -1, offset: int = 0
    ) -> list[Record]:
        """Deleted ones too, unless `where` says otherwise."""
        sql = f"SELECT {COLUMNS} FROM records WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
        return [from_row(row) for row in self._db.execute(sql, (*parameters, limit, offset))]

    def title(self, reference: Reference | None) -> str | None:
        """What the record is called; None if it is not there (any more)."""
        record = self.get(*reference) if reference and reference.entity in self.entities else None
        return record.values.get(self.entities[record.entity].title) if record else None

    def add(self, entity: str, key: str, values: Values, traceparent: str | None = None) -> Record:
        """A new record. Raises sqlite3.IntegrityError if one with that id is or was there."""
        now = self.now_ms()
        with self.transaction():
            record = Record(key, entity, values, self._next(), created_ms=now, changed_ms=now)
            record.traceparent = traceparent
            self._db.execute(INSERT, to_insert(record))
        return record

    def load(self, records: Iterable[Record]) -> None:
        """Many at once, as they are, but with versions in their order."""
        made = list(records)
        with self.transaction():
            first = self._next(len(made)) - len(made)
            for number, record in enumerate(made, 1):
                record.version = first + number
            self._db.executemany(INSERT, map(to_insert, made))

    def save(self, record: Record) -> None:
        """The record as it is, with a new version."""
        record.changed_ms = self.now_ms()
        with self.transaction():
            record.version = self._next()
            self._db.execute(UPDATE, to_update(record))

    def delete(self, record: Record) -> None:
        """Change tracking still knows of it; nobody else does."""
        record.deleted = True
        self.save(record)

    def was(self, entity: str, key: str) -> bool:
        """Whether there is or was such a record."""
        return bool(self.value("SELECT 1 FROM records WHERE entity = ? AND id = ?", (entity, key)))

    def forget(self, entity: str, key: str) -> None:
        """Of a deleted record, so that its id can be taken again."""
        self.execute("DELETE FROM records WHERE entity = ? AND id = ? AND deleted = 1", (entity, key))

    def new_id(self) -> str:
        return str(uuid4())

    def _next(self, many: int = 1) -> int:
        return int(self.value("UPDATE sequence SET version = version + ? RETURNING version", (many,)))

    # What the administrator changes

    def put_attribute(self, entity: str, attribute: Attribute) -> None:
        """Adds it, or takes it in place of the one with its name."""
        self.entities[entity].attributes[attribute.name] = attribute
        body = json.dumps(asdict(attribute))
        self.execute("INSERT OR REPLACE INTO attributes VALUES (?, ?, ?)", (entity, attribute.name, body))

    def drop_attribute(self, entity: str, name: str) -> None:
        """Its values stay, unseen. Raises KeyError."""
        del self.entities[entity].attributes[name]
        self.execute("INSERT OR REPLACE INTO attributes VALUES (?, ?, 'null')", (entity, name))

    def switch(self, entity: str, name: str, value: Any) -> None:
        """`tracked` or `keys` of an entity."""
        setattr(self.entities[entity], name, value)
        self.execute("INSERT OR REPLACE INTO switches VALUES (?, ?, ?)", (entity, name, json.dumps(value)))

    def secret(self, name: str, usual: str) -> str:
        """Of a client, or the password of a `DOMAIN\\user`: the one kept, else the usual one."""
        return str(self.value("SELECT secret FROM secrets WHERE name = ?", (name,)) or usual)

    def keep_secret(self, name: str, secret: str) -> None:
        self.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?)", (name, secret))

    def _load_schema(self) -> None:
        for entity, name, body in self.rows("SELECT * FROM attributes"):
            if (given := json.loads(body)) is None:
                self.entities[entity].attributes.pop(name, None)
                continue
            given["options"] = tuple(Option(**option) for option in given["options"])
            self.entities[entity].attributes[name] = Attribute(**given | {"to": tuple(given["to"])})
        for entity, name, value in self.rows("SELECT * FROM switches"):
            read = json.loads(value)
            setattr(self.entities[entity], name, tuple(read) if isinstance(read, list) else read)
