"""What requests carry, read as a DataContractSerializer reads it.

An element that its contract does not know is passed over, and so is one out of its contract's order (both
silently); a value must say its type (`i:type`). Source: Microsoft's data contract serialization rules.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from uuid import UUID

from lxml import etree

from .names import EMPTY_GUID, NIL, TYPE


class Malformed(Exception):
    """WCF itself refuses the message, before the organisation service has seen it."""


class Wire(NamedTuple):
    """A value, and the name of its type on the wire (`OptionSetValue`, `string`, ...; "" for nil)."""

    kind: str
    value: Any


class Target(NamedTuple):
    """An EntityReference: keys are alternate keys, which only servers from 7.1 on look at."""

    entity: str
    id: str
    keys: Mapping[str, Wire]


class Record(NamedTuple):
    """An Entity. version: its RowVersion."""

    entity: str
    id: str
    values: Mapping[str, Wire]
    keys: Mapping[str, Wire]
    version: str


class Message(NamedTuple):
    """An OrganizationRequest."""

    name: str
    parameters: Mapping[str, Wire]

    def value(self, name: str, default: Any = None) -> Any:
        """Of a parameter, without its type."""
        wire = self.parameters.get(name)
        return default if wire is None or not wire.kind else wire.value


_ENTITY = (
    "Attributes",
    "EntityState",
    "FormattedValues",
    "Id",
    "KeyAttributes",
    "LogicalName",
    "RelatedEntities",
    "RowVersion",
)
_REFERENCE = ("Id", "KeyAttributes", "LogicalName", "Name", "RowVersion")


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def is_nil(element: etree._Element) -> bool:
    return element.get(NIL, "false") in ("true", "1")


def members(element: etree._Element | None, names: Sequence[str]) -> dict[str, etree._Element]:
    """The children that the contract `names` (in its order) sees; nil ones are left out."""
    found: dict[str, etree._Element] = {}
    passed = -1
    for child in children(element):
        name = local(child)
        at = names.index(name) if name in names else -1
        if at > passed:
            passed = at
            if not is_nil(child):
                found[name] = child
    return found


def children(element: etree._Element | None) -> Iterator[etree._Element]:
    """Elements alone: no comments."""
    return iter(()) if element is None else element.iterchildren("*")


def text(element: etree._Element | None, default: str = "") -> str:
    return default if element is None else element.text or default


def flag(element: etree._Element | None, default: bool = False) -> bool:
    return default if element is None else _boolean(element)


def pairs(element: etree._Element | None) -> dict[str, Wire]:
    """Of a collection of keys and values. Raises Malformed."""
    found: dict[str, Wire] = {}
    for pair in children(element):
        part = {local(child): child for child in children(pair)}
        if "key" not in part or "value" not in part:
            raise Malformed
        found[text(part["key"])] = wire(part["value"])
    return found


def record(element: etree._Element | None) -> Record:
    """Of an Entity. Raises Malformed."""
    part = members(element, _ENTITY)
    return Record(
        text(part.get("LogicalName")),
        guid(part.get("Id")),
        pairs(part.get("Attributes")),
        pairs(part.get("KeyAttributes")),
        text(part.get("RowVersion")),
    )


def target(element: etree._Element) -> Target:
    """Of an EntityReference. Raises Malformed."""
    part = members(element, _REFERENCE)
    return Target(text(part.get("LogicalName")), guid(part.get("Id")), pairs(part.get("KeyAttributes")))


def message(element: etree._Element) -> Message:
    """Of an OrganizationRequest or of what is one. Raises Malformed."""
    part = members(element, ("Parameters", "RequestId", "RequestName"))
    name = text(part.get("RequestName")) or _type_of(element).removesuffix("Request")
    return Message(name, pairs(part.get("Parameters")))


def wire(element: etree._Element) -> Wire:
    """Raises Malformed for a value of no type, and of an unknown one."""
    if is_nil(element):
        return Wire("", None)
    kind = _type_of(element)
    read = _READERS.get(kind) or (message if kind.endswith("Request") else None)
    if read is None:
        raise Malformed
    try:
        return Wire(kind, read(element))
    except (ValueError, InvalidOperation, binascii.Error):
        raise Malformed from None


def guid(element: etree._Element | None) -> str:
    """Lower case, zeros where there is none. Raises Malformed."""
    try:
        return EMPTY_GUID if element is None else str(UUID(text(element).strip()))
    except ValueError:
        raise Malformed from None


def _type_of(element: etree._Element) -> str:
    prefix, _, name = element.get(TYPE, "").rpartition(":")
    if name and (prefix or None) not in element.nsmap:
        raise Malformed
    return name


def _boolean(element: etree._Element) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text(element).strip()]


def _moment(element: etree._Element) -> datetime:
    """Without an offset it is the user's local time; users are in UTC here."""
    moment = datetime.fromisoformat(text(element).strip().replace("Z", "+00:00"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_value(read: Callable[[str], Any]) -> Callable[[etree._Element], Any]:
    """OptionSetValue and Money hold a single Value."""
    return lambda element: read(text(members(element, ("Value",)).get("Value"), "0"))


def _list_of(read: Callable[[etree._Element], Any]) -> Callable[[etree._Element], list[Any]]:
    return lambda element: [read(child) for child in children(element)]


def _entities(element: etree._Element) -> list[Record]:
    part = {local(child): child for child in children(element)}
    return [record(child) for child in children(part.get("Entities"))]


def _itself(element: etree._Element) -> etree._Element:
    return element


def _settings(element: etree._Element) -> dict[str, bool]:
    names = ("ContinueOnError", "ReturnResponses")
    return {name: flag(child) for name, child in members(element, names).items()}


_READERS: Mapping[str, Callable[[etree._Element], Any]] = {
    "string": text,
    "int": lambda element: int(text(element)),
    "long": lambda element: int(text(element)),
    "boolean": _boolean,
    "dateTime": _moment,
    "decimal": lambda element: Decimal(text(element)),
    "double": lambda element: float(text(element)),
    "guid": guid,
    "base64Binary": lambda element: b64decode(text(element), validate=True),
    "OptionSetValue": _of_value(int),
    "Money": _of_value(Decimal),
    "EntityReference": target,
    "Entity": record,
    "EntityCollection": _entities,
    "ArrayOfEntity": _list_of(record),
    "EntityReferenceCollection": _list_of(target),
    "ArrayOfguid": _list_of(guid),
    "ArrayOfstring": _list_of(text),
    "ArrayOfanyType": _list_of(wire),
    "Relationship": lambda element: text(
        members(element, ("PrimaryEntityRole", "SchemaName")).get("SchemaName")
    ),
    "OrganizationRequestCollection": _list_of(message),
    "ExecuteMultipleSettings": _settings,
    "ColumnSet": _itself,
    "QueryExpression": _itself,
    "QueryByAttribute": _itself,
    "FetchExpression": _itself,
    "EntityFilters": text,
    "AccessRights": text,
    "ConcurrencyBehavior": text,
}
