"""One call's view of the organisation service: its operations, which messages are made of too."""

from collections.abc import Mapping
from typing import Any

from ..comparing import Asked
from ..cookies import cookie_of
from ..duplicates import by_key
from ..errors import CrmError
from ..record import Record as Stored
from ..record import Reference
from ..records import Records
from ..schema import Attribute, AttributeType, Entity
from .decoding import Record, Target, Wire
from .encoding import Element, Encoder
from .metadata import MetadataEncoder
from .names import EMPTY_GUID
from .queries import columns_of, query_of

SEVEN_ONE = (7, 1)
_KINDS: Mapping[AttributeType, tuple[str, ...]] = {
    "string": ("string",),
    "memo": ("string",),
    "integer": ("int",),
    "bigint": ("long",),
    "decimal": ("decimal",),
    "double": ("double",),
    "money": ("Money",),
    "boolean": ("boolean",),
    "datetime": ("dateTime",),
    "date": ("dateTime",),
    "uniqueidentifier": ("guid",),
    "partylist": ("EntityCollection", "ArrayOfEntity"),
}
_MEMBERSHIPS = ("listlead_association", "listcontact_association", "listaccount_association")


class Service:
    """One call's view of the service. Its methods raise CrmError, and Malformed for what WCF refuses."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.site = records.site
        self.modern = self.site.version >= SEVEN_ONE
        self.encoder = Encoder(self.site.store, modern=self.modern)
        self.metadata = MetadataEncoder(modern=self.site.version >= (6, 0))

    # Records

    def create(self, record: Record) -> Stored:
        values = values_of(record, self.records.entity(record.entity))
        return self.records.create(record.entity, values, None if record.id == EMPTY_GUID else record.id)

    def update(self, record: Record, *, matching: bool = False) -> Stored:
        """matching: only the version that the record tells may be written over."""
        version = int(record.version) if matching and self.modern else None
        values = values_of(record, self.records.entity(record.entity))
        return self.records.update(record.entity, self.id_of(record), values, version)

    def upsert(self, record: Record) -> tuple[Stored, bool]:
        """With whether it has been created."""
        try:
            return self.update(record), False
        except CrmError as refused:
            if refused.name not in ("ObjectDoesNotExist", "RecordDoesNotExist"):
                raise
        return self.create(record._replace(values={**record.keys, **record.values})), True

    def delete(self, target: Target) -> None:
        self.records.delete(target.entity, self.id_of(target))

    def retrieve(self, element: Element, entity: Entity, key: str, columns: Element | None) -> None:
        record = self.records.get(entity.name, key)
        self.encoder.record(element, entity, record, columns_of(columns, entity))

    def retrieve_multiple(self, element: Element, query: Element, kind: str) -> None:
        store = self.site.store
        asked = Asked(self.records.caller.user, store.clock())
        wanted = query_of(query, kind, store.entities, asked, self.site.settings.page_size)
        found = self.records.search(wanted)
        entity = store.entities[wanted.entity]
        columns = {"": wanted.columns, **{link.alias: link.columns for link in wanted.links}}
        cookie = cookie_of(found, wanted.page, entity, wanted.orders)
        self.encoder.collection(element, entity, found, columns, cookie)

    def associate(
        self, holder: tuple[str, str], relationship: str, related: list[Target], *, ends: bool = False
    ) -> None:
        """holder: entity and id. Only members of lists are tied by relationships here."""
        if relationship not in _MEMBERSHIPS:
            raise CrmError("InvalidArgument")
        entity, key = holder
        for other in related:
            held, member = (key, other.id) if entity == "list" else (other.id, key)
            change = self.records.remove_member if ends else self.records.add_member
            change(held, member)

    def id_of(self, what: Record | Target) -> str:
        """The id it tells, or that of the record with its alternate keys. Raises RecordDoesNotExist."""
        if what.id != EMPTY_GUID or not (self.modern and what.keys):
            return what.id
        entity = self.records.entity(what.entity)
        if tuple(what.keys) not in {(key,) for key in entity.keys}:
            raise CrmError("InvalidEntityKey", entity.name)
        [(name, wire)] = what.keys.items()
        record = by_key(self.site, entity, name, plain(wire))
        if record is None:
            raise CrmError("RecordDoesNotExist", entity.name)
        return record.id


def values_of(record: Record, entity: Entity) -> dict[str, Any]:
    """As `records` takes them. Raises CrmError for a value of another type than its attribute has."""
    described = entity.attributes
    for name, wire in record.values.items():
        if name in described and wire.kind and wire.kind not in _expected(described[name]):
            expected = _expected(described[name])[0]
            raise CrmError("IncorrectAttributeValueType", name, expected, wire.kind)
    return {name: plain(wire) for name, wire in record.values.items()}


def _expected(attribute: Attribute) -> tuple[str, ...]:
    """Types on the wire."""
    if attribute.is_lookup:
        return ("EntityReference",)
    return ("OptionSetValue",) if attribute.options else _KINDS[attribute.type]


def plain(wire: Wire) -> Any:
    if wire.kind == "EntityReference":
        return Reference(wire.value.entity, wire.value.id)
    if wire.kind in ("EntityCollection", "ArrayOfEntity"):
        return [plain(party.values["partyid"]) for party in wire.value if "partyid" in party.values]
    return wire.value
