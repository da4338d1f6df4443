# mypy: disable-error-code="no-untyped-call"
# (zeep is only partly typed)
"""By SOAP, with zeep and the CRM's own WSDL."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import zeep

from bench.plugins.wanted import LEAD, NOTE, PASSWORD_MD5, by_email
from bench.sugar import USER

_BINDING = "{http://www.sugarcrm.com/sugarcrm}sugarsoapBinding"
_ENCODING = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema"
 xmlns:e="http://schemas.xmlsoap.org/soap/encoding/"
 targetNamespace="http://schemas.xmlsoap.org/soap/encoding/"><attribute name="arrayType" type="string"/>
<group name="Array"><sequence><any minOccurs="0" maxOccurs="unbounded"/></sequence></group>
<complexType name="Array"><group ref="e:Array" minOccurs="0"/></complexType></schema>"""
_EMPTY = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema"
 targetNamespace="http://schemas.xmlsoap.org/wsdl/"/>"""
_LOCAL = {
    "http://schemas.xmlsoap.org/soap/encoding/": _ENCODING,
    "http://schemas.xmlsoap.org/wsdl/": _EMPTY,
}


class _Offline(zeep.Transport):
    """Has the documents that the WSDL names."""

    def load(self, url: str) -> bytes:
        found: bytes = _LOCAL.get(url) or super().load(url)
        return found


def work(url: str, emails: Sequence[str]) -> float:
    """See `bench.plugins`."""
    address = f"{url}/service/v4_1/soap.php"
    transport = _Offline(timeout=60, operation_timeout=60)
    transport.session.trust_env = False
    with transport.session:
        service = zeep.Client(f"{address}?wsdl", transport=transport).create_service(_BINDING, address)
        who = {"user_name": USER, "password": PASSWORD_MD5}
        session = service.login(who, "plug-in", [])["id"]
        began = time.monotonic()
        for email in emails:
            found = service.get_entry_list(
                session, "Leads", by_email(email), "", 0, _array("xsd:string", ["id"]), [], 1, 0, False
            )
            if found["entry_list"]:
                raise RuntimeError("The lead is there already.")
            lead = service.set_entry(session, "Leads", _pairs({**LEAD, "email1": email}))
            service.set_entry(session, "Notes", _pairs({**NOTE, "parent_id": lead}))
        return time.monotonic() - began


def _pairs(values: Mapping[str, str]) -> Any:
    return _array("tns:name_value", [{"name": name, "value": value} for name, value in values.items()])


def _array(kind: str, items: Sequence[Any]) -> Any:
    return {"_value_1": list(items), "arrayType": f"{kind}[{len(items)}]"}
