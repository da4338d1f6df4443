"""Answers out of envelopes: results by name, values as `wire` has them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree

from connector_dynamics import faults
from connector_dynamics.soap.names import ENVELOPE, NIL, TYPE, XRM
from connector_dynamics.wire import Entry, Money, Option, Reference, Value
from leadbus.errors import LeadbusError

Element = etree._Element


@dataclass(frozen=True, slots=True)
class Collection:
    """An EntityCollection. cookie: of the page, None where the server gives none."""

    entries: tuple[Entry, ...]
    more: bool = False
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """An OrganizationServiceFault, or one of WCF's without a code."""

    code: int | None
    message: str = ""
    retry_after: str | None = None

    def error(self, *, writing: bool) -> LeadbusError:
        """By `faults`."""
        after = faults.seconds(self.retry_after)
        return faults.of_fault(self.code, self.message, writing=writing, retry_after=after)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message of ExecuteMultiple that failed. index: which one."""

    index: int
    fault: Fault


def decode(content: bytes) -> Mapping[str, Any] | Fault:
    """The results, or the fault.

    Raises:
        ValueError, LookupError, etree.LxmlError: this is no such answer.
    """
    # A fresh one for each answer: a parser's dictionary of names never shrinks.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    envelope = etree.fromstring(content, parser)
    if envelope.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a document type")
    body = envelope.find(f"{{{ENVELOPE}}}Body")
    if body is None or not len(body):
        raise ValueError("no envelope")
    if body[0].tag == f"{{{ENVELOPE}}}Fault":
        return _soap_fault(body[0])
    result = body[0][0]
    results = child(result, "Results")
    return dict(_pairs(results, value)) if results is not None else {}


def value(element: Element) -> Any:
    """What a typed value is; the element itself where its type is none that rows have."""
    if element.get(NIL) in {"true", "1"}:
        return None
    type_ = element.get(TYPE, "string").rpartition(":")[2]
    read = _READERS.get(type_)
    return read(element) if read else element


def child(element: Element, name: str) -> Element | None:
    """By its name, whatever its namespace; None also for one that is nil."""
    found = element.find(f"{{*}}{name}")
    return None if found is None or found.get(NIL) in {"true", "1"} else found


def text(element: Element | None, name: str = "") -> str:
    """Of the element, or of its child of that name; empty where there is none."""
    found = child(element, name) if name and element is not None else element
    return (found.text or "") if found is not None else ""


def _pairs(element: Element | None, read: Callable[[Element], Any]) -> Iterator[tuple[str, Any]]:
    for pair in element if element is not None else ():
        key, held = pair[0], pair[1]
        yield key.text or "", read(held)


def _entry(element: Element) -> Entry:
    values: dict[str, Value] = dict(_pairs(child(element, "Attributes"), _held))
    labels: dict[str, str] = dict(_pairs(child(element, "FormattedValues"), text))
    labels |= {n: v.name for n, v in values.items() if isinstance(v, Reference) and v.name}
    return Entry(
        text(element, "LogicalName"),
        text(element, "Id").lower(),
        {name: held for name, held in values.items() if not isinstance(held, etree._Element)},
        labels,
        text(element, "RowVersion") or None,
    )


def _held(element: Element) -> Any:
    """A value of a row; a collection there is a list of parties."""
    held = value(element)
    if not isinstance(held, Collection):
        return held
    parties = (row.values.get("partyid") for row in held.entries)
    return tuple(party for party in parties if isinstance(party, Reference))


def _collection(element: Element) -> Collection:
    entries = child(element, "Entities")
    rows = tuple(_entry(row) for row in (entries if entries is not None else ()))
    return Collection(rows, text(element, "MoreRecords") == "true", text(element, "PagingCookie"))


def _reference(element: Element) -> Reference:
    return Reference(text(element, "LogicalName"), text(element, "Id").lower(), text(element, "Name"))


def _aliased(element: Element) -> Any:
    held = child(element, "Value")
    return value(held) if held is not None else None


def _failures(element: Element) -> tuple[Failure, ...]:
    found = []
    for item in element:
        if (fault := child(item, "Fault")) is not None:
            found.append(Failure(int(text(item, "RequestIndex")), _service_fault(fault)))
    return tuple(found)


def _soap_fault(element: Element) -> Fault:
    detail = element.find("detail")
    service = detail.find(f"{{{XRM}}}OrganizationServiceFault") if detail is not None else None
    return _service_fault(service) if service is not None else Fault(None)


def _service_fault(element: Element) -> Fault:
    """The innermost whose code says something, as a plug-in's failure wraps what it met."""
    found = Fault(
        faults.number(text(element, "ErrorCode")),
        text(element, "Message"),
        dict(_pairs(child(element, "ErrorDetails"), text)).get("Retry-After"),
    )
    inner = child(element, "InnerFault")
    return _service_fault(inner) if found.code not in faults.CODES and inner is not None else found


_READERS: Mapping[str, Callable[[Element], Any]] = {
    "string": text,
    "dateTime": text,
    "duration": text,
    "guid": lambda element: text(element).lower(),
    "int": lambda element: int(text(element)),
    "long": lambda element: int(text(element)),
    "boolean": lambda element: text(element) in {"true", "1"},
    "decimal": lambda element: Decimal(text(element)),
    "double": lambda element: Decimal(text(element)),
    "OptionSetValue": lambda element: Option(text(element, "Value")),
    "OptionSetValueCollection": lambda element: ",".join(text(held, "Value") for held in element),
    "Money": lambda element: Money(text(element, "Value")),
    "BooleanManagedProperty": lambda element: text(element, "Value") == "true",
    "EntityReference": _reference,
    "EntityReferenceCollection": lambda element: tuple(map(_reference, element)),
    "Entity": _entry,
    "EntityCollection": _collection,
    "AliasedValue": _aliased,
    "ExecuteMultipleResponseItemCollection": _failures,
    "OrganizationResponseCollection": _failures,
}
