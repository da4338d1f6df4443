"""Names of the organisation service (its WSDL, contract notes)."""

from collections.abc import Mapping

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICES = "http://schemas.microsoft.com/xrm/2011/Contracts/Services"
XRM = "http://schemas.microsoft.com/xrm/2011/Contracts"
XRM_2012 = "http://schemas.microsoft.com/xrm/2012/Contracts"
XRM_7_1 = "http://schemas.microsoft.com/xrm/7.1/Contracts"
METADATA = "http://schemas.microsoft.com/xrm/2011/Metadata"
PAIRS = "http://schemas.datacontract.org/2004/07/System.Collections.Generic"
GUIDS = "http://schemas.microsoft.com/2003/10/Serialization/"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

TYPE, NIL = f"{{{INSTANCE}}}type", f"{{{INSTANCE}}}nil"
PREFIXES: Mapping[str, str] = {
    "s": ENVELOPE,
    "v": SERVICES,
    "a": XRM,
    "b": PAIRS,
    "n": XRM_2012,
    "o": XRM_7_1,
    "m": METADATA,
    "g": GUIDS,
    "r": ARRAYS,
    "x": SCHEMA,
    "i": INSTANCE,
}
ACTION = f"{SERVICES}/IOrganizationService/Execute"
NO_ID = "00000000-0000-0000-0000-000000000000"
