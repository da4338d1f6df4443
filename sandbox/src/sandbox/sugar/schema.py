"""The tables: Sugar's own, and beside them what a site remembers that no query can show."""

from collections.abc import Iterator, Mapping

from .modules import JOIN_TABLES, Module, edition

VERSION = 3

_TEXT = "TEXT COLLATE NOCASE"
_MEMBERSHIP = ("date_modified TEXT", "deleted INTEGER DEFAULT 0")

# Not of Sugar: the simulator's own memory.
_BESIDE: Mapping[str, str] = {
    "creations": "module, id, created_ms INTEGER, traceparent, PRIMARY KEY (module, id)",
    "options": "dom TEXT, name TEXT, label TEXT",
    "platforms": "name TEXT PRIMARY KEY",
    "oauth_keys": "key TEXT PRIMARY KEY, secret TEXT",
    "oauth_sessions": "access TEXT PRIMARY KEY, refresh TEXT UNIQUE, download TEXT, user_id TEXT,"
    " platform TEXT, access_until REAL, refresh_until REAL",
    "denials": "user_id TEXT, module TEXT, action TEXT, PRIMARY KEY (user_id, module, action)",
    "refusals": "module TEXT, field TEXT, matches TEXT, message TEXT",
    "preferences": "user_id TEXT PRIMARY KEY, timezone TEXT",
    "failed_logins": "user_id TEXT PRIMARY KEY, failures INTEGER",
    "hook_jobs": "id INTEGER PRIMARY KEY, url TEXT, method TEXT, body TEXT",
}
_INDEXES: tuple[tuple[str, str], ...] = (
    ("email_addresses", "email_address_caps"),
    *((table, "parent_id") for table in ("notes", "tasks", "calls", "meetings")),
    *((table, "last_name") for table in ("leads", "contacts", "prospects")),
    ("accounts", "name"),
    ("leads", "contact_id"),
    ("leads", "account_id"),
)


def _all() -> Mapping[str, Module]:
    return edition(teams=True, modern=True)


def columns() -> dict[str, dict[str, str]]:
    """Sugar's tables: column name -> its definition."""
    found: dict[str, dict[str, str]] = {}
    for module in _all().values():
        found[module.table] = {field.name: field.column for field in module.columns("db")}
        found[module.table]["id"] += " PRIMARY KEY NOT NULL"
        if module.custom_table:
            custom = {field.name: field.column for field in module.columns("custom")}
            found[module.custom_table] = {"id_c": f"id_c {_TEXT} PRIMARY KEY", **custom}
    for table, names in JOIN_TABLES.items():
        typed = ["id TEXT PRIMARY KEY", *(n if " " in n else f"{n} {_TEXT}" for n in names), *_MEMBERSHIP]
        found[table] = {column.partition(" ")[0]: column for column in typed}
    return found


def statements() -> Iterator[str]:
    """CREATE TABLE for whatever is missing."""
    keyed = {module.table for module in _all().values()}
    for table, found in columns().items():
        without_rowid = " WITHOUT ROWID" if table in keyed else ""
        yield f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(found.values())}){without_rowid}"
    for table, text in _BESIDE.items():
        yield f"CREATE TABLE IF NOT EXISTS {table} ({text})"


def indexes() -> Iterator[str]:
    for module in _all().values():
        # Counts and windows by date_modified never touch the rows themselves.
        yield _index(module.table, "date_modified", "deleted")
        if "sync_key" in module.modern:
            yield _index(module.table, "sync_key")
    for table, names in JOIN_TABLES.items():
        yield _index(table, names[0])
        yield _index(table, names[1])
    for table, column in _INDEXES:
        yield _index(table, column)


def _index(table: str, *names: str) -> str:
    return f"CREATE INDEX IF NOT EXISTS {table}_by_{'_'.join(names)} ON {table} ({', '.join(names)})"
