"""Who is told of which changes, and until when: one row for a module of a notification channel."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .store import Row, Store


@dataclass(slots=True)
class Channel:
    """events: of create, edit and delete. until: seconds since 1970. with_values: callbacks say what changed.

    related: changes of a record's company count as its own. condition: `field_selection`, None = any field.
    """

    channel: str
    module: str
    user: str
    events: list[str]
    until: int
    token: str | None
    url: str
    with_values: bool = False
    related: bool = True
    condition: Row | None = None

    def wants(self, event: str, fields: Iterable[str]) -> bool:
        if event not in self.events:
            return False
        return event != "edit" or self.condition is None or _chosen(self.condition, set(fields))


class Channels:
    """All of them, in the database. One that has run out is no channel any more."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, channel: Channel) -> None:
        """In place of the one of the same number and module."""
        self._store.execute(
            "INSERT OR REPLACE INTO channels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                channel.channel,
                channel.module,
                channel.user,
                json.dumps(channel.events),
                channel.until,
                channel.token,
                channel.url,
                channel.with_values,
                channel.related,
                json.dumps(channel.condition),
            ),
        )

    def live(self, where: str = "1", parameters: Sequence[Any] = ()) -> list[Channel]:
        """In the order in which they were opened."""
        sql = f"SELECT * FROM channels WHERE until > ? AND {where} ORDER BY rowid"
        return [_channel(row) for row in self._store.rows(sql, (self._store.now(), *parameters))]

    def remove(self, channel: str, module: str | None = None) -> None:
        self._store.execute(
            "DELETE FROM channels WHERE channel = ? AND (? IS NULL OR module = ?)", (channel, module, module)
        )

    def expire(self) -> None:
        """All of them have run out: what happens when nobody renews them."""
        self._store.execute("UPDATE channels SET until = ?", (self._store.now(),))


def _channel(row: Row) -> Channel:
    read = {"events": json.loads(row["events"]), "condition": json.loads(row["condition"])}
    flags = {name: bool(row[name]) for name in ("with_values", "related")}
    return Channel(**row | read | flags)


def _chosen(selection: Row, fields: set[str]) -> bool:
    """Whether a `field_selection` has changed: a field, or several with `and` or `or` between them."""
    group = selection.get("group")
    if not group:
        return (selection.get("field") or selection).get("api_name") in fields
    found = (_chosen(part, fields) for part in group)
    return all(found) if selection.get("group_operator") == "and" else any(found)
