"""What people do in the CRM's own pages, and what a judge may look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import states
from .admin import Administration
from .converting import Qualification
from .record import Record, Reference, Values
from .records import Caller, Records
from .schema import Attribute, Entity
from .values import checked, full_name, show


@dataclass(slots=True)
class Desk(Administration):
    """Whoever sits there may do everything, and also write what only Dynamics writes.

    Values are named as the schema has them (`parentcontactid`, not `_parentcontactid_value`). A lookup is a
    `Reference`, a pair of entity and id, or the id alone where it can point to one entity only.
    """

    def create(self, entity: str, values: Mapping[str, Any]) -> str:
        """The new record's id; with `id` among the values, that one. Raises CrmError."""
        given = dict(values)
        key = given.pop("id", None)
        return self._records.create(entity, self._values(entity, given), key).id

    def load(self, entity: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """Creates records by the hundred thousand: their ids.

        `createdon` and `modifiedon` may be among the values.
        """
        described, store, owner = self._entity(entity), self.site.store, self.site.person
        now, now_ms = store.now(), store.now_ms()
        usual: Values = {"createdon": now, "createdby": owner, "modifiedby": owner}
        usual |= dict.fromkeys(("ownerid", "owninguser"), owner)
        usual = {name: value for name, value in usual.items() if name in described.attributes}
        usual |= states.begin(described)
        made = []
        for row in rows:
            given = dict(row)
            key = given.pop("id", None) or store.new_id()
            values = usual | {
                name: checked(described, described.attributes[name], value)
                for name, value in self._values(entity, given).items()
            }
            values.setdefault("modifiedon", values["createdon"])
            if "lastname" in described.attributes:
                values["fullname"] = full_name(values)
            created = int(datetime.fromisoformat(values["createdon"]).timestamp() * 1000)
            kept = {name: value for name, value in values.items() if value is not None}
            made.append(Record(key, entity, kept, created_ms=min(created, now_ms), changed_ms=now_ms))
        store.load(made)
        return [record.id for record in made]

    def change(self, entity: str, key: str, values: Mapping[str, Any]) -> None:
        """An edit in the CRM's form, which also sets states and owners. Raises CrmError."""
        self._records.update(entity, key, self._values(entity, values))

    def delete(self, entity: str, key: str) -> None:
        self._records.delete(entity, key)

    def qualify(self, lead: str, *, account: bool = True, opportunity: bool = False) -> str:
        """On the CRM's page for it: the contact's id. Raises CrmError if it is no open lead."""
        made = self._records.qualify(lead, Qualification(account, True, opportunity))
        return next(record.id for record in made if record.entity == "contact")

    def add_members(self, list_id: str, keys: Iterable[str]) -> None:
        """To a static list."""
        self._records.add_members(list_id, list(keys))

    def remove_member(self, list_id: str, key: str) -> None:
        """key: of the member."""
        self._records.remove_member(list_id, key)

    def add_to_campaign(self, campaign: str, list_id: str) -> None:
        """A marketing list."""
        self._records.add_item(campaign, Reference("list", list_id))

    def records(self, entity: str) -> list[dict[str, Any]]:
        """All rows, oldest first, deleted ones too, with what no program is shown.

        Beside the values, None where empty and of lookups the id: `id`, `name`, `email` (or None), `deleted`
        (bool), `version`, `created` (ISO 8601, UTC, milliseconds), `created_by` (a systemuser's id) and
        `traceparent` of the call that created the record (None for a person's hand).
        """
        described = self._entity(entity)
        names = ", ".join(f"'{name}'" for name in described.members)
        found = self.site.store.find(f"entity IN ({names})", (), "created_ms, version")
        return [_judged(described, record) for record in found]

    @property
    def _records(self) -> Records:
        return Records(self.site, Caller(self.site.person.id, trusted=True))

    def _values(self, entity: str, values: Mapping[str, Any]) -> Values:
        described = self._entity(entity)
        unknown = values.keys() - described.attributes.keys()
        if unknown:
            raise ValueError(f"{entity} has no {', '.join(sorted(unknown))}")
        return {name: _lookup(described.attributes[name], value) for name, value in values.items()}


def _lookup(attribute: Attribute, value: Any) -> Any:
    if not attribute.is_lookup or value is None or isinstance(value, Reference):
        return value
    if isinstance(value, str):
        return Reference(attribute.targets[0], value)
    return Reference(*value)


def _judged(entity: Entity, record: Record) -> dict[str, Any]:
    created = datetime.fromtimestamp(record.created_ms / 1000, UTC).isoformat(timespec="milliseconds")
    shown = {name: show(entity, record, name) for name in entity.attributes}
    by = record.values.get("createdby")
    return {name: value.id if isinstance(value, Reference) else value for name, value in shown.items()} | {
        "id": record.id,
        "name": record.values.get(entity.title),
        "email": record.values.get("emailaddress1"),
        "deleted": record.deleted,
        "version": record.version,
        "created": created,
        "created_by": by.id if by else None,
        "traceparent": record.traceparent,
    }
