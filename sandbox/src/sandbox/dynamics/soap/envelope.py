"""SOAP 1.1 around the organisation service: envelopes and faults. Source: recorded envelopes of SOAP 1.2."""

from datetime import UTC, datetime

from lxml import etree

from ..errors import CrmError
from .decoding import Malformed
from .encoding import Element, add, add_nil, add_pair, rooted
from .names import ENVELOPE, SERVICES, TYPE, XRM

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_DISPATCHER = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"
_INTERNAL = "The server was unable to process the request due to an internal error."
CONTENT_TYPE = "text/xml; charset=utf-8"


def body_of(raw: bytes) -> Element:
    """The element in the envelope's body. Raises Malformed."""
    try:
        envelope = etree.fromstring(raw, _PARSER)
    except etree.XMLSyntaxError:
        raise Malformed from None
    body = envelope.find(f"{{{ENVELOPE}}}Body")
    if envelope.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) != 1:
        raise Malformed
    element: Element = body[0]
    if etree.QName(element).namespace != SERVICES:
        raise Malformed
    return element


def enveloped(element: Element) -> bytes:
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE})
    etree.SubElement(envelope, f"{{{ENVELOPE}}}Body").append(element)
    return etree.tostring(envelope, encoding="utf-8")


def fault(error: CrmError) -> bytes:
    """With an OrganizationServiceFault."""
    element = _fault("s:Client", error.message)
    detail = etree.SubElement(element, "detail")
    said = rooted(XRM, "OrganizationServiceFault")
    fill_fault(said, error)
    detail.append(said)
    return enveloped(element)


def fault_of_wcf(code: str = "s:Server", message: str = _INTERNAL) -> bytes:
    """One without detail: the message has not got as far as the service."""
    return enveloped(_fault(code, message))


def fill_fault(element: Element, error: CrmError) -> None:
    add(element, XRM, "ErrorCode", str(error.number))
    details = add(element, XRM, "ErrorDetails")
    if error.retry_after is not None:
        value = add_pair(details, "Retry-After")
        value.set(TYPE, "e:duration")
        value.text = f"PT{error.retry_after}S"
    add(element, XRM, "Message", error.message)
    add(element, XRM, "Timestamp", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z")
    add_nil(element, XRM, "InnerFault")
    add_nil(element, XRM, "TraceText")


def _fault(code: str, message: str) -> Element:
    element = etree.Element(f"{{{ENVELOPE}}}Fault", nsmap={"s": ENVELOPE, "a": _DISPATCHER})
    etree.SubElement(element, "faultcode").text = code
    text = etree.SubElement(element, "faultstring")
    text.set(_XML_LANG, "en-US")
    text.text = message
    return element
