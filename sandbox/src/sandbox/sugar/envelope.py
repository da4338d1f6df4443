"""Reading a SOAP request the way NuSOAP 0.9.5 does, quirks included."""

from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from .soapfault import client_fault

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Request:
    """Operation name and parameters by position; part names do not count."""

    operation: str
    parameters: tuple[Value, ...]


def read(body: bytes) -> Request:
    """Raises `SoapFault` (SOAP-ENV:Client) for anything that is no SOAP 1.1 envelope with one operation."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise client_fault("error in msg parsing:\nXML error parsing SOAP payload") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise client_fault("error in msg parsing:\na document type is not accepted")
    soap_body = root.find(f"{{{SOAP_11}}}Body") if root.tag == f"{{{SOAP_11}}}Envelope" else None
    if soap_body is None or not len(soap_body):
        raise client_fault("error in msg parsing:\nno SOAP 1.1 envelope with an operation was found")
    call = soap_body[0]
    return Request(_local(call.tag), tuple(_value(part) for part in call))


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]


def _value(element: etree._Element) -> Value:
    if element.get(_NIL) in {"true", "1"}:
        return None
    children = list(element)
    if not children:
        return element.text or ""
    # Only the attribute's local name counts; its type's prefix may even be undeclared.
    if any(_local(name) == "arrayType" for name in element.attrib):
        return [_value(child) for child in children]
    # Without arrayType a list is a struct, in which equal names fold into one member:
    # one item survives by luck, two or more end up one level too deep.
    members: dict[str, Value] = {}
    for child in children:
        name, value = _local(child.tag), _value(child)
        if name not in members:
            members[name] = value
        elif isinstance(folded := members[name], list):
            folded.append(value)
        else:
            members[name] = [folded, value]
    return members


def items(value: Value) -> list[Value]:
    """What PHP's foreach would visit."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def texts(value: Value) -> list[str]:
    return [item for item in items(value) if isinstance(item, str)]


def integer(value: Value) -> int:
    """PHP's cast: what is no number is 0."""
    try:
        return int(text(value).strip())
    except ValueError:
        return 0


def pairs(value: Value) -> dict[str, str]:
    """A name_value_list as a dict; items that are no pair count for nothing (hence the blank records).

    A plain map of names to texts is taken too, as Sugar does.
    """
    named = value.items() if isinstance(value, dict) else ()
    return {name: item for name, item in named if isinstance(item, str)} | {
        text(item["name"]): text(item.get("value"))
        for item in items(value)
        if isinstance(item, dict) and text(item.get("name"))
    }
