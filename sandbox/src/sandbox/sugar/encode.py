"""Writing SOAP answers byte for byte as NuSOAP 0.9.5 does."""

from collections.abc import Mapping
from typing import Any

from .contract import NAMESPACE, Struct, operations, types
from .soapfault import SoapFault

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_ENCODING = 'SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
_SPACES = (
    'xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"',
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"',
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
    'xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"',
)
_ESCAPES = str.maketrans({"&": "&amp;", "'": "&apos;", '"': "&quot;", "<": "&lt;", ">": "&gt;"})


def reply(version: str, operation: str, result: Any) -> bytes:
    """The answer to one operation; `result` has the shape of the contract's result type, or is None."""
    kind = operations(version)[operation].result
    body = "" if kind is None else _element("return", kind, result, version)
    spaces = list(_SPACES)
    if kind is not None and kind.startswith("tns:"):
        spaces.append(f'xmlns:tns="{NAMESPACE}"')
    return (
        f"{_DECLARATION}<SOAP-ENV:Envelope {_ENCODING} {' '.join(spaces)}><SOAP-ENV:Body>"
        f'<ns1:{operation}Response xmlns:ns1="{NAMESPACE}">{body}</ns1:{operation}Response>'
        "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


def fault_reply(fault: SoapFault) -> bytes:
    code_type = "xsd:int" if isinstance(fault.code, int) else "xsd:string"
    return (
        f"{_DECLARATION}<SOAP-ENV:Envelope {_ENCODING}\n  " + "\n  ".join(_SPACES) + ">\n"
        "<SOAP-ENV:Body><SOAP-ENV:Fault>"
        f'<faultcode xsi:type="{code_type}">{fault.code}</faultcode>'
        '<faultactor xsi:type="xsd:string"></faultactor>'
        f'<faultstring xsi:type="xsd:string">{escape(fault.text)}</faultstring>'
        f'<detail xsi:type="xsd:string">{escape(fault.detail)}</detail>'
        "</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


def escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _element(name: str, kind: str, value: Any, version: str) -> str:
    if value is None:
        return f'<{name} xsi:nil="true" xsi:type="{kind}"/>'
    if kind.startswith("xsd:"):
        return f'<{name} xsi:type="{kind}">{_scalar(kind, value)}</{name}>'
    shape = types(version)[kind.removeprefix("tns:")]
    if isinstance(shape, Struct):
        members: Mapping[str, Any] = value
        inner = "".join(
            _element(member, type_, members[member], version)
            for member, type_ in shape.members
            if member in members
        )
        return f'<{name} xsi:type="{kind}">{inner}</{name}>'
    inner = "".join(_element("item", shape.item, item, version) for item in value)
    size = f'SOAP-ENC:arrayType="{shape.item}[{len(value)}]"'
    return f'<{name} xsi:type="SOAP-ENC:Array" {size}>{inner}</{name}>'


def _scalar(kind: str, value: Any) -> str:
    if kind == "xsd:boolean":
        return "true" if value else "false"
    return escape(str(value))
