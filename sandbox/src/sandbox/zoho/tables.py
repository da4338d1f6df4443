"""The tables of the simulator's database."""

# Who_Id and the like are looked up when a record's related lists are read.
_LOOKUPS = ("Who_Id", "What_Id", "Parent_Id", "Account_Name", "Contact_Name")

SCRIPT = """
CREATE TABLE IF NOT EXISTS sequence (next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, module TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, created_by TEXT, modified_by TEXT,
    name TEXT COLLATE NOCASE, email TEXT COLLATE NOCASE,
    converted INTEGER NOT NULL DEFAULT 0, locked INTEGER NOT NULL DEFAULT 0,
    deleted TEXT, deleted_at INTEGER, deleted_by TEXT,
    body TEXT NOT NULL,
    created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, traceparent TEXT
);
CREATE INDEX IF NOT EXISTS records_by_change ON records (module, modified, id);
CREATE INDEX IF NOT EXISTS records_by_module ON records (module, id);
CREATE INDEX IF NOT EXISTS records_by_email ON records (email, module) WHERE email IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_name ON records (name, module);
CREATE TABLE IF NOT EXISTS members (
    campaign INTEGER, module TEXT, person INTEGER, status TEXT, PRIMARY KEY (campaign, person)
);
CREATE TABLE IF NOT EXISTS modules (name TEXT PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fields (module TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (module, name));
CREATE TABLE IF NOT EXISTS tags (
    id TEXT PRIMARY KEY, module TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, created INTEGER,
    UNIQUE (module, name)
);
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL COLLATE NOCASE UNIQUE, first_name TEXT, last_name TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1, confirmed INTEGER NOT NULL DEFAULT 1, admin INTEGER NOT NULL DEFAULT 0,
    zuid TEXT NOT NULL, time_zone TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS denied (user TEXT, module TEXT, action TEXT, PRIMARY KEY (user, module, action));
CREATE TABLE IF NOT EXISTS clients (id TEXT PRIMARY KEY, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS redirects (client TEXT, uri TEXT, PRIMARY KEY (client, uri));
CREATE TABLE IF NOT EXISTS grant_codes (
    code TEXT PRIMARY KEY, client TEXT, user TEXT, scope TEXT, redirect_uri TEXT, offline INTEGER,
    made REAL NOT NULL, until REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token TEXT PRIMARY KEY, client TEXT, user TEXT, scope TEXT, made REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT PRIMARY KEY, refresh TEXT, client TEXT, user TEXT, scope TEXT, made REAL NOT NULL,
    until REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS access_by_refresh ON access_tokens (refresh, made);
CREATE TABLE IF NOT EXISTS channels (
    channel TEXT, module TEXT, user TEXT NOT NULL, events TEXT NOT NULL, until INTEGER NOT NULL,
    token TEXT, url TEXT NOT NULL, with_values INTEGER NOT NULL, related INTEGER NOT NULL, condition TEXT,
    PRIMARY KEY (channel, module)
);
CREATE TABLE IF NOT EXISTS bulk_jobs (
    id INTEGER PRIMARY KEY, user TEXT NOT NULL, module TEXT NOT NULL, page INTEGER NOT NULL,
    made REAL NOT NULL, fails INTEGER NOT NULL, count INTEGER NOT NULL, token TEXT, file BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS bulk_tokens (
    token TEXT PRIMARY KEY, query TEXT NOT NULL, after INTEGER NOT NULL, page INTEGER NOT NULL,
    until INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS bulk_downloads (at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mass_conversions (
    id INTEGER PRIMARY KEY, made REAL NOT NULL, total INTEGER NOT NULL, converted INTEGER NOT NULL,
    skipped INTEGER NOT NULL, failed INTEGER NOT NULL
);
""" + "".join(
    f"CREATE INDEX IF NOT EXISTS records_by_{name} ON records (json_extract(body, '$.{name}'))"
    f" WHERE json_extract(body, '$.{name}') IS NOT NULL;\n"
    for name in _LOOKUPS
)
