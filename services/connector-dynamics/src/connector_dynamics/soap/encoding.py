"""Messages into envelopes. Members stand in their contract's order: others are ignored without a word."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from connector_dynamics.fetch import clean
from connector_dynamics.soap.names import (
    ARRAYS,
    ENVELOPE,
    NIL,
    NO_ID,
    PAIRS,
    PREFIXES,
    SERVICES,
    TYPE,
    XRM,
    XRM_2012,
)
from connector_dynamics.wire import Double, Long, Money, Option, Reference, Value

_Element = etree._Element


class Guid(str):
    """An id that stands for itself."""

    __slots__ = ()


class Filters(str):
    """Which part of an entity's metadata is asked for."""

    __slots__ = ()


class Concurrency(str):
    """How a version counts, from 7.1 on."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """A query in FetchXML."""

    xml: str


@dataclass(frozen=True, slots=True)
class Row:
    """An entity's row to be written. version: from 7.1 on."""

    entity: str
    id: str
    values: Mapping[str, Value]
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """An OrganizationRequest."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """Of ExecuteMultiple: goes on after a failure, and answers failures alone."""


def encode(message: Message) -> bytes:
    """The envelope that has it executed."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap=dict(PREFIXES))
    body = etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    execute = etree.SubElement(body, f"{{{SERVICES}}}Execute")
    _request(etree.SubElement(execute, f"{{{SERVICES}}}request"), message)
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def _request(element: _Element, message: Message) -> None:
    parameters = _add(element, XRM, "Parameters")
    for name, value in message.parameters.items():
        _pair(parameters, name, value)
    _add(element, XRM, "RequestName", message.name)


def _pair(parent: _Element, name: str, value: Any) -> None:
    pair = _add(parent, XRM, "KeyValuePairOfstringanyType")
    _add(pair, PAIRS, "key", name)
    _fill(_add(pair, PAIRS, "value"), value)


def _fill(element: _Element, value: Any) -> None:
    if value is None:
        element.set(NIL, "true")
        return
    for kind, (type_, fill) in _TYPES.items():
        if isinstance(value, kind):
            element.set(TYPE, type_)
            fill(element, value)
            return
    raise TypeError(type(value).__name__)


def _text(write: Callable[[Any], str]) -> Callable[[_Element, Any], None]:
    def fill(element: _Element, value: Any) -> None:
        element.text = write(value)

    return fill


def _value(element: _Element, value: Any) -> None:
    _add(element, XRM, "Value", format(Decimal(value), "f"))


def _reference(element: _Element, value: Reference) -> None:
    _add(element, XRM, "Id", value.id)
    _add(element, XRM, "LogicalName", value.entity)
    _nil(element, "Name")


def _row(element: _Element, row: Row) -> None:
    attributes = _add(element, XRM, "Attributes")
    for name, value in row.values.items():
        _pair(attributes, name, value)
    _nil(element, "EntityState")
    _add(element, XRM, "FormattedValues")
    _add(element, XRM, "Id", row.id)
    _add(element, XRM, "LogicalName", row.entity)
    _add(element, XRM, "RelatedEntities")
    if row.version is not None:
        _add(element, XRM, "RowVersion", row.version)


def _parties(element: _Element, parties: Sequence[Reference]) -> None:
    for party in parties:
        _row(_add(element, XRM, "Entity"), Row("activityparty", NO_ID, {"partyid": party}))


def _messages(element: _Element, messages: Iterable[Message]) -> None:
    for message in messages:
        _request(_add(element, XRM_2012, "OrganizationRequest"), message)


def _settings(element: _Element, _: Settings) -> None:
    _add(element, XRM_2012, "ContinueOnError", "true")
    _add(element, XRM_2012, "ReturnResponses", "false")


def _guids(element: _Element, ids: Iterable[str]) -> None:
    for id_ in ids:
        _add(element, ARRAYS, "guid", id_)


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# In this order: an Option and a Long are ints as well, a bool too.
_TYPES: Mapping[type, tuple[str, Callable[[_Element, Any], None]]] = {
    Guid: ("g:guid", _text(str)),
    Filters: ("m:EntityFilters", _text(str)),
    Concurrency: ("o:ConcurrencyBehavior", _text(str)),
    str: ("x:string", _text(clean)),
    bool: ("x:boolean", _text(lambda value: "true" if value else "false")),
    Option: ("a:OptionSetValue", _value),
    Long: ("x:long", _text(str)),
    int: ("x:int", _text(str)),
    Money: ("a:Money", _value),
    Double: ("x:double", _text(str)),
    Decimal: ("x:decimal", _text(lambda value: format(value, "f"))),
    datetime: ("x:dateTime", _text(_time)),
    date: ("x:dateTime", _text(lambda value: f"{value.isoformat()}T00:00:00Z")),
    Reference: ("a:EntityReference", _reference),
    Row: ("a:Entity", _row),
    Fetch: ("a:FetchExpression", lambda element, value: _set(element, "Query", value.xml)),
    Settings: ("n:ExecuteMultipleSettings", _settings),
    tuple: ("a:ArrayOfEntity", _parties),
    list: ("n:OrganizationRequestCollection", _messages),
    frozenset: ("r:ArrayOfguid", _guids),
}


def _set(element: _Element, name: str, text: str) -> None:
    _add(element, XRM, name, text)


def _add(parent: _Element, namespace: str, name: str, text: str | None = None) -> _Element:
    child = etree.SubElement(parent, f"{{{namespace}}}{name}")
    child.text = text
    return child


def _nil(parent: _Element, name: str) -> None:
    _add(parent, XRM, name).set(NIL, "true")
