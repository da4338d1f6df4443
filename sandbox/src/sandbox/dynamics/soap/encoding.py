"""What answers carry: records, collections and plain values. Source: recorded envelopes of CRM 2011 and 2013.

Values come as `record` has them; what their attribute is decides what they are on the wire.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from lxml import etree

from ..query import Found, Match
from ..record import Record, Reference
from ..schema import Attribute, AttributeType, Entity
from ..store import Store
from ..values import show
from .names import EMPTY_GUID, NIL, PAIRS, PREFIXES, TYPE, XRM

Element = etree._Element

_SCALARS: Mapping[AttributeType, str] = {
    "string": "d:string",
    "memo": "d:string",
    "integer": "d:int",
    "bigint": "d:long",
    "decimal": "d:decimal",
    "double": "d:double",
    "boolean": "d:boolean",
    "datetime": "d:dateTime",
    "date": "d:dateTime",
    "uniqueidentifier": "e:guid",
}
_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "boolean": lambda value: "true" if value else "false",
    "decimal": lambda value: f"{value:.10f}",
    "date": lambda value: f"{value}T00:00:00Z",
}


class Column(NamedTuple):
    """A value of a linked record, under its alias."""

    key: str
    entity: str
    attribute: Attribute
    value: Any


_LOOKS: Mapping[AttributeType, Callable[[Any], str]] = {
    "boolean": lambda value: "Yes" if value else "No",
    "integer": lambda value: f"{value:,}",
    "money": lambda value: f"${value:,.2f}",
    "datetime": lambda value: f"{datetime.fromisoformat(value):%-m/%-d/%Y %-I:%M %p}",
    "date": lambda value: f"{datetime.fromisoformat(value):%-m/%-d/%Y}",
}


def add(parent: Element, namespace: str, name: str, text: str | None = None) -> Element:
    child = etree.SubElement(parent, f"{{{namespace}}}{name}")
    child.text = text
    return child


def add_nil(parent: Element, namespace: str, name: str) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").set(NIL, "true")


def add_pair(parent: Element, key: str, of: str = "KeyValuePairOfstringanyType") -> Element:
    """The new pair's value, still empty."""
    pair = add(parent, XRM, of)
    add(pair, PAIRS, "key", key)
    return add(pair, PAIRS, "value")


class Encoder:
    """modern: the server is of 7.1 or later, whose records have keys and versions."""

    def __init__(self, store: Store, *, modern: bool) -> None:
        self._store = store
        self._modern = modern
        self._titles: dict[Reference, str | None] = {}

    def record(
        self,
        parent: Element,
        entity: Entity,
        record: Record,
        columns: Iterable[str] | None,
        linked: Iterable[Column] = (),
    ) -> None:
        """What an Entity holds: the record, seen as one of `entity`. columns: None = all."""
        wanted = entity.attributes if columns is None else dict.fromkeys((*columns, entity.id))
        values = {
            name: (entity.attributes[name], value)
            for name in wanted
            if (value := show(entity, record, name)) is not None
        }
        attributes = add(parent, XRM, "Attributes")
        for name, (attribute, value) in values.items():
            self.value(add_pair(attributes, name), attribute, value)
        for column in linked:
            self._aliased(add_pair(attributes, column.key), column)
        add_nil(parent, XRM, "EntityState")
        formatted = add(parent, XRM, "FormattedValues")
        for name, (attribute, value) in values.items():
            self._format(formatted, name, attribute, value)
        for column in linked:
            self._format(formatted, column.key, column.attribute, column.value)
        add(parent, XRM, "Id", record.id)
        if self._modern:
            add(parent, XRM, "KeyAttributes")
        add(parent, XRM, "LogicalName", entity.name)
        add(parent, XRM, "RelatedEntities")
        if self._modern:
            add(parent, XRM, "RowVersion", str(record.version))

    def collection(
        self, parent: Element, entity: Entity, found: Found, columns: Mapping[str, Any], cookie: str | None
    ) -> None:
        """What an EntityCollection holds. columns: None = all, by link's alias ("" = of the records)."""
        entities = add(parent, XRM, "Entities")
        for match in found.matches:
            linked = list(self._linked(match, columns))
            self.record(add(entities, XRM, "Entity"), entity, match.record, columns[""], linked)
        add(parent, XRM, "EntityName", entity.name)
        add(parent, XRM, "MinActiveRowVersion", "-1")
        add(parent, XRM, "MoreRecords", _TEXTS["boolean"](found.more))
        if cookie is None:
            add_nil(parent, XRM, "PagingCookie")
        else:
            add(parent, XRM, "PagingCookie", cookie)
        add(parent, XRM, "TotalRecordCount", str(-1 if found.total is None else found.total))
        add(parent, XRM, "TotalRecordCountLimitExceeded", "false")

    def value(self, element: Element, attribute: Attribute, value: Any) -> None:
        """A value as its attribute has it."""
        if attribute.is_lookup:
            self.reference(element, value)
        elif attribute.options:
            self._boxed(element, "OptionSetValue", str(value))
        elif attribute.type == "money":
            self._boxed(element, "Money", f"{value:.4f}")
        elif attribute.type == "partylist":
            self._parties(element, value)
        else:
            element.set(TYPE, _SCALARS.get(attribute.type, "d:int"))
            element.text = _TEXTS.get(attribute.type, str)(value)

    def reference(self, element: Element, value: Reference) -> None:
        element.set(TYPE, "b:EntityReference")
        add(element, XRM, "Id", value.id)
        if self._modern:
            add(element, XRM, "KeyAttributes")
        add(element, XRM, "LogicalName", value.entity)
        if value not in self._titles:
            self._titles[value] = self._store.title(value)
        name = self._titles[value]
        if name is None:
            add_nil(element, XRM, "Name")
        else:
            add(element, XRM, "Name", name)
        if self._modern:
            add_nil(element, XRM, "RowVersion")

    def _boxed(self, element: Element, kind: str, text: str) -> None:
        element.set(TYPE, f"b:{kind}")
        add(element, XRM, "Value", text)

    def _parties(self, element: Element, parties: list[Reference]) -> None:
        element.set(TYPE, "b:EntityCollection")
        entities = add(element, XRM, "Entities")
        for party in parties:
            entity = add(entities, XRM, "Entity")
            self.reference(add_pair(add(entity, XRM, "Attributes"), "partyid"), party)
            add_nil(entity, XRM, "EntityState")
            add(entity, XRM, "FormattedValues")
            add(entity, XRM, "Id", EMPTY_GUID)
            add(entity, XRM, "LogicalName", "activityparty")
            add(entity, XRM, "RelatedEntities")
        add(element, XRM, "EntityName", "activityparty")
        add(element, XRM, "MoreRecords", "false")

    def _linked(self, match: Match, columns: Mapping[str, Any]) -> Iterable[Column]:
        for alias, record in match.linked.items():
            if record is None:
                continue
            entity = self._store.entities[record.entity]
            names = entity.attributes if columns.get(alias, ()) is None else columns.get(alias, ())
            for name in names:
                if (value := show(entity, record, name)) is not None:
                    yield Column(f"{alias}.{name}", entity.name, entity.attributes[name], value)

    def _aliased(self, element: Element, column: Column) -> None:
        element.set(TYPE, "b:AliasedValue")
        add(element, XRM, "AttributeLogicalName", column.attribute.name)
        add(element, XRM, "EntityLogicalName", column.entity)
        add(element, XRM, "NeedFormatting", "true")
        add(element, XRM, "ReturnType", "0")
        self.value(add(element, XRM, "Value"), column.attribute, column.value)

    def _format(self, parent: Element, key: str, attribute: Attribute, value: Any) -> None:
        formatted = formatted_value(attribute, value)
        if formatted is not None:
            add_pair(parent, key, "KeyValuePairOfstringstring").text = formatted


def formatted_value(attribute: Attribute, value: Any) -> str | None:
    """As an American user sees it; None for what has no other look than its own."""
    if attribute.options:
        option = attribute.option(value)
        return option.label if option else None
    look = _LOOKS.get(attribute.type)
    return look(value) if look else None


def rooted(namespace: str, name: str) -> Element:
    """The element of an answer's body, with all prefixes that types are told by."""
    return etree.Element(f"{{{namespace}}}{name}", nsmap={"a": namespace, **PREFIXES})
