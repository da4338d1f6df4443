"""Namespaces of the organisation service. Source: its WSDL, and envelopes recorded from CRM 2011 and 2013."""

from collections.abc import Mapping

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XS = "http://www.w3.org/2001/XMLSchema"
SERVICES = "http://schemas.microsoft.com/xrm/2011/Contracts/Services"
XRM = "http://schemas.microsoft.com/xrm/2011/Contracts"
CRM = "http://schemas.microsoft.com/crm/2011/Contracts"
XRM_2012 = "http://schemas.microsoft.com/xrm/2012/Contracts"
PAIRS = "http://schemas.datacontract.org/2004/07/System.Collections.Generic"
SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
ARRAYS = f"{SERIALIZATION}Arrays"
METADATA = "http://schemas.microsoft.com/xrm/2011/Metadata"
METADATA_2013 = "http://schemas.microsoft.com/xrm/2013/Metadata"

PREFIXES: Mapping[str, str] = {
    "b": XRM,
    "c": PAIRS,
    "d": XS,
    "e": SERIALIZATION,
    "f": ARRAYS,
    "g": CRM,
    "h": METADATA,
    "j": METADATA_2013,
    "l": XRM_2012,
    "i": XSI,
}
"""As answers declare them, once for all on the body's element."""

NIL, TYPE = f"{{{XSI}}}nil", f"{{{XSI}}}type"
EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
