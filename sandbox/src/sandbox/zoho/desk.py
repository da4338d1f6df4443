"""What people do in the CRM's own pages, and what a judge may look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import moments
from .admin import Administration
from .conversion import Converter, Wish
from .schema import Module
from .store import Record, Row, name_of


@dataclass(slots=True)
class Desk(Administration):
    """Whoever sits there may do everything; a record made by hand is the first user's, unless it says.

    Values are those of the API, but unchecked: lookups and owners as ids, tags as names.
    """

    def create(self, module: str, values: Mapping[str, Any]) -> str:
        """The new record's id; with `id` among the values, that one. Raises ValueError."""
        described, given = self._module(module), dict(values)
        key = given.pop("id", None)
        stored = self._by_hand(described, given)
        return self.site.store.add(module, stored, self.site.primary.id, key=key).id

    def load(self, module: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Creates records by the hundred thousand, without telling anybody: their ids.

        `Created_Time` and `Modified_Time` may be among the values.
        """
        described, store, by = self._module(module), self.site.store, self.site.primary.id
        given = list(rows)
        first, now = int(store.next_id(len(given))), store.now_ms()
        records = []
        for number, values in enumerate(given):
            stored = self._by_hand(described, values)
            created, modified = (_moment(values.get(name)) for name in ("Created_Time", "Modified_Time"))
            record = Record(str(first + number), module, stored, created_by=by, modified_by=by)
            record.created = now // 1000 if created is None else created
            record.modified = record.created if modified is None else modified
            record.created_ms, record.changed_ms = record.created * 1000, record.modified * 1000
            records.append(record)
        store.load(records)
        return [record.id for record in records]

    def change(self, module: str, key: str, values: Mapping[str, Any]) -> None:
        """An edit in the CRM's form. Raises ValueError if the record is not there."""
        record = self._record(module, key)
        stored = self._by_hand(self._module(module), values, owner=False)
        changed = {name: value for name, value in stored.items() if record.values.get(name) != value}
        self.site.store.save(record, self.site.primary.id, changed)

    def delete(self, module: str, key: str, *, permanent: bool = False) -> None:
        """To the recycle bin, or for ever."""
        self.site.store.delete(self._record(module, key), self.site.primary.id, permanent=permanent)

    def lock(self, module: str, key: str, *, locked: bool = True) -> None:
        record = self._record(module, key)
        record.locked = locked
        self.site.store.write(record)

    def tag(self, module: str, key: str, name: str) -> None:
        store = self.site.store
        store.tag_id(module, name)
        self._tagged(module, key, lambda tags: [*dict.fromkeys([*tags, name])])

    def untag(self, module: str, key: str, name: str) -> None:
        self._tagged(module, key, lambda tags: [tag for tag in tags if tag != name])

    def convert(self, lead_id: str) -> str:
        """On the CRM's page for it: the contact's id. Raises ValueError if it is no lead (any more)."""
        lead = self._record("Leads", lead_id)
        if lead.converted:
            raise ValueError("the lead is converted")
        return Converter(self.site, self.site.primary.id).convert(lead, Wish()).contact.id

    def join(self, campaign: str, module: str, key: str, status: str = "Planned") -> None:
        """Makes a lead or contact a member of a campaign."""
        values = (int(self._record("Campaigns", campaign).id), module, int(self._record(module, key).id))
        self.site.store.execute("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)", (*values, status))

    def leave(self, campaign: str, key: str) -> None:
        sql = "DELETE FROM members WHERE campaign = ? AND person = ?"
        self.site.store.execute(sql, (int(campaign), int(key)))

    def records(self, module: str) -> list[Row]:
        """All rows, oldest first, deleted ones too, as stored, with what the API never shows.

        Beside the values: `id`, `name`, `email` (or None), `deleted` (bool), `deleted_type`, `converted`,
        `created` (ISO 8601, UTC, milliseconds), `created_by` (a user's id), `modified` (seconds) and
        `traceparent` of the call that created the record (None for a person's hand).
        """
        described = self._module(module)
        found = self.site.store.find("module = ?", (module,), "created_ms, id")
        return [_judged(described, record) for record in found]

    def _tagged(self, module: str, key: str, change: Any) -> None:
        record = self._record(module, key)
        tags = change(record.values.get("Tag") or [])
        self.site.store.save(record, self.site.primary.id, {"Tag": tags})

    def _by_hand(self, module: Module, values: Mapping[str, Any], *, owner: bool = True) -> Row:
        stored = {name: _stored(module, name, value) for name, value in values.items()}
        for name in ("Created_Time", "Modified_Time"):
            stored.pop(name, None)
        if owner and not stored.get("Owner"):
            stored["Owner"] = self.site.primary.id
        return stored

    def _record(self, module: str, key: str) -> Record:
        record = self.site.store.get(self._module(module).name, key)
        if record is None:
            raise ValueError(f"{module} has no such record")
        return record


def _stored(module: Module, name: str, value: Any) -> Any:
    field = module.fields.get(name)
    if field is None:
        raise ValueError(f"{module.name} has no field {name}")
    if isinstance(value, dict):
        value = value.get("id")
    if field.type == "datetime" and isinstance(value, str):
        return moments.stored(value)
    return value


def _moment(value: Any) -> int | None:
    if isinstance(value, datetime):
        return int(value.timestamp())
    return moments.seconds(value) if isinstance(value, str) else None


def _judged(module: Module, record: Record) -> Row:
    created = datetime.fromtimestamp(record.created_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        **dict.fromkeys(module.fields),
        **record.values,
        "id": record.id,
        "name": name_of(module, record.values),
        "email": record.values.get("Email"),
        "deleted": record.deleted is not None,
        "deleted_type": record.deleted,
        "converted": record.converted,
        "created": created,
        "created_by": record.created_by,
        "modified": record.modified,
        "traceparent": record.traceparent,
    }
