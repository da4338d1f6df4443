"""What upstream sent and what it was answered: kept before and after each request, in one SQLite file.

So that neither a crash nor a second run makes the account wrong: what has no answer yet is sent again, with
the same ids.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sandbox.upstream.traffic import Format, Input, Item, Request

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (token TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, tenant TEXT, input TEXT, format TEXT, idempotency_key TEXT,
    sent_at REAL, answered_at REAL
);
CREATE TABLE IF NOT EXISTS items (
    request INTEGER, place INTEGER, body TEXT, wrong INTEGER, status TEXT, event_id TEXT,
    PRIMARY KEY (request, place)
);
CREATE TABLE IF NOT EXISTS deeds (
    id INTEGER PRIMARY KEY, kind TEXT, subject TEXT, facts TEXT, UNIQUE (kind, subject)
);
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """An item with its answer. status: accepted, duplicate, rejected; None = not answered yet.

    sent_at: of the first attempt, answered_at: seconds since 1970. event_id: as ingest knows it.
    """

    tenant: str
    input: Input
    body: dict[str, Any]
    wrong: bool
    status: str | None
    event_id: str | None
    sent_at: float | None
    answered_at: float | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that has no answer yet."""

    id: int
    request: Request


class Account:
    """The file; not for two processes at once."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @property
    def runs(self) -> int:
        """How many runs have planned their traffic."""
        return int(self._db.execute("SELECT count(*) FROM runs").fetchone()[0])

    def plan(self, token: str, requests: Iterable[Request]) -> None:
        """Writes down a run's traffic, all or nothing, before any of it is sent."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("INSERT INTO runs VALUES (?)", (token,))
            for r in requests:
                row = (r.tenant, r.input, r.format, r.idempotency_key)
                inserted = self._db.execute(
                    "INSERT INTO requests (tenant, input, format, idempotency_key) VALUES (?, ?, ?, ?)", row
                )
                items = (
                    (inserted.lastrowid, place, _text(item.body), item.wrong)
                    for place, item in enumerate(r.items)
                )
                self._db.executemany(
                    "INSERT INTO items (request, place, body, wrong) VALUES (?, ?, ?, ?)", items
                )

    def unanswered(self) -> list[Planned]:
        """Requests without an answer, in their order."""
        found = self._db.execute("SELECT * FROM requests WHERE answered_at IS NULL ORDER BY id").fetchall()
        return [Planned(row["id"], self._request(row)) for row in found]

    def sending(self, planned: Planned, at: float) -> None:
        """Notes that a request is about to be sent; the first attempt counts."""
        self._db.execute("UPDATE requests SET sent_at = coalesce(sent_at, ?) WHERE id = ?", (at, planned.id))

    def answered(self, planned: Planned, at: float, results: Sequence[tuple[str, str | None]]) -> None:
        """Notes the answer. results: status and event id per item."""
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("UPDATE requests SET answered_at = ? WHERE id = ?", (at, planned.id))
            self._db.executemany(
                "UPDATE items SET status = ?, event_id = ? WHERE request = ? AND place = ?",
                [(*result, planned.id, place) for place, result in enumerate(results)],
            )

    def items(self) -> list[Answered]:
        """Everything ever planned, with its answers, in the order of sending."""
        with closing(
            self._db.execute(
                "SELECT tenant, input, body, wrong, status, event_id, sent_at, answered_at"
                " FROM items JOIN requests ON requests.id = items.request ORDER BY request, place"
            )
        ) as rows:
            return [
                Answered(**{**dict(row), "body": json.loads(row["body"]), "wrong": bool(row["wrong"])})
                for row in rows
            ]

    def note(self, kind: str, subject: str, facts: dict[str, Any]) -> None:
        """Notes what somebody did apart from sending (in a CRM, on a topic); the latest note counts."""
        self._db.execute(
            "INSERT INTO deeds (kind, subject, facts) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, subject) DO UPDATE SET facts = excluded.facts",
            (kind, subject, _text(facts)),
        )

    def notes(self, kind: str) -> dict[str, dict[str, Any]]:
        """The notes of one kind, by subject, in the order they were first made."""
        rows = self._db.execute("SELECT subject, facts FROM deeds WHERE kind = ? ORDER BY id", (kind,))
        return {row["subject"]: json.loads(row["facts"]) for row in rows}

    def _request(self, row: sqlite3.Row) -> Request:
        input: Input = row["input"]
        format: Format = row["format"]
        items = self._db.execute(
            "SELECT body, wrong FROM items WHERE request = ? ORDER BY place", (row["id"],)
        ).fetchall()
        return Request(
            row["tenant"],
            input,
            tuple(Item(json.loads(item["body"]), bool(item["wrong"])) for item in items),
            format,
            row["idempotency_key"],
        )


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
